import { Section } from "./record";
import { Behavior, FlowRule, MS, TokenStrategy } from "./rules";
import { BUCKET_MS, BUCKETS, Window } from "./window";

/** Words of a controller's own state: tokens stored, when they were filled (ms), when the last request passes (ns). */
const STORED: usize = 0;
const FILLED: usize = 8;
const PASSED: usize = 16;
/** With throttling: times that were given back, with others behind them, ns; 0: none. */
const HOLES: usize = 24;
const MAX_HOLES: i32 = 16;

/** The window of every resource: Sentinel's global statistic of 10 s. */
export const RESOURCE_WINDOW: Window = new Window(BUCKET_MS, BUCKETS);

/** Where a rule's requests are counted: in windows of the resource's own buckets, or in one of its own. */
export function windowOf(rule: FlowRule): Window {
  const interval = intervalOf(rule);
  const whole = interval % BUCKET_MS == 0 && interval <= BUCKET_MS * (BUCKETS as i64);
  return whole ? RESOURCE_WINDOW : new Window(interval, 1);
}

/**
 * The least number of requests that a rule can let pass in its interval: what is below one is one request in so much longer
 * a time (`spaced`), and not none.
 */
function leastOf(rule: FlowRule): f64 {
  if (rule.strategy == TokenStrategy.MEMORY_ADAPTIVE) return min(rule.lowMemThreshold, rule.highMemThreshold);
  return rule.strategy == TokenStrategy.WARM_UP ? rule.threshold / (rule.coldFactor as f64) : rule.threshold;
}

/** Whether a rule rejects, and may allow less than one request in its interval, but some. */
export function mayAllowPart(rule: FlowRule): bool {
  const least = leastOf(rule);
  return rule.behavior == Behavior.REJECT && least > 0 && least < 1;
}

/** The longest time between two requests that a rule lets pass, ms; 0: it lets none pass, or any number. */
export function longestGapMs(rule: FlowRule): f64 {
  const least = leastOf(rule);
  return least > 0 ? (intervalOf(rule) as f64) / least : 0;
}

/** A rule's interval, ms. */
export function intervalOf(rule: FlowRule): i64 {
  return rule.intervalMs > 0 ? rule.intervalMs : 1000;
}

/**
 * A flow rule for one resource (Sentinel's TrafficShapingController): how many requests may pass now, and whether one
 * more may, at once or after a wait. `check` decides and changes nothing that lasts but the tokens of a warm-up; `take`
 * lets the request pass.
 */
export class FlowController {
  private readonly intervalMs: i64;
  private readonly buckets: i32;
  private readonly warningToken: i64;
  private readonly maxToken: i64;
  private readonly slope: f64;
  /** FlowOutcome of the last `check`: ns to wait, and what the request costs, ns. */
  waitNs: i64 = 0;
  costNs: i64 = 0;
  private nextPassed: i64 = 0;
  /** Whether the rule may allow less than one request in its interval: then the time of the last one is kept. */
  private readonly spacing: bool;
  /**
   * Whether each request takes its token of a warm-up itself: where less than one may pass in an interval, the seconds before
   * one that passes have none, and those that were blocked are not written down.
   */
  private readonly takesTokens: bool;
  /** Where the time is that the request takes, from the state's first byte. */
  private taken: usize = PASSED;

  /**
   * @param window where its requests are counted
   * @param counts the section that `window` is
   * @param state of the rule itself; null: it needs none
   */
  constructor(
    readonly rule: FlowRule,
    private readonly window: Window,
    private readonly counts: Section,
    private readonly state: Section | null,
  ) {
    this.intervalMs = intervalOf(rule);
    this.spacing = mayAllowPart(rule);
    this.takesTokens = rule.strategy == TokenStrategy.WARM_UP && leastOf(rule) < 1;
    this.buckets = max<i64>(1, this.intervalMs / max<i64>(1, window.bucketMs)) as i32;
    const cold = max<i64>(2, rule.coldFactor) as f64;
    const period = rule.warmUpPeriodSec as f64;
    this.warningToken = ((period * rule.threshold) / (cold - 1)) as i64;
    this.maxToken = this.warningToken + (((2.0 * period * rule.threshold) / (1.0 + cold)) as i64);
    this.slope = (cold - 1) / rule.threshold / ((this.maxToken - this.warningToken) as f64);
  }

  /** Whether the rule counts requests; one that only spaces them out does not (Sentinel's needStatistic). */
  static counts(rule: FlowRule): bool {
    return rule.strategy == TokenStrategy.WARM_UP || rule.behavior == Behavior.REJECT;
  }

  /** Whether the rule has a state of its own. */
  static hasState(rule: FlowRule): bool {
    return rule.strategy == TokenStrategy.WARM_UP || rule.behavior == Behavior.THROTTLING || mayAllowPart(rule);
  }

  /** Bytes of that state. */
  static stateSize(rule: FlowRule): i32 {
    return (HOLES as i32) + (rule.behavior == Behavior.THROTTLING ? MAX_HOLES * 8 : 0);
  }

  /**
   * Whether `batch` requests may pass, perhaps after `waitNs`.
   * @param base the resource's record
   * @param countsBase the record that `counts` is in
   */
  check(base: usize, countsBase: usize, nowNs: i64, batch: i32, memoryBytes: i64): bool {
    this.waitNs = 0;
    this.costNs = 0;
    this.taken = PASSED;
    this.nextPassed = nowNs;
    const allowed = this.allowed(base, countsBase, nowNs / MS, memoryBytes);
    if (this.rule.behavior == Behavior.THROTTLING) return this.throttle(base, nowNs, batch, allowed);
    if (allowed < 1 && this.spacing) return this.space(base, nowNs, allowed);
    return (this.passed(countsBase, nowNs / MS) as f64) + (batch as f64) <= allowed;
  }

  /** Requests in the window. */
  // @ts-ignore: decorator
  @inline
  private passed(countsBase: usize, nowMs: i64): i64 {
    return this.window.sum(countsBase + (this.counts.offset as usize), nowMs, 0, this.buckets);
  }

  /** How many more may pass at once, at most `most`: for leases. Only of rules that are direct and reject. */
  left(countsBase: usize, nowNs: i64, most: i64): i64 {
    const left = this.rule.threshold - (this.passed(countsBase, nowNs / MS) as f64);
    return left <= 0 ? 0 : left >= (most as f64) ? most : (left as i64);
  }

  private allowed(base: usize, countsBase: usize, nowMs: i64, memoryBytes: i64): f64 {
    const rule = this.rule;
    if (rule.strategy == TokenStrategy.WARM_UP) return this.warmUp(base, countsBase, nowMs);
    return rule.strategy == TokenStrategy.MEMORY_ADAPTIVE ? adaptive(rule, memoryBytes) : rule.threshold;
  }

  /** Sentinel's WarmUpTrafficShapingCalculator. */
  private warmUp(base: usize, countsBase: usize, nowMs: i64): f64 {
    const rule = this.rule;
    const state = this.state;
    if (state === null || rule.threshold <= 0) return rule.threshold;
    const at = base + (state.offset as usize);
    this.fill(at, countsBase, nowMs);
    const stored = max<i64>(0, load<i64>(at, STORED));
    if (stored < this.warningToken || this.maxToken <= this.warningToken) return rule.threshold;
    const above = (stored - this.warningToken) as f64;
    return nextUp(1.0 / (above * this.slope + 1.0 / rule.threshold));
  }

  /** Once a second: tokens come, and those that were used go. */
  private fill(at: usize, countsBase: usize, nowMs: i64): void {
    const now = nowMs - (nowMs % 1000);
    const filled = load<i64>(at, FILLED);
    if (now <= filled) return;
    const sum = this.window.previous(countsBase + (this.counts.offset as usize), nowMs, 0, this.buckets);
    const used = ((sum as f64) * 1000) / (this.intervalMs as f64);
    const stored = load<i64>(at, STORED);
    const rule = this.rule;
    const few = used < (((rule.threshold as u32 as i64) / max<i64>(1, rule.coldFactor)) as f64);
    let next = stored;
    if (filled == 0) {
      // Never filled: the resource is cold.
      next = this.maxToken;
    } else if (stored < this.warningToken || (stored > this.warningToken && few)) {
      const more = (((now - filled) as f64) * rule.threshold) / 1000;
      next = min((stored as f64) + more, this.maxToken as f64) as i64;
    }
    const gone = this.takesTokens ? 0 : (used as i64);
    store<i64>(at, max<i64>(0, min(next, this.maxToken) - gone), STORED);
    store<i64>(at, now, FILLED);
  }

  /** Sentinel's ThrottlingChecker: requests pass one after the other, so far apart as the rate says. */
  private throttle(base: usize, nowNs: i64, batch: i32, allowed: f64): bool {
    const state = this.state;
    if (state === null || allowed <= 0) return false;
    this.costNs = this.costOf((batch as f64) / allowed);
    const at = base + (state.offset as usize);
    let due = load<i64>(at, PASSED) + this.costNs;
    // A clock's origin is not a request: the first one passes at once.
    if (due <= nowNs || load<i64>(at, PASSED) == 0) {
      this.costNs = 0;
      return true;
    }
    const hole = firstHole(at, nowNs);
    if (hole != 0) {
      this.taken = hole;
      due = load<i64>(at + hole);
    }
    this.waitNs = due - nowNs;
    this.nextPassed = hole != 0 ? 0 : due;
    return this.waitNs <= this.rule.maxQueueingMs * MS;
  }

  /** How long `part` of the interval's requests take, ns. */
  private costOf(part: f64): i64 {
    return Math.min(Math.ceil(part * (this.intervalMs as f64) * (MS as f64)), 9e15) as i64;
  }

  /** Where less than one request is allowed in the interval: one passes when the last was long enough ago. */
  private space(base: usize, nowNs: i64, allowed: f64): bool {
    const state = this.state;
    if (state === null || allowed <= 0) return false;
    const last = load<i64>(base + (state.offset as usize), PASSED);
    this.costNs = this.costOf(1 / allowed);
    return last == 0 || last + this.costNs <= nowNs;
  }

  /** The request passes, as `check` found. */
  // @ts-ignore: decorator
  @inline
  take(base: usize): void {
    const state = this.state;
    if (state === null) return;
    const at = base + (state.offset as usize);
    if (this.spacing || this.rule.behavior == Behavior.THROTTLING) store<i64>(at + this.taken, this.nextPassed);
    if (this.takesTokens) store<i64>(at, max<i64>(0, load<i64>(at, STORED) - 1), STORED);
  }

  /**
   * A time is free that a request was to go at: the next to come takes it.
   * @param time ns
   * @param costNs what the time took of the queue
   */
  release(base: usize, time: i64, costNs: i64, nowNs: i64): void {
    const state = this.state;
    if (state === null || time <= nowNs) return;
    const at = base + (state.offset as usize);
    if (load<i64>(at, PASSED) != time) {
      const free = holeOf(at, 0);
      if (free != 0) store<i64>(at + free, time);
      return;
    }
    // The last of all: what is free right before it is no hole then.
    let last = time;
    for (let i = 0; i <= MAX_HOLES; i++) {
      last = max<i64>(1, last - costNs);
      const hole = holeOf(at, last);
      if (hole == 0) break;
      store<i64>(at + hole, 0);
    }
    store<i64>(at, last, PASSED);
  }

  /** A request that waited has left: those to come wait so much less. */
  giveBack(base: usize, costNs: i64): void {
    const state = this.state;
    if (state === null || costNs <= 0) return;
    const at = base + (state.offset as usize);
    store<i64>(at, max<i64>(1, load<i64>(at, PASSED) - costNs), PASSED);
  }
}

/** Where the next time is that was given back, from the state at `at` on; 0: none. Those that are over go. */
function firstHole(at: usize, nowNs: i64): usize {
  let first: usize = 0;
  for (let i = 0; i < MAX_HOLES; i++) {
    const hole = HOLES + ((i * 8) as usize);
    const time = load<i64>(at + hole);
    if (time != 0 && time <= nowNs) store<i64>(at + hole, 0);
    if (time > nowNs && (first == 0 || time < load<i64>(at + first))) first = hole;
  }
  return first;
}

/** Where a time that was given back is, or with 0 the first free place; 0: there is none. */
function holeOf(at: usize, time: i64): usize {
  for (let i = 0; i < MAX_HOLES; i++) {
    const hole = HOLES + ((i * 8) as usize);
    if (load<i64>(at + hole) == time) return hole;
  }
  return 0;
}

/** Sentinel's MemoryAdaptiveTrafficShapingCalculator, on the memory of the VM. */
function adaptive(rule: FlowRule, memoryBytes: i64): f64 {
  if (memoryBytes <= rule.memLowBytes) return rule.lowMemThreshold;
  if (memoryBytes >= rule.memHighBytes) return rule.highMemThreshold;
  const range = (rule.memHighBytes - rule.memLowBytes) as f64;
  const slope = (rule.highMemThreshold - rule.lowMemThreshold) / range;
  return slope * ((memoryBytes - rule.memLowBytes) as f64) + rule.lowMemThreshold;
}

/** The next larger number: Go's math.Nextafter(x, MaxFloat64) of a positive one. */
function nextUp(x: f64): f64 {
  return x > 0 && x < f64.MAX_VALUE ? reinterpret<f64>(reinterpret<u64>(x) + 1) : x;
}
