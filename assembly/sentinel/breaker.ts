import { Section } from "./record";
import { BreakerRule, BreakerStrategy } from "./rules";
import { Window } from "./window";

/** Words of a breaker's state, before its window: state, when it may be probed (ms), probes that succeeded. */
const STATE: usize = 0;
const RETRY_AT: usize = 8;
const PROBES: usize = 16;
const COUNTS: usize = 24;

/** Counts of a bucket: requests that were slow or failed, and all. */
const BAD: i32 = 0;
const TOTAL: i32 = 1;

/** Sentinel's util.Float64Equals. */
const PRECISION: f64 = 0.00000001;

export const enum BreakerState {
  CLOSED = 0,
  HALF_OPEN = 1,
  OPEN = 2,
}

/** A circuit breaker for one resource (Sentinel's circuitbreaker.CircuitBreaker). */
export class Breaker {
  private readonly window: Window;
  /** FlowOutcome of the last `check`: the request is the first probe of an open breaker. */
  probes: bool = false;

  constructor(
    readonly rule: BreakerRule,
    readonly section: Section,
  ) {
    this.window = Breaker.windowOf(rule);
  }

  private static windowOf(rule: BreakerRule): Window {
    const buckets = max(1, rule.buckets);
    return new Window(max<i64>(1, rule.statIntervalMs / (buckets as i64)), buckets, 2);
  }

  /** Bytes of its state in a record. */
  static size(rule: BreakerRule): i32 {
    return (COUNTS as i32) + Breaker.windowOf(rule).size;
  }

  // @ts-ignore: decorator
  @inline
  private at(base: usize): usize {
    return base + (this.section.offset as usize);
  }

  state(base: usize): BreakerState {
    return load<i32>(this.at(base), STATE) as BreakerState;
  }

  setState(base: usize, state: BreakerState): void {
    store<i32>(this.at(base), state, STATE);
  }

  /** Probes that have succeeded since it is half open. */
  probesDone(base: usize): i64 {
    return load<i64>(this.at(base), PROBES);
  }

  /** Whether a request may pass. */
  check(base: usize, nowMs: i64): bool {
    this.probes = false;
    const state = this.state(base);
    if (state == BreakerState.CLOSED) return true;
    if (state == BreakerState.HALF_OPEN) return this.rule.probeNum > 0;
    this.probes = nowMs >= load<i64>(this.at(base), RETRY_AT);
    return this.probes;
  }

  /** The request passes, as `check` found. */
  // @ts-ignore: decorator
  @inline
  take(base: usize): void {
    if (this.probes) this.setState(base, BreakerState.HALF_OPEN);
  }

  /** The probe was not made after all: the next request is one. */
  takeBack(base: usize): void {
    if (this.state(base) == BreakerState.HALF_OPEN) this.setState(base, BreakerState.OPEN);
  }

  /** A request that passed is over. */
  complete(base: usize, nowMs: i64, rtMs: i64, failed: bool): void {
    const rule = this.rule;
    const slow = rule.strategy == BreakerStrategy.SLOW_REQUEST_RATIO;
    const bad = slow ? rtMs > rule.maxAllowedRtMs : failed;
    const counts = this.at(base) + COUNTS;
    if (bad) this.window.add(counts, nowMs, BAD, 1);
    this.window.add(counts, nowMs, TOTAL, 1);
    const state = this.state(base);
    if (state == BreakerState.HALF_OPEN) this.probed(base, nowMs, bad);
    else if (state == BreakerState.CLOSED && this.isOver(counts, nowMs)) this.open(base, nowMs);
  }

  private isOver(counts: usize, nowMs: i64): bool {
    const rule = this.rule;
    const total = this.window.sum(counts, nowMs, TOTAL, this.window.buckets);
    if (total < rule.minRequestAmount) return false;
    const bad = this.window.sum(counts, nowMs, BAD, this.window.buckets);
    // With Sentinel a threshold of 0 opens it at the first good request, too: nothing would ever pass.
    if (bad == 0) return false;
    if (rule.strategy == BreakerStrategy.ERROR_COUNT) return (bad as f64) >= rule.threshold;
    const ratio = (bad as f64) / (max<i64>(1, total) as f64);
    return ratio > rule.threshold || abs(ratio - rule.threshold) < PRECISION;
  }

  private probed(base: usize, nowMs: i64, bad: bool): void {
    if (bad) return this.open(base, nowMs);
    const at = this.at(base);
    const done = load<i64>(at, PROBES) + 1;
    store<i64>(at, done, PROBES);
    if (this.rule.probeNum > 0 && done < this.rule.probeNum) return;
    this.setState(base, BreakerState.CLOSED);
    store<i64>(at, 0, PROBES);
    this.window.clear(at + COUNTS);
  }

  private open(base: usize, nowMs: i64): void {
    this.setState(base, BreakerState.OPEN);
    store<i64>(this.at(base), nowMs + this.rule.retryTimeoutMs, RETRY_AT);
    store<i64>(this.at(base), 0, PROBES);
  }
}
