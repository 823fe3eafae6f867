import { countMemory } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";
import { CalloutShare } from "../host/callout";
import { FilterChain, FilterChains } from "../stream/chain";
import { FilterConfig, FilterType } from "../stream/filter";
import { Part } from "../stream/handler";
import { Identity } from "../stream/identity";
import { LabelSet } from "../stream/labels";
import { FilterMetrics } from "../stream/metrics";
import { bit, FilterStatus, Phase, ResponseFlag } from "../stream/phase";
import { UpstreamHost } from "../stream/upstream_host";
import { VariableTable } from "../stream/variables";
import { Waiting } from "../stream/waiting";
import { UpstreamConnection } from "../upstream/upstream_connection";
import { Codec, Peer } from "../xprotocol/codec";
import { Frame } from "../xprotocol/frame";
import { Headers } from "../message/headers";
import { CallName } from "./call_name";
import { explain } from "./explain";
import { Held, HeldFrame } from "./held_frame";
import { Measures } from "./measures";
import { Request } from "./request";
import { Message, RpcMessage } from "./rpc_message";
import { RpcWaiting } from "./rpc_waiting";
import { Services } from "./services";

/** What the objects of one and its filters take, about, bytes: there can be very many. */
const OBJECT_BYTES: i32 = 2048;

const NO_REASON = Bytes.of("ended by a filter");
/** Phases whose filters no longer see the request's frame. */
const AFTERWARDS: u32 = bit(Phase.BEFORE_SEND) | bit(Phase.ACCESS_LOG);

const scratch = new View();

/** An RPC request with its filters. Kept with its request, and reused with it. */
export class RpcStream extends RpcMessage {
  phase: Phase = Phase.BEFORE_ROUTE;
  /** Where the response came from. */
  upstream: UpstreamConnection | null = null;
  /** A filter has answered the request, and its filters of responses have not run on that answer. */
  answered: bool = false;
  /** It ran into a timeout of its caller's own that is too short to count. */
  gaveUp: bool = false;
  readonly labels: LabelSet = new LabelSet();
  readonly variables: VariableTable = new VariableTable();

  private readonly callName: CallName = new CallName();
  private readonly measures: Measures = new Measures();
  /** The message that is held while a filter waits. */
  private heldMessage: Message = Message.NONE;
  private chains: FilterChains | null = null;
  private chain: FilterChain | null = null;
  private running: bool = false;
  private readonly held: HeldFrame = new HeldFrame(new Frame());
  private readonly waits: RpcWaiting = new StreamWaiting(this);

  constructor(
    readonly request: Request,
    metrics: FilterMetrics,
  ) {
    super(metrics);
  }

  protected get frameHeaders(): Headers | null {
    return this.services.input.headers;
  }

  // @ts-ignore: decorator
  @inline
  private get services(): Services {
    return this.request.client.services;
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
    const services = this.services;
    this.metrics = services.filterMetrics;
    services.input.variables = this.variables;
    this.measures.begin(services.now());
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
    this.upstream = null;
    this.bodyChanged = false;
    this.dropFrame();
  }

  private dropFrame(): void {
    this.frame = this.held.frame;
    this.held.drop(this.request.client);
  }

  /** Runs the filters on a server's response. */
  sendResponse(codec: Codec, frame: Frame, from: UpstreamConnection): FilterStatus {
    this.frame = frame;
    this.upstream = from;
    this.responseCode = codec.toCode(frame.status);
    this.bodyChanged = false;
    this.message = Message.RESPONSE;
    this.measures.measure(Part.RESPONSE_BODY, frame.contentLength, frame.length);
    const input = this.services.input;
    input.callName = this.callName;
    input.variables = this.variables;
    return this.runSend();
  }

  /** Runs the filters on the answer that was set. */
  sendLocal(): FilterStatus {
    this.answered = false;
    this.message = Message.LOCAL_REPLY;
    this.dropFrame();
    this.clearLocalHeaders();
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
    const services = this.services;
    const held = this.message == Message.LOCAL_REPLY ? Held.YES : this.keepFrame();
    if (held != Held.YES) return held;
    this.heldMessage = this.message;
    this.message = Message.NONE;
    if (this.phase == Phase.BEFORE_SEND) {
      // It has its answer: no timeout ends it now (docs/reference/mosn.md#request).
      services.cancelTimer(request);
      services.cancelTimer(request.tryTimer);
      const upstream = request.upstream;
      if (upstream !== null) upstream.detach(request);
    }
    this.waits.begin();
    return Held.YES;
  }

  private keepFrame(): Held {
    const frame = this.frame;
    const codec = frame.codec;
    if (codec === null) return Held.NO_ROOM;
    const headers = this.services.input.knownHeaders;
    const changed = this.bodyChanged || (headers !== null && headers.changed);
    if (frame === this.held.frame && !changed) return Held.YES;
    const peer = this.message == Message.RESPONSE ? Peer.SERVER : Peer.CLIENT;
    this.bodyOf(scratch);
    const held = this.held.keep(frame, codec, peer, this.request.client, changed, scratch, this.bodyChanged);
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
    const request = this.request;
    const codec = request.codec;
    const frame = this.frame;
    if (this.message == Message.NONE || this.message == Message.LOCAL_REPLY) frame.begin(codec, 0);
    const input = this.services.input;
    input.bind(request.client.info, codec, frame, this.phase == Phase.BEFORE_SEND ? this.upstream : null);
    input.variables = this.variables;
    if (this.message != Message.REQUEST) input.callName = this.callName;
  }

  get waiting(): Waiting {
    return this.waits;
  }

  hijack(code: i32, body: Bytes): void {
    this.setAnswer(code, body);
    this.answered = true;
  }

  /** Sets the local reply. */
  setAnswer(code: i32, body: Bytes): void {
    this.responseCode = code;
    this.setReply(body);
    this.measures.measure(Part.RESPONSE_BODY, body.length, body.length);
  }

  explain(why: Bytes): void {
    explain(this.request.client.info.context, why);
  }

  terminate(code: i32): bool {
    if (this.chain === null || this.phase == Phase.BEFORE_SEND) return false;
    this.flags |= ResponseFlag.DOWNSTREAM_TERMINATE;
    // From inside a filter the answer goes out when the phase is over, as that of a hijack.
    if (this.running) this.hijack(code, NO_REASON);
    else this.request.fail(code, NO_REASON);
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
    const upstream = this.upstream !== null ? this.upstream : this.request.chosen;
    if (upstream === null || upstream.address.length == 0) return false;
    out.set(upstream.address.ptr, upstream.address.length);
    return true;
  }

  sourceAddress(out: View): bool {
    return this.services.input.sourceAddress(out);
  }

  get hasCertificate(): bool {
    const info = this.request.client.info;
    return info.identity.presented(info.context);
  }

  identity(what: Identity, out: View): bool {
    const info = this.request.client.info;
    return info.identity.read(what, info.context, out);
  }

  get connectionId(): u64 {
    return this.request.client.info.context as u64;
  }

  get startTime(): i64 {
    return this.measures.startTime(this.services.now());
  }

  size(part: Part): i64 {
    return this.measures.size(part);
  }

  get upstreamHost(): UpstreamHost | null {
    const upstream = this.upstream !== null ? this.upstream : this.request.upstream;
    const host = upstream !== null ? upstream.host : this.request.triedHost;
    return host === null ? null : host.record;
  }

  get mirrorPercent(): i32 {
    const route = this.request.route;
    if (route === null) return 0;
    const policy = route.mirror;
    return policy === null ? 0 : policy.percent;
  }

  mirror(copies: i32): void {
    if (this.message == Message.REQUEST) this.request.mirror(copies);
  }

  variable(name: Bytes, out: View): bool {
    return this.services.input.variable(name, out);
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
    this.upstream = null;
    this.answered = false;
    this.bodyChanged = false;
    this.message = Message.NONE;
    this.flags = 0;
    this.gaveUp = false;
    this.responseCode = 0;
    this.dropFrame();
    this.labels.clear();
    this.callName.clear();
    this.freeBodies();
    this.variables.clear();
  }
}

/** What its filters wait for. */
class StreamWaiting extends RpcWaiting {
  constructor(private readonly stream: RpcStream) {
    super();
  }

  protected get services(): Services {
    return this.stream.request.client.services;
  }

  protected get share(): CalloutShare | null {
    return this.stream.request.client.callouts;
  }

  protected get context(): u32 {
    return this.stream.request.client.info.context;
  }

  resume(): void {
    this.stream.request.resume();
  }
}
