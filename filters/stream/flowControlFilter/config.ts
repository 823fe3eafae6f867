import { Bytes } from "../../../assembly/bytes/bytes";
import { ObjectReader } from "../../../assembly/config/object";
import { Expression } from "../../../assembly/dsl/expression";
import { Kind } from "../../../assembly/dsl/kind";
import { Engine } from "../../../assembly/sentinel/engine";
import { FairPlaces } from "../../../assembly/sentinel/fair_places";
import { readRules } from "../../../assembly/sentinel/read_rules";
import { Attachment } from "../../../assembly/sentinel/resource";
import { RuleSet } from "../../../assembly/sentinel/rules";
import { processBusy, processStore, processWorkers } from "../../../assembly/sentinel/shared_store";
import { LocalStore } from "../../../assembly/sentinel/store";
import { Workers } from "../../../assembly/sentinel/workers";
import { currentMillis } from "../../../assembly/host/clock";
import { fixedProperty } from "../../../assembly/host/properties";
import { FilterConfig } from "../../../assembly/stream/filter";
import { FilterMetrics, FilterMetricTable } from "../../../assembly/stream/metrics";
import { FilterPlugin } from "../../../assembly/stream/plugin";
import { Answer } from "./answer";
import { beginEngine, beginPlugin, endPlugin, EngineUse } from "./live";
import { Follower, Succession, successionKey } from "./succession";

/** MOSN's default, and its text with what limits behind it. */
const STATUS: i64 = 509;
const BODY: string = "current request is limited: %RULE% of %RESOURCE%";
/** Ours: what RPC protocols have a status for that clients know. */
const RPC_STATUS: i64 = 503;
const MAX_RESOURCES: i64 = 1000;
const MAX_QUEUED: i64 = 10000;
const LEASE_PERCENT: i64 = 1;
const PLUGIN_NAME = Bytes.of("plugin_name");

/** What names a request's resource (MOSN's limit_key_type; the last four are ours). */
export const enum LimitKey {
  PATH = 0,
  ARG = 1,
  URI = 2,
  SERVICE = 3,
  METHOD = 4,
  HEADER = 5,
  DSL = 6,
}

const LIMIT_KEYS: string[] = ["PATH", "ARG", "URI", "SERVICE", "METHOD", "HEADER", "DSL"];

/** How exact counts are over workers. */
const enum Mode {
  EXACT = 0,
  LEASE = 1,
  WORKER = 2,
}

const MODES: string[] = ["exact", "lease", "worker"];

/** Numbers of a resource: counters by what became of a request, in the order of `FlowVerdict`; a gauge; a histogram. */
const COUNTERS: string[] = [
  "passed",
  "blocked_flow",
  "blocked_isolation",
  "blocked_hot_param",
  "blocked_breaker",
  "blocked_system",
  "blocked_unknown",
];
export const CONCURRENCY: i32 = COUNTERS.length;
export const RT: i32 = CONCURRENCY + 1;
export const TABLE = new FilterMetricTable(
  "flowControlFilter",
  "",
  "app",
  "resource",
  COUNTERS,
  ["concurrency"],
  ["rt"],
);

/** Those with `live_rules`. */
const succession = new Succession();

/** Configuration of `flowControlFilter` (pkg/filter/stream/flowcontrol), and its rules' engine. */
export class FlowControlConfig extends FilterConfig {
  readonly enabled: bool;
  readonly reportOnly: bool;
  readonly limitKey: LimitKey;
  /** The header that names the resource. */
  readonly limitHeader: Bytes;
  /** What the resource's name is, with DSL. */
  readonly limitExpression: Expression | null;
  /** MOSN's code of the answer, on HTTP and on RPC, and its text. */
  readonly status: i32;
  readonly rpcStatus: i32;
  readonly body: Answer;
  /** Whether response times are noted by resource. */
  readonly responseTimes: bool;
  /** What requests that wait have a place in. */
  readonly queue: FairPlaces;
  /** Null where the configuration is refused. */
  readonly engine: Engine | null;
  /** Part of the names of its counters. */
  readonly application: Bytes;
  /** Whether the end of a request matters to its breakers. */
  readonly hasBreakers: bool;
  /** Whether a response of RPC that carries an exception is an error for its breakers. */
  readonly exceptionsAreErrors: bool;
  /** The filter's own, for requests whose resource no rule is for. */
  others: Attachment | null = null;
  private plugin: FilterPlugin | null = null;
  private engineUse: EngineUse | null = null;
  /** Whether its connections go by newer configurations; its place among those, while it is in use. */
  private readonly liveRules: bool;
  private follower: Follower | null = null;

  constructor(from: ObjectReader) {
    super();
    const application = applicationOf(from.string("app_name"));
    this.enabled = from.bool("global_switch", false);
    this.reportOnly = from.bool("report_only", false);
    this.liveRules = from.bool("live_rules", false);
    readUnused(from);
    const limitKey = from.choice("limit_key_type", 0, LIMIT_KEYS) as LimitKey;
    const limitHeader = from.bytes("limit_key_header");
    this.limitKey = limitKey;
    this.limitHeader = limitHeader;
    if ((limitKey == LimitKey.HEADER) != limitHeader.length > 0) {
      const text = 'limit_key_header must be given with limit_key_type "HEADER", and only then';
      from.failTogether(["limit_key_type", "limit_key_header"], text);
    }
    this.limitExpression = readExpression(from, limitKey == LimitKey.DSL);
    const action = from.object("action");
    this.status = action.integer("status", STATUS, 200, 599) as i32;
    this.rpcStatus = action.integer("rpc_status", RPC_STATUS, 0, 999) as i32;
    this.body = new Answer(action.string("body", BODY));
    action.finish();
    const mode = from.choice("mode", 0, MODES) as Mode;
    // Leases are for whom the call to Envoy counts, and this is one for each request.
    this.responseTimes = from.bool("response_times", mode != Mode.LEASE);
    const lease = from.integer("lease_percent", LEASE_PERCENT, 1, 50) as i32;
    const most = from.integer("max_resources", MAX_RESOURCES, 1, 100000) as i32;
    this.queue = new FairPlaces(from.integer("max_queued", MAX_QUEUED, 1, 1000000) as i32);
    this.exceptionsAreErrors = from.bool("exceptions_are_errors", false);
    const rules = readRules(from);
    this.hasBreakers = rules.breakers.length > 0;
    from.finish();
    this.engine = from.errors.failed ? null : build(rules, application, mode, most, lease);
    this.application = Bytes.of(application);
  }

  begin(plugin: FilterPlugin): void {
    this.plugin = plugin;
    beginPlugin(plugin);
    this.use(plugin.metrics);
    if (!this.liveRules) return;
    const follower = new Follower(successionKey(this.application), plugin, this);
    this.follower = follower;
    succession.begin(follower, currentMillis());
  }

  end(): void {
    const follower = this.follower;
    if (follower !== null) succession.end(follower);
    this.follower = null;
    const plugin = this.plugin;
    if (plugin !== null) endPlugin(plugin);
    this.plugin = null;
  }

  onConnection(): void {
    const follower = this.follower;
    if (follower !== null && follower.newest !== null) succession.confirm(follower, currentMillis());
  }

  /** The configuration that its requests go by: itself, or with `live_rules` a newer one. */
  // @ts-ignore: decorator
  @inline
  get inForce(): FlowControlConfig {
    const follower = this.follower;
    const newest = follower !== null ? follower.newest : null;
    return newest !== null ? (newest.config as FlowControlConfig) : this;
  }

  /** The rules are used in the plugin with these metrics: those of a route are not told of the plugin's begin. */
  // @ts-ignore: decorator
  @inline
  use(metrics: FilterMetrics): void {
    if (this.engineUse === null) this.first(metrics);
  }

  private first(metrics: FilterMetrics): void {
    const engine = this.engine;
    if (engine !== null && this.enabled) this.engineUse = beginEngine(engine, metrics);
  }

  /** A request has passed its rules. */
  // @ts-ignore: decorator
  @inline
  enter(): void {
    const use = this.engineUse;
    if (use !== null) use.requests++;
  }

  /** A request that has passed them is over. */
  // @ts-ignore: decorator
  @inline
  leave(): void {
    const use = this.engineUse;
    if (use !== null) use.leave();
  }
}

/** The expression of `limit_key_dsl`; null where there is none. */
function readExpression(from: ObjectReader, wanted: bool): Expression | null {
  const text = from.string("limit_key_dsl");
  if (wanted != text.length > 0) {
    const error = 'limit_key_dsl must be given with limit_key_type "DSL", and only then';
    from.failTogether(["limit_key_type", "limit_key_dsl"], error);
  }
  if (text.length == 0) return null;
  const compiled = Expression.compile(text);
  const expression = compiled.expression;
  if (expression === null) from.fail("limit_key_dsl", compiled.error);
  else if (expression.kind != Kind.STRING) from.fail("limit_key_dsl", "must be an expression of type string");
  return expression;
}

/** Whose counts these are: without a name, the plugin's own, so that listeners of one VM do not share theirs by chance. */
function applicationOf(name: string): string {
  if (name.length > 0) return name;
  const plugin = fixedProperty(PLUGIN_NAME);
  return plugin.length > 0 ? plugin.toString() : "unknown";
}

function build(rules: RuleSet, application: string, mode: Mode, most: i32, lease: i32): Engine {
  if (mode != Mode.WORKER) {
    return new Engine(rules, application, processStore, processWorkers, most, mode == Mode.LEASE ? lease : 0);
  }
  const store = new LocalStore();
  return new Engine(rules, application, store, new Workers(store, processBusy), most, 0);
}

/** What MOSN has and does nothing with, or what is not here. */
function readUnused(from: ObjectReader): void {
  from.string("log_path");
  from.bool("monitor", false);
  from.string("direction");
  if (from.string("callback_name").length > 0) from.fail("callback_name", "there are no callbacks to register here");
  if (from.items("dynamic_data_resources").length > 0) {
    from.fail("dynamic_data_resources", "rules change with the configuration: Envoy's LDS or ECDS");
  }
}
