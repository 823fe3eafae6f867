import { Layout, Section } from "./record";
import { recordKey } from "./keys";
import { Places, PLACES, PLACES_SIZE } from "./places";
import { SystemMetric, SystemRule } from "./rules";
import { RecordStore, Saved, SharedRecord } from "./store";
import { Window } from "./window";
import { Workers } from "./workers";
import { Verdict } from "./entry";

const PASS: i32 = 0;
const COMPLETE: i32 = 1;
const RT: i32 = 2;
/** Sentinel's window of its node for all inbound requests. */
const BUCKETS: i32 = 2;
const WINDOW: Window = new Window(500, BUCKETS, 3);

const TRIES: i32 = 64;
const EXIT_TRIES: i32 = 1024;

/** The rules over all requests, whatever their resource (Sentinel's system.AdaptiveSlot). */
export class System {
  private readonly record: SharedRecord;
  private readonly layout: Layout;
  private readonly section: Section;
  private readonly places: Places;

  constructor(
    private readonly rules: SystemRule[],
    scope: u64,
    private readonly store: RecordStore,
    private readonly workers: Workers,
  ) {
    this.record = new SharedRecord(recordKey(scope, -1));
    const layout = new Layout();
    this.section = layout.add(1, WINDOW.size);
    this.places = new Places(layout.add(PLACES, PLACES_SIZE), workers, workers.heldIn(~scope));
    this.layout = layout;
  }

  /** Counts one more request if all rules let it pass. */
  enter(nowMs: i64): Verdict {
    const places = this.places;
    this.workers.beat(nowMs);
    for (let i = 0; i < TRIES; i++) {
      if (!this.store.load(this.record)) return Verdict.UNKNOWN;
      this.layout.locate(this.record);
      const at = this.at;
      if (!this.passes(at, nowMs, places.settle(this.record.ptr))) {
        if (this.record.guessed) continue;
        return Verdict.SYSTEM;
      }
      places.take(this.record.ptr);
      WINDOW.add(at, nowMs, PASS, 1);
      const saved = this.store.save(this.record);
      if (saved == Saved.OK) places.taken();
      if (saved != Saved.CONFLICT) return saved == Saved.OK ? Verdict.PASS : Verdict.UNKNOWN;
    }
    return Verdict.UNKNOWN;
  }

  /** A request that was counted is over, or was not made after all. False: it will be noted later. */
  exit(startMs: i64, nowMs: i64, undone: bool): bool {
    const places = this.places;
    places.release();
    for (let i = 0; i < EXIT_TRIES; i++) {
      if (!this.store.load(this.record)) return false;
      this.layout.locate(this.record);
      const at = this.at;
      places.settle(this.record.ptr);
      if (undone) {
        WINDOW.takeBack(at, startMs, PASS, 1);
      } else {
        WINDOW.add(at, nowMs, COMPLETE, 1);
        WINDOW.add(at, nowMs, RT, max<i64>(0, min<i64>(nowMs - startMs, i32.MAX_VALUE)) as i32);
      }
      const saved = this.store.save(this.record);
      if (saved == Saved.OK) places.saved();
      if (saved != Saved.CONFLICT) return saved == Saved.OK;
    }
    return false;
  }

  /** The rules are gone: nothing is kept of what was counted. */
  erase(): void {
    this.store.erase(this.record);
  }

  // @ts-ignore: decorator
  @inline
  private get at(): usize {
    return this.record.ptr + (this.section.offset as usize);
  }

  private passes(at: usize, nowMs: i64, active: i32): bool {
    for (let i = 0; i < this.rules.length; i++) {
      const rule = unchecked(this.rules[i]);
      if (!(this.value(rule.metric, at, nowMs, active) < rule.threshold)) return false;
    }
    return true;
  }

  /** Sentinel's value of a metric: the average is of whole milliseconds. */
  private value(metric: SystemMetric, window: usize, nowMs: i64, active: i32): f64 {
    if (metric == SystemMetric.CONCURRENCY) return active as f64;
    if (metric == SystemMetric.INBOUND_QPS) return WINDOW.sum(window, nowMs, PASS, BUCKETS) as f64;
    const complete = WINDOW.sum(window, nowMs, COMPLETE, BUCKETS);
    return complete > 0 ? ((WINDOW.sum(window, nowMs, RT, BUCKETS) / complete) as f64) : 0;
  }
}
