// The folder `providers` of an interface, of Dubbo 2 and of SOFARPC: a node for each registration, whose name is its URL.
import type { Endpoint, Listener } from "../model.ts";
import { decode, type DubboUrl, endpointOf, parseUrl } from "./dubbo_url.ts";

/**
 * Hosts by service; what is no registration is left out, and `listener` is warned of it.
 * @param path of the folder
 * @param serviceOf the service of a registration; undefined: the URL says that there is none
 */
export function readProviders(
  path: string,
  children: string[],
  listener: Listener,
  serviceOf: (url: DubboUrl) => string | undefined,
): Map<string, Endpoint[]> {
  const found = new Map<string, Endpoint[]>();
  let broken = 0;
  let why = "";
  for (const child of children) {
    const url = parseUrl(decode(child) ?? "");
    const service = typeof url === "string" ? "" : serviceOf(url);
    if (service === undefined) continue;
    const host = typeof url === "string" ? url : endpointOf(url);
    if (typeof host === "string") {
      broken++;
      why = host;
    } else found.set(service, [...(found.get(service) ?? []), host]);
  }
  if (broken > 0) listener.warn(path, `${broken} of ${children.length} nodes left out, for one: ${why}`);
  else listener.unwarn(path);
  return found;
}
