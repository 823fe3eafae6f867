import { ByteBuffer, countMemory } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";
import { FilterChain, FilterChains } from "../stream/chain";
import { FilterConfig, FilterType } from "../stream/filter";
import { Part, StreamHandler } from "../stream/handler";
import { LabelSet } from "../stream/labels";
import { FilterMetrics } from "../stream/metrics";
import { bit, FilterStatus, Phase, ResponseFlag } from "../stream/phase";
import { UpstreamHost } from "../stream/upstream_host";
import { Identity } from "../stream/identity";
import { VariableTable } from "../stream/variables";
import { Waiting } from "../stream/waiting";
import { Peer } from "../xprotocol/codec";
import { Frame } from "../xprotocol/frame";
import { Headers } from "../message/headers";
import { HeaderList } from "../message/list";
import { Payload } from "../message/payload";
import { CallName } from "./call_name";
import { Connection } from "./connection";
import { explain } from "./explain";
import { Held, HeldFrame } from "./held_frame";
import { Measures } from "./measures";
import { mirrorRequest } from "./mirror";
import { Request } from "./request";
import { fail } from "./respond";
import { Server } from "./server";
import { RpcWaiting } from "./waiting";

/** What the objects of one and its filters take, about, bytes: there can be very many. */
const OBJECT_BYTES: i32 = 2048;

const NO_REASON = Bytes.of("ended by a filter");
/** Phases whose filters no longer see the request's frame. */
const AFTERWARDS: u32 = bit(Phase.BEFORE_SEND) | bit(Phase.ACCESS_LOG);

const scratch = new View();

/** Which message filters can look at now: bytes are at hand only while they are dealt with, or held. */
const enum Message {
  NONE,
  REQUEST,
  RESPONSE,
  LOCAL_REPLY,
}

/** An RPC request with its filters. Kept with its request, and reused with it. */
export class RpcStream extends StreamHandler {
  /** The message's frame: of the request, then of the response. */
  frame: Frame = new Frame();
  phase: Phase = Phase.BEFORE_ROUTE;
  /** Where the response came from. */
  server: Server | null = null;
  /** A filter has answered the request, and its filters of responses have not run on that answer. */
  answered: bool = false;
  bodyChanged: bool = false;
  /** It ran into a timeout of its caller's own that is too short to count. */
  gaveUp: bool = false;
  readonly labels: LabelSet = new LabelSet();
  readonly variables: VariableTable = new VariableTable();

  private readonly callName: CallName = new CallName();
  private readonly measures: Measures = new Measures();
  private message: Message = Message.NONE;
  /** The message that is held while a filter waits. */
  private heldMessage: Message = Message.NONE;
  private chains: FilterChains | null = null;
  private chain: FilterChain | null = null;
  private running: bool = false;
  private readonly body: ByteBuffer = new ByteBuffer();
  private readonly reply: ByteBuffer = new ByteBuffer();
  private readonly held: HeldFrame = new HeldFrame(this.frame);
  private readonly localHeaders: HeaderList = new HeaderList();
  private readonly waits: RpcWaiting = new RpcWaiting(this);

  constructor(
    readonly request: Request,
    metrics: FilterMetrics,
  ) {
    super(metrics);
  }

  /** Begins with a request's frame. */
  begin(frame: Frame, chains: FilterChains): void {
    this.frame = frame;
    this.chains = chains;
    this.chain = chains.take();
    countMemory(OBJECT_BYTES);
    this.phase = Phase.BEFORE_ROUTE;
    this.message = Message.REQUEST;
    this.measures.measure(Part.REQUEST_BODY, frame.contentLength, frame.length);
    this.measures.measure(Part.RESPONSE_BODY, 0, 0);
    if ((chains.phases & AFTERWARDS) != 0) this.callName.keep(frame);
    const connection = this.request.connection;
    if (connection === null) return;
    connection.root.input.variables = this.variables;
    this.measures.begin(connection.root.now());
  }

  /** Runs the filters of a phase before the request is sent. */
  receive(phase: Phase): FilterStatus {
    this.phase = phase;
    const chain = this.chain;
    if (chain === null) return FilterStatus.CONTINUE;
    this.running = true;
    const status = chain.receive(this, phase);
    this.running = false;
    return status;
  }

  /** The request has been sent: its bytes are gone. */
  sent(): void {
    this.message = Message.NONE;
    this.server = null;
    this.bodyChanged = false;
    this.dropFrame();
  }

  private dropFrame(): void {
    this.frame = this.held.frame;
    this.held.drop(this.request.connection);
  }

  /** Runs the filters on a server's response. */
  sendResponse(frame: Frame, server: Server): FilterStatus {
    const codec = frame.codec;
    this.frame = frame;
    this.server = server;
    this.responseCode = codec === null ? 0 : codec.toCode(frame.status);
    this.bodyChanged = false;
    this.message = Message.RESPONSE;
    this.measures.measure(Part.RESPONSE_BODY, frame.contentLength, frame.length);
    const connection = this.request.connection;
    if (connection !== null) {
      connection.root.input.callName = this.callName;
      connection.root.input.variables = this.variables;
    }
    return this.runSend();
  }

  /** Runs the filters on the answer that was set. */
  sendLocal(): FilterStatus {
    this.answered = false;
    this.message = Message.LOCAL_REPLY;
    this.dropFrame();
    this.localHeaders.clear();
    this.bind();
    return this.runSend();
  }

  private runSend(): FilterStatus {
    this.phase = Phase.BEFORE_SEND;
    this.waits.cancel();
    const chain = this.chain;
    if (chain === null) return FilterStatus.CONTINUE;
    this.running = true;
    const status = chain.send(this);
    this.running = false;
    return status;
  }

  /** Whether the response is a local reply. */
  get isLocal(): bool {
    return this.message == Message.LOCAL_REPLY;
  }

  /**
   * A filter waits: keeps the message with its changes, because its bytes will be gone, and begins the wait; nothing of
   * that when it cannot be held.
   */
  hold(): Held {
    const request = this.request;
    const connection = request.connection;
    if (connection === null) return Held.NO_ROOM;
    const root = connection.root;
    const held = this.message == Message.LOCAL_REPLY ? Held.YES : this.keepFrame(connection);
    if (held != Held.YES) return held;
    this.heldMessage = this.message;
    this.message = Message.NONE;
    if (this.phase == Phase.BEFORE_SEND) {
      // It has its answer: no timeout ends it now (docs/reference/mosn.md#request).
      root.cancelTimer(request);
      root.cancelTimer(request.tryTimer);
      const server = request.server;
      if (server !== null) server.detach(request);
    }
    this.waits.begin();
    return Held.YES;
  }

  private keepFrame(connection: Connection): Held {
    const frame = this.frame;
    const codec = frame.codec;
    if (codec === null) return Held.NO_ROOM;
    const headers = connection.root.input.knownHeaders;
    const changed = this.bodyChanged || (headers !== null && headers.changed);
    if (frame === this.held.frame && !changed) return Held.YES;
    const peer = this.message == Message.RESPONSE ? Peer.SERVER : Peer.CLIENT;
    this.bodyOf(scratch);
    const held = this.held.keep(frame, codec, peer, connection, changed, scratch, this.bodyChanged);
    if (held != Held.YES) return held;
    this.frame = this.held.frame;
    this.bodyChanged = false;
    return held;
  }

  /** The wait is over: the filter that waited gives its status, and the others of the phase follow. */
  resume(): FilterStatus {
    const chain = this.chain;
    if (chain === null) return FilterStatus.TERMINATION;
    this.waits.over();
    this.message = this.heldMessage;
    this.bind();
    this.running = true;
    const status = chain.resume(this, this.phase);
    this.running = false;
    return status;
  }

  /** Has variables and headers speak of the message that is at hand, and of no other one. */
  private bind(): void {
    const connection = this.request.connection;
    const codec = this.request.codec;
    if (connection === null || codec === null) return;
    const frame = this.frame;
    if (this.message == Message.NONE || this.message == Message.LOCAL_REPLY) frame.begin(codec, 0);
    const input = connection.root.input;
    input.bind(connection, codec, frame, this.phase == Phase.BEFORE_SEND ? this.server : null);
    input.variables = this.variables;
    if (this.message != Message.REQUEST) input.callName = this.callName;
  }

  get waiting(): Waiting {
    return this.waits;
  }

  get requestHeaders(): Headers | null {
    return this.message == Message.REQUEST ? this.frameHeaders() : null;
  }

  get responseHeaders(): Headers | null {
    if (this.message == Message.LOCAL_REPLY) return this.localHeaders;
    return this.message == Message.RESPONSE ? this.frameHeaders() : null;
  }

  private frameHeaders(): Headers | null {
    const connection = this.request.connection;
    return connection === null ? null : connection.root.input.headers;
  }

  private bodyOf(out: View): void {
    if (this.bodyChanged) out.set(this.body.ptr, this.body.length);
    else out.set(this.frame.ptr + (this.frame.contentOffset as usize), this.frame.contentLength);
  }

  requestBody(out: View): void {
    if (this.message == Message.REQUEST) this.bodyOf(out);
    else out.set(0, 0);
  }

  setRequestBody(ptr: usize, length: i32): void {
    if (this.message == Message.REQUEST) this.setBody(ptr, length);
  }

  responseBody(out: View): void {
    if (this.message == Message.LOCAL_REPLY) out.set(this.reply.ptr, this.reply.length);
    else if (this.message == Message.RESPONSE) this.bodyOf(out);
    else out.set(0, 0);
  }

  setResponseBody(ptr: usize, length: i32): void {
    if (this.message == Message.RESPONSE) this.setBody(ptr, length);
    else if (this.message == Message.LOCAL_REPLY) replace(this.reply, ptr, length);
  }

  private setBody(ptr: usize, length: i32): void {
    replace(this.body, ptr, length);
    this.bodyChanged = true;
  }

  payload(out: Payload): bool {
    const codec = this.frame.codec;
    if (codec === null || (this.message != Message.REQUEST && this.message != Message.RESPONSE)) return false;
    this.bodyOf(scratch);
    codec.payload(this.frame, scratch.ptr, scratch.length, out);
    return true;
  }

  get isException(): bool {
    const codec = this.frame.codec;
    return this.message == Message.RESPONSE && codec !== null && codec.isException(this.frame);
  }

  hijack(code: i32, body: Bytes): void {
    this.setAnswer(code, body);
    this.answered = true;
  }

  /** Sets the local reply. */
  setAnswer(code: i32, body: Bytes): void {
    this.responseCode = code;
    replace(this.reply, body.ptr, body.length);
    this.measures.measure(Part.RESPONSE_BODY, body.length, body.length);
  }

  explain(why: Bytes): void {
    const connection = this.request.connection;
    if (connection !== null) explain(connection.id, why);
  }

  terminate(code: i32): bool {
    const request = this.request;
    if (request.connection === null || this.phase == Phase.BEFORE_SEND) return false;
    this.flags |= ResponseFlag.DOWNSTREAM_TERMINATE;
    // From inside a filter the answer goes out when the phase is over, as that of a hijack.
    if (this.running) this.hijack(code, NO_REASON);
    else fail(request, code, NO_REASON, 0);
    return true;
  }

  routeConfig(type: FilterType): FilterConfig | null {
    const route = this.request.route;
    return route === null ? null : route.filterConfigs.get(type);
  }

  routeName(out: View): bool {
    const route = this.request.route;
    if (route === null) return false;
    out.set(route.label.ptr, route.label.length);
    return true;
  }

  clusterName(out: View): bool {
    const choice = this.request.choice;
    if (choice === null) return false;
    out.set(choice.name.ptr, choice.name.length);
    return true;
  }

  get impatient(): bool {
    return this.gaveUp;
  }

  hostAddress(out: View): bool {
    const server = this.server !== null ? this.server : this.request.chosen;
    if (server === null || server.address.length == 0) return false;
    out.set(server.address.ptr, server.address.length);
    return true;
  }

  sourceAddress(out: View): bool {
    const connection = this.request.connection;
    return connection !== null && connection.root.input.sourceAddress(out);
  }

  get hasCertificate(): bool {
    const connection = this.request.connection;
    return connection !== null && connection.identity.presented(connection.id);
  }

  identity(what: Identity, out: View): bool {
    const connection = this.request.connection;
    return connection !== null && connection.identity.read(what, connection.id, out);
  }

  get connectionId(): u64 {
    const connection = this.request.connection;
    return connection === null ? 0 : (connection.id as u64);
  }

  get startTime(): i64 {
    const connection = this.request.connection;
    return connection === null ? 0 : this.measures.startTime(connection.root.now());
  }

  size(part: Part): i64 {
    return this.measures.size(part);
  }

  get upstreamHost(): UpstreamHost | null {
    const server = this.server !== null ? this.server : this.request.server;
    const host = server !== null ? server.host : this.request.triedHost;
    return host === null ? null : host.record;
  }

  get mirrorPercent(): i32 {
    const route = this.request.route;
    if (route === null) return 0;
    const policy = route.mirror;
    return policy === null ? 0 : policy.percent;
  }

  mirror(copies: i32): void {
    if (this.message == Message.REQUEST) mirrorRequest(this.request, this, copies);
  }

  variable(name: Bytes, out: View): bool {
    const connection = this.request.connection;
    return connection !== null && connection.root.input.variable(name, out);
  }

  setVariable(name: Bytes, value: usize, length: i32): bool {
    return this.variables.set(name, value, length);
  }

  setLabel(key: Bytes, value: usize, length: i32): bool {
    return this.labels.set(key, value, length);
  }

  /** The request is over: the log hooks run, and all that belongs to it goes. */
  end(): void {
    const chain = this.chain;
    const chains = this.chains;
    if (this.message == Message.NONE) this.bind();
    if (chain !== null && chains !== null) {
      this.phase = Phase.ACCESS_LOG;
      chain.log(this);
      chains.give(chain);
    }
    this.waits.end();
    countMemory(-OBJECT_BYTES);
    this.chain = null;
    this.chains = null;
    this.server = null;
    this.answered = false;
    this.bodyChanged = false;
    this.message = Message.NONE;
    this.flags = 0;
    this.gaveUp = false;
    this.responseCode = 0;
    this.dropFrame();
    this.labels.clear();
    this.callName.clear();
    this.body.free();
    this.reply.free();
    this.variables.clear();
  }
}

/** Replaces what is in a buffer by a copy of the range, which may be a part of it. */
function replace(buffer: ByteBuffer, ptr: usize, length: i32): void {
  buffer.clear();
  buffer.append(ptr, length);
}
