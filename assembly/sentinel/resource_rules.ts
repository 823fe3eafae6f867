import { Breaker } from "./breaker";
import { Claim } from "./claim";
import { FlowController, RESOURCE_WINDOW, windowOf } from "./flow_controller";
import { ConcurrencySlots, SLOTS, SLOTS_SIZE } from "./concurrency";
import { Layout, Section } from "./record";
import { Behavior, BreakerRule, FlowRule, IsolationRule, MAX_RULES, MS, TokenStrategy } from "./rules";
import { RecordStore, SharedRecord } from "./store";
import { FlowOutcome, FlowVerdict } from "./verdict";
import { Window } from "./window";
import { Workers } from "./workers";

/** Identity of the section with the window of every resource. */
const STATISTICS: u32 = 1;

/** A window of the resource that a rule needs beside that of every resource. */
class OwnWindow {
  constructor(
    readonly window: Window,
    readonly section: Section,
  ) {}
}

/**
 * The rules of a resource that count in its record, all but those on parameters: what they say to a request, and what it
 * changes in the record. They read and write nothing but the record's bytes.
 */
export class ResourceRules {
  readonly layout: Layout;
  private readonly statistics: Section;
  private readonly windows: OwnWindow[] = [];
  private readonly flows: FlowController[] = [];
  /** The resource whose requests a flow rule counts; null: this one. */
  private readonly related: (ResourceRules | null)[] = [];
  private readonly breakers: Breaker[] = [];
  /** Most requests at the same time; -1: no rule. */
  private most: i64 = -1;
  /** Whether other resources' rules count its requests. */
  private watched: bool = false;
  /** Requests at the same time; null: no rule. */
  slots: ConcurrencySlots | null = null;
  /** Rules that have requests wait, and the place of the last of them. */
  throttling: i32 = 0;
  lastThrottling: i32 = -1;

  constructor(readonly record: SharedRecord) {
    const layout = new Layout();
    this.statistics = layout.add(STATISTICS, RESOURCE_WINDOW.size);
    this.layout = layout;
  }

  /** False when there are too many rules. */
  addFlow(rule: FlowRule, related: ResourceRules | null): bool {
    if (this.flows.length >= MAX_RULES) return false;
    const counted = related !== null ? related : this;
    const window = windowOf(rule);
    let counts = counted.statistics;
    if (FlowController.counts(rule)) {
      counted.watched = true;
      if (window !== RESOURCE_WINDOW) counts = counted.addWindow(window);
    }
    const state = FlowController.hasState(rule) ? this.layout.add(rule.key, FlowController.stateSize(rule)) : null;
    if (rule.behavior == Behavior.THROTTLING) {
      this.throttling++;
      this.lastThrottling = this.flows.length;
    }
    this.flows.push(new FlowController(rule, window, counts, state));
    this.related.push(related);
    return true;
  }

  private addWindow(window: Window): Section {
    const section = this.layout.add((window.bucketMs as u32) | 0x80000000, window.size);
    for (let i = 0; i < this.windows.length; i++) if (this.windows[i].section === section) return section;
    this.windows.push(new OwnWindow(window, section));
    return section;
  }

  /** @param hash of the resource */
  addIsolation(rule: IsolationRule, workers: Workers, hash: u64): void {
    this.most = this.most < 0 ? rule.threshold : min(this.most, rule.threshold);
    if (this.slots !== null) return;
    this.slots = new ConcurrencySlots(this.layout.add(SLOTS, SLOTS_SIZE), workers, workers.heldIn(hash));
  }

  /** False when there are too many rules. */
  addBreaker(rule: BreakerRule): bool {
    if (this.breakers.length >= MAX_RULES) return false;
    this.breakers.push(new Breaker(rule, this.layout.add(rule.key, Breaker.size(rule))));
    return true;
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

  /** Whether it has to be noted when a request ends. */
  get needsEnd(): bool {
    return this.most >= 0 || this.breakers.length > 0;
  }

  /** The number that tells the buckets of all its windows at a time from those of another time. */
  epoch(nowMs: i64): i64 {
    let epoch = RESOURCE_WINDOW.bucketOf(nowMs);
    for (let i = 0; i < this.windows.length; i++) epoch = epoch * 31 + this.windows[i].window.bucketOf(nowMs);
    return epoch;
  }

  /** Finds the sections in the record that was read. */
  locate(): void {
    this.layout.locate(this.record);
  }

  /** Reads the records of other resources that its rules count in; false: one cannot be read. */
  readRelated(store: RecordStore): bool {
    for (let i = 0; i < this.related.length; i++) {
      const related = unchecked(this.related[i]);
      if (related === null) continue;
      if (!store.load(related.record, true)) return false;
      related.locate();
    }
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

  /** Of the record as it was read: whether one more request may pass. */
  check(nowNs: i64, memoryBytes: i64): FlowVerdict {
    for (let i = 0; i < this.flows.length; i++) {
      const related = unchecked(this.related[i]);
      const countsBase = related !== null ? related.base : this.base;
      if (!unchecked(this.flows[i]).check(this.base, countsBase, nowNs, 1, memoryBytes)) return FlowVerdict.FLOW;
    }
    const slots = this.slots;
    if (slots !== null && (slots.settle(this.base) as i64) >= this.most) return FlowVerdict.ISOLATION;
    for (let i = 0; i < this.breakers.length; i++) {
      if (!unchecked(this.breakers[i]).check(this.base, nowNs / MS)) return FlowVerdict.BREAKER;
    }
    return FlowVerdict.PASS;
  }

  /** Takes what the request needs of the record, as `check` found. */
  take(claim: Claim, nowNs: i64): void {
    const base = this.base;
    claim.waitNs = 0;
    claim.probes = 0;
    for (let i = 0; i < this.flows.length; i++) {
      const flow = unchecked(this.flows[i]);
      flow.take(base);
      claim.waitNs = max(claim.waitNs, flow.waitNs);
      unchecked((claim.costs[i] = flow.costNs));
    }
    for (let i = 0; i < this.breakers.length; i++) {
      const breaker = unchecked(this.breakers[i]);
      breaker.take(base);
      if (breaker.probes) claim.probes |= 1 << i;
    }
    this.count(nowNs / MS, 1);
    const slots = this.slots;
    if (slots !== null) slots.take(base);
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

  /** A request that passed is over. */
  complete(claim: Claim, nowNs: i64, outcome: FlowOutcome): void {
    if (outcome == FlowOutcome.UNKNOWN) return this.unprobe(claim);
    const rtMs = max<i64>(0, (nowNs - claim.startNs) / MS);
    for (let i = 0; i < this.breakers.length; i++) {
      unchecked(this.breakers[i]).complete(this.base, nowNs / MS, rtMs, outcome == FlowOutcome.FAILED);
    }
  }

  /**
   * A request that passed is not made after all: it leaves no trace.
   * @param queued the rule in whose queue it waited, and the time that it gives back there, ns (0: none); -1: no rule
   */
  undo(claim: Claim, nowNs: i64, queued: i32, freeNs: i64): void {
    this.uncount(claim.startNs / MS, 1);
    for (let i = 0; i < this.flows.length; i++) {
      const cost = unchecked(claim.costs[i]);
      if (i != queued) unchecked(this.flows[i]).giveBack(this.base, cost);
      else if (freeNs != 0) unchecked(this.flows[i]).release(this.base, freeNs, cost, nowNs);
    }
    this.unprobe(claim);
  }

  private unprobe(claim: Claim): void {
    for (let i = 0; i < this.breakers.length; i++) {
      if ((claim.probes & (1 << i)) != 0) unchecked(this.breakers[i]).takeBack(this.base);
    }
  }
}
