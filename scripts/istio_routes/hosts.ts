// The hosts of the mesh: Services and ServiceEntries, their ports, and which RPC calls are for them.
import { PROTOCOLS } from "../convert/rpc.ts";
import type { Resource } from "./documents.ts";
import type { Fields } from "./fields.ts";
import { fullName, type Options } from "./options.ts";
import type { Place, Report } from "./report.ts";

/** Annotation with the RPC services of a Service: domains of a virtual host, with commas or blanks between. `.PORT` behind it: of one port. */
export const ANNOTATION = "moe.mosn.io/services";

/** Protocols whose service names carry no version. */
const WITHOUT_VERSION = ["dubbo", "dubbo-thrift", "tars"];
/** What Istio reads at the beginning of a port's name, or in appProtocol, as HTTP (pkg/config/protocol). */
const HTTP = /^(http|http2|https|grpc|grpc-web|grpcs?|kubernetes\.io\/(h2c|ws|wss))(-|$)/i;
/** Prefixes of names that say no more than TCP. */
const TCP = /^tcp-?/i;

export interface Port {
  number: number;
  /** The module's protocol that the name says. */
  protocol?: string;
  place: Place;
}

export interface Host {
  /** The full name. */
  name: string;
  namespace: string;
  ports: Port[];
  /** Addresses that clients connect to, without port. */
  addresses: string[];
  /** Why Envoy cannot reach it from an internal listener. */
  unreachable?: string;
  annotations: Record<string, string>;
  place: Place;
}

/** The protocol that a port's name says: `bolt`, `tcp-bolt`, `tcp-dubbo-orders`. */
export function protocolOf(name: string): string | undefined {
  const rest = name.toLowerCase().replace(TCP, "");
  const longestFirst = [...PROTOCOLS].sort((a, b) => b.length - a.length);
  return longestFirst.find((protocol) => rest === protocol || rest.startsWith(`${protocol}-`));
}

function readPort(port: Fields, number: number, name: string, appProtocol: string): Port {
  const place = port.placeOf(port.path);
  const said = appProtocol || name;
  if (HTTP.test(said)) {
    const protocol = protocolOf(name.replace(/^[a-z0-9]+-/i, ""));
    const field = appProtocol ? "appProtocol" : "name";
    if (protocol !== undefined)
      port.error(field, `Istio takes this port for HTTP, and ${protocol} will not pass; name it "tcp-${protocol}"`);
    return { number, place };
  }
  return { number, place, protocol: protocolOf(name) };
}

function service({ name, namespace, spec, annotations, place }: Resource, options: Options): Host {
  const ports = spec
    .list("ports")
    .filter((port) => (port.text("protocol") ?? "TCP") === "TCP")
    .map((port) => {
      const number = port.count("port") ?? 0;
      return readPort(port, number, port.text("name") ?? "", port.text("appProtocol") ?? "");
    });
  const given = spec.has("clusterIPs") ? spec.texts("clusterIPs") : [spec.text("clusterIP") ?? ""];
  const addresses = given.filter((address) => address !== "" && address !== "None");
  const external = spec.text("type") === "ExternalName";
  return {
    name: fullName(name, namespace, options),
    namespace,
    ports,
    addresses,
    annotations,
    place,
    ...(external && { unreachable: "a Service of type ExternalName has no hosts; use a ServiceEntry" }),
  };
}

function serviceEntry({ namespace, spec, annotations, place }: Resource): Host[] {
  const ports = spec.list("ports").map((port) => {
    const protocol = port.text("protocol") ?? "";
    const read = readPort(port, port.count("number") ?? 0, port.text("name") ?? "", protocol);
    port.skip("targetPort");
    port.finish();
    return read;
  });
  const addresses = spec.texts("addresses").filter((address) => !address.includes("/"));
  const resolution = spec.text("resolution") ?? "NONE";
  spec.skip("location", "endpoints", "workloadSelector", "exportTo", "subjectAltNames");
  const names = spec.texts("hosts");
  spec.finish();
  return names.map((name) => {
    const host: Host = { name, namespace, ports, addresses, annotations, place };
    if (!["STATIC", "DNS", "DNS_ROUND_ROBIN"].includes(resolution))
      host.unreachable = `with resolution ${resolution} Envoy goes where the client went, which the switchboard does not know`;
    if (name.startsWith("*")) host.unreachable = "a host with a wildcard has no cluster of its own";
    return host;
  });
}

/** All hosts of the input. */
export function readHosts(resources: Resource[], options: Options, report: Report): Host[] {
  const hosts = resources.flatMap((resource) => {
    if (resource.kind === "Service") return [service(resource, options)];
    return resource.kind === "ServiceEntry" ? serviceEntry(resource) : [];
  });
  hosts.forEach((host, i) => {
    const other = hosts.findIndex(({ name }) => name === host.name);
    if (other < i) report.error(host.place, `${host.name} is a host of ${hosts[other].place.resource}, too`);
  });
  return hosts;
}

/** The domains of the virtual host for the calls of a host, by its annotation for a port. */
export function domainsOf(host: Host, port: Port, report: Report): string[] {
  const own = `${ANNOTATION}.${port.number}`;
  const key = own in host.annotations ? own : ANNOTATION;
  const words = (host.annotations[key] ?? "").split(/[\s,]+/).filter((word) => word !== "");
  const place = { ...host.place, path: `metadata.annotations["${key}"]` };
  return words.flatMap((word) => {
    if (!port.protocol || !WITHOUT_VERSION.includes(port.protocol) || !word.includes(":")) return [word];
    const [name, version] = word.split(":");
    if (version === "*") return [name];
    report.error(place, `services of ${port.protocol} carry no version in their names: "${name}" instead of "${word}"`);
    return [];
  });
}
