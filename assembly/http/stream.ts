import { BufferType, HeaderMapType } from "../abi/types";
import { ByteBuffer } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { readStatus } from "../bytes/decimal";
import { View } from "../bytes/view";
import { clearRouteCache } from "../host/foreign";
import { enterContext } from "../host/stream";
import { FilterChain } from "../stream/chain";
import { FilterConfig, FilterType } from "../stream/filter";
import { Part, StreamHandler } from "../stream/handler";
import { Identity } from "../stream/identity";
import { LabelSet } from "../stream/labels";
import { bit, FilterStatus, Phase, ResponseFlag } from "../stream/phase";
import { VariableTable } from "../stream/variables";
import { Waiting } from "../stream/waiting";
import { Code } from "../message/code";
import { Headers } from "../message/headers";
import { HttpClient } from "./clients";
import { outcomeOf } from "./grpc";
import { LABEL_PREFIX } from "./headers";
import { connectionId, isImpatient, sharedFlags, sizeOf } from "./live";
import { HttpMessage } from "./message";
import { MirrorCopy, mirrorEnd } from "./mirror";
import { StreamProperties } from "./property";
import { HttpRoot } from "./root";
import { AskedConfigs } from "./route_configs";
import { applyVariables, findVariable } from "./variables";
import { isTunnel, terminateStream } from "./exchange";
import { HttpWaiting, StreamTimer } from "./waiting";

/** Memory kept for the next stream, bytes. */
const KEEP: i32 = 4096;
const NO_REASON = Bytes.of("ended by a filter");
const UNDECIDED = Bytes.of("the route's configuration of a protective filter is invalid");
const INEXPRESSIBLE = Bytes.of("changes came too late, or HTTP cannot carry them");
/** A filter has chosen the timeout. */
const GLOBAL_TIMEOUT = Bytes.of("proxy_global_timeout");
const STATUS = Bytes.of(":status");

const view = new View();
const name = new ByteBuffer();

/** Where one direction of a stream stands. */
export const enum Stage {
  /** Its filters run, or have not begun. */
  RUNNING,
  /** A filter needs the body, which is coming. */
  COLLECTING,
  /** A filter waits. */
  HELD,
  /** Its filters are through. */
  PASSED,
}

/** An HTTP request and its response with their filters. Reused for one stream after the other. */
export class HttpStream extends StreamHandler {
  /** The host's context id. */
  id: u32 = 0;
  phase: Phase = Phase.BEFORE_ROUTE;
  readonly request: HttpMessage = new HttpMessage(
    HeaderMapType.REQUEST_HEADERS,
    HeaderMapType.REQUEST_TRAILERS,
    BufferType.HTTP_REQUEST_BODY,
  );
  readonly response: HttpMessage = new HttpMessage(
    HeaderMapType.RESPONSE_HEADERS,
    HeaderMapType.RESPONSE_TRAILERS,
    BufferType.HTTP_RESPONSE_BODY,
  );
  requestStage: Stage = Stage.RUNNING;
  responseStage: Stage = Stage.RUNNING;
  hasResponse: bool = false;
  /** All of the response has come. */
  responseEnded: bool = false;
  /** A filter has answered, and the answer is not sent. */
  answered: bool = false;
  /** The response is a local reply of ours. */
  isLocal: bool = false;
  /** The request's headers went on while its body is still gathered. */
  late: bool = false;
  /** Headers are stopped so that pieces of the body are told of all the same. */
  bodyComes: bool = false;
  /** Nobody is interested in what becomes of it: it was answered anew, or reset. */
  over: bool = false;
  readonly reply: ByteBuffer = new ByteBuffer();
  readonly variables: VariableTable = new VariableTable();
  readonly timer: StreamTimer = new StreamTimer(this);
  /** Bytes of the request that Envoy counted before its body (`probe`), and when that was. */
  probedBytes: i64 = 0;
  probedAt: i64 = 0;

  /** Copies of the request that wait for its body; null: none. */
  copies: MirrorCopy | null = null;

  private chain: FilterChain | null = null;
  private running: bool = false;
  private readonly labels: LabelSet = new LabelSet();
  private readonly asked: AskedConfigs = new AskedConfigs();
  /** A protective filter has no valid configuration. */
  private undecided: bool = false;
  /** Changes that were lost when it was refused for that. */
  private refusedAt: i32 = 0;
  private readonly kept: Bytes[] = [];

  readonly properties: StreamProperties = new StreamProperties();

  private readonly waits: HttpWaiting = new HttpWaiting(this);

  constructor(readonly root: HttpRoot) {
    super(root.filterMetrics);
  }

  get waiting(): Waiting {
    return this.waits;
  }

  /** Begins with the headers of a request; `ended`: it has no body. */
  begin(id: u32, chain: FilterChain, ended: bool): void {
    this.id = id;
    this.chain = chain;
    this.phase = Phase.BEFORE_ROUTE;
    this.request.begin(ended);
  }

  /** Runs the filters of the current phase of the request, from where they stopped. */
  receive(): FilterStatus {
    const chain = this.chain;
    if (chain === null) return FilterStatus.CONTINUE;
    this.lacksBody = this.request.lacksBody;
    this.running = true;
    const status = chain.receive(this, this.phase);
    this.running = false;
    return status;
  }

  /** The wait is over: the filter that waited gives its status, and the others of the phase follow. */
  resume(): FilterStatus {
    const chain = this.chain;
    this.waits.over();
    if (chain === null) return FilterStatus.CONTINUE;
    this.lacksBody = this.phase == Phase.BEFORE_SEND ? this.response.lacksBody : this.request.lacksBody;
    this.running = true;
    const status = chain.resume(this, this.phase);
    this.running = false;
    return status;
  }

  /** The headers of the response are here: reads what filters want to know of it. */
  beginResponse(ended: bool): void {
    this.hasResponse = true;
    this.phase = Phase.BEFORE_SEND;
    this.response.begin(ended);
    if (this.isLocal) this.response.know(this.reply.ptr, this.reply.length);
    else this.readStatus();
  }

  private readStatus(): void {
    this.responseCode = this.response.headers.find(STATUS, view) ? readStatus(view.ptr, view.length) : 0;
    // Without an error there is nothing to tell.
    if (this.responseCode == 0 || this.responseCode >= 400) this.flags |= sharedFlags();
  }

  /** Runs the filters of the response; `again`: from the one that needed its body. */
  send(again: bool): FilterStatus {
    const chain = this.chain;
    if (chain === null) return FilterStatus.CONTINUE;
    this.lacksBody = this.response.lacksBody;
    this.running = true;
    const status = again ? chain.sendOn(this) : chain.send(this);
    this.running = false;
    return status;
  }

  /** Whether a filter looks at the body of the message that is held, perhaps by the configuration of the route. */
  readsBody(): bool {
    const chain = this.chain;
    if (chain === null) return false;
    const phase = this.phase;
    if (phase == Phase.BEFORE_SEND) return this.response.lacksBody && chain.readsResponseBody(this);
    if (!this.request.lacksBody) return false;
    this.phase = Phase.AFTER_ROUTE;
    const reads = chain.readsRequestBody(this);
    this.phase = phase;
    return reads;
  }

  /** Whether the message is refused: a protective filter could not decide, or changes are lost that may not be. */
  refuse(): bool {
    if (this.answered) return false;
    if (this.undecided) {
      this.undecided = false;
      this.hijack(Code.INTERNAL_ERROR, UNDECIDED);
      return true;
    }
    const lost = this.lost;
    if (!this.root.strictChanges || lost == this.refusedAt || this.isLocal) return false;
    this.refusedAt = lost;
    this.hijack(Code.INTERNAL_ERROR, INEXPRESSIBLE);
    return true;
  }

  /** Changes that came too late, or that HTTP cannot carry. */
  get lost(): i32 {
    const request = this.request;
    const response = this.response;
    return request.headers.lost + request.trailers.lost + response.headers.lost + response.trailers.lost;
  }

  /** Does to the request what filters have set in variables and labels. */
  applyChanges(): void {
    applyVariables(this);
    const labels = this.labels;
    for (let i = 0; i < labels.count; i++) {
      const key = labels.key(i);
      name.clear();
      name.append(LABEL_PREFIX.ptr, LABEL_PREFIX.length);
      name.append(key.ptr, key.length);
      labels.value(i, view);
      this.request.headers.set(name.ptr, name.length, view.ptr, view.length);
    }
    labels.clear();
  }

  /** The request goes on: what filters of the response, or of the log, may ask of it is kept. */
  finishRequest(): void {
    this.applyChanges();
    this.request.forgetBody();
    const headers = this.request.headers;
    if ((this.root.chains.phases & bit(Phase.BEFORE_SEND)) != 0) headers.freeze();
    else headers.writable = false;
  }

  /** Has Envoy match the route again, with the changes made so far. */
  rematch(): void {
    this.applyChanges();
    clearRouteCache();
  }

  get requestHeaders(): Headers | null {
    return this.phase == Phase.BEFORE_SEND ? null : this.request.headers;
  }

  get responseHeaders(): Headers | null {
    return this.hasResponse ? this.response.headers : null;
  }

  get responseTrailers(): Headers | null {
    const here = this.phase == Phase.ACCESS_LOG ? this.hasResponse : this.response.hasTrailers;
    return here ? this.response.trailers : null;
  }

  get outcomeCode(): i32 {
    return outcomeOf(this);
  }

  get tunnels(): bool {
    return this.phase < Phase.BEFORE_SEND && isTunnel(this);
  }

  requestBody(out: View): void {
    if (this.phase < Phase.BEFORE_SEND) this.request.body(out);
    else out.set(0, 0);
  }

  setRequestBody(ptr: usize, length: i32): void {
    if (this.phase < Phase.BEFORE_SEND) this.request.setBody(ptr, length);
  }

  responseBody(out: View): void {
    if (this.phase == Phase.BEFORE_SEND) this.response.body(out);
    else out.set(0, 0);
  }

  setResponseBody(ptr: usize, length: i32): void {
    if (this.phase == Phase.BEFORE_SEND) this.response.setBody(ptr, length);
  }

  hijack(code: i32, body: Bytes): void {
    this.responseCode = code;
    this.reply.clear();
    this.reply.append(body.ptr, body.length);
    this.answered = true;
  }

  terminate(code: i32): bool {
    if (this.id == 0 || this.hasResponse || this.isLocal || this.over) return false;
    this.flags |= ResponseFlag.DOWNSTREAM_TERMINATE;
    this.hijack(code, NO_REASON);
    // From inside a filter the answer goes out when the phase is over, as that of a hijack.
    if (!this.running) terminateStream(this);
    return true;
  }

  routeConfig(type: FilterType): FilterConfig | null {
    if (!type.perRoute || this.phase == Phase.BEFORE_ROUTE) return null;
    const asked = this.asked.find(type);
    if (asked >= 0) return this.asked.at(asked);
    const configs = this.root.routeConfigs;
    const config = configs.find(type);
    if (configs.invalid) {
      this.countFailure(type);
      if (type.protective) this.undecided = true;
    }
    this.asked.add(type, config);
    return config;
  }

  routeName(out: View): bool {
    return this.properties.route.read(out);
  }

  clusterName(out: View): bool {
    return this.properties.cluster.read(out);
  }

  hostAddress(out: View): bool {
    return this.hasResponse && this.properties.host.read(out);
  }

  sourceAddress(out: View): bool {
    return this.properties.source.read(out);
  }

  get hasCertificate(): bool {
    return this.properties.identity.presented(this.id);
  }

  identity(what: Identity, out: View): bool {
    return this.properties.identity.read(what, this.id, out);
  }

  get connectionId(): u64 {
    return this.joinClient().id as u64;
  }

  get startTime(): i64 {
    return this.properties.start.integer();
  }

  get impatient(): bool {
    const timedOut = (this.flags & ResponseFlag.UPSTREAM_REQUEST_TIMEOUT) != 0 || this.outcomeCode == Code.TIMEOUT;
    if (!timedOut || this.variables.get(GLOBAL_TIMEOUT, view)) return false;
    return isImpatient(this.request.headers, this.startTime, this.root.minCountedTimeoutMs);
  }

  size(part: Part): i64 {
    return sizeOf(part);
  }

  mirrorTo(cluster: Bytes, copies: i32): void {
    if (this.phase < Phase.BEFORE_SEND) this.root.mirrors.mirror(this, cluster, copies);
  }

  variable(name: Bytes, out: View): bool {
    return this.variables.get(name, out) || findVariable(this, name, out);
  }

  setVariable(name: Bytes, value: usize, length: i32): bool {
    return this.variables.set(name, value, length);
  }

  setLabel(key: Bytes, value: usize, length: i32): bool {
    return this.labels.set(key, value, length);
  }

  /** Keeps a value that a filter is lent, until the stream ends. */
  keep(value: Bytes): Bytes {
    this.kept.push(value);
    return value;
  }

  /** The connection that it belongs to; found out, in a callback of the stream, when it first needs a share of something. */
  joinClient(): HttpClient {
    const known = this.timer.client;
    if (known !== null) return known;
    const client = this.root.clients.join(connectionId());
    this.timer.client = client;
    return client;
  }

  /** Makes host calls of a tick act on this stream; false when it is gone. */
  enter(): bool {
    return this.id != 0 && enterContext(this.id);
  }

  /** The stream is over: the log hooks run. */
  log(): void {
    const chain = this.chain;
    if (this.lost > 0) this.root.lostChanges(this);
    if (chain === null || (this.root.chains.phases & bit(Phase.ACCESS_LOG)) == 0) return;
    this.phase = Phase.ACCESS_LOG;
    this.request.headers.writable = false;
    if (!this.hasResponse && !this.isLocal) {
      this.response.end();
      this.hasResponse = this.response.headers.find(STATUS, view);
    }
    if (this.hasResponse && this.responseCode == 0) this.readStatus();
    this.flags |= sharedFlags();
    chain.log(this);
  }

  /** The host has forgotten the stream: all that belongs to it goes. */
  end(): void {
    const root = this.root;
    const lost = this.lost;
    if (lost > 0) root.stats.lostChanges.add(lost);
    const chain = this.chain;
    if (chain !== null) root.chains.give(chain);
    this.waits.end();
    mirrorEnd(this);
    this.timer.end();
    this.chain = null;
    this.id = 0;
    this.requestStage = Stage.RUNNING;
    this.responseStage = Stage.RUNNING;
    this.hasResponse = false;
    this.responseEnded = false;
    this.answered = false;
    this.why = null;
    this.isLocal = false;
    this.late = false;
    this.bodyComes = false;
    this.over = false;
    this.undecided = false;
    this.refusedAt = 0;
    this.lacksBody = false;
    this.flags = 0;
    this.responseCode = 0;
    this.probedAt = 0;
    this.request.end();
    this.response.end();
    this.reply.reset(KEEP);
    this.variables.clear();
    this.labels.clear();
    this.asked.clear();
    this.kept.length = 0;
    this.properties.forget();
  }

  /** Gives back memory that the collector does not know of. */
  free(): void {
    this.request.free();
    this.response.free();
    this.reply.free();
    this.labels.free();
    this.properties.free();
    this.waits.free();
  }
}
