import { Layout, Section } from "./record";
import { recordKey } from "./keys";
import { ConcurrencySlots, SLOTS, SLOTS_SIZE } from "./concurrency";
import { MS, SystemMetric, SystemRule } from "./rules";
import { Change, Committed, Decision, ENTER_TRIES, LEAVE_TRIES, RecordStore, SharedRecord } from "./store";
import { Window } from "./window";
import { Workers } from "./workers";
import { FlowVerdict } from "./verdict";

const PASS: i32 = 0;
const COMPLETE: i32 = 1;
const RT: i32 = 2;
/** Sentinel's window of its node for all inbound requests. */
const BUCKETS: i32 = 2;
const WINDOW: Window = new Window(500, BUCKETS, 3);
/** The shortest response time of each bucket: a section of its own, only where a rule asks for it. */
const SHORTEST: Window = new Window(500, BUCKETS, 1);
const SHORTEST_ID: u32 = 2;
/** Sentinel's DefaultStatisticMaxRt, ms: the shortest response time where there was none. */
const NO_RT: i64 = 60000;
/** Buckets of a second. */
const A_SECOND: f64 = 2;

/** A request that the system's rules have counted is over, or was not made after all. */
class SystemLeaving extends Change {
  startMs: i64 = 0;
  nowMs: i64 = 0;
  undone: bool = false;

  constructor(
    private readonly layout: Layout,
    private readonly section: Section,
    private readonly shortest: Section | null,
    private readonly slots: ConcurrencySlots,
  ) {
    super();
  }

  apply(record: SharedRecord): Decision {
    this.layout.locate(record);
    const at = record.ptr + (this.section.offset as usize);
    this.slots.settle(record.ptr);
    if (this.undone) WINDOW.takeBack(at, this.startMs, PASS, 1);
    else this.complete(record.ptr, at);
    return Decision.WRITE;
  }

  private complete(base: usize, at: usize): void {
    const nowMs = this.nowMs;
    const rtMs = max<i64>(0, min<i64>(nowMs - this.startMs, i32.MAX_VALUE));
    WINDOW.add(at, nowMs, COMPLETE, 1);
    WINDOW.add(at, nowMs, RT, rtMs as i32);
    const shortest = this.shortest;
    if (shortest !== null) SHORTEST.lower(base + (shortest.offset as usize), nowMs, 0, rtMs);
  }
}

/** The rules over all requests, whatever their resource (Sentinel's system.AdaptiveSlot): a request enters. */
export class System extends Change {
  private readonly record: SharedRecord;
  private readonly layout: Layout;
  private readonly section: Section;
  private readonly slots: ConcurrencySlots;
  /** Null: no rule is adaptive. */
  private readonly shortest: Section | null;
  /** Whether rules are about how busy workers are: all of them together, and this one. */
  readonly byLoad: bool;
  private readonly byShare: bool;
  private load: f64 = 0;
  /** When the request at hand enters. */
  private nowMs: i64 = 0;
  private readonly leaving: SystemLeaving;

  constructor(
    private readonly rules: SystemRule[],
    scope: u64,
    private readonly store: RecordStore,
    private readonly workers: Workers,
  ) {
    super();
    this.record = new SharedRecord(recordKey(scope, -1));
    const layout = new Layout();
    const section = layout.add(1, WINDOW.size);
    const slots = new ConcurrencySlots(layout.add(SLOTS, SLOTS_SIZE), workers, workers.heldIn(~scope));
    this.byLoad = has(rules, SystemMetric.LOAD, false);
    this.byShare = has(rules, SystemMetric.CPU_USAGE, false);
    const adaptive = has(rules, SystemMetric.LOAD, true) || has(rules, SystemMetric.CPU_USAGE, true);
    const shortest = adaptive ? layout.add(SHORTEST_ID, SHORTEST.size) : null;
    this.layout = layout;
    this.section = section;
    this.slots = slots;
    this.shortest = shortest;
    this.leaving = new SystemLeaving(layout, section, shortest, slots);
  }

  /** Whether the time in callbacks has to be measured. */
  get needsBusy(): bool {
    return this.byLoad || this.byShare;
  }

  /** Counts one more request if all rules let it pass. */
  enter(nowNs: i64): FlowVerdict {
    const nowMs = nowNs / MS;
    if (this.byLoad) this.load = this.workers.load(nowNs);
    else if (this.byShare) this.workers.busy.sample(nowNs);
    this.workers.beat(nowMs);
    this.nowMs = nowMs;
    const committed = this.store.commit(this.record, this, ENTER_TRIES);
    if (committed == Committed.FAILED) return FlowVerdict.UNKNOWN;
    if (committed == Committed.KEPT) return FlowVerdict.SYSTEM;
    this.slots.taken();
    return FlowVerdict.PASS;
  }

  /** Counts one more request in the record, if all rules let it pass. */
  apply(record: SharedRecord): Decision {
    this.layout.locate(record);
    const at = record.ptr + (this.section.offset as usize);
    if (!this.passes(at, this.nowMs, this.slots.settle(record.ptr))) return Decision.KEEP;
    this.slots.take(record.ptr);
    WINDOW.add(at, this.nowMs, PASS, 1);
    return Decision.WRITE;
  }

  /** A request that was counted is over, or was not made after all. False: it will be noted later. */
  exit(startMs: i64, nowMs: i64, undone: bool): bool {
    this.slots.release();
    const leaving = this.leaving;
    leaving.startMs = startMs;
    leaving.nowMs = nowMs;
    leaving.undone = undone;
    if (this.store.commit(this.record, leaving, LEAVE_TRIES) != Committed.WRITTEN) return false;
    this.slots.saved();
    return true;
  }

  /** The rules are gone: nothing is kept of what was counted. */
  erase(): void {
    this.store.erase(this.record);
  }

  private passes(at: usize, nowMs: i64, active: i32): bool {
    for (let i = 0; i < this.rules.length; i++) {
      const rule = unchecked(this.rules[i]);
      const value = this.value(rule.metric, at, nowMs, active);
      if (!rule.ofLoad) {
        if (!(value < rule.threshold)) return false;
      } else if (value > rule.threshold && !(rule.adaptive && this.flows(at, nowMs, active))) {
        return false;
      }
    }
    return true;
  }

  /** Sentinel's value of a metric: the average is of whole milliseconds. */
  private value(metric: SystemMetric, window: usize, nowMs: i64, active: i32): f64 {
    if (metric == SystemMetric.LOAD) return this.load;
    if (metric == SystemMetric.CPU_USAGE) return this.workers.busy.value;
    if (metric == SystemMetric.CONCURRENCY) return active as f64;
    if (metric == SystemMetric.INBOUND_QPS) return WINDOW.sum(window, nowMs, PASS, BUCKETS) as f64;
    const complete = WINDOW.sum(window, nowMs, COMPLETE, BUCKETS);
    return complete > 0 ? ((WINDOW.sum(window, nowMs, RT, BUCKETS) / complete) as f64) : 0;
  }

  /**
   * Sentinel's checkBbrSimple: no more requests are under way than the fastest would need at the best throughput of late, so
   * none of them waits for others.
   */
  private flows(window: usize, nowMs: i64, active: i32): bool {
    const shortest = this.shortest;
    if (active <= 1 || shortest === null) return true;
    const at = this.record.ptr + (shortest.offset as usize);
    const rt = max<i64>(1, SHORTEST.least(at, nowMs, 0, BUCKETS, NO_RT)) as f64;
    const throughput = (WINDOW.most(window, nowMs, COMPLETE, BUCKETS) as f64) * A_SECOND;
    return (active as f64) <= (throughput * rt) / 1000;
  }
}

/** Whether one of the rules is about a metric, and adaptive if that is asked for. */
function has(rules: SystemRule[], metric: SystemMetric, adaptive: bool): bool {
  for (let i = 0; i < rules.length; i++) {
    if (rules[i].metric == metric && (rules[i].adaptive || !adaptive)) return true;
  }
  return false;
}
