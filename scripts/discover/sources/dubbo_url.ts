// Dubbo's and SOFARPC's registrations: `dubbo://10.0.0.1:20880/com.example.Hello?version=1.0.0&…`.
import { badAddress, type Endpoint, endpoint } from "../model.ts";

/** Most of one registration; Dubbo's are below 2 KiB. */
const MAX_URL = 64 * 1024;
const MAX_METHODS = 1000;
const MAX_WEIGHT = 1_000_000;

export interface DubboUrl {
  protocol: string;
  host: string;
  port: number;
  path: string;
  parameters: Map<string, string>;
}

/** Decodes as Java's URLDecoder; undefined for what cannot be decoded. */
export function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

/** Reads a decoded URL. Text: why it is none. */
export function parseUrl(text: string): DubboUrl | string {
  if (text.length > MAX_URL) return `longer than ${MAX_URL} characters`;
  const parts =
    /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(?:[^@/?]*@)?(?:\[([^\]]*)\]|([^:/?]*))(?::(\d+))?(\/[^?]*)?(?:\?([^]*))?$/.exec(
      text,
    );
  if (!parts) return "expected PROTOCOL://HOST:PORT/SERVICE?…";
  const [, protocol, v6, name, port, path = "", query = ""] = parts;
  const parameters = new Map<string, string>();
  for (const pair of query.split("&")) {
    const equals = pair.indexOf("=");
    if (equals > 0) parameters.set(pair.slice(0, equals), pair.slice(equals + 1));
  }
  return {
    protocol,
    host: v6 ?? name ?? "",
    port: Number(port ?? 0),
    path: path.replace(/^\/+|\/+$/g, ""),
    parameters,
  };
}

/** A whole number from 0 on, or what is usual. */
export function numberIn(parameters: ReadonlyMap<string, string>, key: string, usual: number, most: number): number {
  const text = parameters.get(key) ?? "";
  return /^\d{1,12}$/.test(text) ? Math.min(Number(text), most) : usual;
}

/** In Dubbo a parameter may be set for all services of a provider (`default.`). */
function parameter({ parameters }: DubboUrl, key: string): string {
  return parameters.get(key) ?? parameters.get(`default.${key}`) ?? "";
}

/** The host of a registration; text: why it cannot be one. */
export function endpointOf(url: DubboUrl): Endpoint | string {
  const bad = badAddress(url.host, url.port);
  if (bad !== undefined) return bad;
  const text = (key: string) => parameter(url, key);
  const number = (key: string, usual: number, most: number) =>
    numberIn(url.parameters, url.parameters.has(key) ? key : `default.${key}`, usual, most);
  return endpoint({
    host: url.host,
    port: url.port,
    protocol: url.protocol,
    weight: number("weight", 100, MAX_WEIGHT),
    enabled: text("enabled") !== "false" && text("disabled") !== "true",
    version: text("version"),
    group: text("group"),
    tag: text("dubbo.tag"),
    zone: text("zone"),
    serialization: text("serialization") || text("prefer.serialization").split(",")[0],
    application: text("application") || text("appName"),
    timeoutMs: number("timeout", 0, 3_600_000),
    methods: text("methods").split(",").filter(Boolean).slice(0, MAX_METHODS),
  });
}
