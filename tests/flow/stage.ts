// An Envoy with flowControlFilter, one server behind it and any number of callers before it, on one of the protocols.
import { Agent, request as httpRequest } from "node:http";
import type { Bootstrap, Listener } from "../../scripts/lib/bootstrap.ts";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import { reasonOf } from "../e2e/kit/calls.ts";
import { RawBoltClient } from "../e2e/kit/client.ts";
import { dubboAnswer, DubboClient, DubboServer } from "../e2e/kit/dubbo_peers.ts";
import { startEnvoy } from "../e2e/kit/envoy.ts";
import { startHttpEnvoy } from "../e2e/kit/http_envoy.ts";
import { HttpServer } from "../e2e/kit/http_peers.ts";
import type { Scope } from "../e2e/kit/scope.ts";
import { RawBoltServer } from "../e2e/kit/server.ts";
import { type BoltFrame, BoltStatus, type Headers, response } from "../host/kit/bolt.ts";
import { nowMs } from "./clock.ts";

export const PROTOCOLS = ["bolt", "dubbo", "http"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** The resource that every call has. */
export const RESOURCE: Record<Protocol, string> = {
  bolt: "com.example.Hello:1.0",
  dubbo: "com.example.Hello#hi",
  http: "/hello",
};
/** The configurations' app_name, part of the counters' names. */
export const APP = "flow";
const CLUSTER = "upstream";
/** Beside the protocol's own: a caller waits for a request that is queued. */
const CALL_MS = 60_000;

/** What a caller is told. */
export interface Answer {
  /** Whether the server answered, well or not. */
  served: boolean;
  /** The status of the protocol. */
  status: number;
  text: string;
}

/** One connection to Envoy. */
export interface Caller {
  /** Makes a call; headers of its own and another service than RESOURCE's only with Bolt. */
  call(headers?: Headers, service?: string): Promise<Answer>;
}

/** The server: what it has seen, and how it behaves. */
export class FlowServer {
  /** Calls so far, those under way, and the most that were at the same time. */
  calls = 0;
  active = 0;
  most = 0;
  /** When calls came (ms), and the value of the header `turn` of each. */
  readonly arrivals: { ms: number; turn: number }[] = [];
  /** Whether it answers with an error of its own. */
  fails = false;
  /** What it waits for before it answers. */
  hold: (() => Promise<unknown>) | undefined;

  /** Serves one call of Bolt. */
  async serve(frame: BoltFrame): Promise<Buffer> {
    this.calls++;
    this.active++;
    this.most = Math.max(this.most, this.active);
    this.arrivals.push({ ms: nowMs(), turn: Number(frame.headers.find(([key]) => key === "turn")?.[1] ?? -1) });
    await this.hold?.();
    this.active--;
    const status = this.fails ? BoltStatus.SERVER_EXCEPTION : BoltStatus.SUCCESS;
    return response(frame.id, { headers: [["served", "yes"]], status, content: this.fails ? "failed" : "good" });
  }
}

export interface FlowStageOptions {
  protocol?: Protocol;
  workers: number;
  /** The filter's fields beside `app_name` and `global_switch`. */
  rules: object;
  /** As startEnvoy's. */
  change?: (bootstrap: Bootstrap, listener: Listener) => void;
  allowLog?: RegExp[];
  /** Of Envoy's, on RPC. */
  args?: string[];
  /** A line for Envoy's access log on its output: on RPC for each connection, on HTTP for each request. */
  accessLog?: string;
}

/** Envoy's access log on its standard output, as `access_log`. */
function accessLogOf(line: string): object[] {
  const typed_config = {
    "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
    log_format: { text_format_source: { inline_string: `${line}\n` } },
  };
  return [{ name: "envoy.access_loggers.stdout", typed_config }];
}

/** The configuration of the filter. */
export function filterConfig(rules: object): object {
  return { app_name: APP, global_switch: true, ...rules };
}

/** The configuration of the module, on RPC. */
export function moduleConfig(rules: object): object {
  const router = { virtual_hosts: [{ name: "all", domains: ["*"], routers: [{ route: { cluster_name: CLUSTER } }] }] };
  return { stream_filters: streamFilters(rules), router };
}

function streamFilters(rules: object): object[] {
  return [{ type: "flowControlFilter", config: filterConfig(rules) }];
}

/** All of it, for as long as the scope lasts. */
export class FlowStage {
  private constructor(
    readonly protocol: Protocol,
    readonly envoy: EnvoyProcess,
    readonly server: FlowServer,
    private readonly scope: Scope,
    private readonly got: () => number,
  ) {}

  static async start(scope: Scope, options: FlowStageOptions): Promise<FlowStage> {
    const { protocol = "bolt", workers, rules, change, allowLog, args, accessLog } = options;
    const server = new FlowServer();
    const { port, got } = await startServer(scope, protocol, server);
    const envoy =
      protocol === "http"
        ? await startHttpEnvoy(scope, {
            concurrency: workers,
            listeners: [
              {
                name: "http",
                config: { stream_filters: streamFilters(rules) },
                routes: [{ match: { prefix: "/" }, route: { cluster: CLUSTER } }],
              },
            ],
            clusters: { [CLUSTER]: { ports: [port] } },
            change: ({ static_resources: { listeners } }) => {
              const manager = listeners[0].filter_chains[0].filters[0].typed_config;
              if (accessLog) manager.access_log = accessLogOf(accessLog);
            },
          })
        : await startEnvoy(scope, {
            concurrency: workers,
            clusters: { [CLUSTER]: { hosts: [port] } },
            config: moduleConfig(rules),
            change: (bootstrap, listener) => {
              if (accessLog) listener.access_log = accessLogOf(accessLog);
              change?.(bootstrap, listener);
            },
            allowLog,
            args,
          });
    return new FlowStage(protocol, envoy, server, scope, got);
  }

  /** Calls that the server has got. */
  get served(): number {
    return this.got();
  }

  /** New connections; they close with the stage. */
  async connect(count: number): Promise<Caller[]> {
    return Promise.all(Array.from({ length: count }, () => this.caller()));
  }

  private async caller(): Promise<Caller> {
    const { port } = this.envoy;
    if (this.protocol === "http") return httpCaller(this.scope, port);
    if (this.protocol === "dubbo") return dubboCaller(await DubboClient.connect(this.scope, port));
    const client = await RawBoltClient.connect(port);
    this.scope.after(() => client.close());
    return boltCaller(client);
  }

  /** What the filter has counted for the resource, by its own names: `passed`, `blocked_flow`, … */
  async counted(name: string): Promise<number> {
    const found = await this.envoy.stats(`flowControlFilter\\.app\\.${APP}\\.resource\\..*\\.${name}$`);
    return [...found.values()].reduce((sum, value) => sum + value, 0);
  }
}

async function startServer(
  scope: Scope,
  protocol: Protocol,
  server: FlowServer,
): Promise<{ port: number; got: () => number }> {
  if (protocol === "dubbo") {
    const dubbo = await DubboServer.start(scope, "good");
    return { port: dubbo.port, got: () => dubbo.arrived.length };
  }
  if (protocol === "http") {
    const http = await HttpServer.start(scope, "good");
    http.answer = () => ({ headers: { "served-by": http.name }, body: "good" });
    return { port: http.port, got: () => http.arrived.length };
  }
  const bolt = await RawBoltServer.start({ record: false, handler: (frame) => server.serve(frame), backlog: 1024 });
  scope.after(() => bolt.close());
  return { port: bolt.port, got: () => server.calls };
}

function boltCaller(client: RawBoltClient): Caller {
  let id = 0;
  return {
    async call(headers = [], service = RESOURCE.bolt) {
      const all: Headers = [["service", service], ...headers];
      const answer = await client.call(++id, { headers: all, timeout: CALL_MS }, CALL_MS);
      const served = answer.headers.some(([key]) => key === "served");
      return { served, status: answer.status, text: served ? answer.content.toString() : reasonOf(answer) };
    },
  };
}

const DUBBO_OK = 20;

function dubboCaller(client: DubboClient): Caller {
  return {
    async call() {
      const answer = await client.call({}, CALL_MS);
      return { served: answer.status === DUBBO_OK, status: answer.status, text: dubboAnswer(answer) };
    },
  };
}

function httpCaller(scope: Scope, port: number): Caller {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  scope.after(() => agent.destroy());
  const options = { port, host: "127.0.0.1", path: RESOURCE.http, agent };
  return {
    call: () =>
      new Promise((done, failed) => {
        const request = httpRequest(options, (answer) => {
          const parts: Buffer[] = [];
          answer.on("data", (part: Buffer) => parts.push(part));
          answer.on("end", () => {
            const served = answer.headers["served-by"] !== undefined;
            done({ served, status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString() });
          });
        });
        request.on("error", failed);
        request.end();
      }),
  };
}
