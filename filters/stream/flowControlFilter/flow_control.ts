import { Bytes } from "../../../assembly/bytes/bytes";
import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { View } from "../../../assembly/bytes/view";
import { ObjectReader } from "../../../assembly/config/object";
import { RequestAttributes } from "../../../assembly/dsl/request";
import { ParamSource } from "../../../assembly/flow/engine";
import { Entry, Outcome, Verdict } from "../../../assembly/flow/entry";
import { Attachment, Resource } from "../../../assembly/flow/resource";
import { MS } from "../../../assembly/flow/rules";
import { callbackNanos } from "../../../assembly/host/clock";
import { FilterConfig, FilterType, StreamFilter } from "../../../assembly/stream/filter";
import { StreamHandler } from "../../../assembly/stream/handler";
import { FilterMetric, FilterMetrics, NamedMetrics } from "../../../assembly/stream/metrics";
import { bit, FilterStatus, Phase, ResponseFlag } from "../../../assembly/stream/phase";
import { reasonOf } from "./answer";
import { CONCURRENCY, FlowControlConfig, LimitKey, RT } from "./config";
import { heart } from "./live";

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

/** Memory kept between requests, bytes. */
const KEEP: i32 = 4096;

const view = new View();
const resource = new View();
const application = new View();
const scratch = new ByteBuffer();

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

const VERDICTS: i32 = (Verdict.UNKNOWN as i32) + 1;

const params = new HeaderParams();
const attributes = new RequestAttributes();
/** The name where only rules on the system count. */
const NO_RESOURCE = Bytes.of("all");

/** What the filter keeps with a resource. */
class Known extends Attachment {
  /** The texts of answers and of access logs by verdict, made when they are first needed. */
  readonly texts: StaticArray<Bytes | null> = new StaticArray<Bytes | null>(VERDICTS);
  readonly reasons: StaticArray<Bytes | null> = new StaticArray<Bytes | null>(VERDICTS);

  constructor(
    readonly name: Bytes,
    readonly metrics: NamedMetrics,
  ) {
    super();
  }

  text(config: FlowControlConfig, verdict: Verdict): Bytes {
    const known = unchecked(this.texts[verdict as i32]);
    if (known !== null) return known;
    const made = config.body.text(verdict, this.name);
    unchecked((this.texts[verdict as i32] = made));
    return made;
  }

  reason(verdict: Verdict): Bytes {
    const known = unchecked(this.reasons[verdict as i32]);
    if (known !== null) return known;
    const made = reasonOf(verdict, this.name);
    unchecked((this.reasons[verdict as i32] = made));
    return made;
  }
}

/** A request that may have to wait for its turn. */
class Turn extends Entry {
  /** While it waits. */
  handler: StreamHandler | null = null;

  onMoved(time: i64): void {
    const handler = this.handler;
    if (handler !== null) handler.waiting.rewait(((time - callbackNanos() + MS - 1) / MS) as i32);
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
  private waits: bool = false;
  private outcome: Outcome = Outcome.UNKNOWN;

  constructor(private readonly config: FlowControlConfig) {
    super();
  }

  onReceive(handler: StreamHandler, phase: Phase): FilterStatus {
    const config = handler.configOf(flowControl, this.config) as FlowControlConfig;
    const engine = config.engine;
    // A route that is matched again does not make it another request.
    if (!config.enabled || engine === null || this.passed !== null) return FilterStatus.CONTINUE;
    if (!resourceOf(config, handler, resource) || resource.length == 0) return FilterStatus.CONTINUE;
    config.use(handler.metrics);
    const crowded = engine.crowded;
    engine.memoryBytes = (memory.size() as i64) << 16;
    params.handler = handler;
    const verdict = engine.enter(resource, params, this.entry, callbackNanos());
    params.handler = null;
    if (engine.crowded != crowded) handler.metrics.count(CROWDED, engine.crowded - crowded);
    const asked = engine.asked;
    const known = asked !== null ? knownOf(config, handler, asked) : null;
    if (known !== null) known.metrics.count(verdict as i32, 1);
    scratch.reset(KEEP);
    if (verdict != Verdict.PASS) return block(config, handler, verdict, known);
    if (known !== null || this.entry.inSystem) this.pass(config, handler, known);
    return this.queue(config, handler);
  }

  private pass(config: FlowControlConfig, handler: StreamHandler, known: Known | null): void {
    heart.start();
    this.passed = config;
    this.known = known;
    if (known !== null) known.metrics.count(CONCURRENCY, 1);
    this.metrics = handler.metrics;
    this.outcome = Outcome.UNKNOWN;
    handler.metrics.count(ALL_CONCURRENCY, 1);
  }

  /** Holds a request that passes later. */
  private queue(config: FlowControlConfig, handler: StreamHandler): FilterStatus {
    const engine = config.engine;
    if (this.entry.waitNs <= 0 || engine === null) return FilterStatus.CONTINUE;
    if (config.reportOnly) {
      engine.go(this.entry);
      return FilterStatus.CONTINUE;
    }
    if (config.queued >= config.maxQueued) {
      const known = this.known;
      if (known !== null) known.metrics.count(Verdict.FLOW as i32, 1);
      this.leave(true);
      return block(config, handler, Verdict.FLOW, known);
    }
    config.queued++;
    this.waits = true;
    this.entry.handler = handler;
    handler.metrics.count(QUEUED, 1);
    handler.wait(((this.entry.waitNs + MS - 1) / MS) as i32);
    return FilterStatus.WAIT;
  }

  onResume(handler: StreamHandler, phase: Phase): FilterStatus {
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
    config.queued--;
    metrics.count(QUEUED, -1);
  }

  /** How the request ended, for breakers. */
  append(handler: StreamHandler): FilterStatus {
    const config = this.passed;
    if (config !== null && config.hasBreakers && (handler.flags & ResponseFlag.DOWNSTREAM_TERMINATE) == 0) {
      this.outcome = handler.responseCode >= FIRST_FAILURE ? Outcome.FAILED : Outcome.GOOD;
    }
    return FilterStatus.CONTINUE;
  }

  onDestroy(): void {
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
  }
}

/** What the filter keeps with the resource of the request. */
function knownOf(config: FlowControlConfig, handler: StreamHandler, asked: Resource): Known {
  const known = asked.attachment;
  if (known !== null) return changetype<Known>(known);
  const made = make(config, handler, asked.name);
  asked.attachment = made;
  return made;
}

/** The same where no rule is for the resource. */
function othersOf(config: FlowControlConfig, handler: StreamHandler): Known {
  const known = config.others;
  if (known !== null) return changetype<Known>(known);
  const made = make(config, handler, NO_RESOURCE);
  config.others = made;
  return made;
}

function make(config: FlowControlConfig, handler: StreamHandler, name: Bytes): Known {
  application.set(config.application.ptr, config.application.length);
  view.set(name.ptr, name.length);
  return new Known(name, handler.metrics.named(config.table, application, view));
}

/** Answers a request that is blocked; `known` is null where no rule is for its resource. */
function block(config: FlowControlConfig, handler: StreamHandler, verdict: Verdict, known: Known | null): FilterStatus {
  let blocked = known;
  if (blocked === null) {
    blocked = othersOf(config, handler);
    blocked.metrics.count(verdict as i32, 1);
  }
  if (verdict == Verdict.UNKNOWN) handler.countFailure(flowControl);
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

/** What the expression comes to; one that comes to nothing names no resource. */
function evaluate(config: FlowControlConfig, handler: StreamHandler, out: View): bool {
  const expression = config.limitExpression;
  if (expression === null) return false;
  attributes.begin(handler);
  const value = expression.evaluate(attributes);
  scratch.clear();
  if (value !== null) scratch.append(value.ptr, value.length);
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
    this.protective = true;
  }

  parse(from: ObjectReader): FilterConfig {
    const config = new FlowControlConfig(from);
    if (config.hasBreakers) this.phases |= bit(Phase.BEFORE_SEND);
    return config;
  }

  create(config: FilterConfig): StreamFilter {
    return new FlowControlFilter(config as FlowControlConfig);
  }
}

export const flowControl = new FlowControlType();
