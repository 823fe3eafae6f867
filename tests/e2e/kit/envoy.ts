// A real Envoy for a test, made from envoy/envoy.yaml so that tests run what users copy.
import { resolve } from "node:path";
import { build } from "../../../scripts/build.ts";
import {
  type Bootstrap,
  type Cluster,
  type Listener,
  pluginConfig,
  readBootstrap,
  rpcChain,
  rpcListener,
  socketAddress,
} from "../../../scripts/lib/bootstrap.ts";
import { EnvoyProcess } from "../../../scripts/lib/envoy_process.ts";
import { findEnvoy } from "../../../scripts/lib/envoy.ts";
import { PACKAGE } from "../../../scripts/lib/package.ts";
import { throughTcpProxy } from "./istio.ts";
import type { Scope } from "./scope.ts";
import { WAIT_MS, waitUntil } from "./wait.ts";

/** Worker counts that the suites run with; MOE_CONCURRENCY=1 for a quick run. */
export const CONCURRENCIES = (process.env.MOE_CONCURRENCY ?? "1,2").split(",").map(Number);

export interface ClusterOptions {
  /** Ports of this machine, or `HOST:PORT`. */
  hosts: (number | string)[];
  /** Found by name (STRICT_DNS) instead of by address. */
  dns?: boolean;
  /** Keep the shipped health check, checking every so many milliseconds. Default: none. */
  healthCheckMs?: number;
  /** Keep the shipped outlier detection. Default: none. */
  outliers?: boolean;
  /** Circuit breaker thresholds instead of the shipped ones. */
  limits?: { max_connections?: number; max_pending_requests?: number };
  /** Any other field of Envoy's Cluster. */
  fields?: Record<string, unknown>;
}

/** How an Envoy is run, and what it may do. */
export interface RunOptions {
  /** Worker threads; default 1. */
  concurrency?: number;
  /** Severe log lines that the test expects. */
  allowLog?: RegExp[];
  logLevel?: string;
  args?: string[];
  /** The test ends Envoy itself, with SIGTERM. */
  mayEnd?: boolean;
}

export interface TestEnvoyOptions extends RunOptions {
  /** By name. Default: the shipped ones, and HTTP on the same port; with others there is RPC only. */
  clusters?: Record<string, ClusterOptions>;
  /** Hosts of the shipped clusters, by their names. */
  hosts?: Record<string, (number | string)[]>;
  /** The module's configuration; null: none at all, so that everything goes to `upstream`. Default: the shipped one. */
  config?: object | null;
  /** Bootstrap to start from, below envoy/. */
  base?: string;
  /** Last changes to the bootstrap. */
  change?: (bootstrap: Bootstrap, listener: Listener) => void;
}

/** Envoy itself failed, or the module did: no test wants to see these. */
const SEVERE_LINE =
  /\]\[(critical|error)\]|RuntimeError|Uncaught|unreachable|Caught (Segmentation|Abort)|assert failure/;

/** Starts Envoy with the module, on ports chosen by the system, for as long as the scope lasts: as `runEnvoy`. */
export async function startEnvoy(scope: Scope, options: TestEnvoyOptions = {}): Promise<EnvoyProcess> {
  return runEnvoy(scope, makeBootstrap(options), options);
}

/**
 * Starts Envoy for as long as the scope lasts. The scope then fails if Envoy has died or has logged an error that
 * `allowLog` does not name.
 */
export async function runEnvoy(scope: Scope, bootstrap: Bootstrap, options: RunOptions): Promise<EnvoyProcess> {
  const envoy = await EnvoyProcess.start({
    binary: await findEnvoy(),
    bootstrap,
    cwd: PACKAGE,
    concurrency: options.concurrency ?? 1,
    logLevel: options.logLevel,
    args: options.args,
  });
  scope.after(async () => {
    const ended = envoy.ended;
    await envoy.stop();
    if (ended && !(options.mayEnd && ended === "exit code 0"))
      throw new Error(`Envoy ended by itself (${ended}):\n${envoy.log.slice(-20).join("\n")}`);
    checkLog(envoy.log, options.allowLog ?? []);
  });
  return envoy;
}

/** Waits until Envoy holds a host of each cluster healthy: its first check may come after the first call would. */
export async function untilHealthy(envoy: EnvoyProcess, ...clusters: string[]): Promise<void> {
  for (const cluster of clusters) {
    const healthy = () => envoy.stat(`cluster.${cluster}.membership_healthy`);
    await waitUntil(
      async () => (await healthy()) > 0,
      WAIT_MS,
      () => `no healthy host in ${cluster}`,
    );
  }
}

/** Waits until a counter or gauge has this value: the module tells Envoy of its own only ten times a second. */
export async function untilStat(envoy: EnvoyProcess, name: string, expected: number): Promise<void> {
  let seen = -1;
  await waitUntil(
    async () => (seen = await envoy.stat(name)) === expected,
    WAIT_MS,
    () => `${name} is ${seen}, not ${expected}`,
  );
}

/** Throws if the log tells of an error that is not allowed. */
export function checkLog(log: string[], allowed: RegExp[]): void {
  const severe = log.filter((line) => SEVERE_LINE.test(line) && !allowed.some((pattern) => pattern.test(line)));
  if (severe.length > 0) throw new Error(`Envoy logged ${severe.length} errors:\n${severe.slice(0, 10).join("\n")}`);
}

/** The shipped bootstrap with what the test wants instead. */
export function makeBootstrap(options: TestEnvoyOptions): Bootstrap {
  const bootstrap = readBootstrap(resolve(PACKAGE, "envoy", options.base ?? "envoy.yaml"));
  const listener = rpcListener(bootstrap);
  socketAddress(listener).address = "127.0.0.1";
  socketAddress(listener).port_value = 0;
  if (bootstrap.admin) socketAddress(bootstrap.admin).port_value = 0;

  const plugin = pluginConfig(listener);
  plugin.vm_config.code.local.filename = process.env.MOE_MODULE ?? build();
  if (options.config === null) delete plugin.configuration;
  else if (options.config)
    plugin.configuration = { "@type": "type.googleapis.com/google.protobuf.Struct", value: options.config };

  for (const [name, ports] of Object.entries(options.hosts ?? {})) {
    const cluster = bootstrap.static_resources.clusters.find((one) => one.name === name);
    if (!cluster) throw new Error(`no cluster ${name}`);
    cluster.load_assignment.endpoints[0].lb_endpoints = ports.map(endpoint);
  }
  if (options.clusters) {
    // The chain for HTTP routes to clusters that are no longer there.
    listener.filter_chains = [rpcChain(listener)];
    const [byAddress, byName] = bootstrap.static_resources.clusters;
    bootstrap.static_resources.clusters = Object.entries(options.clusters).map(([name, cluster]) =>
      makeCluster(name, cluster.dns ? byName : byAddress, cluster),
    );
  }
  options.change?.(bootstrap, listener);
  if (process.env.MOE_SWITCHBOARD === "internal") throughTcpProxy(bootstrap, listener);
  return bootstrap;
}

/** A cluster like the shipped one, with other hosts. */
function makeCluster(name: string, shipped: Cluster, options: ClusterOptions): Cluster {
  const cluster = structuredClone(shipped);
  cluster.name = name;
  cluster.load_assignment = { cluster_name: name, endpoints: [{ lb_endpoints: options.hosts.map(endpoint) }] };
  if (options.healthCheckMs === undefined) delete cluster.health_checks;
  else cluster.health_checks = faster(cluster.health_checks, options.healthCheckMs);
  if (!options.outliers) delete cluster.outlier_detection;
  if (options.limits) cluster.circuit_breakers = { thresholds: [options.limits] };
  return Object.assign(cluster, options.fields);
}

/** A host, given as a port of this machine or as `HOST:PORT`. */
function endpoint(host: number | string) {
  const [address, port] = typeof host === "number" ? ["127.0.0.1", host] : host.split(":");
  return { endpoint: { address: { socket_address: { address: String(address), port_value: Number(port) } } } };
}

function faster(checks: unknown, ms: number): unknown {
  const interval = `${ms / 1000}s`;
  return (checks as object[]).map((check) => ({
    ...check,
    interval,
    unhealthy_interval: interval,
    no_traffic_interval: interval,
    no_traffic_healthy_interval: interval,
    timeout: interval,
  }));
}
