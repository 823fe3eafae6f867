import { type Epoch, EPOCH, isFinding, noTotals, type Totals } from "./epoch.ts";
import { HttpEpoch, startWorlds } from "./http/epoch.ts";
import { RpcEpoch, type RpcTarget, startRpc } from "./rpc.ts";
import type { Seed } from "./transcript.ts";
import { boltWire } from "./wires/bolt.ts";
import { dubboWire } from "./wires/dubbo.ts";
import { tarsWire } from "./wires/tars.ts";
import { thriftWire } from "./wires/thrift.ts";
import { xExampleWire } from "./wires/x_example.ts";

/** What can be fuzzed: `mixed` is all protocols of RPC on one port, `http2` Bolt behind a hostile switchboard, `http` the HTTP filter. */
export const PROTOCOLS: Record<string, RpcTarget | "http"> = {
  bolt: { wires: [boltWire(1)] },
  boltv2: { wires: [boltWire(2)] },
  dubbo: { wires: [dubboWire] },
  "dubbo-thrift": { wires: [thriftWire] },
  tars: { wires: [tarsWire] },
  x_example: { wires: [xExampleWire] },
  mixed: { wires: [boltWire(1), boltWire(2), dubboWire, thriftWire, tarsWire, xExampleWire] },
  http2: { wires: [boltWire(1)], http2: true },
  http: "http",
};

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

export interface FuzzOptions {
  module: string;
  protocol: string;
  seed: number;
  inputs: number;
  /** Only the VM that got this input, and no further than it. */
  only?: number;
  progress?: (totals: Totals) => void;
  /** Asked after each round: it was the last. */
  over?: () => boolean;
}

async function startEpoch({ module, protocol, seed }: FuzzOptions, number: number): Promise<Epoch> {
  const target = PROTOCOLS[protocol];
  if (target === "http") return new HttpEpoch(await startWorlds(module), seed, number);
  return new RpcEpoch(await startRpc(module, target), target, seed, number);
}

/** Runs inputs of one protocol. Throws `Failure` for the first after which something is wrong. */
export async function fuzz(options: FuzzOptions): Promise<Totals> {
  const { protocol, seed, only } = options;
  const sum = noTotals();
  const start = performance.now();
  const before = process.cpuUsage();
  const first = only === undefined ? 0 : Math.floor(only / EPOCH);
  const last = only === undefined ? Math.ceil(options.inputs / EPOCH) : first + 1;
  for (let number = first; number < last; number++) {
    const epoch = await startEpoch(options, number);
    const inputs = only === undefined ? Math.min(EPOCH, options.inputs - number * EPOCH) : (only % EPOCH) + 1;
    try {
      epoch.run(inputs, options.over);
    } catch (error) {
      if (!isFinding(error)) throw error;
      const at = number * EPOCH + epoch.totals.inputs - 1;
      const about = (error as Error).message.split("\n")[0];
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
    if (options.over?.() === true) break;
  }
  return sum;
}

/** The events of the last round of so many inputs. */
export async function record(options: FuzzOptions): Promise<Seed["events"]> {
  const epoch = await startEpoch(options, 0);
  epoch.run(options.inputs);
  return epoch.events;
}
