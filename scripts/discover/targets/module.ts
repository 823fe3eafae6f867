// The module's configuration: which call goes to which cluster.
import { addressOf } from "../model.ts";
import { type Cluster, isRpc, isUneven, scaledWeights } from "./clusters.ts";

type Json = Record<string, unknown>;

export interface ModuleOptions {
  /** The module's configuration apart from the routes of services; its own routes come first. */
  base: Json;
  /** Patterns of services that need no route of their own: a call names its cluster. */
  allow: string[];
  /** The request's header that names a tag. */
  tagHeader: string;
}

/** The module's own bound of a weight. */
const MAX_WEIGHT = 128;
const ANY = "*";

/** `NAME`, or one `*` and the name's beginning, end or both: what `allowed_clusters` takes. */
function fits(name: string, pattern: string): boolean {
  const star = pattern.indexOf("*");
  if (star < 0) return name === pattern;
  const [first, last] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return name.length >= first.length + last.length && name.startsWith(first) && name.endsWith(last);
}

/** What the configuration depends on of a service: as long as it is the same text, so is the service's part. */
export function moduleShape(clusters: Cluster[]): string {
  const parts = clusters.map((cluster) => {
    const { name, protocol, rules } = cluster;
    return [name, protocol, rules, isUneven(cluster) ? weighted(cluster) : 0];
  });
  return JSON.stringify(parts);
}

/** The module's configuration for these services, each given by its clusters. */
export function moduleConfiguration(services: Iterable<Cluster[]>, options: ModuleOptions): Json {
  const { base } = options;
  const router = (base.router ?? {}) as { virtual_hosts?: { domains?: string[] }[] };
  const own = router.virtual_hosts ?? [];
  const taken = new Set(own.flatMap(({ domains }) => domains ?? []).map((domain) => domain.toLowerCase()));
  const hosts = new Map<string, Cluster[][]>();
  const weights: Json = {};
  for (const all of services) {
    const clusters = all.filter(isRpc);
    if (clusters.length === 0) continue;
    for (const cluster of clusters) if (isUneven(cluster)) weights[cluster.name] = weighted(cluster);
    // The proxy compares domains without regard to case.
    const domain = clusters[0].service.toLowerCase();
    if (taken.has(domain) || !needsRoute(clusters, options.allow)) continue;
    hosts.set(domain, [...(hosts.get(domain) ?? []), clusters]);
  }
  const routed = [...hosts.values()].map((same) => virtualHost(same, options.tagHeader));
  const virtual_hosts = [...own, ...routed];
  if (options.allow.length > 0 && !taken.has(ANY)) virtual_hosts.push(byName() as (typeof own)[number]);
  // A router without virtual hosts would send every call to the cluster `upstream`.
  if (virtual_hosts.length === 0) virtual_hosts.push(nobody() as (typeof own)[number]);
  const allowed = [...((base.allowed_clusters as string[] | undefined) ?? []), ...options.allow];
  return {
    ...base,
    ...(allowed.length > 0 ? { allowed_clusters: [...new Set(allowed)] } : {}),
    router: { ...router, virtual_hosts },
    ...clustersField(base, weights),
  };
}

/** The base's own words on a cluster win, but for weights under the balancer that uses them. */
function clustersField(base: Json, weights: Json): Json {
  const own = (base.clusters ?? {}) as Record<string, Json>;
  const all: Json = { ...own };
  for (const [name, value] of Object.entries(weights)) {
    const fields = own[name] ?? {};
    if (fields.lb_type === undefined || fields.lb_type === "LB_WEIGHTED_ROUNDROBIN") {
      all[name] = { ...(value as Json), ...fields };
    }
  }
  return Object.keys(all).length > 0 ? { clusters: all } : {};
}

function weighted({ endpoints }: Cluster): Json {
  const scaled = scaledWeights(endpoints, MAX_WEIGHT);
  const host_weights = Object.fromEntries(endpoints.map((one, i) => [addressOf(one), scaled[i]]));
  return { lb_type: "LB_WEIGHTED_ROUNDROBIN", host_weights };
}

/** Calls that no pattern opens, or whose cluster is not simply called as their service, need a route. */
function needsRoute(clusters: Cluster[], allow: string[]): boolean {
  const [{ name, service, rules }] = clusters;
  const plain = clusters.length === 1 && name === service && rules.timeoutMs === 0;
  return !plain || !allow.some((pattern) => fits(service, pattern));
}

function byName(): Json {
  return { name: "by name", domains: [ANY], routers: [{ route: { cluster_variable: "x-mosn-rpc-service" } }] };
}

function nobody(): Json {
  const body = "no service is known";
  return { name: "nobody", domains: [ANY], routers: [{ direct_response: { status: 404, body } }] };
}

/** The routes of a service; of several whose names differ in case only. */
function virtualHost(services: Cluster[][], tagHeader: string): Json {
  const name = services[0][0].service;
  const routers = services.flatMap((clusters) => {
    const named = services.length > 1 ? [{ name: "service", value: clusters[0].service }] : [];
    return routesOf(clusters, named, tagHeader);
  });
  return { name, domains: [name], routers };
}

interface Header {
  name: string;
  value: string;
  regex?: boolean;
}

/** First the calls that say most. */
function routesOf(clusters: Cluster[], named: Header[], tagHeader: string): Json[] {
  const kinds = new Set(clusters.map(({ version, group }) => `${version} ${group}`));
  const weight = ({ tag, version, group }: Cluster) =>
    (tag === "" ? 0 : 4) + (version === "" ? 0 : 1) + (group === "" ? 0 : 1);
  const sorted = [...clusters].sort((a, b) => weight(b) - weight(a));
  const routes: Json[] = [];
  const tagged = sorted.filter(({ tag }) => tag !== "");
  const plain = sorted.filter(({ tag }) => tag === "");
  const match = (cluster: Cluster, more: Header[]) => {
    const headers = [...named, ...more];
    const variables: string[] = [];
    // Without a version means just that only where others have one.
    if (kinds.size > 1) {
      if (cluster.version !== "") headers.push({ name: "version", value: cluster.version });
      else variables.push("request_header_version");
      if (cluster.group !== "") headers.push({ name: "group", value: cluster.group });
      else variables.push("request_header_group");
    }
    return {
      ...(headers.length > 0 ? { headers } : {}),
      ...(variables.length > 0 ? { variables: variables.map(absent) } : {}),
    };
  };
  for (const cluster of tagged) {
    routes.push(routeTo(cluster, match(cluster, [{ name: tagHeader, value: cluster.tag }])));
  }
  if (tagged.length > 0) routes.push(forcedTag(named, tagHeader));
  for (const cluster of plain) routes.push(routeTo(cluster, match(cluster, [])));
  return routes;
}

/** A variable that has no value; Java writes 0.0.0 for no version. */
function absent(name: string): Json {
  return { name, regex: name === "request_header_version" ? "^(0\\.0\\.0)?$" : "^$" };
}

/** A caller that insists on a tag which no host has gets no other host. */
function forcedTag(named: Header[], tagHeader: string): Json {
  const headers = [...named, { name: "dubbo.force.tag", value: "true" }, { name: tagHeader, value: ".+", regex: true }];
  return { match: { headers }, direct_response: { status: 503, body: "no host has this tag" } };
}

function routeTo(cluster: Cluster, match: Json): Json {
  const { timeoutMs } = cluster.rules;
  const route = { cluster_name: cluster.name, ...(timeoutMs > 0 ? { timeout: `${timeoutMs}ms` } : {}) };
  return { ...(Object.keys(match).length > 0 ? { match } : {}), route };
}
