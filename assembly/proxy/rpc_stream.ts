import { ByteBuffer } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";
import { Timer } from "../host/timers";
import { FilterChain } from "../stream/chain";
import { FilterConfig, FilterType } from "../stream/filter";
import { StreamHandler } from "../stream/handler";
import { FilterStatus, Phase } from "../stream/phase";
import { VariableTable } from "../stream/variables";
import { Decoded, Peer } from "../xprotocol/codec";
import { Frame } from "../xprotocol/frame";
import { Headers } from "../xprotocol/headers";
import { HeaderList } from "../xprotocol/list";
import { Connection } from "./connection";
import { resume } from "./exchange";
import { Request } from "./request";
import { fail } from "./respond";
import { Server } from "./server";

const NO_REASON = Bytes.of("ended by a filter");
/** Labels that filters may set on one request. */
const MAX_LABELS: i32 = 16;

/** Ends what a filter waits for. */
class WaitTimer extends Timer {
  constructor(private readonly stream: RpcStream) {
    super();
  }

  onTimer(now: i64): void {
    resume(this.stream.request);
  }
}

/** Labels for the choice of a host, as header_to_metadata sets them. */
export class Labels {
  readonly keys: Bytes[] = [];
  readonly values: Bytes[] = [];
}

/** An RPC request with its filters. Kept with its request, and reused with it. */
export class RpcStream extends StreamHandler {
  /** The frame that the filters see: the request, then the response. */
  frame: Frame = new Frame();
  phase: Phase = Phase.BEFORE_ROUTE;
  /** Where the response came from. */
  server: Server | null = null;
  /** A filter has answered the request; the response is a local reply. */
  answered: bool = false;
  isLocal: bool = false;
  bodyChanged: bool = false;
  labels: Labels | null = null;
  readonly variables: VariableTable = new VariableTable();

  private chain: FilterChain | null = null;
  private readonly body: ByteBuffer = new ByteBuffer();
  /** A held frame, with the changes made so far. */
  private readonly held: ByteBuffer = new ByteBuffer();
  private readonly ownFrame: Frame = this.frame;
  private readonly localHeaders: HeaderList = new HeaderList();
  private readonly timer: WaitTimer = new WaitTimer(this);
  private waitMs: i32 = 0;

  constructor(readonly request: Request) {
    super();
  }

  /** Begins with a request's frame. */
  begin(frame: Frame, chain: FilterChain): void {
    this.frame = frame;
    this.chain = chain;
    this.phase = Phase.BEFORE_ROUTE;
  }

  /** Runs the filters of a phase before the request is sent. */
  receive(phase: Phase): FilterStatus {
    this.phase = phase;
    const chain = this.chain;
    return chain === null ? FilterStatus.CONTINUE : chain.receive(this, phase);
  }

  /** Runs the filters on a server's response. */
  sendResponse(frame: Frame, server: Server): FilterStatus {
    const codec = frame.codec;
    this.frame = frame;
    this.server = server;
    this.responseCode = codec === null ? 0 : codec.toCode(frame.status);
    this.bodyChanged = false;
    return this.runSend();
  }

  /** Runs the filters on the answer that was set. */
  sendLocal(): FilterStatus {
    this.answered = false;
    this.isLocal = true;
    this.localHeaders.clear();
    return this.runSend();
  }

  private runSend(): FilterStatus {
    this.phase = Phase.BEFORE_SEND;
    const chain = this.chain;
    return chain === null ? FilterStatus.CONTINUE : chain.send(this);
  }

  /** Keeps the frame with its changes, because its bytes will be gone, and sets the timer. */
  hold(): void {
    const connection = this.request.connection;
    if (connection === null) return;
    if (!this.isLocal) this.keepFrame(connection);
    // What answers the request while it is held comes from here alone.
    const server = this.request.server;
    if (server !== null) server.detach(this.request);
    connection.root.setTimer(this.timer, connection.root.now() + (this.waitMs as i64), true);
  }

  private keepFrame(connection: Connection): void {
    const frame = this.frame;
    const codec = frame.codec;
    if (codec === null || frame === this.ownFrame) return;
    const headers = connection.root.input.knownHeaders;
    const changed = this.bodyChanged || (headers !== null && headers.changed);
    this.held.clear();
    let kept = false;
    const all = changed ? connection.root.input.headers : null;
    if (all !== null) {
      const view = new View();
      this.bodyOf(view);
      kept = codec.encode(frame, all, view.ptr, view.length, frame.id, this.held);
    }
    if (!kept) this.held.append(frame.ptr, frame.length);
    const peer = this.phase == Phase.BEFORE_SEND ? Peer.SERVER : Peer.CLIENT;
    if (codec.decode(this.held.ptr, this.held.length, peer, i32.MAX_VALUE, this.ownFrame) != Decoded.FRAME) return;
    this.frame = this.ownFrame;
    this.bodyChanged = false;
  }

  /** The wait is over: the filter that waited gives its status, and the others of the phase follow. */
  resume(): FilterStatus {
    const chain = this.chain;
    const connection = this.request.connection;
    const codec = this.request.codec;
    if (chain === null || connection === null || codec === null) return FilterStatus.TERMINATION;
    connection.root.input.bind(connection, codec, this.frame, this.phase == Phase.BEFORE_SEND ? this.server : null);
    return chain.resume(this, this.phase);
  }

  get requestHeaders(): Headers | null {
    return this.phase == Phase.BEFORE_SEND ? null : this.frameHeaders();
  }

  get responseHeaders(): Headers | null {
    if (this.phase != Phase.BEFORE_SEND) return null;
    return this.isLocal ? this.localHeaders : this.frameHeaders();
  }

  private frameHeaders(): Headers | null {
    const connection = this.request.connection;
    return connection === null ? null : connection.root.input.headers;
  }

  private bodyOf(out: View): void {
    if (this.bodyChanged || this.isLocal) out.set(this.body.ptr, this.body.length);
    else out.set(this.frame.ptr + (this.frame.contentOffset as usize), this.frame.contentLength);
  }

  requestBody(out: View): void {
    if (this.phase == Phase.BEFORE_SEND) out.set(0, 0);
    else this.bodyOf(out);
  }

  setRequestBody(ptr: usize, length: i32): void {
    if (this.phase != Phase.BEFORE_SEND) this.setBody(ptr, length);
  }

  responseBody(out: View): void {
    if (this.phase == Phase.BEFORE_SEND) this.bodyOf(out);
    else out.set(0, 0);
  }

  setResponseBody(ptr: usize, length: i32): void {
    if (this.phase == Phase.BEFORE_SEND) this.setBody(ptr, length);
  }

  private setBody(ptr: usize, length: i32): void {
    this.body.clear();
    this.body.append(ptr, length);
    this.bodyChanged = true;
  }

  hijack(code: i32, body: Bytes): void {
    this.setAnswer(code, body);
    this.answered = true;
  }

  /** Sets the local reply. */
  setAnswer(code: i32, body: Bytes): void {
    this.responseCode = code;
    this.isLocal = true;
    this.body.clear();
    this.body.append(body.ptr, body.length);
  }

  terminate(code: i32): bool {
    const request = this.request;
    if (request.connection === null || this.phase == Phase.BEFORE_SEND) return false;
    fail(request, code, NO_REASON, 0);
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

  variable(name: Bytes, out: View): bool {
    if (this.variables.get(name, out)) return true;
    const connection = this.request.connection;
    return connection !== null && connection.root.input.variable(name, out);
  }

  setVariable(name: Bytes, value: usize, length: i32): bool {
    return this.variables.set(name, value, length);
  }

  setLabel(key: Bytes, value: usize, length: i32): bool {
    let labels = this.labels;
    if (labels === null) {
      labels = new Labels();
      this.labels = labels;
    }
    const copy = Bytes.copy(value, length);
    for (let i = 0; i < labels.keys.length; i++) {
      if (!labels.keys[i].equals(key.ptr, key.length)) continue;
      labels.values[i] = copy;
      return true;
    }
    if (labels.keys.length >= MAX_LABELS) return false;
    labels.keys.push(key);
    labels.values.push(copy);
    return true;
  }

  wait(ms: i32): void {
    this.waitMs = max(ms, 0);
  }

  /** The request is over: the log hooks run, and all that belongs to it goes. */
  end(connection: Connection): void {
    const chain = this.chain;
    if (chain !== null) {
      this.phase = Phase.ACCESS_LOG;
      chain.log(this);
      connection.root.chains.give(chain);
    }
    connection.root.cancelTimer(this.timer);
    this.chain = null;
    this.server = null;
    this.labels = null;
    this.answered = false;
    this.isLocal = false;
    this.bodyChanged = false;
    this.flags = 0;
    this.responseCode = 0;
    this.waitMs = 0;
    this.frame = this.ownFrame;
    this.body.free();
    this.held.free();
    this.variables.clear();
  }
}
