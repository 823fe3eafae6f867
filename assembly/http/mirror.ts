// Copies of HTTP requests for another cluster: callouts that nobody waits for. The original goes on as if there were none:
// its body is copied as it passes.
import { noteGarbage } from "../abi/dispatch";
import { BufferType } from "../abi/types";
import { Bytes } from "../bytes/bytes";
import { Spares } from "../bytes/spares";
import { View } from "../bytes/view";
import { appendBuffer } from "../host/buffers";
import { HttpCall } from "../host/call";
import { Callout, Callouts, Outcome } from "../host/callout";
import { PairList } from "../host/pairs";
import { MirrorStats } from "../stream/mirror_stats";
import { HeaderVisitor } from "../message/headers";
import { isTunnel } from "./exchange";
import { HttpStream } from "./stream";
import { applyVariables } from "./variables";

/** Copies of one plugin in one worker that may wait for their answers: a quarter of the callouts that it may have. */
const MAX_COPIES: i32 = 1024;
/** Bytes of bodies that copies may hold, in the module while they come and in Envoy until they are answered. */
const MAX_BYTES: i32 = 16 << 20;
/** Largest body that is copied, bytes. */
const MAX_BODY: i32 = 1 << 20;
/** MOSN's timeout of a request that has none. */
const TIMEOUT_MS: i32 = 60000;
/** Objects kept for reuse, and memory that one of them keeps, bytes. */
const KEEP: i32 = 256;
const KEEP_BYTES: i32 = 65536;
/** Managed objects of a copy that are left behind. */
const OBJECTS_PER_COPY: i32 = 12;
const OBJECTS_PER_FLIGHT: i32 = 8;

/** Envoy sets it from the body. */
const CONTENT_LENGTH = Bytes.of("content-length");
/** What has Envoy's router try a request again, or wait for it in another way: a copy is sent once. */
const UPSTREAM_RQ = Bytes.of("x-envoy-upstream-rq-");
const RETRY = Bytes.of("x-envoy-retry-");
const HEDGE = Bytes.of("x-envoy-hedge-");

const view = new View();

/** Copies headers to a list. */
class Copier extends HeaderVisitor {
  private to: PairList = new PairList();

  copy(from: HttpStream, to: PairList): void {
    this.to = to;
    from.request.headers.forEach(this);
  }

  copyTrailers(from: HttpStream, to: PairList): void {
    this.to = to;
    from.request.trailers.forEach(this);
  }

  onHeader(key: usize, keyLength: i32, value: usize, valueLength: i32): bool {
    const left =
      CONTENT_LENGTH.equals(key, keyLength) ||
      UPSTREAM_RQ.isPrefixOf(key, keyLength) ||
      RETRY.isPrefixOf(key, keyLength) ||
      HEDGE.isPrefixOf(key, keyLength);
    if (!left) this.to.add(key, keyLength, value, valueLength);
    return true;
  }
}

const copier = new Copier();

/** A copy under way. */
class MirrorFlight extends Callout {
  bytes: i32 = 0;

  constructor(private readonly mirrors: HttpMirrors) {
    super();
  }

  protected get wantsBody(): bool {
    return false;
  }

  onEnd(): void {
    this.mirrors.onEnd(this);
  }
}

/** The copies of one request, before they are sent: headers as they were, and the body as far as it is here. Reused. */
export class MirrorCopy {
  readonly call: HttpCall = new HttpCall();
  copies: i32 = 0;
  private stream: HttpStream | null = null;
  /** The next of the same request. */
  next: MirrorCopy | null = null;

  constructor(private readonly mirrors: HttpMirrors) {}

  /** Copies the request's headers, with what filters have changed. */
  begin(stream: HttpStream, cluster: Bytes, copies: i32): void {
    this.stream = stream;
    this.copies = copies;
    this.call.clear(cluster);
    this.call.timeoutMs = TIMEOUT_MS;
    if (stream.request.headers.writable) applyVariables(stream);
    copier.copy(stream, this.call.headers);
  }

  /** `size` bytes of the body pass, all that are in the host's buffer; `ended`: they are the last. */
  piece(size: i32, ended: bool): void {
    const body = this.call.body;
    const before = body.length;
    const fits = this.mirrors.reserve(before, size) && appendBuffer(BufferType.HTTP_REQUEST_BODY, size, body);
    this.mirrors.held += body.length - before;
    if (!fits) this.drop();
    else if (ended) this.send();
  }

  /** All of the body is in the host's buffer. */
  sendWhole(): void {
    const stream = this.stream;
    if (stream === null) return;
    stream.request.body(view);
    const fits = this.mirrors.reserve(0, view.length);
    if (fits) {
      this.call.body.append(view.ptr, view.length);
      this.mirrors.held += view.length;
      this.send();
    } else this.drop();
  }

  /** The request is complete: sends the copies. */
  send(): void {
    const stream = this.stream;
    if (stream === null) return;
    if (stream.request.hasTrailers) copier.copyTrailers(stream, this.call.trailers);
    this.mirrors.held -= this.call.body.length;
    this.mirrors.send(this, stream);
    this.end(stream);
  }

  /** The request ends before its body has, or there is no room for that: there are no copies of it. */
  drop(): void {
    const stream = this.stream;
    if (stream === null) return;
    this.mirrors.held -= this.call.body.length;
    this.mirrors.stats.dropped.add(this.copies);
    this.end(stream);
  }

  private end(stream: HttpStream): void {
    this.stream = null;
    unlink(stream, this);
    this.call.body.reset(KEEP_BYTES);
    this.mirrors.give(this);
  }
}

function unlink(stream: HttpStream, copy: MirrorCopy): void {
  let before = stream.copies;
  if (before === copy) stream.copies = copy.next;
  else {
    while (before !== null && before.next !== copy) before = before.next;
    if (before !== null) before.next = copy.next;
  }
  copy.next = null;
}

/** `size` bytes of the request's body pass; `ended`: they are the last. */
export function mirrorPiece(stream: HttpStream, size: i32, ended: bool): void {
  for (let copy = stream.copies; copy !== null;) {
    const next = copy.next;
    copy.piece(size, ended);
    copy = next;
  }
}

/** The request's trailers pass: its body has. */
export function mirrorTrailers(stream: HttpStream): void {
  for (let copy = stream.copies; copy !== null; copy = stream.copies) copy.send();
}

/** The request's body has gathered, before the filters behind may change it. */
export function mirrorWhole(stream: HttpStream): void {
  for (let copy = stream.copies; copy !== null; copy = stream.copies) copy.sendWhole();
}

/** The request ends. */
export function mirrorEnd(stream: HttpStream): void {
  for (let copy = stream.copies; copy !== null; copy = stream.copies) copy.drop();
}

/** The copies of one plugin. */
export class HttpMirrors {
  /** Bytes of bodies that are being copied, and of copies under way. */
  held: i32 = 0;
  private active: i32 = 0;
  /** Copies and flights that are not in use. */
  private readonly spares: Spares<MirrorCopy> = new Spares<MirrorCopy>(KEEP);
  private readonly flights: Spares<MirrorFlight> = new Spares<MirrorFlight>(KEEP);

  constructor(
    private readonly callouts: Callouts,
    readonly stats: MirrorStats,
  ) {}

  /**
   * Sends copies of a request, or begins to. Where another protocol follows the headers there are none, nor where the
   * server has answered before the body was here.
   */
  mirror(stream: HttpStream, cluster: Bytes, copies: i32): void {
    if (copies <= 0) return;
    if (stream.request.isCut || isTunnel(stream)) {
      this.stats.dropped.add(copies);
      return;
    }
    const copy = this.take();
    copy.begin(stream, cluster, copies);
    copy.next = stream.copies;
    stream.copies = copy;
    if (!stream.request.lacksBody) copy.sendWhole();
  }

  /** Whether a body of `before` bytes may grow by `more`. */
  reserve(before: i32, more: i32): bool {
    return more <= MAX_BODY - before && more <= MAX_BYTES - this.held;
  }

  /** Sends what is ready, as often as wanted and possible. */
  send(copy: MirrorCopy, stream: HttpStream): void {
    const length = copy.call.body.length;
    for (let i = 0; i < copy.copies; i++) {
      if (this.active >= MAX_COPIES || length > MAX_BYTES - this.held || !this.sendOne(copy.call, stream)) {
        this.stats.dropped.add(copy.copies - i);
        return;
      }
    }
  }

  private sendOne(call: HttpCall, stream: HttpStream): bool {
    let flight = this.flights.take();
    if (flight === null) flight = new MirrorFlight(this);
    flight.clear();
    if (!this.callouts.sendHttp(call, flight, stream.id, stream.joinClient())) {
      this.giveFlight(flight);
      return false;
    }
    flight.bytes = call.body.length;
    this.held += flight.bytes;
    this.active++;
    this.stats.requests.add(1);
    this.stats.active.add(1);
    return true;
  }

  /** A copy was answered, or will not be. */
  onEnd(flight: MirrorFlight): void {
    const stats = this.stats;
    if (flight.outcome == Outcome.ANSWERED) stats.responses.add(1);
    else if (flight.outcome == Outcome.TIMEOUT) stats.timeouts.add(1);
    else stats.lost.add(1);
    stats.active.add(-1);
    this.active--;
    this.held -= flight.bytes;
    this.giveFlight(flight);
  }

  private giveFlight(flight: MirrorFlight): void {
    if (this.flights.keep(flight)) return;
    flight.free();
    noteGarbage(OBJECTS_PER_FLIGHT);
  }

  private take(): MirrorCopy {
    const copy = this.spares.take();
    return copy === null ? new MirrorCopy(this) : copy;
  }

  /** Takes back one that is sent. */
  give(copy: MirrorCopy): void {
    if (this.spares.keep(copy)) return;
    copy.call.free();
    noteGarbage(OBJECTS_PER_COPY);
  }
}
