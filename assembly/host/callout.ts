// Callouts: HTTP and gRPC requests of the module's own, sent by Envoy to its clusters.
import { noteGarbage } from "../abi/dispatch";
import { proxy_get_status, proxy_grpc_call, proxy_grpc_cancel, proxy_http_call } from "../abi/imports";
import { receiveAt, returned } from "../abi/inbox";
import { BufferType, HeaderMapType, Result } from "../abi/types";
import { ByteBuffer, KEEP } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { readStatus } from "../bytes/decimal";
import { Part, Shares } from "../bytes/shares";
import { Spares } from "../bytes/spares";
import { View } from "../bytes/view";
import { appendBuffer } from "./buffers";
import { GrpcCall, HttpCall } from "./call";
import { GrpcService, GrpcServiceTargetSpecifier } from "./generated/grpc_service";
import { takeReturned } from "./header_map";
import { Metric, Metrics } from "./metrics";
import { PairBlock } from "./pairs";
import { enterContext } from "./stream";

/** Callouts of one root in flight, of which one client may have as many as are free; and more, in equal parts. */
const MAX_FLIGHTS: i32 = 4096;
const RESERVED: i32 = 2048;
/** Flights kept for reuse. */
const KEEP_FLIGHTS: i32 = 1024;
/** Bytes of an answer that are taken; a larger one counts as failed. */
const MAX_ANSWER: i32 = 1 << 20;
const ROOM: i32 = 256;
/** Chains of the table, a power of two. The host's ids count up, in steps of four: so they spread evenly. */
const CHAINS: i32 = 256;
const STEP_BITS: u32 = 2;

const GRPC_DEADLINE_EXCEEDED: i32 = 4;
const GRPC_UNAVAILABLE: i32 = 14;
const HTTP_GATEWAY_TIMEOUT: i32 = 504;

/** How Envoy's text for a timeout begins; its gRPC status is that of a server that is not there. */
const TIMED_OUT = Bytes.of("upstream request timeout");
const STATUS = Bytes.of(":status");
/** Envoy adds it to what a server has sent, and not to answers of its own. */
const SERVICE_TIME = Bytes.of("x-envoy-upstream-service-time");

const view = new View();
const word: usize = heap.alloc(4);
const headers = new ByteBuffer();
const trailers = new ByteBuffer();
const target = new ByteBuffer();
const service = new GrpcService();

/** How a callout ended. */
export const enum Outcome {
  /** It is under way, or there was none. */
  NONE = 0,
  /** A server has answered: over HTTP with any status, over gRPC with a message. */
  ANSWERED = 1,
  /** No server has answered in time. */
  TIMEOUT = 2,
  /** No server got it: there is no such cluster, no healthy host, no connection, or too much is under way. */
  UNREACHABLE = 3,
  /** The answer broke off, is too large, or gRPC's status is an error. */
  FAILED = 4,
}

/** A callout under way, and then its answer. Reused for one after the other. */
export abstract class Callout {
  outcome: Outcome = Outcome.NONE;
  /** The answer's HTTP status, or gRPC's; 0 where there is none. */
  status: i32 = 0;
  private readonly headers: PairBlock = new PairBlock();
  private readonly trailers: PairBlock = new PairBlock();
  private readonly content: ByteBuffer = new ByteBuffer();
  /** The table's own. */
  flight: Flight | null = null;

  /** The callout has ended, `outcome` says how; in a callback of the root. */
  abstract onEnd(): void;

  /** Points `out` at the first value of a header of the answer, its name in lower case; false when there is none. */
  header(name: Bytes, out: View): bool {
    return this.headers.get(name, out);
  }

  /** The same for a trailer. */
  trailer(name: Bytes, out: View): bool {
    return this.trailers.get(name, out);
  }

  /** Points `out` at the answer's body, of gRPC at its message, or at the error's text; valid until the next callout. */
  body(out: View): void {
    out.set(this.content.ptr, this.content.length);
  }

  /** Whether anybody reads the answer's body and trailers: otherwise they are not taken. */
  protected get wantsBody(): bool {
    return true;
  }

  /** Forgets the answer. */
  clear(): void {
    this.outcome = Outcome.NONE;
    this.status = 0;
    this.headers.reset(KEEP);
    this.trailers.reset(KEEP);
    this.content.reset(KEEP);
  }

  /** Bytes of memory that the answer takes. */
  get allocated(): i32 {
    return this.headers.allocated + this.trailers.allocated + this.content.allocated;
  }

  /** Gives all memory back. */
  free(): void {
    this.headers.reset(0);
    this.trailers.reset(0);
    this.content.free();
  }

  /** Takes what the host has of an HTTP answer; for the table. */
  takeHttp(bodySize: i32, hasTrailers: bool): void {
    this.headers.load(HeaderMapType.HTTP_CALL_RESPONSE_HEADERS);
    if (hasTrailers && this.wantsBody) this.trailers.load(HeaderMapType.HTTP_CALL_RESPONSE_TRAILERS);
    if (this.headers.get(STATUS, view)) this.status = readStatus(view.ptr, view.length);
    if (this.wantsBody && !this.takeBody(BufferType.HTTP_CALL_RESPONSE_BODY, bodySize)) this.outcome = Outcome.FAILED;
    else if (this.headers.get(SERVICE_TIME, view)) this.outcome = Outcome.ANSWERED;
    else this.outcome = this.status == HTTP_GATEWAY_TIMEOUT ? Outcome.TIMEOUT : Outcome.UNREACHABLE;
  }

  /** Takes the message of a gRPC answer; for the table. */
  takeMessage(size: i32): void {
    this.outcome = this.takeBody(BufferType.GRPC_CALL_MESSAGE, size) ? Outcome.ANSWERED : Outcome.FAILED;
  }

  private takeBody(type: BufferType, size: i32): bool {
    return size <= MAX_ANSWER && appendBuffer(type, size, this.content);
  }

  /** Takes gRPC's status, an error, and its text; for the table. */
  takeStatus(status: i32): void {
    this.status = status;
    receiveAt(this.content.reserve(ROOM), ROOM);
    const result = proxy_get_status(word, returned, returned + sizeof<usize>());
    receiveAt(0, 0);
    if (result == Result.OK) takeReturned(this.content, ROOM);
    const late = TIMED_OUT.isPrefixOf(this.content.ptr, this.content.length);
    if (status == GRPC_DEADLINE_EXCEEDED || (status == GRPC_UNAVAILABLE && late)) this.outcome = Outcome.TIMEOUT;
    else this.outcome = status == GRPC_UNAVAILABLE ? Outcome.UNREACHABLE : Outcome.FAILED;
  }
}

/** Names the cluster of a gRPC call: Envoy takes a bare name only where that is not such a message by chance. */
function writeTarget(cluster: Bytes): void {
  service.targetSpecifier = GrpcServiceTargetSpecifier.ENVOY_GRPC;
  service.envoyGrpc.clusterName.set(cluster.ptr, cluster.length);
  target.clear();
  service.encode(target);
  service.clear();
}

/** The callouts of one client: of a connection, or where a connection carries HTTP streams, of all its streams. */
export class CalloutShare {
  /** Those in flight; for the table. */
  readonly flights: Part = new Part();

  /** None of them is in flight any more. */
  onIdle(): void {}
}

/** The share of flights that are not in use. */
const NOBODY = new CalloutShare();

/** A callout that Envoy has not ended. */
class Flight {
  id: u32 = 0;
  grpc: bool = false;
  /** Whose it is. */
  share: CalloutShare = NOBODY;
  /** Who gets the answer; null when nobody wants it any more. */
  callout: Callout | null = null;
  next: Flight | null = null;
}

/** Numbers of callouts: `moe.callouts.*`. */
class CalloutStats {
  readonly active: Metric;
  readonly sent: Metric;
  /** Those that had no answer of a server, and those that were not begun. */
  readonly failed: Metric;

  constructor(metrics: Metrics) {
    this.active = metrics.gauge("moe.callouts.active");
    this.sent = metrics.counter("moe.callouts.sent");
    this.failed = metrics.counter("moe.callouts.failed");
  }
}

/**
 * The callouts of one root, shared fairly: the more are in flight, the fewer one client may have, so that one that has
 * very many leaves some to each of the others. They are the root's for Envoy too, not those of the connection or stream that they are for:
 * Envoy would end them with it, and tell it of answers while it goes (context.cc, `~Context`, `onHttpCallSuccess`).
 */
export class Callouts {
  private readonly chains: StaticArray<Flight | null> = new StaticArray<Flight | null>(CHAINS);
  private readonly spares: Spares<Flight> = new Spares<Flight>(KEEP_FLIGHTS);
  private stats: CalloutStats | null = null;
  /** Callouts in flight, and the clients that have some. */
  private readonly shares: Shares = new Shares(MAX_FLIGHTS, RESERVED);

  /** @param root the host's id of the root's context */
  constructor(
    private readonly root: u32,
    private readonly metrics: Metrics,
  ) {}

  /**
   * Begins a callout by HTTP.
   * @param callout a cleared one that gets the answer; null: nobody wants it
   * @param context the context that host calls act on now, and afterwards
   * @param share of the client that it is for
   * @returns false when it is not begun: its outcome is UNREACHABLE then, and `onEnd` is not called
   */
  sendHttp(call: HttpCall, callout: Callout | null, context: u32, share: CalloutShare): bool {
    if (!this.shares.allows(share.flights.own)) return this.refuse(callout);
    call.headers.encode(headers);
    call.trailers.encode(trailers);
    const cluster = call.cluster;
    const body = call.body;
    enterContext(this.root);
    const result = proxy_http_call(
      cluster.ptr,
      cluster.length,
      headers.ptr,
      headers.length,
      body.ptr,
      body.length,
      trailers.ptr,
      trailers.length,
      call.limitMs,
      word,
    );
    enterContext(context);
    if (result != Result.OK) return this.refuse(callout);
    this.add(load<u32>(word), false, callout, share);
    return true;
  }

  /** Begins a callout by gRPC; as `sendHttp`. */
  sendGrpc(call: GrpcCall, callout: Callout | null, context: u32, share: CalloutShare): bool {
    if (!this.shares.allows(share.flights.own)) return this.refuse(callout);
    call.metadata.encode(headers);
    writeTarget(call.cluster);
    const message = call.message;
    enterContext(this.root);
    const result = proxy_grpc_call(
      target.ptr,
      target.length,
      call.service.ptr,
      call.service.length,
      call.method.ptr,
      call.method.length,
      headers.ptr,
      headers.length,
      message.ptr,
      message.length,
      call.limitMs,
      word,
    );
    enterContext(context);
    if (result != Result.OK) return this.refuse(callout);
    this.add(load<u32>(word), true, callout, share);
    return true;
  }

  private refuse(callout: Callout | null): bool {
    this.numbers.failed.add(1);
    if (callout !== null) callout.outcome = Outcome.UNREACHABLE;
    return false;
  }

  /** Made when the first callout is: most configurations have none. */
  private get numbers(): CalloutStats {
    const known = this.stats;
    if (known !== null) return known;
    const made = new CalloutStats(this.metrics);
    this.stats = made;
    return made;
  }

  private add(id: u32, grpc: bool, callout: Callout | null, share: CalloutShare): void {
    let flight = this.spares.take();
    if (flight === null) flight = new Flight();
    flight.id = id;
    flight.grpc = grpc;
    flight.callout = callout;
    flight.share = share;
    if (callout !== null) callout.flight = flight;
    const chain = ((id >> STEP_BITS) & (CHAINS - 1)) as i32;
    flight.next = unchecked(this.chains[chain]);
    unchecked((this.chains[chain] = flight));
    this.shares.take(share.flights, 1);
    this.numbers.active.add(1);
    this.numbers.sent.add(1);
  }

  /**
   * Nobody wants the answer any more: `onEnd` is not called. Envoy cannot take an HTTP request back, so that one stays
   * in the table until it has ended; a gRPC call is ended.
   */
  cancel(callout: Callout, context: u32): void {
    const flight = callout.flight;
    if (flight === null) return;
    callout.flight = null;
    flight.callout = null;
    if (!flight.grpc) return;
    enterContext(this.root);
    proxy_grpc_cancel(flight.id);
    enterContext(context);
    if (this.remove(flight.id) !== null) this.land(flight);
  }

  /** Takes a flight out of the table; null for an id that it has not: Envoy also tells of calls that it did not begin. */
  private remove(id: u32): Flight | null {
    const chain = ((id >> STEP_BITS) & (CHAINS - 1)) as i32;
    let previous: Flight | null = null;
    let flight = unchecked(this.chains[chain]);
    while (flight !== null && flight.id != id) {
      previous = flight;
      flight = flight.next;
    }
    if (flight === null) return null;
    if (previous !== null) previous.next = flight.next;
    else unchecked((this.chains[chain] = flight.next));
    flight.next = null;
    const share = flight.share;
    flight.share = NOBODY;
    this.shares.give(share.flights, 1);
    this.numbers.active.add(-1);
    if (share.flights.own == 0) share.onIdle();
    return flight;
  }

  /** Gives back a flight that was taken out, and returns who wants its answer. */
  private land(flight: Flight): Callout | null {
    const callout = flight.callout;
    flight.callout = null;
    if (callout !== null) callout.flight = null;
    if (!this.spares.keep(flight)) noteGarbage(1);
    return callout;
  }

  /** The callout with that id has ended: takes its flight out; null where nobody wants the answer. */
  private takeOut(id: u32): Callout | null {
    const flight = this.remove(id);
    return flight === null ? null : this.land(flight);
  }

  private end(callout: Callout): void {
    if (callout.outcome != Outcome.ANSWERED) this.numbers.failed.add(1);
    callout.onEnd();
  }

  /** The host's callback for HTTP; without headers the request was reset. */
  onHttpResponse(id: u32, headerCount: i32, bodySize: i32, trailerSize: i32): void {
    const callout = this.takeOut(id);
    if (callout === null) return;
    if (headerCount > 0) callout.takeHttp(bodySize, trailerSize > 0);
    else callout.outcome = Outcome.FAILED;
    this.end(callout);
  }

  /** The host's callback for a message of gRPC: the call is over. */
  onGrpcMessage(id: u32, size: i32): void {
    const callout = this.takeOut(id);
    if (callout === null) return;
    callout.takeMessage(size);
    this.end(callout);
  }

  /** The host's callback for the end of a gRPC call without a message. */
  onGrpcClose(id: u32, status: i32): void {
    const callout = this.takeOut(id);
    if (callout === null) return;
    callout.takeStatus(status);
    this.end(callout);
  }
}
