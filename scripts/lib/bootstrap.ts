// Reads an Envoy bootstrap and changes the few things that `npm start` and the tests change: ports and module.
import { readFileSync } from "node:fs";
import { parse, stringify } from "yaml";

export interface SocketAddress {
  address: string;
  port_value: number;
}

interface Address {
  address: { socket_address: SocketAddress };
}

export interface NetworkFilter {
  name: string;
  typed_config: Record<string, unknown>;
}

export interface FilterChain {
  filters: NetworkFilter[];
  transport_socket?: unknown;
  filter_chain_match?: unknown;
}

export interface Listener extends Address {
  name: string;
  filter_chains: FilterChain[];
  [field: string]: unknown;
}

export interface Cluster {
  name: string;
  type: string;
  load_assignment: { cluster_name: string; endpoints: { lb_endpoints: { endpoint: Address }[] }[] };
  [field: string]: unknown;
}

/** The part of Envoy's bootstrap that this project's files use; everything else is kept as it is. */
export interface Bootstrap {
  admin?: Address;
  static_resources: { listeners: Listener[]; clusters: Cluster[] };
  [field: string]: unknown;
}

/** The wasm filter's plugin configuration (envoy.extensions.wasm.v3.PluginConfig). */
export interface PluginConfig {
  root_id: string;
  vm_config: { code: { local: { filename: string } }; [field: string]: unknown };
  configuration?: unknown;
  [field: string]: unknown;
}

const WASM = "envoy.filters.network.wasm";
const SWITCHBOARD = "envoy.filters.network.http_connection_manager";

/** Reads a bootstrap in YAML or JSON. Throws where it is no bootstrap with a listener. */
export function readBootstrap(file: string): Bootstrap {
  let bootstrap: Bootstrap | null;
  try {
    bootstrap = parse(readFileSync(file, "utf8"), { merge: true }) as Bootstrap | null;
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`);
  }
  if (!Array.isArray(bootstrap?.static_resources?.listeners)) {
    throw new Error(`${file} is no Envoy bootstrap: static_resources.listeners is missing`);
  }
  bootstrap.static_resources.clusters ??= [];
  return bootstrap;
}

/** The bootstrap as YAML, without anchors; in YAML 1.1, because Envoy takes a plain `yes` for a boolean. */
export function writeBootstrap(bootstrap: Bootstrap): string {
  return stringify(bootstrap, { aliasDuplicateObjects: false, lineWidth: 0, version: "1.1" });
}

/** The listener whose filters include the module. Throws if there is none. */
export function rpcListener(bootstrap: Bootstrap): Listener {
  const listener = bootstrap.static_resources.listeners.find((l) => filtersOf(l).some((f) => f.name === WASM));
  if (!listener) throw new Error(`the bootstrap has no listener with the network filter ${WASM}, the RPC proxy`);
  return listener;
}

/** The chain of an RPC listener that holds the module; others are for HTTP. Throws if there is none. */
export function rpcChain(listener: Listener): FilterChain {
  const chain = listener.filter_chains?.find(({ filters = [] }) => filters.some((f) => f.name === WASM));
  if (!chain) throw new Error(`listener ${listener.name} has no filter ${WASM}`);
  return chain;
}

/** Whether the module is an RPC proxy somewhere. */
export function hasRpc(bootstrap: Bootstrap): boolean {
  return bootstrap.static_resources.listeners.some((l) => filtersOf(l).some((f) => f.name === WASM));
}

/** The listener that clients use: that of the RPC proxy, or else the first. */
export function mainListener(bootstrap: Bootstrap): Listener {
  const { listeners } = bootstrap.static_resources;
  return listeners.find((l) => filtersOf(l).some((f) => f.name === WASM)) ?? listeners[0];
}

/** The listener's module configuration, to be changed in place. */
export function pluginConfig(listener: Listener): PluginConfig {
  return filter(listener, WASM).typed_config.config as PluginConfig;
}

const HTTP_WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";

/** All configurations of the module, on RPC and on HTTP, to be changed in place. */
export function pluginConfigs(bootstrap: Bootstrap): PluginConfig[] {
  const filters = bootstrap.static_resources.listeners.flatMap(filtersOf);
  const http = filters.flatMap(({ typed_config }) => (typed_config?.http_filters as NetworkFilter[] | undefined) ?? []);
  const wasm = [
    ...filters.filter(({ name }) => name === WASM),
    ...http.filter(({ typed_config }) => typed_config?.["@type"] === HTTP_WASM),
  ];
  return wasm.map(({ typed_config }) => typed_config.config as PluginConfig);
}

/** Puts a stream filter before the others, wherever the module runs. Throws where its configuration is no object. */
export function addStreamFilter(bootstrap: Bootstrap, type: string, config: unknown): void {
  for (const plugin of pluginConfigs(bootstrap)) {
    const struct = { "@type": "type.googleapis.com/google.protobuf.Struct", value: {} };
    const configuration = (plugin.configuration ?? struct) as { value: { stream_filters?: object[] } | string };
    if (typeof configuration.value === "string") throw new Error("the module's configuration is no Struct");
    configuration.value.stream_filters = [{ type, config }, ...(configuration.value.stream_filters ?? [])];
    plugin.configuration = configuration;
  }
}

/** The HTTP connection manager behind the module, to be changed in place. */
export function switchboard(listener: Listener): Record<string, unknown> {
  return filter(listener, SWITCHBOARD).typed_config;
}

function filter(listener: Listener, name: string): NetworkFilter {
  const found = rpcChain(listener).filters.find((f) => f.name === name);
  if (!found) throw new Error(`listener ${listener.name} has no filter ${name}`);
  return found;
}

function filtersOf(listener: Listener): NetworkFilter[] {
  return listener.filter_chains?.flatMap((chain) => chain.filters ?? []) ?? [];
}

/** Address and port of what may also be a socket in the file system: undefined for those. */
export function maybeSocketAddress(
  of: { address?: { socket_address?: SocketAddress } } | undefined,
): SocketAddress | undefined {
  return of?.address?.socket_address;
}

/** The hosts of the clusters that are ports of this machine. */
export function localEndpoints(cluster: Cluster): SocketAddress[] {
  const hosts = cluster.load_assignment?.endpoints?.flatMap(({ lb_endpoints }) => lb_endpoints ?? []) ?? [];
  const addresses = hosts.flatMap(({ endpoint }) => maybeSocketAddress(endpoint) ?? []);
  return addresses.filter(({ address }) => address === "127.0.0.1" || address === "localhost");
}

/** Address and port of a listener, an endpoint or the admin page. */
export function socketAddress(of: Address): SocketAddress {
  return of.address.socket_address;
}
