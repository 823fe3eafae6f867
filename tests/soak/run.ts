// The soak: mixed traffic through a real Envoy while connections come and go and servers restart.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import { dice } from "../e2e/kit/random.ts";
import type { Scope } from "../e2e/kit/scope.ts";
import { waitUntil } from "../e2e/kit/wait.ts";
import type { LoadOptions, LoadReport } from "./load_main.ts";
import { type Heap, heapOf, type Memory, memoryOf } from "./memory.ts";
import { LOST, PROTOCOLS } from "./operations.ts";
import type { ServerCommand, ServerCount } from "./server_main.ts";
import { SERVERS, startSoakEnvoy } from "./stage.ts";
import { WIRES } from "./wire.ts";

export interface SoakOptions {
  /** How many, or for how long. */
  requests: number;
  minutes?: number;
  seed: number;
  concurrency: number;
  connections: LoadOptions["connections"];
  /** Mean time between two restarts of servers, milliseconds. */
  restartMs: number;
  /** Gets a line now and then. */
  onProgress?: (line: string) => void;
}

export interface SoakResult {
  report: LoadReport;
  seconds: number;
  restarts: number;
  servers: ServerCount;
  /** At a fifth, and at the end, both times without load. */
  before: Memory & Heap;
  after: Memory & Heap;
  /** CPU of the clients, of the servers and of Envoy, seconds. */
  cpu: { clients: number; servers: number; envoy: number };
  /** Answers that only a server that went away excuses. */
  lost: number;
}

/** How long the last answers may take. Requests to servers that were restarted fail long before. */
const SETTLE_MS = 60_000;
const PROGRESS_MS = 10_000;
/** Looks at memory until it is still. */
const SETTLE_LOOKS = 20;
const SETTLE_LOOK_MS = 250;
/** Unit of CPU times in /proc, USER_HZ. */
const TICKS_PER_SECOND = 100;
const BATCH = 3000;
/** Gauges that say what is under way. */
const ACTIVE = "^wasmcustom\\.moe\\..*active$";

function start(scope: Scope, file: string, ...args: string[]): ChildProcess {
  const child = fork(new URL(file, import.meta.url), args, { execArgv: ["--import", "tsx"] });
  scope.after(() => child.kill("SIGKILL"));
  return child;
}

/** Waits until all `moe.*.active` gauges are 0. */
async function untilNothingActive(envoy: EnvoyProcess): Promise<void> {
  let active: [string, number][] = [];
  await waitUntil(
    async () => {
      active = [...(await envoy.stats(ACTIVE))].filter(([, value]) => value !== 0);
      return active.length === 0;
    },
    SETTLE_MS,
    () => `active: ${JSON.stringify(active)}`,
  );
}

/** Memory without load: the connections that ended last are deleted in a moment. */
async function settled(envoy: EnvoyProcess): Promise<Memory & Heap> {
  let heap = await heapOf(envoy);
  for (let i = 0; i < SETTLE_LOOKS; i++) {
    await sleep(SETTLE_LOOK_MS);
    const now = await heapOf(envoy);
    const still = Math.abs(now.allocated - heap.allocated) < now.allocated / 1000;
    heap = now;
    if (still) break;
  }
  return { ...memoryOf(envoy.pid), ...heap };
}

/** CPU time of a process, seconds. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** The load process and what it last said. */
class Load {
  private last: LoadReport | undefined;

  private constructor(private readonly child: ChildProcess) {
    child.on("message", (report: LoadReport) => (this.last = report));
  }

  static async start(scope: Scope, options: LoadOptions): Promise<Load> {
    const child = start(scope, "load_main.ts");
    await once(child, "message");
    child.send(options);
    return new Load(child);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get report(): LoadReport | undefined {
    return this.last;
  }

  /** Sends so many requests; returns when each has its answer. Throws what the clients found wrong. */
  async send(requests: number): Promise<LoadReport> {
    const target = (this.last?.sent ?? 0) + requests;
    this.child.send({ send: requests });
    let sentAt = Number.POSITIVE_INFINITY;
    for (;;) {
      await sleep(50);
      const { last } = this;
      if (last?.failure !== undefined) throw new Error(last.failure);
      if (this.child.exitCode !== null) throw new Error(`the load generator ended (${this.child.exitCode})`);
      if (last === undefined || last.sent < target) continue;
      if (last.idle) return last;
      sentAt = Math.min(sentAt, Date.now());
      if (Date.now() - sentAt > SETTLE_MS) throw new Error(`without an answer: ${last.waiting.join("; ")}`);
    }
  }

  /** Sends requests, some thousand at once, until the time has come. */
  async sendUntil(time: number): Promise<LoadReport> {
    let report = await this.send(BATCH);
    while (Date.now() < time) report = await this.send(BATCH);
    return report;
  }

  end(): void {
    this.child.send({ end: true });
  }
}

/** Restarts one host after the other until it is stopped. */
function restartServers(
  child: ChildProcess,
  roll: () => number,
  meanMs: number,
): { count: () => number; stop(): void } {
  let count = 0;
  let timer: NodeJS.Timeout;
  const next = () => {
    timer = setTimeout(
      () => {
        const command: ServerCommand = { restart: count % SERVERS, refuseMs: roll() % 300 };
        child.send(command);
        count++;
        next();
      },
      meanMs / 2 + (roll() % meanMs),
    );
  };
  next();
  return { count: () => count, stop: () => clearTimeout(timer) };
}

/** How many answers say that a server went away, where the operation itself gives no reason for it. */
function lost(codes: [string, number][]): number {
  const without = codes.filter(([key]) => {
    const [, operation, code] = key.split(" ");
    return LOST.includes(Number(code)) && !EXPECTED.includes(operation);
  });
  return without.reduce((sum, [, count]) => sum + count, 0);
}

/** Operations with failures of their own. */
const EXPECTED = ["aborted", "retried", "metered"];

/** Most requests that are under way at once, and that a restart may lose. */
function underWay(connections: LoadOptions["connections"]): number {
  return PROTOCOLS.reduce((sum, protocol) => sum + connections[protocol] * WIRES[protocol].window, 0);
}

/** Runs it. Throws if an answer is wrong, missing or crossed, if Envoy fails, or if gauges do not return to 0. */
export async function soak(scope: Scope, options: SoakOptions): Promise<SoakResult> {
  const { requests, minutes, seed, concurrency, connections, restartMs, onProgress } = options;
  const roll = dice(seed ^ 0x5eed);
  const servers = start(scope, "server_main.ts", String(SERVERS));
  const [ports] = (await once(servers, "message")) as [number[]];
  const envoy = await startSoakEnvoy(scope, ports, concurrency);
  const httpPort = envoy.ports.get("http") ?? 0;
  const load = await Load.start(scope, { rpcPort: envoy.port, httpPort, seed, connections });
  const restarts = restartServers(servers, roll, restartMs);
  scope.after(() => restarts.stop());
  const begin = Date.now();
  const seconds = () => (Date.now() - begin) / 1000;
  const progress = setInterval(() => {
    const { sent = 0, connections: opened = 0 } = load.report ?? {};
    const { rss, linear } = memoryOf(envoy.pid);
    const say = ({ allocated, heap, stats }: Heap) =>
      onProgress?.(
        `${seconds().toFixed(0)} s: ${sent} requests (${Math.round(sent / seconds())}/s), ${opened} connections, ` +
          `${restarts.count()} restarts, RSS ${mib(rss)}, linear memory ${mib(linear)}, ` +
          `allocated ${mib(allocated)} of ${mib(heap)}, ${stats} stats`,
      );
    // Envoy may be ending.
    heapOf(envoy).then(say, () => {});
  }, PROGRESS_MS);
  scope.after(() => clearInterval(progress));

  const fifth = Math.floor(requests / 5);
  const end = begin + (minutes ?? 0) * 60_000;
  if (minutes === undefined) await load.send(fifth);
  else await load.sendUntil(begin + (end - begin) / 5);
  await untilNothingActive(envoy);
  const before = await settled(envoy);
  const report = minutes === undefined ? await load.send(requests - fifth) : await load.sendUntil(end);
  const took = seconds();
  await untilNothingActive(envoy);
  const after = await settled(envoy);
  const cpu = { clients: cpuOf(load.pid), servers: cpuOf(servers.pid ?? 0), envoy: cpuOf(envoy.pid) };
  restarts.stop();
  clearInterval(progress);
  load.end();
  await untilNothingActive(envoy);
  servers.send({ count: true } satisfies ServerCommand);
  const [count] = (await once(servers, "message")) as [ServerCount];
  const { sent, answered, oneway, left, codes } = report;
  if (answered + oneway + left !== sent)
    throw new Error(`of ${sent}: ${answered} answered, ${oneway} one-way, ${left} left`);
  const excused = restarts.count() * underWay(connections);
  if (lost(codes) > excused)
    throw new Error(`${lost(codes)} answers were lost, which ${restarts.count()} restarts do not excuse`);
  return { report, seconds: took, restarts: restarts.count(), servers: count, before, after, cpu, lost: lost(codes) };
}

/** Bytes as MiB. */
export function mib(bytes: number): string {
  return `${(bytes / (1 << 20)).toFixed(1)} MiB`;
}
