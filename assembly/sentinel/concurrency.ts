import { Section } from "./record";
import { Held, MAX_WORKERS, Workers } from "./workers";

/** The section: epoch that it is of, all places, those of workers without a number; by number generation and places. */
const EPOCH: usize = 0;
const TOTAL: usize = 4;
const OTHERS: usize = 8;
const HEADER: i32 = 16;
const ENTRY: i32 = 8;
const COUNT: usize = 4;

/** Identity of the section in a record. */
export const SLOTS: u32 = 4;
export const SLOTS_SIZE: i32 = HEADER + MAX_WORKERS * ENTRY;

/**
 * How many requests are under way at the same time, in all workers: each worker writes how many it has itself, so that a
 * write that failed is made good by the next, and those of a worker that is gone come back.
 */
export class ConcurrencySlots {
  /** What the last `put` wrote. */
  private written: i32 = 0;

  constructor(
    private readonly section: Section,
    private readonly workers: Workers,
    private readonly held: Held,
  ) {}

  /**
   * Brings the record up to date, once after it was read: what this worker holds, and nothing of those that are gone.
   * Returns how many places are taken.
   */
  settle(base: usize): i32 {
    const at = base + (this.section.offset as usize);
    const workers = this.workers;
    if (load<u32>(at, EPOCH) != workers.epoch) this.reconcile(at);
    const count = this.held.count;
    this.written = count;
    // What was noted without a number is noted under it from now on.
    const numbered = workers.number >= 0;
    const others = (numbered ? 0 : count) - this.held.noted;
    const own = numbered ? this.note(this.ownAt(at), count) : 0;
    store<i32>(at, load<i32>(at, OTHERS) + others, OTHERS);
    const total = max(0, load<i32>(at, TOTAL) + own + others);
    store<i32>(at, total, TOTAL);
    return total;
  }

  /** Takes one more in the record that was settled. */
  take(base: usize): void {
    const at = base + (this.section.offset as usize);
    const one = this.workers.number >= 0 ? this.ownAt(at) + COUNT : at + OTHERS;
    store<i32>(one, load<i32>(one) + 1);
    store<i32>(at, load<i32>(at, TOTAL) + 1, TOTAL);
    this.written++;
  }

  // @ts-ignore: decorator
  @inline
  private ownAt(at: usize): usize {
    return at + ((HEADER + this.workers.number * ENTRY) as usize);
  }

  /** Writes what this worker holds under its number; returns how many more that is. */
  private note(own: usize, count: i32): i32 {
    const before = load<i32>(own, COUNT);
    store<u32>(own, this.workers.generation);
    store<i32>(own, count, COUNT);
    return count - before;
  }

  /** The record with one more has been written. */
  // @ts-ignore: decorator
  @inline
  taken(): void {
    this.held.count++;
    this.workers.holding++;
    this.saved();
  }

  /** A request is over: to be written with the next `settle`. */
  // @ts-ignore: decorator
  @inline
  release(): void {
    this.held.count--;
    this.workers.holding--;
  }

  /** The record has been written. */
  // @ts-ignore: decorator
  @inline
  saved(): void {
    this.held.noted = this.workers.number < 0 ? this.written : 0;
  }

  /** Takes the slots back of workers that are gone. */
  private reconcile(at: usize): void {
    const workers = this.workers;
    if (((load<u32>(at, EPOCH) - workers.epoch) as i32) > 0) workers.refresh();
    if (((load<u32>(at, EPOCH) - workers.epoch) as i32) > 0) return;
    let total = load<i32>(at, OTHERS);
    for (let i = 0; i < MAX_WORKERS; i++) {
      const one = at + ((HEADER + i * ENTRY) as usize);
      const generation = unchecked(workers.generations[i]);
      if (load<u32>(one) != generation) {
        store<u32>(one, generation);
        store<i32>(one, 0, COUNT);
      }
      total += load<i32>(one, COUNT);
    }
    store<i32>(at, total, TOTAL);
    store<u32>(at, workers.epoch, EPOCH);
  }
}
