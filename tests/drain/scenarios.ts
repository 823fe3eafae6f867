// Ways in which an Envoy is drained or gets another configuration while clients call through it. What is the same in all of
// them: servers that know each call, clients that connect anew, and how calls ended.
import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { type Listener, switchboard } from "../../scripts/lib/bootstrap.ts";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import type { Scope } from "../e2e/kit/scope.ts";
import { callOf, Stage, type StageOptions } from "../e2e/kit/stage.ts";
import { waitUntil } from "../e2e/kit/wait.ts";
import { ecds, FileSource, lds } from "./files.ts";
import { Balancer, CountingServer, type Totals, Traffic } from "./traffic.ts";

const run = promisify(execFile);
const SCRIPT = resolve(import.meta.dirname, "../../scripts/drain.sh");
/** What a scenario may take at most. */
const LIMIT_MS = 180_000;

export interface Options {
  /** At least so many calls in all; a fifth of them before anything happens. */
  calls: number;
  /** Clients that never pause, and how many calls each has under way; and clients that pause for a second. */
  busy: number;
  depth: number;
  calm: number;
  /** Told of what happens. */
  say(line: string): void;
}

/** What came of a scenario. */
export interface Result extends Totals {
  /** Calls that servers got, those of them that came twice, and those whose clients got no answer. */
  arrived: number;
  repeated: number;
  lost: number;
}

/** Envoys with the same servers, and traffic through them. */
class World {
  private constructor(
    readonly envoys: EnvoyProcess[],
    readonly traffic: Traffic,
    private readonly servers: CountingServer[],
    private readonly options: Options,
  ) {}

  /** @param count of Envoys, with a load balancer before them */
  static async start(scope: Scope, count: number, stage: Partial<StageOptions>, options: Options): Promise<World> {
    const servers = [await CountingServer.start(scope), await CountingServer.start(scope)];
    const clusters = { one: { ports: servers.map(({ server }) => server.port) } };
    const stages: Stage[] = [];
    while (stages.length < count) {
      stages.push(await Stage.start(scope, { concurrency: 2, clusters, ...stage, mayEnd: true }));
    }
    const envoys = stages.map(({ envoy }) => envoy);
    const balancer = new Balancer(scope, envoys);
    const { busy, depth, calm } = options;
    const traffic = new Traffic(scope, () => balancer.ports(), {
      busy,
      depth,
      calm,
      pauseMs: 1000,
      call: callOf("one"),
    });
    const world = new World(envoys, traffic, servers, options);
    await world.until(options.calls / 5);
    return world;
  }

  /** Waits until so many calls have ended. */
  async until(calls: number): Promise<void> {
    const { traffic } = this;
    await waitUntil(
      () => traffic.ended >= calls || traffic.stopped,
      LIMIT_MS,
      () => `${traffic.ended} of ${calls} calls have ended`,
    );
  }

  /** Waits until a fifth of the calls has been made since now. */
  another(): Promise<void> {
    return this.until(this.traffic.ended + this.options.calls / 5);
  }

  /** The rest of the calls, and what came of all. */
  async result(): Promise<Result> {
    await this.another();
    await this.until(this.options.calls);
    const totals = await this.traffic.stop();
    const arrived = this.servers.reduce((sum, { seen }) => sum + seen.size, 0);
    const repeated = this.servers.reduce((sum, server) => sum + server.repeated, 0);
    return { ...totals, arrived, repeated, lost: arrived - totals.answered };
  }
}

/** Runs scripts/drain.sh on the Envoy, up to its end. It may say that clients were left. */
async function drainScript(envoy: EnvoyProcess, options: Options, ...args: string[]): Promise<void> {
  const all = ["--admin", `127.0.0.1:${envoy.adminPort}`, "--pid", String(envoy.pid), ...args];
  const said = await run(SCRIPT, all).catch((error: { stdout: string; code: number }) => {
    if (error.code !== 1) throw error;
    return error;
  });
  for (const line of said.stdout.trim().split("\n")) options.say(line);
  await ended(envoy);
}

function ended(envoy: EnvoyProcess): Promise<void> {
  return waitUntil(
    () => envoy.ended !== undefined,
    LIMIT_MS,
    () => "Envoy runs on",
  );
}

type Scenario = (scope: Scope, options: Options) => Promise<Result>;

/** The documented order, on one of two Envoys. */
function documented(goaway: boolean, limit: string, args: string[] = [], stage: Partial<StageOptions> = {}): Scenario {
  return async (scope, options) => {
    const drain = ["--drain-time-s", "5"];
    const world = await World.start(scope, 2, { config: { goaway }, args: drain, ...stage }, options);
    await drainScript(world.envoys[0], options, "--limit", limit, ...args);
    return world.result();
  };
}

/** Every connection of a client is told to leave after five seconds. */
function renewed(_: unknown, listener: Listener): void {
  Object.assign(switchboard(listener).common_http_protocol_options as object, { max_connection_duration: "5s" });
}

/** SIGTERM and nothing before it. */
async function sigterm(scope: Scope, options: Options): Promise<Result> {
  const world = await World.start(scope, 2, {}, options);
  process.kill(world.envoys[0].pid, "SIGTERM");
  await ended(world.envoys[0]);
  return world.result();
}

/** Listeners from a file, which changes: the old filter chain drains, and its connections end with that. */
function ldsUpdate(change?: StageOptions["change"]): Scenario {
  return async (scope, options) => {
    const source = new FileSource(scope);
    const discover = await lds(source);
    const stage: Partial<StageOptions> = {
      config: { goaway: true },
      args: ["--drain-time-s", "20", "--drain-strategy", "immediate"],
      change: (bootstrap, listener) => {
        change?.(bootstrap, listener);
        discover(bootstrap, listener);
      },
    };
    const world = await World.start(scope, 1, stage, options);
    const [envoy] = world.envoys;
    source.update();
    await waitUntil(
      async () => (await envoy.stat("listener_manager.lds.update_success")) > 1,
      LIMIT_MS,
      () => "no update",
    );
    options.say("the listener is replaced");
    const draining = () => envoy.stat("listener_manager.total_filter_chains_draining");
    await waitUntil(
      async () => (await draining()) === 0,
      LIMIT_MS,
      () => "the old filter chain drains on",
    );
    options.say("the old one is gone");
    return world.result();
  };
}

/** The module's configuration from a file, which changes: new connections get the new one. */
async function ecdsUpdate(scope: Scope, options: Options): Promise<Result> {
  const source = new FileSource(scope);
  const world = await World.start(scope, 1, { change: ecds(source) }, options);
  source.update();
  const stat = "extension_config_discovery.network_filter.moe.config_reload";
  await waitUntil(
    async () => [...(await world.envoys[0].stats(`${stat}$`)).values()].some((value) => value > 1),
    LIMIT_MS,
    () => "no update",
  );
  options.say("the module has another configuration");
  return world.result();
}

/** By name: what it does, and how. */
export const SCENARIOS: Record<string, { what: string; play: Scenario }> = {
  documented: { what: "drain.sh, `goaway: true`", play: documented(true, "60") },
  "without-goaway": { what: "drain.sh --limit 20, `goaway: false`", play: documented(false, "20") },
  renewed: {
    what: "drain.sh, `goaway: true`, max_connection_duration 5 s",
    play: documented(true, "60", [], { change: renewed }),
  },
  listeners: {
    what: "drain.sh --drain-listeners, `goaway: true`",
    play: documented(true, "60", ["--drain-listeners"]),
  },
  sigterm: { what: "SIGTERM alone", play: sigterm },
  lds: { what: "LDS, `goaway: true`, --drain-time-s 20", play: ldsUpdate() },
  "lds-renewed": { what: "the same with max_connection_duration 5 s", play: ldsUpdate(renewed) },
  ecds: { what: "ECDS: the module's configuration changes", play: ecdsUpdate },
};
