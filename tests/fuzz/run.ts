import type { Vm } from "../host/kit/vm.ts";
import { Host, KitFault } from "../host/kit/index.ts";
import { leasedFlow, rpcFilters } from "./chains.ts";
import { Dice } from "./dice.ts";
import { Finding, Player } from "./player.ts";
import { type Seed, Transcript } from "./transcript.ts";
import type { Wire } from "./wire.ts";
import { boltWire } from "./wires/bolt.ts";
import { dubboWire } from "./wires/dubbo.ts";
import { tarsWire } from "./wires/tars.ts";
import { thriftWire } from "./wires/thrift.ts";
import { xExampleWire } from "./wires/x_example.ts";

/** What is fuzzed: each client speaks one of the wires. */
export interface Target {
  wires: Wire[];
  /** The switchboard is hostile, instead of clients and servers. */
  http2?: boolean;
}

/** What can be fuzzed: `mixed` is all protocols on one port, `http2` Bolt behind a hostile switchboard. */
export const PROTOCOLS: Record<string, Target> = {
  bolt: { wires: [boltWire(1)] },
  boltv2: { wires: [boltWire(2)] },
  dubbo: { wires: [dubboWire] },
  "dubbo-thrift": { wires: [thriftWire] },
  tars: { wires: [tarsWire] },
  x_example: { wires: [xExampleWire] },
  mixed: { wires: [boltWire(1), boltWire(2), dubboWire, thriftWire, tarsWire, xExampleWire] },
  http2: { wires: [boltWire(1)], http2: true },
};

/** Names of the codecs of a target. */
const codecsOf = ({ wires }: Target): string[] => [...new Set(wires.flatMap(({ codecs }) => codecs))];

/** Inputs that one VM gets before a new one is started. */
export const EPOCH = 250_000;
const CLIENTS = 3;
const INPUTS_PER_CLIENT = 24;
/** Memory at the end of an epoch may be this much larger than after its first fifth: it grows by doubling. */
const GROWTH = 2;

/** The module's configuration: filters on, bounds small enough to be met. */
export function configuration(target: Target): object {
  const added = { header: { key: "added", value: "%downstream_remote_address%" } };
  const none = [{ name: "service", value: "none" }];
  const zone = [{ name: "zone", value: "^b+$", regex: true }];
  const routers = [
    { match: { headers: none }, direct_response: { status: 404, body: "no such service" } },
    {
      match: { headers: zone },
      route: { cluster_name: "other", request_headers_to_add: [added] },
      per_filter_config: { flowControlFilter: leasedFlow() },
    },
    {
      route: { cluster_name: "upstream", timeout: "1s", retry_policy: { retry_on: true, num_retries: 1 } },
      request_mirror_policies: { cluster: "shadow", percent: 10 },
    },
  ];
  return {
    protocols: codecsOf(target),
    max_frame_bytes: 16_384,
    max_connection_bytes: 262_144,
    detect_timeout_ms: 500,
    drain_check_ms: 200,
    stream_filters: rpcFilters(),
    router: { virtual_hosts: [{ domains: ["*"], routers }] },
  };
}

export interface Totals {
  inputs: number;
  /** Inputs on connections whose protocol the module found out. */
  detected: number;
  /** Inputs that a server answered through the module. */
  completed: number;
  /** Largest memory of a VM, 64 KiB pages. */
  pages: number;
  seconds: number;
  /** Of one CPU. */
  cpuSeconds: number;
}

/** An input after which something was wrong. */
export class Failure extends Error {
  constructor(
    readonly protocol: string,
    readonly seed: number,
    readonly input: number,
    readonly found: Seed,
    /** What went well before. */
    readonly totals: Totals,
    cause: unknown,
  ) {
    const what = cause instanceof Error ? (cause.stack ?? cause.message) : `${cause}`;
    super(`${protocol}, seed ${seed}, input ${input}: ${what}`, { cause });
  }
}

/** One VM and what it gets: the same for the same protocol, seed and epoch. */
class Epoch {
  readonly totals: Totals = { inputs: 0, detected: 0, completed: 0, pages: 0, seconds: 0, cpuSeconds: 0 };
  private readonly log = new Transcript();
  private readonly dice: Dice;
  private connections = 0;
  private plateau = 0;

  constructor(
    private readonly host: Host,
    private readonly target: Target,
    seed: number,
    epoch: number,
  ) {
    this.dice = new Dice(seed, epoch + 1);
  }

  /** What happened in the current round. */
  get events(): Seed["events"] {
    return this.log.events;
  }

  /** Rounds until there were at least so many inputs. */
  run(inputs: number): void {
    while (this.totals.inputs < inputs) {
      this.round();
      if (this.plateau === 0 && this.totals.inputs * 5 >= EPOCH) this.plateau = this.host.vm.memory.pages;
    }
    this.host.advance(70_000);
    const { vm } = this.host;
    if (vm.tickPeriod() !== 0) throw new Finding("ticks go on when all is over");
    if (this.plateau > 0 && vm.memory.pages > this.plateau * GROWTH) {
      throw new Finding(`memory grew from ${this.plateau} to ${vm.memory.pages} pages`);
    }
    this.totals.pages = vm.memory.pages;
    this.host.close();
  }

  /** Some clients at once, one of them clean; then all is over, and nothing is left. */
  private round(): void {
    const { dice, host } = this;
    this.log.clear();
    host.log.lines.length = 0;
    const players: Player[] = [];
    const clean = dice.roll(CLIENTS);
    for (let index = 0; index < CLIENTS; index++) players.push(this.join(index, index === clean));
    for (let input = 0; input < CLIENTS * INPUTS_PER_CLIENT; input++) {
      const index = dice.roll(CLIENTS);
      if (players[index].over && index !== clean) {
        this.count(players[index]);
        players[index] = this.join(index, false);
      }
      players[index].play();
      this.totals.inputs++;
      if (dice.chance(10)) this.advance(dice.pick([1, 4, 4, 20, 100]));
    }
    for (const player of players) player.settle();
    this.advance(dice.chance(10) ? 1500 : 100); // sometimes past the timeouts
    this.end(players);
  }

  private end(players: Player[]): void {
    const { dice, host } = this;
    for (const player of players) {
      player.check();
      this.count(player);
      player.leave(dice.pick(["fin", "rst"]));
    }
    this.advance(600); // idle, the module writes gauges every half second
    host.forgetClosed();
    checkEmpty(host.vm, host, this.target);
  }

  private join(index: number, clean: boolean): Player {
    const { wires, http2 = false } = this.target;
    const wire = wires.length === 1 ? wires[0] : this.dice.pick(wires);
    const manners = { clean, http2, mixed: wires.length > 1 };
    return new Player(this.host, wire, this.dice, this.log, index, ++this.connections, manners);
  }

  private count(player: Player): void {
    if (player.detected) this.totals.detected += player.inputs;
    this.totals.completed += Math.min(player.completed, player.inputs);
  }

  private advance(ms: number): void {
    this.log.note("advance", ms);
    this.host.advance(ms);
  }
}

/** No client is there: no request may be under way, none may wait, nothing may be counted as such. */
export function checkEmpty(vm: Vm, host: Host, target: Target): void {
  const names = [...codecsOf(target), "mirror", "callouts"].map((name) => `${name}.active`);
  for (const name of [...names, ...["concurrency", "queued"].map((gauge) => `filter.flowControlFilter.${gauge}`)]) {
    const value = host.metrics.gauge(`moe.${name}`);
    if (value !== 0) throw new Finding(`moe.${name} is ${value} when all clients have gone`);
  }
  if (vm.dead) throw new Finding("the VM is dead");
}

export interface FuzzOptions {
  module: string;
  protocol: string;
  seed: number;
  inputs: number;
  /** Only the VM that got this input, and no further than it. */
  only?: number;
  progress?: (totals: Totals) => void;
}

/** Runs inputs of one protocol. Throws `Failure` for the first after which something is wrong. */
export async function fuzz(options: FuzzOptions): Promise<Totals> {
  const { protocol, seed, only } = options;
  const target = PROTOCOLS[protocol];
  const sum: Totals = { inputs: 0, detected: 0, completed: 0, pages: 0, seconds: 0, cpuSeconds: 0 };
  const start = performance.now();
  const before = process.cpuUsage();
  const first = only === undefined ? 0 : Math.floor(only / EPOCH);
  const last = only === undefined ? Math.ceil(options.inputs / EPOCH) : first + 1;
  for (let number = first; number < last; number++) {
    const host = await Host.start({ module: options.module, config: configuration(target) });
    const epoch = new Epoch(host, target, seed, number);
    const inputs = only === undefined ? Math.min(EPOCH, options.inputs - number * EPOCH) : (only % EPOCH) + 1;
    try {
      epoch.run(inputs);
    } catch (error) {
      const at = number * EPOCH + epoch.totals.inputs - 1;
      const about = (error as Error).message.split("\n")[0];
      if (!(error instanceof Finding || error instanceof KitFault)) throw error;
      throw new Failure(protocol, seed, at, { about, protocol, events: epoch.events }, sum, error);
    }
    sum.inputs += epoch.totals.inputs;
    sum.detected += epoch.totals.detected;
    sum.completed += epoch.totals.completed;
    sum.pages = Math.max(sum.pages, epoch.totals.pages);
    sum.seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(before);
    sum.cpuSeconds = (user + system) / 1e6;
    options.progress?.(sum);
  }
  return sum;
}

/** The events of the last round of so many inputs. */
export async function record(options: FuzzOptions): Promise<Seed["events"]> {
  const target = PROTOCOLS[options.protocol];
  const host = await Host.start({ module: options.module, config: configuration(target) });
  const epoch = new Epoch(host, target, options.seed, 0);
  epoch.run(options.inputs);
  return epoch.events;
}
