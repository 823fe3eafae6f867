import { siphash24 } from "../bytes/hash";
import { Behavior, HotParamMetric, HotParamRule, MS } from "./rules";
import { Change, Committed, Decision, ENTER_TRIES, LEAVE_TRIES, RecordStore, SharedRecord } from "./store";
import { recordKey } from "./keys";
import { MAX_WORKERS, Workers } from "./workers";

/**
 * Values of one record, and bytes of one: its hash, its use (the last has the highest number), time, tokens, requests at
 * the same time, how warm it is.
 */
const WAYS: i32 = 15;
const ENTRY: i32 = 40;
const HASH: usize = 0;
const USED: usize = 8;
const TIME: usize = 16;
const TOKENS: usize = 24;
const ACTIVE: usize = 32;
const WARMTH: usize = 36;
/** How warm a value becomes by use. Of fifteen new ones that find no room each value of the record becomes colder once. */
const WARMEST: i32 = 16;
/**
 * The lowest byte in place of a value's, which is odd: of all of a record that found no room. Their entry is behind the
 * others, and its warmth is whose turn it is to become colder.
 */
const REST: u64 = 2;
const LOWEST: u64 = 0xff;
/** Such values have the threshold so many times. */
const REST_SHARES: i64 = 16;
/** With concurrency: before the values the epoch and the workers' generations; behind each value who has how many. */
const SHARES: usize = 40;
const SHARE: i32 = 2;
const MAX_SHARE: u32 = 65535;
const GENERATIONS: i32 = 8;
const HEAD: i32 = GENERATIONS + MAX_WORKERS * 4;

/** A value that is blocked counts as used again when so many others have been used since, or until it is warm. */
const REFRESH: i64 = 2;

const K0: u64 = 0x6d6f652e666c6f77;
const K1: u64 = 0x686f742e76616c75;

export const enum HotParamVerdict {
  PASS = 0,
  BLOCK = 1,
  /** It could not be decided. */
  UNKNOWN = 2,
}

/** A request with a value is over, or was not made after all. */
class HotParamLeaving extends Change {
  hash: u64 = 0;
  costMs: i64 = 0;
  /** Whether its worker had a number when it entered. */
  numbered: bool = false;

  constructor(private readonly controller: HotParamController) {
    super();
  }

  apply(record: SharedRecord): Decision {
    return this.controller.giveBack(record, this.hash, this.costMs, this.numbered);
  }
}

/**
 * A rule on a parameter's values for one resource (Sentinel's hotspot.TrafficShapingController). Values are known by a
 * 64-bit hash that clients cannot foresee, fifteen in a record by some of its bits; so there is a fixed number of records,
 * whatever clients send. A value that was used once is as cold as a new one, and makes room for it; those that were used
 * again stay, and become colder with the new ones that they turn away. So those in use stay when many are made up; those
 * that are turned away have sixteen times the threshold together.
 */
export class HotParamController extends Change {
  private readonly records: StaticArray<SharedRecord | null>;
  /** FlowOutcome of the last `enter`: the value, ns to wait, and ms that it took of the queue. */
  hash: u64 = 0;
  waitNs: i64 = 0;
  costMs: i64 = 0;
  /** Where the values of a record begin, and bytes of each. */
  private readonly head: i32;
  private readonly stride: i32;
  private readonly key: u64;
  private readonly leaving: HotParamLeaving = new HotParamLeaving(this);
  /** The request that enters: its value's hash and threshold, when, and what the rule says. */
  private value: u64 = 0;
  private threshold: i64 = 0;
  private nowMs: i64 = 0;
  private verdict: HotParamVerdict = HotParamVerdict.UNKNOWN;

  /**
   * @param resource of the records' keys
   */
  constructor(
    readonly rule: HotParamRule,
    private readonly resource: u64,
    private readonly store: RecordStore,
    private readonly workers: Workers,
  ) {
    super();
    const concurrency = rule.metric == HotParamMetric.CONCURRENCY;
    this.key = K0 ^ store.secret;
    this.head = concurrency ? HEAD : 0;
    this.stride = concurrency ? ENTRY + MAX_WORKERS * SHARE : ENTRY;
    this.records = new StaticArray<SharedRecord | null>(max(1, (rule.capacity + WAYS) / (WAYS + 1)));
  }

  /** One more request with the value. */
  enter(value: usize, length: i32, nowMs: i64): HotParamVerdict {
    const hash = siphash24(this.key, K1, value, length) | 1;
    const record = this.recordOf(hash);
    this.value = hash;
    this.threshold = this.rule.thresholdOf(value, length);
    this.nowMs = nowMs;
    const concurrency = this.rule.metric == HotParamMetric.CONCURRENCY;
    if (concurrency) this.workers.beat(nowMs);
    const committed = this.store.commit(record, this, ENTER_TRIES);
    if (committed == Committed.FAILED) return HotParamVerdict.UNKNOWN;
    if (committed == Committed.KEPT) {
      if (this.verdict == HotParamVerdict.BLOCK) this.refresh(record, this.hash);
      return this.verdict;
    }
    if (concurrency) this.workers.holding++;
    return HotParamVerdict.PASS;
  }

  /** One more request with the value, in its record. */
  apply(record: SharedRecord): Decision {
    this.hash = this.value;
    this.waitNs = 0;
    this.costMs = 0;
    this.verdict = this.decide(record, this.value, this.threshold, this.nowMs);
    return this.verdict == HotParamVerdict.PASS ? Decision.WRITE : Decision.KEEP;
  }

  /**
   * A request that passed is over, or was not made after all (`undone`): then its token and its place come back, too.
   * False: that could not be noted.
   * @param generation of this worker when the request entered
   */
  exit(hash: u64, undone: bool, costMs: i64, generation: u32): bool {
    const concurrency = this.rule.metric == HotParamMetric.CONCURRENCY;
    if (!concurrency && !undone) return true;
    if (concurrency) this.workers.holding--;
    // Its place was taken back while it lasted: this worker had been taken for gone.
    if (concurrency && generation != 0 && generation != this.workers.generation) return true;
    const leaving = this.leaving;
    leaving.hash = hash;
    leaving.costMs = costMs;
    leaving.numbered = generation != 0;
    return this.store.commit(this.recordOf(hash), leaving, LEAVE_TRIES) != Committed.FAILED;
  }

  /** Gives back what a request took, in the record of its value. */
  giveBack(record: SharedRecord, hash: u64, costMs: i64, numbered: bool): Decision {
    const concurrency = this.rule.metric == HotParamMetric.CONCURRENCY;
    if (concurrency) this.reconcile(record);
    const at = this.find(record, hash);
    if (at == 0) return Decision.KEEP;
    if (concurrency) this.share(at, -1, numbered);
    else if (this.rule.behavior == Behavior.REJECT) store<i64>(at, load<i64>(at, TOKENS) + 1, TOKENS);
    else store<i64>(at, load<i64>(at, TIME) - costMs, TIME);
    return Decision.WRITE;
  }

  /** The rule is gone: nothing is kept of what this worker has counted. */
  erase(): void {
    for (let i = 0; i < this.records.length; i++) {
      const record = unchecked(this.records[i]);
      if (record !== null) this.store.erase(record);
    }
  }

  /**
   * A value that is blocked is in use, too; that is noted until it is warm and when others have been used since, and need
   * not be. One of those without room has made others colder.
   */
  private refresh(record: SharedRecord, hash: u64): void {
    if ((hash & 1) == 0) {
      this.store.save(record);
      return;
    }
    const at = this.find(record, hash);
    const last = this.lastUse(record);
    if (at == 0) return;
    const warmth = load<i32>(at, WARMTH);
    if (warmth >= WARMEST && last - load<i64>(at, USED) < REFRESH) return;
    store<i32>(at, min(warmth + 1, WARMEST), WARMTH);
    store<i64>(at, last + 1, USED);
    this.store.save(record);
  }

  private recordOf(hash: u64): SharedRecord {
    const index = ((hash >> 8) % (this.records.length as u64)) as i32;
    const known = unchecked(this.records[index]);
    if (known !== null) return known;
    const made = new SharedRecord(recordKey(this.resource ^ (this.rule.key as u64), index));
    unchecked((this.records[index] = made));
    return made;
  }

  private decide(record: SharedRecord, hash: u64, threshold: i64, nowMs: i64): HotParamVerdict {
    const size = this.head + (WAYS + 1) * this.stride;
    if (record.length != size) {
      record.length = 0;
      record.resize(size);
    }
    if (this.head > 0) this.reconcile(record);
    const known = this.find(record, hash);
    const room = known != 0 ? known : this.coldest(record, nowMs);
    const verdict =
      room != 0 ? this.judge(room, known == 0, threshold, nowMs) : this.judgeRest(record, hash, threshold, nowMs);
    if (verdict != HotParamVerdict.PASS) return verdict;
    const at = room != 0 ? room : this.restOf(record);
    if (room != 0) {
      store<u64>(at, hash, HASH);
      store<i32>(at, known != 0 ? min(load<i32>(at, WARMTH) + 1, WARMEST) : 1, WARMTH);
    }
    store<i64>(at, this.lastUse(record) + 1, USED);
    return verdict;
  }

  /** Judges a value that found no room, together with the others. */
  private judgeRest(record: SharedRecord, hash: u64, threshold: i64, nowMs: i64): HotParamVerdict {
    const at = this.restOf(record);
    this.hash = (hash & ~LOWEST) | REST;
    return this.judge(at, load<i64>(at, USED) == 0, threshold * REST_SHARES, nowMs);
  }

  // @ts-ignore: decorator
  @inline
  private restOf(record: SharedRecord): usize {
    return this.firstOf(record) + ((WAYS * this.stride) as usize);
  }

  private judge(at: usize, isNew: bool, threshold: i64, nowMs: i64): HotParamVerdict {
    const rule = this.rule;
    if (rule.metric == HotParamMetric.CONCURRENCY) return this.concurrency(at, isNew, threshold);
    if (threshold <= 0) return HotParamVerdict.BLOCK;
    return rule.behavior == Behavior.REJECT
      ? this.reject(at, isNew, threshold, nowMs)
      : this.throttle(at, isNew, threshold, nowMs);
  }

  private concurrency(at: usize, isNew: bool, threshold: i64): HotParamVerdict {
    if (isNew) {
      store<i32>(at, 0, ACTIVE);
      memory.fill(at + SHARES, 0, (MAX_WORKERS * SHARE) as usize);
    }
    if ((load<i32>(at, ACTIVE) as i64) >= threshold) return HotParamVerdict.BLOCK;
    return this.share(at, 1, this.workers.number >= 0) ? HotParamVerdict.PASS : HotParamVerdict.BLOCK;
  }

  /** Adds to the slots of a value, in all and of this worker; false when it has as many as can be counted. */
  private share(at: usize, delta: i32, numbered: bool): bool {
    if (numbered) {
      const own = at + SHARES + ((this.workers.number * SHARE) as usize);
      const next = (load<u16>(own) as i32) + delta;
      if (next < 0 || next > (MAX_SHARE as i32)) return false;
      store<u16>(own, next as u16);
    }
    store<i32>(at, max(0, load<i32>(at, ACTIVE) + delta), ACTIVE);
    return true;
  }

  /** Takes the slots back of workers that are gone. */
  private reconcile(record: SharedRecord): void {
    const workers = this.workers;
    const base = record.ptr;
    if (record.length <= this.head || load<u32>(base) == workers.epoch) return;
    if (((load<u32>(base) - workers.epoch) as i32) > 0) workers.refresh();
    if (((load<u32>(base) - workers.epoch) as i32) > 0) return;
    for (let i = 0; i < MAX_WORKERS; i++) {
      const generation = base + ((GENERATIONS + i * 4) as usize);
      if (load<u32>(generation) == unchecked(workers.generations[i])) continue;
      store<u32>(generation, unchecked(workers.generations[i]));
      this.drop(record, i);
    }
    store<u32>(base, workers.epoch);
  }

  /** Takes back what a worker has of each value. */
  private drop(record: SharedRecord, worker: i32): void {
    const end = record.ptr + (record.length as usize);
    for (let at = this.firstOf(record); at + (this.stride as usize) <= end; at += this.stride) {
      const share = at + SHARES + ((worker * SHARE) as usize);
      store<i32>(at, max(0, load<i32>(at, ACTIVE) - (load<u16>(share) as i32)), ACTIVE);
      store<u16>(share, 0);
    }
  }

  // @ts-ignore: decorator
  @inline
  private firstOf(record: SharedRecord): usize {
    return record.ptr + (this.head as usize);
  }

  /** A bucket of tokens that is filled when its duration has passed. */
  private reject(at: usize, isNew: bool, threshold: i64, nowMs: i64): HotParamVerdict {
    const most = threshold + this.rule.burst;
    let left = most;
    let time = nowMs;
    if (!isNew) {
      const passed = nowMs - load<i64>(at, TIME);
      const duration = max<i64>(1, this.rule.durationSec * 1000);
      left = load<i64>(at, TOKENS);
      time = load<i64>(at, TIME);
      if (passed > duration) {
        const periods = min<i64>(passed, 1000 * duration);
        left = min(most, left + (periods * threshold) / duration);
        time = nowMs;
      }
    }
    if (left < 1) return HotParamVerdict.BLOCK;
    store<i64>(at, left - 1, TOKENS);
    store<i64>(at, time, TIME);
    store<i32>(at, 0, ACTIVE);
    return HotParamVerdict.PASS;
  }

  /** Requests with the value pass one after the other. */
  private throttle(at: usize, isNew: bool, threshold: i64, nowMs: i64): HotParamVerdict {
    const cost = (this.rule.durationSec * 1000) / max<i64>(1, threshold);
    const due = isNew ? nowMs : load<i64>(at, TIME) + cost;
    if (due > nowMs) {
      if (due - nowMs >= this.rule.maxQueueingMs) return HotParamVerdict.BLOCK;
      this.waitNs = (due - nowMs) * MS;
      this.costMs = cost;
    }
    store<i64>(at, max(due, nowMs), TIME);
    store<i32>(at, 0, ACTIVE);
    return HotParamVerdict.PASS;
  }

  /** The number of the last use of any of the values. */
  private lastUse(record: SharedRecord): i64 {
    const end = record.ptr + (record.length as usize);
    let last: i64 = 0;
    for (let at = this.firstOf(record); at + (this.stride as usize) <= end; at += this.stride) {
      last = max(last, load<i64>(at, USED));
    }
    return last;
  }

  /** The entry of a value; 0: none. */
  private find(record: SharedRecord, hash: u64): usize {
    if ((hash & 1) == 0) return record.length > this.head ? this.restOf(record) : 0;
    const end = record.ptr + (record.length as usize);
    for (let at = this.firstOf(record); at + (this.stride as usize) <= end; at += this.stride)
      if (load<u64>(at, HASH) == hash) return at;
    return 0;
  }

  /**
   * The entry to use for a new value: one that is free, or the coldest if it is as cold as the new one or may as well be a
   * new one. 0: there is none, and one of them, each in its turn, is colder now.
   */
  private coldest(record: SharedRecord, nowMs: i64): usize {
    const end = this.restOf(record);
    let best: usize = 0;
    for (let at = this.firstOf(record); at < end; at += this.stride) {
      if (load<u64>(at, HASH) == 0) return at;
      if (load<i32>(at, ACTIVE) > 0) continue;
      if (this.isOver(at, nowMs)) return at;
      if (best == 0 || isColder(at, best)) best = at;
    }
    if (best == 0 || load<i32>(best, WARMTH) <= 1) return best;
    const turn = load<i32>(end, WARMTH) % WAYS;
    const other = this.firstOf(record) + ((turn * this.stride) as usize);
    store<i32>(end, turn + 1, WARMTH);
    if (load<i32>(other, WARMTH) > 1) store<i32>(other, load<i32>(other, WARMTH) - 1, WARMTH);
    return 0;
  }

  /** Whether nothing is known of an entry's value any more that a new one would not have. */
  private isOver(at: usize, nowMs: i64): bool {
    if (this.rule.metric == HotParamMetric.CONCURRENCY) return true;
    return nowMs - load<i64>(at, TIME) > 2 * max<i64>(1, this.rule.durationSec * 1000);
  }
}

/** Whether an entry is colder than another, or as cold and not used for longer. */
function isColder(at: usize, than: usize): bool {
  const warmth = load<i32>(at, WARMTH) - load<i32>(than, WARMTH);
  return warmth < 0 || (warmth == 0 && load<i64>(at, USED) < load<i64>(than, USED));
}
