// Envoy for the soak: both roots of the module, with a chain of all filters that make sense together, and a route for each operation.
import {
  type Bootstrap,
  type Listener,
  pluginConfigs,
  readBootstrap,
  socketAddress,
} from "../../scripts/lib/bootstrap.ts";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import { startEnvoy } from "../e2e/kit/envoy.ts";
import { addZones } from "../e2e/kit/labels.ts";
import type { Scope } from "../e2e/kit/scope.ts";
import { OPERATIONS } from "./operations.ts";
import { SERVICE } from "./wire.ts";

/** Ports of the servers that the soak needs: two hosts, and one for copies. */
export const SERVERS = 3;

const BOTH = [
  { type: "ip_access", config: { ips: [{ action: "deny", addrs: ["192.0.2.0/24", "198.51.100.0/24"] }] } },
  { type: "fault", config: {} },
  { type: "payload_limit", config: { max_entity_size: 4 << 20 } },
  {
    type: "header_to_metadata",
    config: { request_rules: [{ header: "zone", on_header_present: { key: "zone" }, remove: true }] },
  },
  { type: "dsl", config: {} },
];
/** Rules of flow control: each request is counted, and those of one operation are refused when there are two at a time. */
const metering = (resource: string, prefix: string) => ({
  type: "flowControlFilter",
  config: {
    app_name: "soak",
    global_switch: true,
    action: { status: 503 },
    rules: [{ resource: prefix, match: "prefix", threshold: 1_000_000 }],
    isolation_rules: [{ resource, threshold: 1 }],
  },
});
const RPC = [
  { type: "fault_tolerance", config: { enabled: true, timeWindow: 1000, recoverTime: 2000 } },
  { type: "mirror", config: {} },
  { type: "dubbo_stream", config: {} },
  metering(`${SERVICE}#metered`, `${SERVICE}#`),
];
const HTTP = [metering("/metered", "/"), { type: "grpc_metric", config: {} }];

function rpcConfig(): object {
  const routers = OPERATIONS.filter((one) => one.heartbeat !== true).map(({ name, route, filters, entry }) => ({
    match: { headers: [{ name: "method", value: name }] },
    route: { cluster_name: "main", ...route },
    per_filter_config: filters,
    ...entry,
  }));
  return {
    router: { virtual_hosts: [{ name: "soak", domains: ["*"], routers }] },
    stream_filters: [...BOTH, ...RPC],
  };
}

interface Manager {
  route_config: { virtual_hosts: { routes: object[] }[] };
}

/** The listener of envoy/http.yaml with the soak's routes. */
function httpListener(rpc: Listener): Listener {
  const shipped = readBootstrap(new URL("../../envoy/http.yaml", import.meta.url).pathname);
  const listener = structuredClone(shipped.static_resources.listeners[0]);
  Object.assign(socketAddress(listener), { address: "127.0.0.1", port_value: 0 });
  const manager = listener.filter_chains[0].filters[0].typed_config as unknown as Manager;
  manager.route_config.virtual_hosts[0].routes = OPERATIONS.map(({ name, filters = {}, route }) => ({
    match: { path: `/${name}` },
    route: { cluster: "main", timeout: (route as { timeout?: string } | undefined)?.timeout ?? "60s" },
    metadata: {
      filter_metadata: {
        moe: Object.fromEntries(Object.entries(filters).map(([type, config]) => [type, JSON.stringify(config)])),
      },
    },
  }));
  const wrapped: Bootstrap = { static_resources: { listeners: [rpc, listener], clusters: [] } };
  const [own, http] = pluginConfigs(wrapped);
  http.vm_config.code = own.vm_config.code;
  http.configuration = {
    "@type": "type.googleapis.com/google.protobuf.Struct",
    value: { stream_filters: [...BOTH, ...HTTP] },
  };
  return listener;
}

/** Starts it for as long as the scope lasts; `hosts` are the ports of the servers. */
export async function startSoakEnvoy(scope: Scope, hosts: number[], concurrency: number): Promise<EnvoyProcess> {
  return startEnvoy(scope, {
    concurrency,
    clusters: { main: { hosts: hosts.slice(0, 2) }, copies: { hosts: hosts.slice(2) } },
    config: rpcConfig(),
    change(bootstrap, listener) {
      addZones(bootstrap, listener, { clusters: ["main"], zones: ["a", "b"], fallback: "ANY_ENDPOINT" });
      bootstrap.static_resources.listeners.push(httpListener(listener));
    },
  });
}
