import { Bytes } from "../bytes/bytes";
import { Breaker } from "./breaker";
import { Entry, MAX_RULES, Outcome, Verdict } from "./entry";
import { FlowController, RESOURCE_WINDOW, windowOf } from "./flow_controller";
import { HotController } from "./hot";
import { recordKey } from "./keys";
import { Lease } from "./lease";
import { Places, PLACES, PLACES_SIZE } from "./places";
import { WaitQueue } from "./queue";
import { Layout, Section } from "./record";
import { Behavior, BreakerRule, FlowRule, IsolationRule, MS, TokenStrategy } from "./rules";
import { RecordStore, Saved, SharedRecord } from "./store";
import { Window } from "./window";
import { Workers } from "./workers";

/** Identity of the section with the window of every resource. */
const STATISTICS: u32 = 1;

/** How often an entry is tried against other workers, and an exit, which must not be lost. */
const TRIES: i32 = 64;
const EXIT_TRIES: i32 = 1024;

/** A window of the resource that a rule needs beside that of every resource. */
class OwnWindow {
  constructor(
    readonly window: Window,
    readonly section: Section,
  ) {}
}

/** What who uses the rules keeps with a resource. */
export abstract class Attachment {}

/**
 * A resource with its rules, and the record of its counts that all workers share. A change is: read the record, decide,
 * write it if nobody else has; or all again.
 */
export class Resource {
  readonly record: SharedRecord;
  readonly layout: Layout;
  private readonly statistics: Section;
  private readonly windows: OwnWindow[] = [];
  private readonly flows: FlowController[] = [];
  /** The resource whose requests a flow rule counts; null: this one. */
  private readonly related: (Resource | null)[] = [];
  private readonly breakers: Breaker[] = [];
  readonly hots: HotController[] = [];
  /** Most requests at the same time; -1: no rule. */
  private most: i64 = -1;
  /** Who waits in this worker, where a single rule has requests wait: then those behind one that leaves move up. */
  private queue: WaitQueue | null = null;
  /** The place of that rule; -1: none, or more than one. */
  private throttling: i32 = -1;
  /** Whether other resources' rules count its requests. */
  private watched: bool = false;
  /** Tokens of this worker; null: it has none, and asks the record each time. */
  lease: Lease | null = null;
  /** Requests at the same time; null: no rule. */
  private places: Places | null = null;
  /** The time that the request which is leaving gives back, ns; 0: none. */
  private free: i64 = 0;
  /** The user's own; all of one engine are of one class. */
  attachment: Attachment | null = null;
  /** Whether rules name it, or all that find no room share it: it never makes room for another one. */
  fixed: bool = false;
  /** Requests that passed and are not over, and when it was last asked for, ns. */
  users: i32 = 0;
  usedNs: i64 = 0;
  /** `hashBytes` of its name. */
  slotHash: u64 = 0;

  constructor(
    readonly name: Bytes,
    readonly hash: u64,
    private readonly store: RecordStore,
    private readonly workers: Workers,
  ) {
    this.record = new SharedRecord(recordKey(hash, 0));
    const layout = new Layout();
    this.statistics = layout.add(STATISTICS, RESOURCE_WINDOW.size);
    this.layout = layout;
  }

  /** False when there are too many rules. */
  addFlow(rule: FlowRule, related: Resource | null): bool {
    if (this.flows.length >= MAX_RULES) return false;
    const counted = related !== null ? related : this;
    const window = windowOf(rule);
    let counts = counted.statistics;
    if (FlowController.counts(rule)) {
      counted.watched = true;
      if (window !== RESOURCE_WINDOW) counts = counted.addWindow(window);
    }
    const state = FlowController.hasState(rule) ? this.layout.add(rule.key, FlowController.stateSize(rule)) : null;
    this.flows.push(new FlowController(rule, window, counts, state));
    this.related.push(related);
    if (rule.behavior == Behavior.THROTTLING) this.findQueue();
    return true;
  }

  /** Finds out whether a single rule has requests wait. */
  private findQueue(): void {
    let found = -1;
    let count = this.hots.length;
    for (let i = 0; i < this.flows.length; i++) {
      if (this.flows[i].rule.behavior != Behavior.THROTTLING) continue;
      found = i;
      count++;
    }
    this.throttling = count == 1 ? found : -1;
    this.queue = count == 1 ? new WaitQueue() : null;
  }

  private addWindow(window: Window): Section {
    const section = this.layout.add((window.bucketMs as u32) | 0x80000000, window.size);
    for (let i = 0; i < this.windows.length; i++) if (this.windows[i].section === section) return section;
    this.windows.push(new OwnWindow(window, section));
    return section;
  }

  addIsolation(rule: IsolationRule): void {
    this.most = this.most < 0 ? rule.threshold : min(this.most, rule.threshold);
    if (this.places !== null) return;
    this.places = new Places(this.layout.add(PLACES, PLACES_SIZE), this.workers, this.workers.heldIn(this.hash));
  }

  addBreaker(rule: BreakerRule): bool {
    if (this.breakers.length >= MAX_RULES) return false;
    this.breakers.push(new Breaker(rule, this.layout.add(rule.key, Breaker.size(rule))));
    return true;
  }

  addHot(controller: HotController): bool {
    if (this.hots.length >= MAX_RULES) return false;
    this.hots.push(controller);
    this.findQueue();
    return true;
  }

  /** Whether it has that rule on a parameter. */
  hasHot(key: u32): bool {
    for (let i = 0; i < this.hots.length; i++) if (this.hots[i].rule.key == key) return true;
    return false;
  }

  /** Whether anything is counted in the record. */
  get counts(): bool {
    return this.watched || this.most >= 0 || this.breakers.length > 0 || this.flows.length > 0;
  }

  /** Whether tokens can be leased: only counts that reject, of this resource alone. */
  get leasable(): bool {
    if (this.flows.length == 0 || this.most >= 0 || this.breakers.length > 0) return false;
    for (let i = 0; i < this.flows.length; i++) {
      const rule = this.flows[i].rule;
      if (rule.strategy != TokenStrategy.DIRECT || rule.behavior != Behavior.REJECT) return false;
      if (this.related[i] !== null) return false;
    }
    return true;
  }

  /** The number that tells the buckets of all its windows at a time from those of another time. */
  epoch(nowMs: i64): i64 {
    let epoch = RESOURCE_WINDOW.bucketOf(nowMs);
    for (let i = 0; i < this.windows.length; i++) epoch = epoch * 31 + this.windows[i].window.bucketOf(nowMs);
    return epoch;
  }

  /** Finds the record (`RecordStore.load`). */
  read(fresh: bool = false): bool {
    if (!this.store.load(this.record, fresh)) return false;
    this.layout.locate(this.record);
    return true;
  }

  // @ts-ignore: decorator
  @inline
  private get base(): usize {
    return this.record.ptr;
  }

  // @ts-ignore: decorator
  @inline
  private get windowAt(): usize {
    return this.record.ptr + (this.statistics.offset as usize);
  }

  /** Lets a request pass if all rules in the record do. */
  enter(entry: Entry, nowNs: i64, memoryBytes: i64): Verdict {
    const lease = this.lease;
    if (lease !== null) return lease.enter(this, entry, nowNs);
    const places = this.places;
    if (places !== null) this.workers.beat(nowNs / MS);
    for (let i = 0; i < TRIES; i++) {
      if (!this.readAll()) return Verdict.UNKNOWN;
      const verdict = this.check(nowNs, memoryBytes);
      if (verdict != Verdict.PASS) {
        if (this.record.guessed) continue;
        return verdict;
      }
      this.take(entry, nowNs);
      const saved = this.store.save(this.record);
      if (saved == Saved.OK) {
        if (places !== null) places.taken();
        const queue = this.queue;
        if (queue !== null && entry.waitNs > 0) entry.waitNs = queue.add(entry, nowNs + entry.waitNs) - nowNs;
        return verdict;
      }
      if (saved == Saved.FAILED) break;
    }
    entry.clear();
    return Verdict.UNKNOWN;
  }

  /** Reads the record, and those that its rules count in. */
  private readAll(): bool {
    for (let i = 0; i < this.related.length; i++) {
      const related = unchecked(this.related[i]);
      if (related !== null && !related.read(true)) return false;
    }
    return this.read();
  }

  private check(nowNs: i64, memoryBytes: i64): Verdict {
    for (let i = 0; i < this.flows.length; i++) {
      const related = unchecked(this.related[i]);
      const countsBase = related !== null ? related.base : this.base;
      if (!unchecked(this.flows[i]).check(this.base, countsBase, nowNs, 1, memoryBytes)) return Verdict.FLOW;
    }
    const places = this.places;
    if (places !== null && (places.settle(this.base) as i64) >= this.most) return Verdict.ISOLATION;
    for (let i = 0; i < this.breakers.length; i++) {
      if (!unchecked(this.breakers[i]).check(this.base, nowNs / MS)) return Verdict.BREAKER;
    }
    return Verdict.PASS;
  }

  private take(entry: Entry, nowNs: i64): void {
    const base = this.base;
    entry.waitNs = 0;
    entry.probes = 0;
    for (let i = 0; i < this.flows.length; i++) {
      const flow = unchecked(this.flows[i]);
      flow.take(base);
      entry.waitNs = max(entry.waitNs, flow.waitNs);
      unchecked((entry.costs[i] = flow.costNs));
    }
    for (let i = 0; i < this.breakers.length; i++) {
      const breaker = unchecked(this.breakers[i]);
      breaker.take(base);
      if (breaker.probes) entry.probes |= 1 << i;
    }
    this.count(nowNs / MS, 1);
    const places = this.places;
    if (places !== null) places.take(base);
  }

  /** Counts requests that pass in all windows of the record as it was read. */
  count(nowMs: i64, requests: i32): void {
    RESOURCE_WINDOW.add(this.windowAt, nowMs, 0, requests);
    for (let i = 0; i < this.windows.length; i++) {
      const own = unchecked(this.windows[i]);
      own.window.add(this.base + (own.section.offset as usize), nowMs, 0, requests);
    }
  }

  /** Takes requests off again that were counted at `ms`. */
  uncount(ms: i64, requests: i32): void {
    RESOURCE_WINDOW.takeBack(this.windowAt, ms, 0, requests);
    for (let i = 0; i < this.windows.length; i++) {
      const own = unchecked(this.windows[i]);
      own.window.takeBack(this.base + (own.section.offset as usize), ms, 0, requests);
    }
  }

  /** Of a record as it was read: how many requests more may pass now, at most `most`; for leases. */
  left(nowNs: i64, most: i64): i64 {
    let left = most;
    for (let i = 0; i < this.flows.length; i++) left = unchecked(this.flows[i]).left(this.base, nowNs, left);
    return left;
  }

  /** The lowest threshold of its flow rules. */
  get threshold(): f64 {
    let least: f64 = Infinity;
    for (let i = 0; i < this.flows.length; i++) least = min(least, this.flows[i].rule.threshold);
    return least;
  }

  /** Its rules are gone, and those of all other engines: nothing is kept of it. */
  erase(): void {
    this.store.erase(this.record);
  }

  /** It is no longer used: to be called once. */
  end(): void {
    if (this.places !== null) this.workers.forget(this.hash);
  }

  /** Its rules are gone: of the record stays what the layouts, those of other engines, know. */
  eraseBut(layouts: Layout[]): void {
    if (this.record.version == 0) return;
    for (let i = 0; i < TRIES; i++) {
      if (!this.store.load(this.record, true) || !Layout.clear(this.record, layouts)) return;
      if (this.store.save(this.record) != Saved.CONFLICT) return;
    }
  }

  /** Writes the record back. */
  write(): Saved {
    return this.store.save(this.record);
  }

  /** A request that passed is over. False: it could not be noted, or will be later. */
  exit(entry: Entry, nowNs: i64, outcome: Outcome): bool {
    if (entry.leased || (this.most < 0 && this.breakers.length == 0)) return true;
    return this.leave(entry, nowNs, outcome, false);
  }

  /** A request that passed is not made after all: it leaves no trace, and those behind it in a queue wait less. */
  cancel(entry: Entry, nowNs: i64): bool {
    const queue = entry.queue;
    this.free = queue !== null ? queue.leave(entry) : 0;
    const lease = this.lease;
    if (lease !== null && entry.leased) return lease.giveBack(this, entry);
    return this.leave(entry, nowNs, Outcome.UNKNOWN, true);
  }

  private leave(entry: Entry, nowNs: i64, outcome: Outcome, undone: bool): bool {
    const places = this.places;
    if (places !== null) places.release();
    for (let i = 0; i < EXIT_TRIES; i++) {
      if (!this.read()) return false;
      if (places !== null) places.settle(this.base);
      if (undone) this.undo(entry, nowNs);
      else this.complete(entry, nowNs, outcome);
      const saved = this.store.save(this.record);
      if (saved == Saved.OK && places !== null) places.saved();
      if (saved != Saved.CONFLICT) return saved == Saved.OK;
    }
    return false;
  }

  private complete(entry: Entry, nowNs: i64, outcome: Outcome): void {
    if (outcome == Outcome.UNKNOWN) return this.unprobe(entry);
    const rtMs = max<i64>(0, (nowNs - entry.startNs) / MS);
    for (let i = 0; i < this.breakers.length; i++) {
      unchecked(this.breakers[i]).complete(this.base, nowNs / MS, rtMs, outcome == Outcome.FAILED);
    }
  }

  private undo(entry: Entry, nowNs: i64): void {
    this.uncount(entry.startNs / MS, 1);
    for (let i = 0; i < this.flows.length; i++) {
      const cost = unchecked(entry.costs[i]);
      if (i != this.throttling) unchecked(this.flows[i]).giveBack(this.base, cost);
      else if (this.free != 0) unchecked(this.flows[i]).release(this.base, this.free, cost, nowNs);
    }
    this.unprobe(entry);
  }

  private unprobe(entry: Entry): void {
    for (let i = 0; i < this.breakers.length; i++) {
      if ((entry.probes & (1 << i)) != 0) unchecked(this.breakers[i]).takeBack(this.base);
    }
  }
}
