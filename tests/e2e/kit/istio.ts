// The way of calls in Istio's sidecars, without Istio: the module, a tcp_proxy, and what istio/switchboard.yaml adds.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parse } from "yaml";
import {
  type Bootstrap,
  type Cluster,
  type Listener,
  pluginConfig,
  rpcChain,
  switchboard,
} from "../../../scripts/lib/bootstrap.ts";

const FILE = resolve(import.meta.dirname, "../../../istio/switchboard.yaml");
const TCP_PROXY = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy";
const INTERNAL = "type.googleapis.com/envoy.extensions.bootstrap.internal_listener.v3.InternalListener";
/** Where the tcp_proxy would go by itself. */
export const OWN_CLUSTER = "nowhere";

export type Side = "SIDECAR_OUTBOUND" | "SIDECAR_INBOUND" | "GATEWAY";

interface Patch {
  applyTo: "LISTENER" | "CLUSTER";
  match: { context: Side };
  patch: { operation: string; value: Record<string, unknown> };
}

/** What istio/switchboard.yaml adds on one side. */
export function added(side: Side): { listeners: Listener[]; clusters: Cluster[] } {
  const patches = parse(readFileSync(FILE, "utf8")).spec.configPatches as Patch[];
  const of = (kind: Patch["applyTo"]) =>
    patches
      .filter(({ applyTo, match }) => applyTo === kind && match.context === side)
      .map(({ patch }) => structuredClone(patch.value));
  return { listeners: of("LISTENER") as unknown as Listener[], clusters: of("CLUSTER") as unknown as Cluster[] };
}

/**
 * Has a bootstrap's RPC listener go that way: its switchboard, with what a test has changed there, moves behind the internal
 * listener. The configuration of the module gets the cluster's name.
 */
export function throughTcpProxy(bootstrap: Bootstrap, listener: Listener, side: Side = "SIDECAR_OUTBOUND"): void {
  const chain = rpcChain(listener);
  const { listeners, clusters } = added(side);
  const [inner] = listeners;
  const own = inner.filter_chains[0].filters[0].typed_config;
  const { http_filters, ...changed } = switchboard(listener);
  // Of the filters there the check of keys stays away: see istio/README.md.
  const others = (http_filters as { name: string }[]).filter(({ name }) => name !== "envoy.filters.http.rbac");
  inner.filter_chains[0].filters[0].typed_config = { ...own, ...changed, http_filters: others };
  const typed_config = { "@type": TCP_PROXY, stat_prefix: "outer", cluster: OWN_CLUSTER };
  chain.filters[1] = { name: "envoy.filters.network.tcp_proxy", typed_config };
  const configuration = (pluginConfig(listener).configuration ??= {
    "@type": "type.googleapis.com/google.protobuf.Struct",
    value: {},
  }) as { value: Record<string, unknown> };
  configuration.value.switchboard = inner.name;
  bootstrap.static_resources.listeners.push(inner);
  bootstrap.static_resources.clusters.push(...clusters);
  bootstrap.bootstrap_extensions = [{ name: "envoy.bootstrap.internal_listener", typed_config: { "@type": INTERNAL } }];
}
