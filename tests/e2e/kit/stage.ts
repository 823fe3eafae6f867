import type { EnvoyProcess } from "../../../scripts/lib/envoy_process.ts";
import type { Headers, RequestOptions } from "../../host/kit/bolt.ts";
import { RawBoltClient } from "./client.ts";
import { type ClusterOptions, startEnvoy, type TestEnvoyOptions } from "./envoy.ts";
import type { Scope } from "./scope.ts";
import { RawBoltServer } from "./server.ts";

/** A thousand connections at once must not look like a server that is down. */
const BACKLOG = 4096;

/** One cluster of a stage; the service `test.NAME:1.0` is routed to it. */
export interface StageCluster extends Omit<ClusterOptions, "hosts"> {
  /** Names of the servers to start as its hosts; default one, with the cluster's name. */
  servers?: string[];
  /** Ports of hosts that the test has started itself; then `servers` is none by default. */
  ports?: number[];
  /** Fields of its route beside `cluster_name`: timeout, retry_policy, … */
  route?: object;
  /** What the module knows of it, `clusters.NAME`; gets the ports of the servers by name. */
  module?: object | ((port: (server: string) => number) => object);
}

export interface StageOptions extends Pick<
  TestEnvoyOptions,
  "args" | "concurrency" | "change" | "allowLog" | "mayEnd"
> {
  clusters: Record<string, StageCluster>;
  /** Routes that come before those to the clusters. */
  routers?: object[];
  /** Other fields of the module's configuration. */
  config?: object;
}

/** Header matcher of the service that is routed to a cluster. */
export const serviceIs = (name: string) => ({ name: "service", value: `test.${name}:1.0` });

/** A request for the service `test.NAME:1.0`. */
export function callOf(name: string, method?: string, ...headers: Headers): RequestOptions {
  const methods: Headers = method === undefined ? [] : [["sofa_head_method_name", method]];
  return { headers: [["service", `test.${name}:1.0`], ...methods, ...headers] };
}

/** A real Envoy and raw servers behind it, for as long as the scope lasts. */
export class Stage {
  private readonly servers = new Map<string, RawBoltServer>();

  private constructor(readonly envoy: EnvoyProcess) {}

  static async start(scope: Scope, options: StageOptions): Promise<Stage> {
    const servers = new Map<string, RawBoltServer>();
    const clusters: Record<string, ClusterOptions> = {};
    for (const [name, cluster] of Object.entries(options.clusters)) {
      const { servers: names = cluster.ports ? [] : [name], ports = [], ...rest } = cluster;
      for (const server of names) {
        const started = await RawBoltServer.start({ name: server, backlog: BACKLOG });
        scope.after(() => started.close());
        servers.set(server, started);
      }
      const hosts = [...ports, ...names.map((server) => servers.get(server)?.port ?? 0)];
      clusters[name] = { ...rest, hosts: rest.dns ? hosts.map((port) => `localhost:${port}`) : hosts };
    }
    const { args, concurrency, change, allowLog, mayEnd } = options;
    const config = moduleConfig(options, (server) => servers.get(server)?.port ?? 0);
    const stage = new Stage(await startEnvoy(scope, { args, concurrency, change, allowLog, mayEnd, clusters, config }));
    for (const [name, server] of servers) stage.servers.set(name, server);
    return stage;
  }

  /** A server by its name. Throws if there is none. */
  server(name: string): RawBoltServer {
    const server = this.servers.get(name);
    if (!server) throw new Error(`no server ${name}`);
    return server;
  }

  /** How many requests each of these servers has got so far. */
  got(...names: string[]): Record<string, number> {
    return Object.fromEntries(names.map((name) => [name, this.server(name).requests]));
  }

  /** Client connections that close at the end of the scope. */
  async connect(scope: Scope, count = 1): Promise<RawBoltClient[]> {
    const clients = await Promise.all(Array.from({ length: count }, () => RawBoltClient.connect(this.envoy.port)));
    scope.after(() => clients.forEach((client) => client.close()));
    return clients;
  }

  /** A counter or gauge of the module, `moe.bolt.NAME`. */
  bolt(name: string): Promise<number> {
    return this.envoy.stat(`wasmcustom.moe.bolt.${name}`);
  }
}

function moduleConfig(options: StageOptions, port: (server: string) => number): object {
  const routers = [...(options.routers ?? [])];
  const clusters: Record<string, object> = {};
  for (const [name, { route, module }] of Object.entries(options.clusters)) {
    routers.push({ match: { headers: [serviceIs(name)] }, route: { cluster_name: name, ...route } });
    if (module) clusters[name] = typeof module === "function" ? (module as (p: typeof port) => object)(port) : module;
  }
  return { router: { virtual_hosts: [{ name: "test", domains: ["*"], routers }] }, clusters, ...options.config };
}
