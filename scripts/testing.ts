// `moe-wasm/testing`: a real Envoy for tests of projects of one's own.
import { type Bootstrap, type Cluster, maybeSocketAddress, pluginConfigs } from "./lib/bootstrap.ts";
import { EnvoyProcess } from "./lib/envoy_process.ts";
import { findEnvoy } from "./lib/envoy.ts";
import { moduleOf, readInput } from "./lib/input.ts";
import { here } from "./lib/package.ts";

export { EnvoyFailed, type EnvoyProcess } from "./lib/envoy_process.ts";

/** Has a cluster lead to these ports of this machine. */
function lead(cluster: Cluster, ports: number[]): void {
  const lb_endpoints = ports.map((port_value) => ({
    endpoint: { address: { socket_address: { address: "127.0.0.1", port_value } } },
  }));
  cluster.load_assignment = { cluster_name: cluster.name, endpoints: [{ lb_endpoints }] };
}

function moveClusters(bootstrap: Bootstrap, ports: Record<string, number[]>): void {
  const { clusters } = bootstrap.static_resources;
  for (const [name, own] of Object.entries(ports)) {
    const cluster = clusters.find((each) => each.name === name);
    if (!cluster) throw new Error(`no cluster ${name}: there are ${clusters.map((each) => each.name).join(", ")}`);
    lead(cluster, own);
  }
}

/**
 * Starts Envoy with a bootstrap, or with a configuration of MOSN, on free ports of loopback; returns when it takes connections.
 * `ports` are those of the servers behind its clusters, by the clusters' names. The caller has to `stop()` it. Throws
 * EnvoyFailed with what Envoy and the module say.
 */
export async function startEnvoy(file: string, ports: Record<string, number[]> = {}): Promise<EnvoyProcess> {
  const { bootstrap, cwd } = readInput(here(file));
  bootstrap.admin ??= { address: { socket_address: { address: "127.0.0.1", port_value: 0 } } };
  for (const of of [...bootstrap.static_resources.listeners, bootstrap.admin]) {
    Object.assign(maybeSocketAddress(of) ?? {}, { address: "127.0.0.1", port_value: 0 });
  }
  moveClusters(bootstrap, ports);
  for (const plugin of pluginConfigs(bootstrap)) moduleOf(plugin, cwd, console.error);
  return EnvoyProcess.start({ binary: await findEnvoy(console.error), bootstrap, cwd, concurrency: 1 });
}
