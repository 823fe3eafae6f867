import { LogLevel } from "../../../assembly/abi/types";
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { ObjectReader } from "../../../assembly/config/object";
import { currentMillis } from "../../../assembly/host/clock";
import { hostOf, LimitedLog, logs } from "../../../assembly/host/log";
import { FilterConfig, FilterRoots, FilterType, StreamFilter } from "../../../assembly/stream/filter";
import { StreamHandler } from "../../../assembly/stream/handler";
import { FilterMetric, FilterMetricTable } from "../../../assembly/stream/metrics";
import { bit, FilterStatus, Phase } from "../../../assembly/stream/phase";
import { Code } from "../../../assembly/message/code";
import { Subject } from "./conditions";
import { RbacConfig } from "./config";
import { Action, Engine } from "./engine";

const NAME = "rbac";
const ALLOWED = FilterMetric.counter(NAME, "allowed");
const DENIED = FilterMetric.counter(NAME, "denied");
const LOGGED = FilterMetric.counter(NAME, "logged");
const SHADOW_ALLOWED = FilterMetric.counter(NAME, "shadow_allowed");
const SHADOW_DENIED = FilterMetric.counter(NAME, "shadow_denied");
/** Requests by the policy that matched. */
const HITS = new FilterMetricTable(NAME, "", "policy", "of", ["hits"]);
const RULES = Bytes.of("rules");
const SHADOW = Bytes.of("shadow_rules");

const ANSWER = Bytes.of("RBAC: access denied");

const subject = new Subject();
const policyName = new View();
const ofWhich = new View();
const source = new View();
const lines = new LimitedLog();

/** Lets requests pass by who sends them and what they are to do: MOSN's `rbac` (istio/istio1106/filter/stream/rbac). */
class RbacFilter extends StreamFilter {
  constructor(private readonly config: RbacConfig) {
    super();
  }

  onReceive(handler: StreamHandler, phase: Phase): FilterStatus {
    let config = this.config;
    if (phase != Phase.BEFORE_ROUTE) {
      const routed = handler.routeConfig(rbac);
      if (routed === null) return FilterStatus.CONTINUE;
      config = routed as RbacConfig;
    }
    subject.handler = handler;
    const allowed = judge(config, handler);
    subject.handler = null;
    if (allowed) return FilterStatus.CONTINUE;
    handler.hijack(Code.PERMISSION_DENIED, ANSWER);
    return FilterStatus.STOP;
  }
}

/** Whether a request may pass; counts it. */
function judge(config: RbacConfig, handler: StreamHandler): bool {
  const shadow = config.shadow;
  if (shadow !== null) {
    handler.metrics.count(shadow.allows(subject) ? SHADOW_ALLOWED : SHADOW_DENIED, 1);
    hit(shadow, SHADOW, handler);
  }
  const rules = config.rules;
  if (rules === null) return true;
  const allowed = rules.allows(subject);
  handler.metrics.count(allowed ? ALLOWED : DENIED, 1);
  hit(rules, RULES, handler);
  if (rules.undecided) handler.countFailure(rbac);
  if (!allowed) handler.explain(rules.why);
  return allowed;
}

/** Counts the policy that matched, and writes a line for those that are to be logged. */
function hit(engine: Engine, place: Bytes, handler: StreamHandler): void {
  const policy = engine.policy;
  if (policy === null) return;
  policyName.set(policy.name.ptr, policy.name.length);
  ofWhich.set(place.ptr, place.length);
  handler.metrics.countNamed(HITS, policyName, ofWhich, 0);
  if (engine.action != Action.LOG) return;
  handler.metrics.count(LOGGED, 1);
  if (
    !logs(LogLevel.INFO) ||
    !subject.address(source) ||
    !lines.allows(currentMillis(), hostOf(source.ptr, source.length))
  )
    return;
  const client = String.UTF8.decodeUnsafe(source.ptr, source.length);
  lines.write(LogLevel.INFO, `moe-wasm: rbac: client ${client}: policy ${policy.name.toString()}`);
}

class RbacType extends FilterType {
  constructor() {
    // Routes' own rules are asked once the route is known.
    super(NAME, bit(Phase.BEFORE_ROUTE) | bit(Phase.AFTER_ROUTE), true);
    this.setsLabels = false;
    this.protective = true;
  }

  parse(from: ObjectReader): FilterConfig {
    return this.parseFor(from, FilterRoots.PROXY);
  }

  parseFor(from: ObjectReader, root: FilterRoots): FilterConfig {
    return new RbacConfig(from, root == FilterRoots.HTTP);
  }

  create(config: FilterConfig): StreamFilter {
    return new RbacFilter(config as RbacConfig);
  }
}

export const rbac = new RbacType();
