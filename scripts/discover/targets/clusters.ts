// The clusters of a service: one for each kind of call that may go to other hosts.
import type { Service } from "../keeper.ts";
import type { CallRules, Endpoint } from "../model.ts";

export interface Cluster {
  /** Stable as long as the hosts are of that kind: `SERVICE`, or `SERVICE|version=1.0.0|group=g|tag=gray`. */
  name: string;
  service: string;
  protocol: string;
  version: string;
  group: string;
  tag: string;
  /** Who may be called: enabled, with a weight. May be empty. */
  endpoints: Endpoint[];
  rules: CallRules;
}

/** Protocols that the module speaks; the others are Envoy's own business. */
const RPC = new Set(["bolt", "boltv2", "dubbo", "thrift", "tars", "x_example"]);

export function isRpc({ protocol }: { protocol: string }): boolean {
  return RPC.has(protocol);
}

/** In Dubbo no version is the same as 0.0.0. */
function versionOf(one: Endpoint): string {
  return one.version === "0.0.0" ? "" : one.version;
}

/** A request of SOFARPC has version and unique id in the name of its service already. */
function kindOf(one: Endpoint): { protocol: string; version: string; group: string; tag: string } {
  const named = one.protocol === "bolt" || one.protocol === "boltv2";
  return {
    protocol: one.protocol,
    version: named ? "" : versionOf(one),
    group: named ? "" : one.group,
    tag: one.tag,
  };
}

/** The cluster's name; parts that are empty are left out. */
export function clusterName(service: string, kind: ReturnType<typeof kindOf>): string {
  const { protocol, version, group, tag } = kind;
  const parts = Object.entries({ version, group, tag, protocol: RPC.has(protocol) ? "" : protocol });
  return [
    service,
    ...parts.flatMap(([key, value]) => (value === "" ? [] : [`${key}=${encodeURIComponent(value)}`])),
  ].join("|");
}

/** The clusters of a service, by name. Where two protocols of the module share a name, they share a cluster. */
export function clustersOf(service: Service): Cluster[] {
  const found = new Map<string, Cluster>();
  for (const one of service.endpoints) {
    const kind = kindOf(one);
    const name = clusterName(service.name, kind);
    let cluster = found.get(name);
    if (!cluster) {
      cluster = { name, service: service.name, ...kind, endpoints: [], rules: service.rules };
      found.set(name, cluster);
    }
    if (one.enabled) cluster.endpoints.push(one);
  }
  for (const cluster of found.values()) cluster.endpoints = callable(cluster.endpoints);
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A host of weight 0 gets no call as long as another has a weight, as in Dubbo and SOFARPC. */
function callable(endpoints: Endpoint[]): Endpoint[] {
  const weighted = endpoints.filter(({ weight }) => weight > 0);
  return weighted.length > 0 ? weighted : endpoints;
}

/** Whether the hosts are to get different shares. */
export function isUneven({ endpoints }: Cluster): boolean {
  return endpoints.some(({ weight }) => weight !== endpoints[0].weight);
}

/** Weights from 1 to `most` in the proportions of the hosts' own. */
export function scaledWeights(endpoints: Endpoint[], most: number): number[] {
  const largest = Math.max(...endpoints.map(({ weight }) => weight));
  if (largest === 0) return endpoints.map(() => 1);
  const factor = largest > most ? most / largest : 1;
  return endpoints.map(({ weight }) => Math.max(1, Math.round(weight * factor)));
}
