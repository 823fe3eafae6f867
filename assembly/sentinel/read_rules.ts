import { Bytes } from "../bytes/bytes";
import { ObjectReader } from "../config/object";
import { readRegex } from "../regex/read_regex";
import { Regex } from "../regex/regex";
import { longestGapMs, mayAllowPart } from "./flow_controller";
import { identify } from "./keys";
import { Behavior, BreakerRule, BreakerStrategy, FlowRule, HotParamMetric, HotParamRule, IsolationRule } from "./rules";
import { Match, RuleSet, SystemMetric, SystemRule, Target, TokenStrategy } from "./rules";

/** Most rules of one kind, most for one resource or pattern, and most values with a threshold of their own. */
const MAX_RULES: i32 = 10000;
const MAX_OF_TARGET: i32 = 16;
const MAX_ITEMS: i32 = 1000;
/** Largest count or rate. */
const MAX_COUNT: i64 = 1000000000;
/** Longest wait in a queue and longest time of anything else, ms. */
const MAX_QUEUEING_MS: i64 = 600000;
const MAX_TIME_MS: i64 = 3600000;
/** Most buckets of a breaker's window, and most values of a parameter. */
const MAX_BUCKETS: i64 = 100;
const MAX_CAPACITY: i64 = 65536;
/** Sentinel's ParamsMaxCapacity, ParamsCapacityBase and ConcurrencyMaxCount. */
const QPS_CAPACITY: i64 = 20000;
const QPS_CAPACITY_BASE: i64 = 4000;
const CONCURRENCY_CAPACITY: i64 = 4000;
const COLD_FACTOR: i64 = 3;
/** Sentinel's system.BBR; -1, NoAdaptive, and 0, which has no name, are not adaptive. */
const BBR: i64 = 1;

const MATCHES: string[] = ["exact", "prefix", "regex"];

/** How many rules of a kind name the same target: it is part of a rule's key. */
class Ordinals {
  private readonly counts: Map<string, i32> = new Map<string, i32>();

  /** The place of the next rule with this text among those with the same. */
  next(text: string): i32 {
    const place = this.counts.has(text) ? this.counts.get(text) : 0;
    this.counts.set(text, place + 1);
    return place;
  }
}

/**
 * Reads the rules of a configuration, in Sentinel's fields: `rules` (flow), `isolation_rules`, `circuit_breaker_rules`,
 * `hot_param_rules` and `system_rules`. A rule that is not valid refuses them all, with its path.
 */
export function readRules(from: ObjectReader): RuleSet {
  const rules = new RuleSet();
  const flow = readList(from, "rules");
  const ordinals = new Ordinals();
  for (let i = 0; i < flow.length; i++) rules.flow.push(readFlow(flow[i], ordinals));
  const isolation = readList(from, "isolation_rules");
  for (let i = 0; i < isolation.length; i++) rules.isolation.push(readIsolation(isolation[i], ordinals));
  const breakers = readList(from, "circuit_breaker_rules");
  for (let i = 0; i < breakers.length; i++) rules.breakers.push(readBreaker(breakers[i], ordinals));
  const hot = readList(from, "hot_param_rules");
  for (let i = 0; i < hot.length; i++) rules.hot.push(readHot(hot[i], ordinals));
  const system = readList(from, "system_rules");
  for (let i = 0; i < system.length; i++) rules.system.push(readSystem(system[i]));
  return rules;
}

function readList(from: ObjectReader, name: string): ObjectReader[] {
  const list = from.objects(name);
  if (list.length > MAX_RULES) from.fail(name, `more than ${MAX_RULES} rules`);
  return list;
}

function readTarget(from: ObjectReader): Target {
  const text = from.required("resource");
  const match = from.choice("match", 0, MATCHES) as Match;
  let regex: Regex | null = null;
  if (match == Match.REGEX) regex = readRegex(from, "resource");
  return new Target(text, match, regex);
}

/** What tells a rule from others, with whatever else makes its counts other ones. */
function keyOf(from: ObjectReader, kind: string, target: Target, id: string, shape: string, ordinals: Ordinals): u32 {
  const text = `${kind} ${MATCHES[target.match as i32]} ${target.name.toString()}`;
  const place = ordinals.next(text);
  if (place >= MAX_OF_TARGET) from.refuse(`more than ${MAX_OF_TARGET} rules of this kind for the resource`);
  const own = id.length > 0 ? "id " + id : place.toString();
  return (identify(`${text} ${own} ${shape}`) as u32) | 2;
}

function readFlow(from: ObjectReader, ordinals: Ordinals): FlowRule {
  const target = readTarget(from);
  const id = from.string("id");
  const strategy = from.integer("tokenCalculateStrategy", 0, 0, 2) as TokenStrategy;
  const behavior = from.integer("controlBehavior", 0, 0, 1) as Behavior;
  const interval = from.integer("statIntervalInMs", 0, 0, MAX_TIME_MS);
  const shape = `${interval} ${behavior as i32}`;
  const rule = new FlowRule(target, id, keyOf(from, "flow", target, id, shape, ordinals));
  rule.strategy = strategy;
  rule.behavior = behavior;
  rule.intervalMs = interval;
  rule.threshold = from.float("threshold", 0, 0, MAX_COUNT as f64);
  const associated = from.integer("relationStrategy", 0, 0, 1) == 1;
  const related = from.string("refResource");
  if (associated && related.length == 0) {
    from.failTogether(["refResource"], "refResource must be given with relationStrategy 1");
  }
  if (associated) rule.related = Bytes.of(related);
  rule.maxQueueingMs = from.integer("maxQueueingTimeMs", 0, 0, MAX_QUEUEING_MS);
  readWarmUp(from, rule);
  readMemory(from, rule);
  checkThreshold(from, rule);
  // What MOSN's samples have for Sentinel of Java, which Sentinel of Go does not know.
  from.raw("limitApp");
  from.raw("grade");
  from.raw("strategy");
  from.raw("clusterMode");
  from.finish();
  return rule;
}

/** A threshold of 0 lets nothing pass, as in Sentinel; a small one lets a request pass now and then. */
function checkThreshold(from: ObjectReader, rule: FlowRule): void {
  if (longestGapMs(rule) > (MAX_TIME_MS as f64)) {
    from.fail("threshold", "must be 0, or so large that a request passes in an hour");
  }
  if (rule.related !== null && mayAllowPart(rule)) {
    const least = rule.strategy == TokenStrategy.WARM_UP ? `warmUpColdFactor, which is ${rule.coldFactor},` : "1";
    from.fail("threshold", `must be 0 or at least ${least} with relationStrategy 1: it counts refResource's requests`);
  }
}

function readWarmUp(from: ObjectReader, rule: FlowRule): void {
  rule.warmUpPeriodSec = from.integer("warmUpPeriodSec", 0, 0, MAX_TIME_MS / 1000);
  const cold = from.integer("warmUpColdFactor", 0, 0, 1000);
  rule.coldFactor = cold == 0 ? COLD_FACTOR : cold;
  if (rule.strategy != TokenStrategy.WARM_UP) return;
  if (rule.warmUpPeriodSec <= 0) {
    from.failTogether(["warmUpPeriodSec"], "warmUpPeriodSec must be above 0 with tokenCalculateStrategy 1");
  }
  if (cold == 1) from.fail("warmUpColdFactor", "must be above 1, or 0 for 3");
}

function readMemory(from: ObjectReader, rule: FlowRule): void {
  rule.lowMemThreshold = from.integer("lowMemUsageThreshold", 0, 0, MAX_COUNT) as f64;
  rule.highMemThreshold = from.integer("highMemUsageThreshold", 0, 0, MAX_COUNT) as f64;
  rule.memLowBytes = from.integer("memLowWaterMarkBytes", 0, 0, i64.MAX_VALUE);
  rule.memHighBytes = from.integer("memHighWaterMarkBytes", 0, 0, i64.MAX_VALUE);
  if (rule.strategy != TokenStrategy.MEMORY_ADAPTIVE) return;
  if (rule.highMemThreshold <= 0 || rule.highMemThreshold >= rule.lowMemThreshold) {
    const text = "highMemUsageThreshold must be above 0 and below lowMemUsageThreshold";
    from.failTogether(["highMemUsageThreshold", "lowMemUsageThreshold"], text);
  }
  if (rule.memLowBytes <= 0 || rule.memLowBytes >= rule.memHighBytes) {
    const text = "memLowWaterMarkBytes must be above 0 and below memHighWaterMarkBytes";
    from.failTogether(["memLowWaterMarkBytes", "memHighWaterMarkBytes"], text);
  }
}

function readIsolation(from: ObjectReader, ordinals: Ordinals): IsolationRule {
  const target = readTarget(from);
  const id = from.string("id");
  const rule = new IsolationRule(target, id, keyOf(from, "isolation", target, id, "", ordinals));
  from.integer("metricType", 0, 0, 0);
  rule.threshold = from.integer("threshold", 0, 1, MAX_COUNT);
  from.demand("threshold");
  from.finish();
  return rule;
}

function readBreaker(from: ObjectReader, ordinals: Ordinals): BreakerRule {
  const target = readTarget(from);
  const id = from.string("id");
  const strategy = from.integer("strategy", 0, 0, 2) as BreakerStrategy;
  const interval = from.integer("statIntervalMs", 1000, 1, MAX_TIME_MS);
  const given = from.integer("statSlidingWindowBucketCount", 0, 0, MAX_BUCKETS);
  const buckets: i64 = given > 0 && interval % given == 0 ? given : 1;
  const shape = `${strategy as i32} ${interval} ${buckets}`;
  const rule = new BreakerRule(target, id, keyOf(from, "breaker", target, id, shape, ordinals));
  rule.strategy = strategy;
  rule.statIntervalMs = interval;
  rule.buckets = buckets as i32;
  from.demand("statIntervalMs");
  rule.retryTimeoutMs = from.integer("retryTimeoutMs", 0, 1, MAX_TIME_MS);
  from.demand("retryTimeoutMs");
  rule.minRequestAmount = from.integer("minRequestAmount", 0, 0, MAX_COUNT);
  rule.maxAllowedRtMs = from.integer("maxAllowedRtMs", 0, 0, MAX_TIME_MS);
  rule.threshold = from.float("threshold", 0, 0, MAX_COUNT as f64);
  if (strategy != BreakerStrategy.ERROR_COUNT && rule.threshold > 1) {
    from.fail(
      "threshold",
      `must be 0 to 1 with strategy ${strategy as i32}: it is a part of the requests, no percentage`,
    );
  }
  rule.probeNum = from.integer("probeNum", 0, 0, MAX_COUNT);
  if (strategy == BreakerStrategy.SLOW_REQUEST_RATIO) from.demand("maxAllowedRtMs");
  from.finish();
  return rule;
}

function readHot(from: ObjectReader, ordinals: Ordinals): HotParamRule {
  const target = readTarget(from);
  const id = from.string("id");
  const metric = from.integer("metricType", 0, 0, 1) as HotParamMetric;
  const behavior = from.integer("controlBehavior", 0, 0, 1) as Behavior;
  const param = from.required("paramKey");
  const duration = from.integer("durationInSec", 0, 0, MAX_TIME_MS / 1000);
  const shape = `${metric as i32} ${behavior as i32} ${duration} ${param}`;
  const rule = new HotParamRule(target, id, keyOf(from, "hot", target, id, shape, ordinals));
  rule.metric = metric;
  rule.behavior = behavior;
  rule.param = Bytes.of(param);
  rule.durationSec = max<i64>(1, duration);
  if (metric == HotParamMetric.QPS && duration == 0) {
    from.failTogether(["durationInSec", "metricType"], "durationInSec must be above 0 with metricType 1");
  }
  rule.threshold = from.integer("threshold", 0, 0, MAX_COUNT);
  rule.maxQueueingMs = from.integer("maxQueueingTimeMs", 0, 0, MAX_QUEUEING_MS);
  rule.burst = from.integer("burstCount", 0, 0, MAX_COUNT);
  const usual =
    metric == HotParamMetric.QPS ? min(QPS_CAPACITY, QPS_CAPACITY_BASE * rule.durationSec) : CONCURRENCY_CAPACITY;
  const capacity = from.integer("paramsMaxCapacity", 0, 0, MAX_CAPACITY);
  rule.capacity = (capacity > 0 ? capacity : usual) as i32;
  if (from.has("paramIndex")) from.fail("paramIndex", "arguments have no index here: name a header by paramKey");
  readItems(from, rule);
  from.demand("threshold");
  from.finish();
  return rule;
}

function readItems(from: ObjectReader, rule: HotParamRule): void {
  const items = from.object("specificItems");
  const keys = items.value.members.keys();
  if (keys.length > MAX_ITEMS) return from.fail("specificItems", `more than ${MAX_ITEMS} values`);
  for (let i = 0; i < keys.length; i++) {
    rule.items.push(Bytes.of(keys[i]));
    rule.itemThresholds.push(items.integer(keys[i], 0, 0, MAX_COUNT));
  }
}

function readSystem(from: ObjectReader): SystemRule {
  from.string("id");
  // Sentinel's default is load above 0, which blocks all.
  from.demand("metricType");
  const metric = from.integer("metricType", 0, 0, 4) as i32 as SystemMetric;
  const most = metric == SystemMetric.CPU_USAGE ? 1 : (MAX_COUNT as f64);
  const threshold = from.float("triggerCount", 0, 0, most);
  const adaptive = from.integer("strategy", 0, -1, 1) == BBR;
  from.demand("triggerCount");
  from.finish();
  return new SystemRule(metric, threshold, adaptive);
}
