// The Envoys of the benchmark: one process per way, all from the shipped bootstrap, one worker thread each.
import type { Bootstrap, Listener } from "../../scripts/lib/bootstrap.ts";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import { startEnvoy } from "../e2e/kit/envoy.ts";
import { routesConfig, type Way } from "./matrix.ts";

const TCP_PROXY = "tcp_proxy";
const CLUSTER = "upstream";

/** Where to send the load, and whose CPU time counts. */
export interface Entry {
  ports: number[];
  /** 0: nobody's. */
  pid: number;
}

/** Adds a listener with nothing but Envoy's tcp_proxy, to the same cluster and with the same buffer limit. */
function addTcpProxy(bootstrap: Bootstrap, { per_connection_buffer_limit_bytes }: Listener): void {
  const filter = {
    name: "envoy.filters.network.tcp_proxy",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
      stat_prefix: TCP_PROXY,
      cluster: CLUSTER,
    },
  };
  bootstrap.static_resources.listeners.push({
    name: TCP_PROXY,
    address: { socket_address: { address: "127.0.0.1", port_value: 0 } },
    per_connection_buffer_limit_bytes,
    filter_chains: [{ filters: [filter] }],
  });
}

async function listenerPort(envoy: EnvoyProcess, name: string): Promise<number> {
  const page = JSON.parse(await envoy.admin("/listeners?format=json")) as {
    listener_statuses: { name: string; local_address: { socket_address: { port_value: number } } }[];
  };
  return page.listener_statuses.find((each) => each.name === name)?.local_address.socket_address.port_value ?? 0;
}

/** Starts what stands on the way to the servers. It ends with the scope, which fails if it died or logged errors. */
export async function startWay(scope: Parameters<typeof startEnvoy>[0], way: Way, hosts: number[]): Promise<Entry> {
  if (way === "direct") return { ports: hosts, pid: 0 };
  const envoy = await startEnvoy(scope, {
    config: way === "moe+routes" ? routesConfig() : null,
    clusters: { [CLUSTER]: { hosts } },
    change: way === "tcp_proxy" ? addTcpProxy : undefined,
  });
  return { ports: [way === "tcp_proxy" ? await listenerPort(envoy, TCP_PROXY) : envoy.port], pid: envoy.pid };
}
