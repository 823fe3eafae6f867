import { BusyShare } from "./busy_share";
import { identify, recordKey } from "./keys";
import { MS } from "./rules";
import { Change, Committed, Decision, ENTER_TRIES, RecordStore, SharedRecord } from "./store";

/** Workers that have a number; what more of them hold is not taken back when one of those is gone. */
export const MAX_WORKERS: i32 = 64;
/** How often a worker says that it lives, and how long after the last time it counts as gone, ms. */
export const BEAT_MS: i64 = 1000;
const GONE_MS: i64 = 10000;
/** So long what a worker has said of its load counts, ms: twice the longest time between two samples. */
const LOAD_MS: i64 = 3000;

/**
 * The record: version of the layout, epoch; for each number the generation (0: free), how busy it is in millionths, and
 * when it was heard of, ms.
 */
const VERSION: u32 = 1;
const EPOCH: usize = 4;
const HEADER: i32 = 8;
const ENTRY: i32 = 16;
const BUSY: usize = 4;
const BEAT: usize = 8;
const SIZE: i32 = HEADER + MAX_WORKERS * ENTRY;

const MILLION: f64 = 1000000;

/** Requests of this worker that have a place in a record, whichever engine let them in. */
export class Held {
  count: i32 = 0;
  /** Of a worker without a number: how many of them the record has. */
  noted: i32 = 0;
  /** Engines that have the resource. */
  users: i32 = 0;
}

/**
 * The workers that share a store, so that what a worker holds comes back when it is gone: its VM has trapped, or Envoy
 * has taken it away. Each has a number, and a generation that no other worker ever had. One that has not been heard of for
 * ten seconds loses its number; if it lives after all, it gets another, and says anew what it holds.
 */
export class Workers extends Change {
  /** As last known: the epoch, which grows when a number changes hands; and the generation of each number. */
  epoch: u32 = 0;
  readonly generations: StaticArray<u32> = new StaticArray<u32>(MAX_WORKERS);
  /** This worker's; -1 and 0: it has none. */
  number: i32 = -1;
  generation: u32 = 0;
  /** Slots that this worker's requests have. */
  holding: i32 = 0;
  private readonly held: Map<u64, Held> = new Map<u64, Held>();
  private readonly record: SharedRecord = new SharedRecord(recordKey(identify("workers"), 0));
  private heardAt: i64 = i64.MIN_VALUE;
  /** The sample of this worker's share that the others have been told of, first none, and what all shares came to then. */
  private told: u32 = u32.MAX_VALUE;
  private total: f64 = 0;
  /** What is being noted: when, and the number that this worker has then. */
  private nowMs: i64 = 0;
  private nextNumber: i32 = -1;

  /** @param busy what this worker measures of itself; by default nothing */
  constructor(
    private readonly store: RecordStore,
    readonly busy: BusyShare = new BusyShare(),
  ) {
    super();
  }

  /**
   * How busy all workers are: the sum of their shares, as of this worker's last sample. Those count that were heard of
   * within three seconds. Until the record can be read and written again it is as it was.
   */
  load(nowNs: i64): f64 {
    this.busy.sample(nowNs);
    if (this.told != this.busy.samples && this.renew(nowNs / MS)) this.told = this.busy.samples;
    return this.total;
  }

  /** What this worker holds in the record of that hash, until `forget`. */
  heldIn(hash: u64): Held {
    const known = this.held.has(hash) ? this.held.get(hash) : new Held();
    if (known.users++ == 0) this.held.set(hash, known);
    return known;
  }

  /** One that asked for it has no more use for it. Without users it is forgotten, when it is nothing. */
  forget(hash: u64): void {
    if (!this.held.has(hash)) return;
    const known = this.held.get(hash);
    if (--known.users <= 0 && known.count == 0) this.held.delete(hash);
  }

  /** Says that this worker lives, if it has not done so lately. To be called before it takes a place. */
  // @ts-ignore: decorator
  @inline
  beat(nowMs: i64): void {
    if (this.heardAt == i64.MIN_VALUE || nowMs - this.heardAt >= BEAT_MS) this.renew(nowMs);
  }

  /** Says that this worker lives, and takes the numbers of those that are gone. False: it cannot be said. */
  renew(nowMs: i64): bool {
    this.nowMs = nowMs;
    if (this.store.commit(this.record, this, ENTER_TRIES, true) != Committed.WRITTEN) return false;
    const number = this.nextNumber;
    this.number = number;
    this.generation = number >= 0 ? load<u32>(this.at(number)) : 0;
    this.heardAt = nowMs;
    this.total = this.sum(nowMs);
    this.learn();
    return true;
  }

  /** Notes in the record that this worker lives. */
  apply(record: SharedRecord): Decision {
    this.nextNumber = this.update(this.nowMs);
    return Decision.WRITE;
  }

  /** Learns of workers that came or went. */
  refresh(): void {
    if (this.store.load(this.record, true) && this.record.length == SIZE) this.learn();
  }

  // @ts-ignore: decorator
  @inline
  private at(number: i32): usize {
    return this.record.ptr + ((HEADER + number * ENTRY) as usize);
  }

  /** Changes the record as it was read; returns this worker's number in it. */
  private update(nowMs: i64): i32 {
    const record = this.record;
    if (record.length != SIZE || load<u32>(record.ptr) != VERSION) {
      record.length = 0;
      record.resize(SIZE);
      store<u32>(record.ptr, VERSION);
    }
    let free = -1;
    let own = -1;
    for (let i = MAX_WORKERS - 1; i >= 0; i--) {
      const generation = load<u32>(this.at(i));
      if (generation != 0 && i == this.number && generation == this.generation) own = i;
      else if (generation != 0 && nowMs - load<i64>(this.at(i), BEAT) > GONE_MS) this.assign(i, 0);
      if (load<u32>(this.at(i)) == 0) free = i;
    }
    if (own < 0 && free >= 0) {
      own = free;
      this.assign(own, 1);
    }
    if (own >= 0) {
      store<i64>(this.at(own), nowMs, BEAT);
      store<u32>(this.at(own), (this.busy.value * MILLION) as u32, BUSY);
    }
    return own;
  }

  /** What the shares of all workers come to in the record as it was written; without a number this one adds its own. */
  private sum(nowMs: i64): f64 {
    let millionths: i64 = 0;
    for (let i = 0; i < MAX_WORKERS; i++) {
      const at = this.at(i);
      if (load<u32>(at) != 0 && nowMs - load<i64>(at, BEAT) <= LOAD_MS) millionths += load<u32>(at, BUSY) as i64;
    }
    return (millionths as f64) / MILLION + (this.number < 0 ? this.busy.value : 0);
  }

  /** Gives a number to nobody (0), or to a worker (1). */
  private assign(number: i32, to: u32): void {
    let epoch = load<u32>(this.record.ptr, EPOCH) + 1;
    if (epoch == 0) epoch = 1;
    store<u32>(this.record.ptr, epoch, EPOCH);
    store<u32>(this.at(number), to == 0 ? 0 : epoch);
    store<u32>(this.at(number), 0, BUSY);
  }

  private learn(): void {
    this.epoch = load<u32>(this.record.ptr, EPOCH);
    for (let i = 0; i < MAX_WORKERS; i++) unchecked((this.generations[i] = load<u32>(this.at(i))));
    if (this.number < 0 || unchecked(this.generations[this.number]) == this.generation) return;
    // Somebody took it for gone.
    this.number = -1;
    this.generation = 0;
    this.heardAt = i64.MIN_VALUE;
  }
}
