import { Bytes } from "../../../assembly/bytes/bytes";
import { ByteBuffer, KEEP } from "../../../assembly/bytes/buffer";
import { View } from "../../../assembly/bytes/view";
import { ObjectReader } from "../../../assembly/config/object";
import { Fault, lastFault } from "../../../assembly/dsl/fault";
import { RequestAttributes } from "../../../assembly/dsl/request";
import { ParamSource } from "../../../assembly/sentinel/engine";
import { Entry } from "../../../assembly/sentinel/entry";
import { FlowOutcome, FlowVerdict } from "../../../assembly/sentinel/verdict";
import { Place } from "../../../assembly/sentinel/fair_places";
import { MS } from "../../../assembly/sentinel/rules";
import { callbackNanos } from "../../../assembly/host/clock";
import { FilterConfig, FilterType, StreamFilter } from "../../../assembly/stream/filter";
import { StreamHandler } from "../../../assembly/stream/handler";
import { FilterMetric, FilterMetrics } from "../../../assembly/stream/metrics";
import { bit, FilterStatus, Phase, ResponseFlag } from "../../../assembly/stream/phase";
import { CONCURRENCY, FlowControlConfig, LimitKey, RT } from "./config";
import { Known, knownOf, othersOf } from "./known";
import { pluginOf, PluginUse } from "./live";

const NAME: string = "flowControlFilter";

const ALL_CONCURRENCY = FilterMetric.gauge(NAME, "concurrency");
const QUEUED = FilterMetric.gauge(NAME, "queued");
const REPORTED = FilterMetric.counter(NAME, "reported");
const CROWDED = FilterMetric.counter(NAME, "crowded");
const LOST = FilterMetric.counter(NAME, "lost");

/** Only HTTP has these; filters that rewrite the path do not change them. */
const ORIGINAL_PATH = Bytes.of("x-mosn-path-original");
const PATH = Bytes.of("Http1_request_path");
const TARGET = Bytes.of("Http1_request_uri");
const QUERY = Bytes.of("Http1_request_arg");
const SERVICE = Bytes.of("x-mosn-rpc-service");
const METHOD = Bytes.of("x-mosn-rpc-method");
const SEPARATOR: u32 = 0x23;

/** Codes of MOSN's from here on are failures for breakers. */
const FIRST_FAILURE: i32 = 500;

const view = new View();
const resource = new View();
const scratch = new ByteBuffer();
/** The name of the last request's resource takes too long to find. */
let undecided: bool = false;

/** The headers of the request that is asked about. */
class HeaderParams extends ParamSource {
  handler: StreamHandler | null = null;

  param(name: Bytes, out: View): bool {
    const handler = this.handler;
    if (handler === null) return false;
    const headers = handler.requestHeaders;
    return headers !== null && headers.get(name.ptr, name.length, out);
  }
}

const params = new HeaderParams();
const attributes = new RequestAttributes();

/** A request that may have to wait for its turn. */
class Turn extends Entry {
  /** While it waits. */
  handler: StreamHandler | null = null;

  onMoved(time: i64): void {
    const handler = this.handler;
    if (handler !== null) handler.waiting.rewait(((time - callbackNanos() + MS - 1) / MS) as i32);
  }
}

/** A request's place among those that wait. */
class QueuePlace extends Place {
  constructor(private readonly filter: FlowControlFilter) {
    super();
  }

  onTaken(): void {
    this.filter.displace();
  }
}

/** Limits requests by Sentinel's rules: MOSN's `flowControlFilter` (pkg/filter/stream/flowcontrol). */
class FlowControlFilter extends StreamFilter {
  private readonly entry: Turn = new Turn();
  /** The configuration whose rules the request has passed, and where they count; null: none. */
  private passed: FlowControlConfig | null = null;
  private metrics: FilterMetrics | null = null;
  /** Of the request's resource; null: there are no rules for it. */
  private known: Known | null = null;
  private readonly place: QueuePlace = new QueuePlace(this);
  private waits: bool = false;
  /** Another client's request has taken its place in the queue: what to answer it by. */
  private displacedBy: FlowControlConfig | null = null;
  /** The plugin: the same for all of the filter's requests. */
  private plugin: PluginUse | null = null;
  private outcome: FlowOutcome = FlowOutcome.UNKNOWN;
  /** Whether `outcome` is what the response says. */
  private judged: bool = false;

  constructor(private readonly config: FlowControlConfig) {
    super();
  }

  onReceive(handler: StreamHandler, phase: Phase): FilterStatus {
    const config = (handler.configOf(flowControl, this.config) as FlowControlConfig).inForce;
    const engine = config.engine;
    // A route that is matched again does not make it another request.
    if (!config.enabled || engine === null || this.passed !== null) return FilterStatus.CONTINUE;
    config.use(handler.metrics);
    undecided = false;
    if (!resourceOf(config, handler, resource) || resource.length == 0) {
      return undecided
        ? block(config, handler, this.pluginFor(handler), FlowVerdict.UNKNOWN, null)
        : FilterStatus.CONTINUE;
    }
    const crowded = engine.crowded;
    engine.memoryBytes = (memory.size() as i64) << 16;
    params.handler = handler;
    const verdict = engine.enter(resource, params, this.entry, callbackNanos());
    params.handler = null;
    if (engine.crowded != crowded) handler.metrics.count(CROWDED, engine.crowded - crowded);
    const asked = engine.asked;
    const plugin = this.pluginFor(handler);
    const known = asked !== null ? knownOf(config, plugin, asked) : null;
    if (known !== null) known.metrics.count(verdict as i32, 1);
    scratch.reset(KEEP);
    if (verdict != FlowVerdict.PASS) return block(config, handler, plugin, verdict, known);
    if (known !== null || this.entry.inSystem) this.pass(config, handler, plugin, known);
    return this.queue(config, handler, plugin);
  }

  private pluginFor(handler: StreamHandler): PluginUse {
    const known = this.plugin;
    if (known !== null) return known;
    const found = pluginOf(handler.metrics);
    this.plugin = found;
    return found;
  }

  private pass(config: FlowControlConfig, handler: StreamHandler, plugin: PluginUse, known: Known | null): void {
    plugin.heart.start();
    config.enter();
    this.passed = config;
    this.known = known;
    if (known !== null) known.metrics.count(CONCURRENCY, 1);
    this.metrics = handler.metrics;
    this.outcome = FlowOutcome.UNKNOWN;
    this.judged = false;
    handler.metrics.count(ALL_CONCURRENCY, 1);
  }

  /** Holds a request that passes later. */
  private queue(config: FlowControlConfig, handler: StreamHandler, plugin: PluginUse): FilterStatus {
    const engine = config.engine;
    if (this.entry.waitNs <= 0 || engine === null) return FilterStatus.CONTINUE;
    if (config.reportOnly) {
      engine.go(this.entry);
      return FilterStatus.CONTINUE;
    }
    if (!config.queue.take(this.place, handler.connectionId)) {
      const known = this.known;
      this.giveUp();
      return block(config, handler, plugin, FlowVerdict.FLOW, known);
    }
    this.waits = true;
    this.entry.handler = handler;
    handler.metrics.count(QUEUED, 1);
    handler.wait(((this.entry.waitNs + MS - 1) / MS) as i32);
    return FilterStatus.WAIT;
  }

  /** There is no place in the queue for a request that would have to wait, or not any more. */
  private giveUp(): void {
    const known = this.known;
    if (known !== null) known.metrics.count(FlowVerdict.FLOW as i32, 1);
    this.leave(true);
  }

  /** Its place in the queue is another client's now: it is answered as soon as its turn to run comes. */
  displace(): void {
    const handler = this.entry.handler;
    const known = this.known;
    this.displacedBy = this.passed;
    this.giveUp();
    this.known = known;
    if (handler !== null) handler.waiting.rewait(0);
  }

  onResume(handler: StreamHandler, phase: Phase): FilterStatus {
    const displaced = this.displacedBy;
    if (displaced !== null) {
      const known = this.known;
      this.displacedBy = null;
      this.known = null;
      return block(displaced, handler, this.pluginFor(handler), FlowVerdict.FLOW, known);
    }
    const config = this.passed;
    const engine = config !== null ? config.engine : null;
    if (engine !== null) engine.go(this.entry);
    this.unqueue();
    return FilterStatus.CONTINUE;
  }

  private unqueue(): void {
    const config = this.passed;
    const metrics = this.metrics;
    this.entry.handler = null;
    if (!this.waits || config === null || metrics === null) return;
    this.waits = false;
    config.queue.free(this.place);
    metrics.count(QUEUED, -1);
  }

  /** How the request ended, for breakers. */
  append(handler: StreamHandler): FilterStatus {
    this.judge(handler);
    const config = this.passed;
    if (config !== null && config.exceptionsAreErrors && config.hasBreakers && handler.isException) {
      this.outcome = FlowOutcome.FAILED;
      this.judged = true;
    }
    return FilterStatus.CONTINUE;
  }

  /** The status of a gRPC call is behind the body. */
  onLog(handler: StreamHandler): void {
    if (!this.judged) this.judge(handler);
  }

  private judge(handler: StreamHandler): void {
    const config = this.passed;
    if (config === null || !config.hasBreakers) return;
    const code = handler.outcomeCode;
    const ours = handler.impatient || (handler.flags & ResponseFlag.DOWNSTREAM_TERMINATE) != 0;
    this.judged = code != 0 && !ours;
    if (!this.judged) this.outcome = FlowOutcome.UNKNOWN;
    else this.outcome = code >= FIRST_FAILURE ? FlowOutcome.FAILED : FlowOutcome.GOOD;
  }

  onDestroy(): void {
    this.displacedBy = null;
    if (this.passed !== null) this.leave(this.waits);
  }

  /** The request is over; `undone`: it was never sent. */
  private leave(undone: bool): void {
    this.unqueue();
    const config = this.passed;
    const metrics = this.metrics;
    const known = this.known;
    this.passed = null;
    this.metrics = null;
    this.known = null;
    if (config === null || metrics === null) return;
    metrics.count(ALL_CONCURRENCY, -1);
    const engine = config.engine;
    if (engine === null) return;
    const timed = config.responseTimes || engine.needsTime;
    const now = timed ? callbackNanos() : this.entry.startNs;
    if (known !== null) {
      known.metrics.count(CONCURRENCY, -1);
      if (config.responseTimes && !undone) known.metrics.record(RT, max<i64>(0, (now - this.entry.startNs) / MS));
    }
    const noted = undone ? engine.cancel(this.entry, now) : engine.exit(this.entry, now, this.outcome);
    if (!noted) metrics.count(LOST, 1);
    config.leave();
  }
}

/** Answers a request that is blocked; `known` is null where no rule is for its resource. */
function block(
  config: FlowControlConfig,
  handler: StreamHandler,
  plugin: PluginUse,
  verdict: FlowVerdict,
  known: Known | null,
): FilterStatus {
  let blocked = known;
  if (blocked === null) {
    blocked = othersOf(config, plugin);
    blocked.metrics.count(verdict as i32, 1);
  }
  if (verdict == FlowVerdict.UNKNOWN) handler.countFailure(flowControl);
  if (config.reportOnly) {
    handler.metrics.count(REPORTED, 1);
    return FilterStatus.CONTINUE;
  }
  handler.flags |= ResponseFlag.RATE_LIMITED;
  handler.explain(blocked.reason(verdict));
  const http = handler.variable(ORIGINAL_PATH, view);
  handler.hijack(http ? config.status : config.rpcStatus, blocked.text(config, verdict));
  return FilterStatus.STOP;
}

/** The name of the request's resource; false: it has none, and is not limited. */
function resourceOf(config: FlowControlConfig, handler: StreamHandler, out: View): bool {
  switch (config.limitKey) {
    case LimitKey.PATH:
      return handler.variable(PATH, out) || methodOf(handler, out);
    case LimitKey.ARG:
      return handler.variable(QUERY, out);
    case LimitKey.URI:
      return handler.variable(TARGET, out);
    case LimitKey.SERVICE:
      return handler.variable(SERVICE, out);
    case LimitKey.METHOD:
      return methodOf(handler, out);
    case LimitKey.DSL:
      return evaluate(config, handler, out);
    default: {
      const headers = handler.requestHeaders;
      const name = config.limitHeader;
      return headers !== null && headers.get(name.ptr, name.length, out);
    }
  }
}

/** What the expression comes to; one that comes to nothing names no resource, unless it takes too long (`undecided`). */
function evaluate(config: FlowControlConfig, handler: StreamHandler, out: View): bool {
  const expression = config.limitExpression;
  if (expression === null) return false;
  attributes.begin(handler);
  const value = expression.evaluate(attributes);
  scratch.clear();
  if (value !== null) scratch.append(value.ptr, value.length);
  else if (lastFault() == Fault.TOO_LONG) undecided = true;
  else handler.countFailure(flowControl);
  attributes.end();
  out.set(scratch.ptr, scratch.length);
  return value !== null;
}

/** "SERVICE#METHOD"; without a method the service. */
function methodOf(handler: StreamHandler, out: View): bool {
  if (!handler.variable(SERVICE, out) || out.length == 0) return false;
  scratch.clear();
  scratch.append(out.ptr, out.length);
  if (handler.variable(METHOD, out) && out.length > 0) {
    scratch.appendByte(SEPARATOR);
    scratch.append(out.ptr, out.length);
  }
  out.set(scratch.ptr, scratch.length);
  return true;
}

class FlowControlType extends FilterType {
  constructor() {
    super(NAME, bit(Phase.AFTER_ROUTE), true);
    this.setsLabels = false;
    this.protective = true;
  }

  parse(from: ObjectReader): FilterConfig {
    const config = new FlowControlConfig(from);
    if (config.hasBreakers) this.phases |= bit(Phase.BEFORE_SEND) | bit(Phase.ACCESS_LOG);
    return config;
  }

  create(config: FilterConfig): StreamFilter {
    return new FlowControlFilter(config as FlowControlConfig);
  }
}

export const flowControl = new FlowControlType();
