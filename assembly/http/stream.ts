import { bufferMemory, ByteBuffer, countMemory, KEEP } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { readStatus } from "../bytes/decimal";
import { View } from "../bytes/view";
import { clearRouteCache } from "../host/foreign";
import { Code } from "../message/code";
import { FilterChain } from "../stream/chain";
import { FilterConfig, FilterType } from "../stream/filter";
import { LabelSet } from "../stream/labels";
import { bit, FilterStatus, Phase, ResponseFlag } from "../stream/phase";
import { Waiting } from "../stream/waiting";
import { HttpClient } from "./clients";
import { outcomeOf } from "./grpc";
import { LABEL_PREFIX } from "./headers";
import { isImpatient, sharedFlags } from "./live";
import { RequestMirrors } from "./mirror";
import { HttpPlugin } from "./plugin";
import { AskedConfigs } from "./route_configs";
import { HttpTransaction } from "./transaction";
import { applyVariables, findVariable } from "./variables";
import { HttpWaiting, StreamTimer } from "./waiting";

/** What a stream takes beside its buffers, about, bytes. */
const STREAM_BYTES: i32 = 4096;
/** Bytes of a stream, and of all buffers, below which a stream that does not wait is not counted as its connection's. */
const LARGE: i32 = 65536;
const LITTLE_USED: u64 = 64 << 20;
const NO_REASON = Bytes.of("ended by a filter");
const UNDECIDED = Bytes.of("the route's configuration of a protective filter is invalid");
const INEXPRESSIBLE = Bytes.of("changes came too late, or HTTP cannot carry them");
/** A filter has chosen the timeout. */
const GLOBAL_TIMEOUT = Bytes.of("proxy_global_timeout");
const STATUS = Bytes.of(":status");

const view = new View();
const name = new ByteBuffer();

/** Where the filters of one direction of a stream stand. */
export const enum FilterState {
  /** They run, or have not begun. */
  RUNNING,
  /** One needs the body, which is coming. */
  COLLECTING,
  /** One waits. */
  HELD,
  /** They are through. */
  PASSED,
}

/**
 * The filters of an HTTP stream: what they ask and change, and where they stand. Reused for one stream after the other.
 * `HttpExchange` says what follows from it in Envoy.
 */
export abstract class HttpStream extends HttpTransaction {
  requestState: FilterState = FilterState.RUNNING;
  responseState: FilterState = FilterState.RUNNING;
  /** A filter has answered, and the answer is not sent. */
  protected answered: bool = false;
  /** Nobody is interested in what becomes of it: it was answered anew, or reset. */
  protected over: bool = false;
  protected readonly reply: ByteBuffer = new ByteBuffer();
  readonly timer: StreamTimer = new StreamTimer(this);
  protected readonly mirrors: RequestMirrors = new RequestMirrors(this);
  private chain: FilterChain | null = null;
  private running: bool = false;
  private readonly labels: LabelSet = new LabelSet();
  private readonly asked: AskedConfigs = new AskedConfigs();
  /** A protective filter has no valid configuration. */
  private undecided: bool = false;
  /** Changes that were lost when it was refused for that. */
  private refusedAt: i32 = 0;
  private readonly waits: HttpWaiting = new HttpWaiting(this, this.timer);

  constructor(plugin: HttpPlugin) {
    super(plugin);
  }

  /** Sends the answer that a filter has given; with the stream as the effective context. */
  abstract sendAnswer(): void;

  /** Lets the request's headers go on so that its body comes; with the stream as the effective context. */
  abstract releaseRequestHeaders(): void;

  get waiting(): Waiting {
    return this.waits;
  }

  /** Begins with the headers of a request; `ended`: it has no body. */
  begin(id: u32, chain: FilterChain, ended: bool): void {
    this.id = id;
    this.chain = chain;
    this.phase = Phase.BEFORE_ROUTE;
    this.request.begin(ended);
    countMemory(STREAM_BYTES);
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
    if (!this.plugin.strictChanges || lost == this.refusedAt || this.isLocal) return false;
    this.refusedAt = lost;
    this.hijack(Code.INTERNAL_ERROR, INEXPRESSIBLE);
    return true;
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
  protected passRequest(): void {
    this.applyChanges();
    this.request.forgetBody();
    const headers = this.request.headers;
    if ((this.plugin.chains.phases & bit(Phase.BEFORE_SEND)) != 0) headers.freeze();
    else headers.writable = false;
  }

  /** Has Envoy match the route again, with the changes made so far. */
  rematch(): void {
    this.applyChanges();
    clearRouteCache();
  }

  get outcomeCode(): i32 {
    return outcomeOf(this);
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
    if (!this.running && this.enter()) this.sendAnswer();
    return true;
  }

  routeConfig(type: FilterType): FilterConfig | null {
    if (!type.perRoute || this.phase == Phase.BEFORE_ROUTE) return null;
    const asked = this.asked.find(type);
    if (asked >= 0) return this.asked.at(asked);
    const configs = this.plugin.routeConfigs;
    const config = configs.find(type);
    if (configs.invalid) {
      this.countFailure(type);
      if (type.protective) this.undecided = true;
    }
    this.asked.add(type, config);
    return config;
  }

  get impatient(): bool {
    const timedOut = (this.flags & ResponseFlag.UPSTREAM_REQUEST_TIMEOUT) != 0 || this.outcomeCode == Code.TIMEOUT;
    if (!timedOut || this.variables.get(GLOBAL_TIMEOUT, view)) return false;
    return isImpatient(this.request.headers, this.startTime, this.plugin.minCountedTimeoutMs);
  }

  mirrorTo(cluster: Bytes, copies: i32): void {
    if (this.phase < Phase.BEFORE_SEND) this.mirrors.add(cluster, copies);
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

  joinClient(): HttpClient {
    const known = this.timer.client;
    if (known !== null) return known;
    const client = this.plugin.clients.of(this.connection());
    client.join(this.timer);
    return client;
  }

  /** Counts the memory that it holds as its connection's. The last act of a callback. */
  measure(): void {
    if (this.id == 0) return;
    const request = this.request.allocated + this.mirrors.allocated;
    const response = this.response.allocated + this.reply.allocated;
    const bytes = STREAM_BYTES + request + response + this.variables.bytes + this.waits.allocated;
    const client = this.timer.client;
    if (client !== null) client.hold(this.timer, bytes);
    else if (bytes >= LARGE || bufferMemory() >= LITTLE_USED) this.joinClient().hold(this.timer, bytes);
  }

  /** The stream is over: the log hooks run. */
  log(): void {
    const chain = this.chain;
    if (chain === null || (this.plugin.chains.phases & bit(Phase.ACCESS_LOG)) == 0) return;
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
    const plugin = this.plugin;
    const lost = this.lost;
    if (lost > 0) plugin.stats.lostChanges.add(lost);
    const chain = this.chain;
    if (chain !== null) {
      plugin.chains.give(chain);
      countMemory(-STREAM_BYTES);
    }
    this.waits.end();
    this.mirrors.end();
    this.timer.end();
    this.chain = null;
    this.requestState = FilterState.RUNNING;
    this.responseState = FilterState.RUNNING;
    this.answered = false;
    this.over = false;
    this.undecided = false;
    this.refusedAt = 0;
    this.reply.reset(KEEP);
    this.labels.clear();
    this.asked.clear();
    this.forget();
  }

  free(): void {
    super.free();
    this.reply.free();
    this.labels.free();
    this.waits.free();
  }
}
