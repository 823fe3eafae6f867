// The shipped bootstrap cut down for a run of our own: the cluster `upstream` alone, and ports chosen by the system.
import {
  type Bootstrap,
  type Cluster,
  type Listener,
  pluginConfig,
  readBootstrap,
  rpcListener,
  socketAddress,
} from "./bootstrap.ts";

const ENVOY_YAML = new URL("../../envoy/envoy.yaml", import.meta.url).pathname;
const CLUSTER = "upstream";

/** Name of the listener that withTcpProxy adds. */
export const TCP_PROXY = "tcp_proxy";

/**
 * envoy/envoy.yaml with the given module, its `configuration` (none: the module's defaults, everything to the cluster
 * `upstream`), and hosts on these ports of 127.0.0.1 as that cluster, without health checks.
 */
export function upstreamBootstrap(module: string, ports: number[], configuration?: object): Bootstrap {
  const bootstrap = readBootstrap(ENVOY_YAML);
  const listener = rpcListener(bootstrap);
  Object.assign(socketAddress(listener), { address: "127.0.0.1", port_value: 0 });
  if (bootstrap.admin) socketAddress(bootstrap.admin).port_value = 0;

  const plugin = pluginConfig(listener);
  plugin.vm_config.code.local.filename = module;
  delete plugin.configuration;
  if (configuration) {
    plugin.configuration = { "@type": "type.googleapis.com/google.protobuf.Struct", value: configuration };
  }
  bootstrap.static_resources.clusters = [upstream(ports, bootstrap.static_resources.clusters[0])];
  return bootstrap;
}

function upstream(ports: number[], shipped: Cluster): Cluster {
  const endpoint = (port_value: number) => ({
    endpoint: { address: { socket_address: { address: "127.0.0.1", port_value } } },
  });
  return {
    name: CLUSTER,
    type: "STATIC",
    connect_timeout: "1s",
    circuit_breakers: shipped.circuit_breakers,
    load_assignment: { cluster_name: CLUSTER, endpoints: [{ lb_endpoints: ports.map(endpoint) }] },
  };
}

/** Adds a listener with nothing but Envoy's tcp_proxy to the same cluster. */
export function withTcpProxy(bootstrap: Bootstrap): Bootstrap {
  const { per_connection_buffer_limit_bytes } = rpcListener(bootstrap);
  const filter = {
    name: "envoy.filters.network.tcp_proxy",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
      stat_prefix: TCP_PROXY,
      cluster: CLUSTER,
    },
  };
  const listener: Listener = {
    name: TCP_PROXY,
    address: { socket_address: { address: "127.0.0.1", port_value: 0 } },
    per_connection_buffer_limit_bytes,
    filter_chains: [{ filters: [filter] }],
  };
  bootstrap.static_resources.listeners.push(listener);
  return bootstrap;
}
