// The clock that the rules go by: the machine's monotonic one, the same for Envoy's workers and for this process.
import { setTimeout as sleep } from "node:timers/promises";

/** A bucket of a resource's window, ms: Sentinel's global statistic. They begin at whole multiples. */
export const BUCKET_MS = 500;
export const SECOND_MS = 1000;

/** Milliseconds on the clock of the rules, with fractions. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Waits until the clock shows `ms`; returns at once where it is later. */
export async function untilMs(ms: number): Promise<void> {
  for (let left = ms - nowMs(); left > 0; left = ms - nowMs()) await sleep(Math.max(1, left));
}

/** The next whole multiple of `unit` that is at least `least` ms away. */
export function nextMultiple(unit: number, least = 0): number {
  return Math.ceil((nowMs() + least) / unit) * unit;
}

/** Lengths of a window that a whole run is to end within, ms: of two one has long to go. */
const LENGTHS_MS = [600_000, 420_000];
const RUN_MS = 60_000;

/** A window (`statIntervalInMs`) so long that it does not end before the run does; windows begin at whole multiples. */
export class LongWindow {
  readonly lengthMs: number;
  private readonly index: number;

  constructor() {
    const now = nowMs();
    this.lengthMs = LENGTHS_MS.find((length) => length - (now % length) > RUN_MS) ?? LENGTHS_MS[0];
    this.index = Math.floor(now / this.lengthMs);
  }

  /** It has ended all the same. */
  get over(): boolean {
    return Math.floor(nowMs() / this.lengthMs) !== this.index;
  }
}
