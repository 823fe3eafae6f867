import { Layout, Section } from "./record";
import { recordKey } from "./keys";
import { SystemMetric, SystemRule } from "./rules";
import { RecordStore, Saved, SharedRecord } from "./store";
import { Window } from "./window";
import { Verdict } from "./entry";

const PASS: i32 = 0;
const COMPLETE: i32 = 1;
const RT: i32 = 2;
/** Sentinel's window of its node for all inbound requests. */
const BUCKETS: i32 = 2;
const ACTIVE: i32 = 8;
const WINDOW: Window = new Window(500, BUCKETS, 3);

const TRIES: i32 = 64;
const EXIT_TRIES: i32 = 1024;

/** The rules over all requests, whatever their resource (Sentinel's system.AdaptiveSlot). */
export class System {
  private readonly record: SharedRecord;
  private readonly layout: Layout;
  private readonly section: Section;
  /** Exits that could not be noted, and are with the next change. */
  private owed: i32 = 0;

  constructor(
    private readonly rules: SystemRule[],
    scope: u64,
    private readonly store: RecordStore,
  ) {
    this.record = new SharedRecord(recordKey(scope, -1));
    const layout = new Layout();
    this.section = layout.add(1, ACTIVE + WINDOW.size);
    this.layout = layout;
  }

  /** Counts one more request if all rules let it pass. */
  enter(nowMs: i64): Verdict {
    for (let i = 0; i < TRIES; i++) {
      if (!this.store.load(this.record)) return Verdict.UNKNOWN;
      this.layout.locate(this.record);
      const at = this.at;
      if (!this.passes(at, nowMs)) {
        if (this.record.guessed) continue;
        return Verdict.SYSTEM;
      }
      store<i32>(at, this.active(at) + 1);
      WINDOW.add(at + ACTIVE, nowMs, PASS, 1);
      const saved = this.store.save(this.record);
      if (saved == Saved.OK) this.owed = 0;
      if (saved != Saved.CONFLICT) return saved == Saved.OK ? Verdict.PASS : Verdict.UNKNOWN;
    }
    return Verdict.UNKNOWN;
  }

  /** A request that was counted is over, or was not made after all. False: it will be noted later. */
  exit(startMs: i64, nowMs: i64, undone: bool): bool {
    this.owed++;
    for (let i = 0; i < EXIT_TRIES; i++) {
      if (!this.store.load(this.record)) return false;
      this.layout.locate(this.record);
      const at = this.at;
      store<i32>(at, this.active(at));
      if (undone) {
        WINDOW.takeBack(at + ACTIVE, startMs, PASS, 1);
      } else {
        WINDOW.add(at + ACTIVE, nowMs, COMPLETE, 1);
        WINDOW.add(at + ACTIVE, nowMs, RT, max<i64>(0, min<i64>(nowMs - startMs, i32.MAX_VALUE)) as i32);
      }
      const saved = this.store.save(this.record);
      if (saved == Saved.OK) this.owed = 0;
      if (saved != Saved.CONFLICT) return saved == Saved.OK;
    }
    return false;
  }

  // @ts-ignore: decorator
  @inline
  private get at(): usize {
    return this.record.ptr + (this.section.offset as usize);
  }

  private active(at: usize): i32 {
    return max(0, load<i32>(at) - this.owed);
  }

  private passes(at: usize, nowMs: i64): bool {
    for (let i = 0; i < this.rules.length; i++) {
      const rule = unchecked(this.rules[i]);
      if (!(this.value(rule.metric, at, nowMs) < rule.threshold)) return false;
    }
    return true;
  }

  /** Sentinel's value of a metric: the average is of whole milliseconds. */
  private value(metric: SystemMetric, at: usize, nowMs: i64): f64 {
    if (metric == SystemMetric.CONCURRENCY) return this.active(at) as f64;
    const window = at + ACTIVE;
    if (metric == SystemMetric.INBOUND_QPS) return WINDOW.sum(window, nowMs, PASS, BUCKETS) as f64;
    const complete = WINDOW.sum(window, nowMs, COMPLETE, BUCKETS);
    return complete > 0 ? ((WINDOW.sum(window, nowMs, RT, BUCKETS) / complete) as f64) : 0;
  }
}
