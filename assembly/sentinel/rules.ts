import { Bytes } from "../bytes/bytes";
import { Found } from "../regex/budget";
import { Regex } from "../regex/regex";

/** Most rules of one kind for one resource. */
export const MAX_RULES: i32 = 16;

/** Nanoseconds of a millisecond. */
export const MS: i64 = 1000000;

/** How many requests may pass (Sentinel's TokenCalculateStrategy). */
export const enum TokenStrategy {
  DIRECT = 0,
  WARM_UP = 1,
  MEMORY_ADAPTIVE = 2,
}

/** What happens to those beyond (Sentinel's ControlBehavior). */
export const enum Behavior {
  REJECT = 0,
  THROTTLING = 1,
}

/** When a breaker opens (Sentinel's circuitbreaker.Strategy). */
export const enum BreakerStrategy {
  SLOW_REQUEST_RATIO = 0,
  ERROR_RATIO = 1,
  ERROR_COUNT = 2,
}

/** What a system rule looks at (Sentinel's system.MetricType); load and CPU are the workers' and not the machine's. */
export const enum SystemMetric {
  LOAD = 0,
  AVG_RT = 1,
  CONCURRENCY = 2,
  INBOUND_QPS = 3,
  CPU_USAGE = 4,
}

/** What a rule on a parameter counts (Sentinel's hotspot.MetricType). */
export const enum HotParamMetric {
  CONCURRENCY = 0,
  QPS = 1,
}

/** How a rule names its resources. */
export const enum Match {
  EXACT = 0,
  PREFIX = 1,
  REGEX = 2,
}

/** Which resources a rule is for: each that matches has counts of its own. */
export class Target {
  /** The name, the prefix, or the expression as text. */
  readonly name: Bytes;

  constructor(
    text: string,
    readonly match: Match,
    readonly regex: Regex | null,
  ) {
    this.name = Bytes.of(text);
  }

  /** Whether it is for the resource of this name; `Found.FAILED`: that cannot be told. */
  matches(ptr: usize, length: i32): Found {
    const regex = this.regex;
    if (this.match == Match.REGEX) return regex !== null ? regex.search(ptr, length) : Found.NO;
    const isIt = this.match == Match.EXACT ? this.name.equals(ptr, length) : this.name.isPrefixOf(ptr, length);
    return isIt ? Found.YES : Found.NO;
  }

  /** Whether it is the same text, meant the same way. */
  is(other: Target): bool {
    return this.match == other.match && this.name.equals(other.name.ptr, other.name.length);
  }
}

/** What all rules of resources have. Immutable, as are its subclasses. */
export abstract class Rule {
  /**
   * @param id the rule's own; "" none
   * @param key tells the rule from others: it stays the same when only limits change
   */
  constructor(
    readonly target: Target,
    readonly id: string,
    readonly key: u32,
  ) {}
}

/** Sentinel's flow.Rule. */
export class FlowRule extends Rule {
  strategy: TokenStrategy = TokenStrategy.DIRECT;
  behavior: Behavior = Behavior.REJECT;
  threshold: f64 = 0;
  /** The resource whose requests count; null: the one that is limited. */
  related: Bytes | null = null;
  maxQueueingMs: i64 = 0;
  /** Length of the window, ms; 0: one second. */
  intervalMs: i64 = 0;
  warmUpPeriodSec: i64 = 0;
  coldFactor: i64 = 3;
  lowMemThreshold: f64 = 0;
  highMemThreshold: f64 = 0;
  memLowBytes: i64 = 0;
  memHighBytes: i64 = 0;
}

/** Sentinel's isolation.Rule: requests at the same time. */
export class IsolationRule extends Rule {
  threshold: i64 = 1;
}

/** Sentinel's circuitbreaker.Rule. */
export class BreakerRule extends Rule {
  strategy: BreakerStrategy = BreakerStrategy.SLOW_REQUEST_RATIO;
  retryTimeoutMs: i64 = 0;
  minRequestAmount: i64 = 0;
  statIntervalMs: i64 = 0;
  buckets: i32 = 1;
  maxAllowedRtMs: i64 = 0;
  threshold: f64 = 0;
  probeNum: i64 = 0;
}

/** Sentinel's hotspot.Rule. */
export class HotParamRule extends Rule {
  metric: HotParamMetric = HotParamMetric.QPS;
  behavior: Behavior = Behavior.REJECT;
  /** The header or attachment whose value counts. */
  param: Bytes = Bytes.EMPTY;
  threshold: i64 = 0;
  maxQueueingMs: i64 = 0;
  burst: i64 = 0;
  durationSec: i64 = 1;
  /** Values that are known at the same time. */
  capacity: i32 = 0;
  /** Values with a threshold of their own. */
  readonly items: Bytes[] = [];
  readonly itemThresholds: i64[] = [];

  /** The threshold of a value. */
  thresholdOf(ptr: usize, length: i32): i64 {
    for (let i = 0; i < this.items.length; i++) {
      if (unchecked(this.items[i]).equals(ptr, length)) return unchecked(this.itemThresholds[i]);
    }
    return this.threshold;
  }
}

/** Sentinel's system.Rule: over all resources. */
export class SystemRule {
  /** @param adaptive Sentinel's strategy BBR: load and CPU usage above the threshold do not block as long as requests flow */
  constructor(
    readonly metric: SystemMetric,
    readonly threshold: f64,
    readonly adaptive: bool = false,
  ) {}

  /** Whether it is about how busy workers are. */
  get ofLoad(): bool {
    return this.metric == SystemMetric.LOAD || this.metric == SystemMetric.CPU_USAGE;
  }
}

/** All rules of a filter. */
export class RuleSet {
  readonly flow: FlowRule[] = [];
  readonly isolation: IsolationRule[] = [];
  readonly breakers: BreakerRule[] = [];
  readonly hot: HotParamRule[] = [];
  readonly system: SystemRule[] = [];
}
