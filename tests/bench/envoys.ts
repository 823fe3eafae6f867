// What stands on the way: an Envoy for each, all from the shipped bootstrap, with one worker thread; or MOSN.
import type { Bootstrap, Listener } from "../../scripts/lib/bootstrap.ts";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import { startEnvoy } from "../e2e/kit/envoy.ts";
import { CLUSTER, routesConfig, type Way } from "./matrix.ts";
import { type Mosn, startMosn } from "./mosn.ts";
import type { Entry } from "./rounds.ts";
import type { Protocol } from "./wire.ts";

type Scope = Parameters<typeof startEnvoy>[0];

/** The listeners that hold nothing but a filter of Envoy's own. */
const FILTERS: Partial<Record<Way, Record<string, unknown>>> = {
  tcp_proxy: {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
    stat_prefix: "tcp_proxy",
    cluster: CLUSTER,
  },
  dubbo_proxy: {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.dubbo_proxy.v3.DubboProxy",
    stat_prefix: "dubbo_proxy",
    protocol_type: "Dubbo",
    serialization_type: "Hessian2",
    route_config: [
      {
        name: "bench",
        interface: "interop.api.HelloService",
        routes: [{ match: { method: { name: { exact: "sayHello" } } }, route: { cluster: CLUSTER } }],
      },
    ],
  },
};

/** Adds a listener with this filter only, to the same cluster and with the same buffer limit. */
function addListener(bootstrap: Bootstrap, { per_connection_buffer_limit_bytes }: Listener, way: Way): void {
  bootstrap.static_resources.listeners.push({
    name: way,
    address: { socket_address: { address: "127.0.0.1", port_value: 0 } },
    per_connection_buffer_limit_bytes,
    filter_chains: [{ filters: [{ name: `envoy.filters.network.${way}`, typed_config: FILTERS[way] ?? {} }] }],
  });
}

async function listenerPort(envoy: EnvoyProcess, name: string): Promise<number> {
  const page = JSON.parse(await envoy.admin("/listeners?format=json")) as {
    listener_statuses: { name: string; local_address: { socket_address: { port_value: number } } }[];
  };
  return page.listener_statuses.find((each) => each.name === name)?.local_address.socket_address.port_value ?? 0;
}

/** Starts what stands on the way to the servers. It ends with the scope, which fails if it died or logged errors. */
export async function startWay(
  scope: Scope,
  way: Way,
  protocol: Protocol,
  hosts: number[],
  mosn?: Mosn,
): Promise<Entry> {
  if (way === "direct") return { ports: hosts, pid: 0 };
  if (mosn && way === "mosn") return startMosn(scope, mosn, protocol, hosts);
  const bare = way in FILTERS;
  const envoy = await startEnvoy(scope, {
    config: way === "moe+routes" ? routesConfig(protocol) : null,
    clusters: { [CLUSTER]: { hosts } },
    change: bare ? (bootstrap, listener) => addListener(bootstrap, listener, way) : undefined,
  });
  return { ports: [bare ? await listenerPort(envoy, way) : envoy.port], pid: envoy.pid };
}
