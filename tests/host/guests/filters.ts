/* eslint-disable @typescript-eslint/ban-ts-comment, @typescript-eslint/no-unused-vars */
// @ts-nocheck AssemblyScript, compiled by the test
// The proxy with Bolt, and HTTP, with filters that do what their configuration says.
export * from "../../../assembly/abi/exports";
import { RootContext } from "../../../assembly/abi/context";
import { registerRoot } from "../../../assembly/abi/dispatch";
import { LogLevel } from "../../../assembly/abi/types";
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { ObjectReader } from "../../../assembly/config/object";
import { GrpcCall, HttpCall } from "../../../assembly/host/call";
import { Outcome } from "../../../assembly/host/callout";
import { setFilterState } from "../../../assembly/host/foreign";
import { LifeSpan } from "../../../assembly/host/generated/foreign";
import { log } from "../../../assembly/host/log";
import { Timer } from "../../../assembly/host/timers";
import { HttpRoot } from "../../../assembly/http/root";
import { ProxyRoot } from "../../../assembly/proxy/root";
import { FilterConfig, FilterType, StreamFilter } from "../../../assembly/stream/filter";
import { StreamHandler } from "../../../assembly/stream/handler";
import { FilterMetric, FilterMetricTable } from "../../../assembly/stream/metrics";
import { FilterStatus, Phase } from "../../../assembly/stream/phase";
import { FilterPlugin } from "../../../assembly/stream/plugin";
import { FilterRegistry } from "../../../assembly/stream/registry";
import { Headers } from "../../../assembly/message/headers";
import { CodecRegistry } from "../../../assembly/xprotocol/registry";
import { ProtoStatus } from "../../../assembly/protobuf/reader";
import { bolt } from "../../../filters/codec/bolt/bolt";
import { boltv2 } from "../../../filters/codec/boltv2/boltv2";
import { HealthCheckRequest, HealthCheckResponse } from "./generated/health";

const view = new View();

/**
 * `{"name", "only", "BEFORE_ROUTE": ["COMMAND …", …], …, "resume": […]}`: for each phase what the calls do, the first one
 * what the first text says and so on; the last text is for all others. Only requests with the method `only`, if given;
 * with `blind` it looks at nothing and logs nothing. With `every` a timer of its own logs "NAME time" each so many ms, and
 * the end "NAME end".
 */
class ScriptConfig extends FilterConfig {
  readonly name: string;
  readonly only: string;
  readonly blind: bool;
  private readonly timer: ScriptTimer;
  /** By phase, then what is done after waits. */
  readonly turns: string[][] = [];

  constructor(from: ObjectReader) {
    super();
    const name = from.required("name");
    this.name = name;
    this.only = from.string("only");
    this.blind = from.bool("blind", false);
    this.timer = new ScriptTimer(name, from.integer("every", 0, 0, 60000));
    const phases = ["BEFORE_ROUTE", "AFTER_ROUTE", "AFTER_CHOOSE_HOST", "BEFORE_SEND", "ACCESS_LOG", "resume"];
    for (let i = 0; i < phases.length; i++) this.turns.push(from.strings(phases[i]));
    from.finish();
  }

  begin(plugin: FilterPlugin): void {
    this.timer.begin(plugin);
  }

  end(): void {
    this.timer.end();
  }
}

class ScriptTimer extends Timer {
  private plugin: FilterPlugin | null = null;

  constructor(
    private readonly name: string,
    private readonly every: i64,
  ) {
    super();
  }

  begin(plugin: FilterPlugin): void {
    this.plugin = plugin;
    if (this.every > 0) plugin.setTimer(this, this.every);
  }

  onTimer(now: i64): void {
    const plugin = this.plugin;
    if (plugin === null) return;
    log(LogLevel.INFO, this.name + " time");
    plugin.metrics.count(COUNTED, 1);
    plugin.setTimer(this, this.every);
  }

  end(): void {
    const plugin = this.plugin;
    if (plugin === null || this.every == 0) return;
    log(LogLevel.INFO, this.name + " end");
    plugin.cancelTimer(this);
  }
}

const RESUME: i32 = 5;

/** Logs each call as "NAME PHASE SEEN", and then does what it is told. */
class ScriptFilter extends StreamFilter {
  private readonly calls: StaticArray<i32> = new StaticArray<i32>(6);

  constructor(private readonly config: ScriptConfig) {
    super();
  }

  onReceive(handler: StreamHandler, phase: Phase): FilterStatus {
    return this.turn(handler, phase, phase.toString());
  }

  append(handler: StreamHandler): FilterStatus {
    return this.turn(handler, Phase.BEFORE_SEND, "S");
  }

  onResume(handler: StreamHandler, phase: Phase): FilterStatus {
    return this.turn(handler, RESUME, "R");
  }

  onLog(handler: StreamHandler): void {
    this.turn(handler, Phase.ACCESS_LOG, "L");
  }

  onDestroy(): void {
    for (let i = 0; i < this.calls.length; i++) this.calls[i] = 0;
  }

  private turn(handler: StreamHandler, kind: i32, label: string): FilterStatus {
    const config = this.config;
    const turns = config.turns[kind];
    const call = this.calls[kind]++;
    const text = turns.length > 0 ? turns[min(call, turns.length - 1)] : "";
    if (config.blind) return run(text, handler, null);
    const headers = handler.requestHeaders !== null ? handler.requestHeaders : handler.responseHeaders;
    if (config.only.length > 0 && textOf("x-mosn-method", handler) != config.only) return FilterStatus.CONTINUE;
    const seen = headers === null ? "-" : headerOf(headers, "h");
    const method = textOf("x-mosn-method", handler);
    const flags = handler.flags.toString(16);
    log(LogLevel.INFO, `${config.name}${label} h=${seen} m=${method} code=${handler.responseCode} flags=${flags}`);
    return run(text, handler, headers);
  }
}

function headerOf(headers: Headers, name: string): string {
  const key = Bytes.of(name);
  return headers.get(key.ptr, key.length, view) ? String.UTF8.decodeUnsafe(view.ptr, view.length) : "?";
}

function textOf(variable: string, handler: StreamHandler): string {
  return handler.variable(Bytes.of(variable), view) ? String.UTF8.decodeUnsafe(view.ptr, view.length) : "?";
}

function hostOf(handler: StreamHandler): string {
  return handler.hostAddress(view) ? String.UTF8.decodeUnsafe(view.ptr, view.length) : "?";
}

/** The request's body, or the response's. */
function bodyOf(handler: StreamHandler): string {
  handler.requestBody(view);
  if (view.length == 0) handler.responseBody(view);
  return String.UTF8.decodeUnsafe(view.ptr, view.length);
}

const COUNTED = FilterMetric.counter("script", "counted");
const GAUGE = FilterMetric.gauge("script", "gauge");
const HISTOGRAM = FilterMetric.histogram("script", "sizes");
const TABLE = new FilterMetricTable("script", "listener.l", "service", "method", ["total", "bad"]);
const second = new View();

/** Counts both counters of the pair; a third there is not. */
function countNamed(key: Bytes, value: Bytes, handler: StreamHandler): void {
  view.set(key.ptr, key.length);
  second.set(value.ptr, value.length);
  for (let i = -1; i < 3; i++) handler.metrics.countNamed(TABLE, view, second, i);
}

/** A trailer of the response; "none": there are none here. */
function trailerOf(name: string, handler: StreamHandler): string {
  const trailers = handler.responseTrailers;
  return trailers === null ? "none" : headerOf(trailers, name);
}

const http = new HttpCall();
const grpc = new GrpcCall();
const GET = Bytes.of("GET");
const AUTHORITY = Bytes.of("outside");
const SERVICE = Bytes.of("grpc.health.v1.Health");
const ANSWER = Bytes.of("x-answer");
const TIMEOUT_MS: i32 = 300;

/** A request to PATH, or a message to the method PATH; its body is what its filter sees. */
function writeHttp(cluster: string, path: string, handler: StreamHandler): void {
  http.begin(Bytes.of(cluster), GET, Bytes.of(path), AUTHORITY);
  http.timeoutMs = TIMEOUT_MS;
  const body = String.UTF8.encode(bodyOf(handler));
  http.body.append(changetype<usize>(body), body.byteLength);
}

const ask = new HealthCheckRequest();
const health = new HealthCheckResponse();

/** "http:CLUSTER:PATH[:TIMEOUT]" or "grpc:CLUSTER:METHOD[:TIMEOUT[:SERVICE]]", which asks for the health of a service, else of what the body names. */
function callOut(isGrpc: bool, words: string[], handler: StreamHandler): FilterStatus {
  writeHttp(words[1], words[2], handler);
  grpc.begin(Bytes.of(words[1]), SERVICE, Bytes.of(words[2]));
  if (words.length > 3) http.timeoutMs = I32.parseInt(words[3]);
  grpc.timeoutMs = http.timeoutMs;
  const service = Bytes.of(words.length > 4 ? words[4] : "");
  if (service.length > 0) ask.service.set(service.ptr, service.length);
  else ask.service.set(http.body.ptr, http.body.length);
  ask.encode(grpc.message);
  if (isGrpc ? handler.callGrpc(grpc) : handler.callHttp(http)) return FilterStatus.WAIT;
  return decide(false, handler);
}

function notify(cluster: string, path: string, handler: StreamHandler): void {
  writeHttp(cluster, path, handler);
  if (!handler.notifyHttp(http)) log(LogLevel.INFO, "not sent");
}

function answerOf(handler: StreamHandler): string {
  const callout = handler.callout;
  if (callout === null) return "no callout";
  callout.body(view);
  const body = String.UTF8.decodeUnsafe(view.ptr, view.length);
  const header = callout.header(ANSWER, view) ? String.UTF8.decodeUnsafe(view.ptr, view.length) : "?";
  const trailer = callout.trailer(ANSWER, view) ? String.UTF8.decodeUnsafe(view.ptr, view.length) : "?";
  return `outcome=${callout.outcome} status=${callout.status} header=${header} body=${body} trailer=${trailer}`;
}

/** What the gRPC answer says of the health. */
function healthOf(handler: StreamHandler): string {
  const callout = handler.callout;
  if (callout === null || callout.outcome != Outcome.ANSWERED) return "unknown";
  callout.body(view);
  return health.decode(view.ptr, view.length) == ProtoStatus.OK ? health.status.toString() : "unreadable";
}

/** Allows what an answer of 200, or gRPC's OK, allows; without an answer what `open` says. */
function decide(open: bool, handler: StreamHandler): FilterStatus {
  const callout = handler.callout;
  const answered = callout !== null && callout.outcome == Outcome.ANSWERED;
  const allowed = answered && callout !== null ? callout.status == 200 || callout.status == 0 : open;
  if (allowed) return FilterStatus.CONTINUE;
  handler.hijack(403, answered ? DENIED : UNDECIDED);
  return FilterStatus.STOP;
}

const DENIED = Bytes.of("denied");
const UNDECIDED = Bytes.of("undecided");

/** Does the commands of a text, divided by spaces; the status is what one of them says. */
function run(text: string, handler: StreamHandler, headers: Headers | null): FilterStatus {
  const commands = text.split(" ");
  let status = FilterStatus.CONTINUE;
  for (let i = 0; i < commands.length; i++) {
    const parts = commands[i].split(":");
    const argument = parts.length > 1 ? parts[1] : "";
    const value = Bytes.of(parts.length > 2 ? parts[2] : "");
    const key = Bytes.of(argument);
    const name = parts[0];
    if (name == "wait") {
      handler.wait(I32.parseInt(argument));
      status = FilterStatus.WAIT;
    } else if (name == "http" || name == "grpc") status = callOut(name == "grpc", parts, handler);
    else if (name == "notify") notify(argument, parts[2], handler);
    else if (name == "answer") log(LogLevel.INFO, answerOf(handler));
    else if (name == "health") log(LogLevel.INFO, "health=" + healthOf(handler));
    else if (name == "state") {
      const result = setFilterState(key, value.ptr, value.length, LifeSpan.DOWNSTREAM_REQUEST);
      log(LogLevel.INFO, "state " + result.toString());
    } else if (name == "decide") status = decide(argument == "open", handler);
    else if (name == "stop") status = FilterStatus.STOP;
    else if (name == "termination") status = FilterStatus.TERMINATION;
    else if (name == "rematch") status = FilterStatus.REMATCH_ROUTE;
    else if (name == "rechoose") status = FilterStatus.RECHOOSE_HOST;
    else if (name == "hijack") handler.hijack(I32.parseInt(argument), value);
    else if (name == "terminate") handler.terminate(I32.parseInt(argument));
    else if (name == "label") handler.setLabel(key, value.ptr, value.length);
    else if (name == "variable") handler.setVariable(key, value.ptr, value.length);
    else if (name == "request") handler.setRequestBody(key.ptr, key.length);
    else if (name == "response") handler.setResponseBody(key.ptr, key.length);
    else if (name == "count") handler.metrics.count(COUNTED, I32.parseInt(argument));
    else if (name == "gauge") handler.metrics.count(GAUGE, I32.parseInt(argument));
    else if (name == "record") handler.metrics.record(HISTOGRAM, I32.parseInt(argument));
    else if (name == "named") countNamed(key, value, handler);
    else if (name == "trailer") log(LogLevel.INFO, argument + "=" + trailerOf(argument, handler));
    else if (name == "show") log(LogLevel.INFO, argument + "=" + textOf(argument, handler));
    else if (name == "host") log(LogLevel.INFO, "host=" + hostOf(handler));
    else if (name == "body") log(LogLevel.INFO, "body=" + bodyOf(handler));
    else if (name == "add" && headers !== null) headers.add(key.ptr, key.length, value.ptr, value.length);
    else if (name == "source") {
      const known = handler.sourceAddress(view);
      log(LogLevel.INFO, known ? String.UTF8.decodeUnsafe(view.ptr, view.length) : "no address");
    } else if (name == "trim") {
      handler.requestBody(view);
      handler.setRequestBody(view.ptr + 1, max(view.length - 1, 0));
    } else if (headers !== null && name == "set") headers.set(key.ptr, key.length, value.ptr, value.length);
    else if (headers !== null && name == "remove") headers.remove(key.ptr, key.length);
  }
  return status;
}

class ScriptType extends FilterType {
  /** @param bodies whether the filter looks at bodies: of requests 1, of responses 2 */
  constructor(name: string, bodies: i32) {
    super(name, 0x1f, true);
    this.needsRequestBody = (bodies & 1) != 0;
    this.needsResponseBody = (bodies & 2) != 0;
  }

  parse(from: ObjectReader): FilterConfig {
    return new ScriptConfig(from);
  }

  create(config: FilterConfig): StreamFilter {
    return new ScriptFilter(config as ScriptConfig);
  }
}

const codecs = new CodecRegistry();
codecs.register(bolt);
codecs.register(boltv2);

const filters = new FilterRegistry();
filters.register(new ScriptType("script", 0));
filters.register(new ScriptType("script_request", 1));
filters.register(new ScriptType("script_response", 2));

registerRoot("proxy", (id: u32): RootContext => new ProxyRoot(id, codecs, filters));
registerRoot("http", (id: u32): RootContext => new HttpRoot(id, filters));
