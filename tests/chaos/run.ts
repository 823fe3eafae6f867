// Chaos: round after round something befalls the servers while calls are under way.
import { setTimeout as sleep } from "node:timers/promises";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import { type BoltFrame, BoltStatus } from "../host/kit/bolt.ts";
import { reasonOf, servedBy } from "../e2e/kit/calls.ts";
import { RawBoltClient } from "../e2e/kit/client.ts";
import { startEnvoy } from "../e2e/kit/envoy.ts";
import { dice } from "../e2e/kit/random.ts";
import type { Scope } from "../e2e/kit/scope.ts";
import { RawBoltServer } from "../e2e/kit/server.ts";
import { ServerProcess } from "../e2e/kit/server_process.ts";
import { callOf, serviceIs } from "../e2e/kit/stage.ts";
import { waitUntil } from "../e2e/kit/wait.ts";
import { DnsServer, resolvedBy } from "./dns.ts";
import { ADDRESSES, type Fault, FAULTS, TIMEOUT_MS, type Victims } from "./faults.ts";

export interface ChaosOptions {
  rounds: number;
  seed: number;
  /** Envoys, by their worker threads; each gets its part of the rounds, all at the same time. */
  concurrencies: number[];
  onRound?: (total: ChaosTotal) => void;
  /** Asked after each round: it was the last of that Envoy. */
  over?: () => boolean;
}

export interface ChaosTotal {
  rounds: number;
  calls: number;
  /** Answers that were errors, by what they said. */
  errors: Map<string, number>;
  faults: Map<string, number>;
  /** The longest time from the end of a fault until all clients were served again, ms. */
  longestBackMs: number;
}

const CLIENTS = 4;
const CALLS = 12;
/** Rounds after which the clients that stay are replaced. */
const STAY = 25;
const BACK_MS = 60_000;
const ANSWER_MS = 60_000;
/** What a call may be answered with when its server fails: 500, 502 and 504 (docs/limits.md, docs/reference/mosn.md#codes). */
const DOCUMENTED: number[] = [BoltStatus.UNKNOWN, BoltStatus.NO_PROCESSOR, BoltStatus.TIMEOUT];

const count = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1);

/** A client that checks each answer; ids and contents are its own. */
class Caller {
  private calls = 0;

  private constructor(
    private readonly client: RawBoltClient,
    private readonly name: string,
    private readonly total: ChaosTotal,
  ) {}

  static async connect(port: number, name: string, total: ChaosTotal): Promise<Caller> {
    return new Caller(await RawBoltClient.connect(port), name, total);
  }

  /** Makes a call; the name of the server that answered it, undefined if it failed as it may. */
  async call(cluster: string): Promise<string | undefined> {
    const id = ++this.calls;
    const content = `${this.name} ${id}`;
    this.total.calls++;
    const answer = await this.client.call(id, { ...callOf(cluster), content }, ANSWER_MS);
    if (answer.status !== BoltStatus.SUCCESS) return this.failed(content, answer);
    if (answer.content.toString() !== content)
      throw new Error(`${content}: the answer to ${answer.content.toString()}`);
    return servedBy(answer);
  }

  private failed(content: string, answer: BoltFrame): undefined {
    const reason = reasonOf(answer);
    if (!DOCUMENTED.includes(answer.status) || reason === "") {
      throw new Error(`${content}: status ${answer.status}, ${reason}`);
    }
    count(this.total.errors, `${answer.status} ${reason}`);
    return undefined;
  }

  /** Throws unless each call has had one answer, and the connection is open. */
  check(): void {
    const { state, frames, garbage } = this.client;
    if (state === "open" && frames.length === this.calls && garbage === undefined) return;
    throw new Error(`${this.name}: ${frames.length} answers to ${this.calls} calls, ${state}, ${garbage ?? ""}`);
  }

  close(): void {
    this.client.close();
  }
}

/** One Envoy with its servers. */
class Lane {
  private staying: Caller[] = [];
  private round = 0;

  private constructor(
    private readonly envoy: EnvoyProcess,
    private readonly victims: Victims,
    private readonly label: string,
    private readonly roll: () => number,
    private readonly total: ChaosTotal,
  ) {}

  static async start(scope: Scope, concurrency: number, seed: number, total: ChaosTotal): Promise<Lane> {
    const start = async (options: { name: string; port?: number; host?: string }) => {
      const server = await RawBoltServer.start({ ...options, record: false, backlog: 1024 });
      scope.after(() => server.close());
      return server;
    };
    const main = [await start({ name: "a" }), await start({ name: "b" })];
    const first = await start({ name: ADDRESSES[0], host: ADDRESSES[0] });
    await start({ name: ADDRESSES[1], host: ADDRESSES[1], port: first.port });
    const dns = await DnsServer.start(scope, ADDRESSES[0]);
    const victims = { main, dns, process: await ServerProcess.start({ name: "process" }) };
    scope.after(() => victims.process.kill());
    const clusters = {
      main: { hosts: main.map(({ port }) => port) },
      process: { hosts: [victims.process.port] },
      named: { hosts: [`moe.test:${first.port}`], dns: true, fields: resolvedBy(dns) },
    };
    const routers = Object.keys(clusters).map((name) => ({
      match: { headers: [serviceIs(name)] },
      route: { cluster_name: name, timeout: `${TIMEOUT_MS}ms` },
    }));
    const config = { router: { virtual_hosts: [{ name: "chaos", domains: ["*"], routers }] } };
    const envoy = await startEnvoy(scope, { concurrency, clusters, config });
    return new Lane(envoy, victims, `${concurrency} workers`, dice(seed + concurrency), total);
  }

  async play(): Promise<void> {
    const fault = FAULTS[this.roll() % FAULTS.length];
    const { label, round } = this;
    try {
      await this.playFault(fault);
    } catch (error) {
      throw new Error(`${label}, round ${round}, ${fault.name}: ${(error as Error).message}`);
    }
    count(this.total.faults, fault.name);
    this.total.rounds++;
    this.round++;
  }

  private async connect(kind: string, count: number): Promise<Caller[]> {
    const names = Array.from({ length: count }, (_, i) => `${this.label} ${kind} ${this.round} ${i}`);
    return Promise.all(names.map((name) => Caller.connect(this.envoy.port, name, this.total)));
  }

  private async playFault(fault: Fault): Promise<void> {
    if (this.round % STAY === 0) {
      for (const caller of this.staying) caller.close();
      this.staying = await this.connect("staying", CLIENTS / 2);
    }
    const fresh = await this.connect("fresh", CLIENTS / 2);
    const callers = [...this.staying, ...fresh];
    const before = this.victims.dns.address;
    // Some calls are under way when it strikes, some come after it.
    const calls = callers.flatMap((caller) =>
      Array.from({ length: CALLS }, async (_, i) => {
        if (i % 3 > 0) await sleep(this.roll() % 30);
        return caller.call(fault.cluster);
      }),
    );
    const all = Promise.all(calls);
    // It is heard of below, also when the fault fails first.
    all.catch(() => {});
    await sleep(this.roll() % 20);
    const end = await fault.strike(this.victims, this.roll);
    await all;
    await end();
    await this.back(fault, callers);
    if (this.victims.dns.address !== before) await this.moved();
    await this.untilNothingActive();
    for (const caller of callers) caller.check();
    for (const caller of fresh) caller.close();
  }

  /** Waits until each client is served again. */
  private async back(fault: Fault, callers: Caller[]): Promise<void> {
    const from = Date.now();
    for (const caller of callers) {
      const ask = async () => (await caller.call(fault.cluster)) !== undefined;
      await waitUntil(ask, BACK_MS, () => "no service");
    }
    this.total.longestBackMs = Math.max(this.total.longestBackMs, Date.now() - from);
  }

  /** Waits until a new client is served by the new address. */
  private async moved(): Promise<void> {
    const { address } = this.victims.dns;
    let served: string | undefined;
    const ask = async () => {
      const [caller] = await this.connect("moved", 1);
      served = await caller.call("named");
      caller.check();
      caller.close();
      return served === address;
    };
    await waitUntil(ask, BACK_MS, () => `served by ${served}, not by ${address}`);
  }

  private async untilNothingActive(): Promise<void> {
    let active = 0;
    await waitUntil(
      async () => (active = await this.envoy.stat("wasmcustom.moe.bolt.active")) === 0,
      BACK_MS,
      () => `${active} active`,
    );
  }
}

/** Plays the rounds. Throws where a call has no answer, another's or an undocumented one, and where service does not come back. */
export async function chaos(scope: Scope, options: ChaosOptions): Promise<ChaosTotal> {
  const { rounds, seed, concurrencies, onRound, over = () => false } = options;
  const total: ChaosTotal = { rounds: 0, calls: 0, errors: new Map(), faults: new Map(), longestBackMs: 0 };
  const lanes = await Promise.all(concurrencies.map((one) => Lane.start(scope, one, seed, total)));
  await Promise.all(
    lanes.map(async (lane, i) => {
      for (let round = i; round < rounds; round += lanes.length) {
        await lane.play();
        onRound?.(total);
        if (over()) return;
      }
    }),
  );
  return total;
}
