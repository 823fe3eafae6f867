import { Host, KitFault } from "../host/kit/index.ts";
import { Dice } from "./dice.ts";
import type { Seed } from "./transcript.ts";

/** What the module did that it must not do. */
export class Finding extends Error {}

/** Inputs that one VM gets before a new one is started. */
export const EPOCH = 250_000;
/** Memory at the end of an epoch may be this much larger than after its first fifth: it grows by doubling. */
const GROWTH = 2;

export interface Totals {
  inputs: number;
  /** Inputs on connections whose protocol the module found out; of HTTP, those that got an answer. */
  detected: number;
  /** Inputs that a server answered through the module. */
  completed: number;
  /** Largest memory of a VM, 64 KiB pages. */
  pages: number;
  seconds: number;
  /** Of one CPU. */
  cpuSeconds: number;
}

export const noTotals = (): Totals => ({
  inputs: 0,
  detected: 0,
  completed: 0,
  pages: 0,
  seconds: 0,
  cpuSeconds: 0,
});

/** A VM, or some with different configurations, and what they get: the same for the same protocol, seed and epoch. */
export abstract class Epoch {
  readonly totals = noTotals();
  protected readonly dice: Dice;
  private plateau: number[] = [];

  constructor(
    private readonly hosts: readonly Host[],
    seed: number,
    epoch: number,
  ) {
    this.dice = new Dice(seed, epoch + 1);
  }

  /** What happened in the current round. */
  abstract get events(): Seed["events"];
  /** Some inputs; then all is over, and nothing is left. */
  protected abstract round(): void;

  /** Rounds until there were at least so many inputs, or it is over. Throws `Finding` or `KitFault`. */
  run(inputs: number, over: () => boolean = () => false): void {
    const pages = () => this.hosts.map(({ vm }) => vm.memory.pages);
    while (this.totals.inputs < inputs) {
      if (this.totals.inputs > 0 && over()) break;
      this.round();
      if (this.plateau.length === 0 && this.totals.inputs * 5 >= EPOCH) this.plateau = pages();
    }
    for (const [i, host] of this.hosts.entries()) {
      host.advance(70_000);
      if (host.vm.tickPeriod() !== 0) throw new Finding("ticks go on when all is over");
      const [before, now] = [this.plateau[i], pages()[i]];
      if (before !== undefined && now > before * GROWTH) {
        throw new Finding(`memory grew from ${before} to ${now} pages`);
      }
      host.close();
    }
    this.totals.pages = Math.max(...pages());
  }
}

/** No client is there: none of these gauges counts anything, and the VM lives. */
export function checkEmpty(host: Host, gauges: readonly string[]): void {
  const filters = ["filter.flowControlFilter.concurrency", "filter.flowControlFilter.queued"];
  for (const name of [...gauges, ...filters]) {
    const value = host.metrics.gauge(`moe.${name}`);
    if (value !== 0) throw new Finding(`moe.${name} is ${value} when all clients have gone`);
  }
  if (host.vm.dead) throw new Finding("the VM is dead");
}

/** Whether an error says that the module is wrong, and not the fuzzer. */
export const isFinding = (error: unknown): boolean => error instanceof Finding || error instanceof KitFault;
