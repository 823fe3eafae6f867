// HTTP requests that are mirrored to another cluster. The original goes on as if there were no mirrors: its body is copied
// as it passes.
import { noteGarbage } from "../abi/dispatch";
import { BufferType } from "../abi/types";
import { KEEP_LARGE } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { Spares } from "../bytes/spares";
import { View } from "../bytes/view";
import { appendBuffer } from "../host/buffers";
import { HttpCall } from "../host/call";
import { PairList } from "../host/pairs";
import { HeaderVisitor } from "../message/headers";
import { HttpTransaction } from "./transaction";
import { applyVariables } from "./variables";

/** MOSN's timeout of a request that has none. */
const TIMEOUT_MS: i32 = 60000;
/** Objects kept for reuse; and managed objects of one that is garbage. */
const KEEP: i32 = 256;
const OBJECTS: i32 = 12;

/** Envoy sets it from the body. */
const CONTENT_LENGTH = Bytes.of("content-length");
/** These have Envoy's router retry a request, or wait for it in another way: a mirrored request is sent once. */
const UPSTREAM_RQ = Bytes.of("x-envoy-upstream-rq-");
const RETRY = Bytes.of("x-envoy-retry-");
const HEDGE = Bytes.of("x-envoy-hedge-");

const view = new View();

/** What one request has mirrored and not sent yet, because its body is not complete. */
export class RequestMirrors {
  private first: Mirror | null = null;

  constructor(private readonly stream: HttpTransaction) {}

  /**
   * Sends the request so many times to a cluster, or begins to. Where another protocol follows the headers it is not
   * mirrored, nor where the server has answered before the body was here.
   */
  add(cluster: Bytes, times: i32): void {
    const stream = this.stream;
    if (times <= 0) return;
    if (stream.request.isCut || stream.tunnels) {
      stream.plugin.mirrors.stats.dropped.add(times);
      return;
    }
    const known = spares.take();
    const mirror = known !== null ? known : new Mirror();
    mirror.begin(stream, cluster, times);
    mirror.next = this.first;
    this.first = mirror;
    if (!stream.request.lacksBody) this.onWhole();
  }

  /** `size` bytes of the body pass, all that are in the host's buffer; `ended`: they are the last. */
  onPiece(size: i32, ended: bool): void {
    let before: Mirror | null = null;
    for (let mirror = this.first; mirror !== null;) {
      const next = mirror.next;
      if (mirror.piece(this.stream, size, ended)) before = mirror;
      else if (before !== null) before.next = next;
      else this.first = next;
      mirror = next;
    }
  }

  /** The trailers pass: the body has. */
  onTrailers(): void {
    for (let mirror = this.take(); mirror !== null; mirror = this.take()) mirror.send(this.stream);
  }

  /** All of the body is in the host's buffer, before the filters behind may change it. */
  onWhole(): void {
    for (let mirror = this.take(); mirror !== null; mirror = this.take()) mirror.sendWhole(this.stream);
  }

  /** The request ends before its body has. */
  end(): void {
    for (let mirror = this.take(); mirror !== null; mirror = this.take()) mirror.drop(this.stream);
  }

  private take(): Mirror | null {
    const mirror = this.first;
    if (mirror !== null) this.first = mirror.next;
    return mirror;
  }

  /** Bytes of memory held. */
  get allocated(): i32 {
    let bytes = 0;
    for (let mirror = this.first; mirror !== null;) {
      bytes += mirror.call.allocated;
      mirror = mirror.next;
    }
    return bytes;
  }
}

/** A request for one cluster before it is sent: its headers as they were, and its body as far as it is here. Reused. */
class Mirror {
  readonly call: HttpCall = new HttpCall();
  private times: i32 = 0;
  /** The next one of the same request. */
  next: Mirror | null = null;

  /** Copies the request's headers, with what filters have changed. */
  begin(stream: HttpTransaction, cluster: Bytes, times: i32): void {
    this.times = times;
    this.call.clear(cluster);
    this.call.timeoutMs = TIMEOUT_MS;
    if (stream.request.headers.writable) applyVariables(stream);
    copier.copy(stream, this.call.headers);
  }

  /** A piece of the body passes; false when the mirror is over: it is sent, or there is no room for the body. */
  piece(stream: HttpTransaction, size: i32, ended: bool): bool {
    const body = this.call.body;
    const before = body.length;
    const mirrors = stream.plugin.mirrors;
    const client = stream.joinClient();
    const fits = mirrors.reserve(client, before, size);
    if (fits && appendBuffer(BufferType.HTTP_REQUEST_BODY, size, body)) {
      if (ended) this.send(stream);
      return !ended;
    }
    if (fits) mirrors.release(client, size - (body.length - before));
    this.drop(stream);
    return false;
  }

  sendWhole(stream: HttpTransaction): void {
    stream.request.body(view);
    const fits = stream.plugin.mirrors.reserve(stream.joinClient(), 0, view.length);
    if (fits) {
      this.call.body.append(view.ptr, view.length);
      this.send(stream);
    } else this.drop(stream);
  }

  /** The request is complete. */
  send(stream: HttpTransaction): void {
    if (stream.request.hasTrailers) copier.copyTrailers(stream, this.call.trailers);
    const mirrors = stream.plugin.mirrors;
    const client = stream.joinClient();
    mirrors.release(client, this.call.body.length);
    const sent = mirrors.send(this.call, this.times, stream.id, client);
    mirrors.stats.dropped.add(this.times - sent);
    this.end();
  }

  /** The request is not mirrored. */
  drop(stream: HttpTransaction): void {
    const mirrors = stream.plugin.mirrors;
    const size = this.call.body.length;
    if (size > 0) mirrors.release(stream.joinClient(), size);
    mirrors.stats.dropped.add(this.times);
    this.end();
  }

  private end(): void {
    this.next = null;
    this.call.body.reset(KEEP_LARGE);
    if (spares.keep(this)) return;
    this.call.free();
    noteGarbage(OBJECTS);
  }
}

const spares = new Spares<Mirror>(KEEP);

/** Copies headers to a list. */
class Copier extends HeaderVisitor {
  private to: PairList = new PairList();

  copy(from: HttpTransaction, to: PairList): void {
    this.to = to;
    from.request.headers.forEach(this);
  }

  copyTrailers(from: HttpTransaction, to: PairList): void {
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
