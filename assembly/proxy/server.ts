import { Timer } from "../host/timers";
import { CloseReason, StreamState, TunnelStream } from "../tunnel/tunnel_stream";
import { Codec, Decoded, Peer } from "../xprotocol/codec";
import { Frame, FrameError, FrameKind } from "../xprotocol/frame";
import { codeOf, reasonOf } from "../upstream/bad_frame";
import { Connection } from "./connection";
import { Host } from "../upstream/host";
import { HostSet } from "../upstream/host_set";
import { SLOW, STUCK, UnreadAnswers, UNREAD } from "./memory";
import { onMirrorFrame, restMirror } from "./mirror";
import { Pool } from "./pool";
import { dropPushes, onServerRequest, refusePush } from "./push";
import { Request } from "./request";
import { onBadResponse, onLostRequest, onResponse } from "./respond";
import { ServerInput } from "./server_input";
import { WriteWatch } from "../upstream/write_watch";

/** So many times the failures of heartbeats close a connection in the middle of a frame. */
const PATIENCE: i32 = 4;

/** The open timeout, then the keepalive. */
class ServerTimer extends Timer {
  constructor(private readonly server: Server) {
    super();
  }

  onTimer(now: i64): void {
    this.server.onTimer(now);
  }
}

/** An upstream connection of a pool: the requests on it, its keepalive, and the frames it sends. */
export class Server extends TunnelStream {
  /** The host it goes to; null until that is known. */
  host: Host | null;
  /** Requests that wait for answers from it, oldest first. */
  first: Request | null = null;
  private lastRequest: Request | null = null;
  active: i32 = 0;
  /** Requests of its own that wait for the client. */
  pushes: i32 = 0;
  /** Requests that were counted as waiting for it to open. */
  private pending: i32 = 0;
  /** The server wants no more requests on it. */
  draining: bool = false;
  /** Whether it was opened to find hosts. */
  readonly searching: bool;

  /** The protocol that was last spoken on it, and that protocol's notion of such a connection. */
  codec: Codec | null = null;
  like: u64 = 0;
  private readonly input: ServerInput;
  /** Bytes still to come of a frame that was refused for its length. */
  private skip: i32 = 0;
  private readonly timer: ServerTimer = new ServerTimer(this);
  /** Whether anything came since the interval began; whether a heartbeat is out; how many in a row had no answer. */
  private heard: bool = false;
  private awaitsAck: bool = false;
  private failures: i32 = 0;
  private readonly writes: WriteWatch = new WriteWatch();
  private readonly unread: UnreadAnswers = new UnreadAnswers();

  constructor(
    readonly connection: Connection,
    readonly pool: Pool,
    host: Host | null,
  ) {
    super();
    this.input = new ServerInput(connection);
    this.host = host;
    this.secondary = pool.destination.mirror;
    this.searching = host === null;
    if (host === null) this.set.searching = true;
    connection.root.setTimer(
      this.timer,
      connection.root.now() + (pool.destination.cluster.config.openTimeoutMs as i64),
      true,
    );
  }

  get set(): HostSet {
    return this.pool.destination.set;
  }

  /** Whether it can take another request. */
  get usable(): bool {
    return !this.draining && this.state <= StreamState.OPEN;
  }

  /** Says that a request of this codec, `length` bytes, has been added to the queue. */
  wrote(codec: Codec, aux: u64, length: i32): void {
    this.codec = codec;
    this.like = aux;
    this.connection.tunnel.wrote(this, length);
  }

  /** Adds a request that has been written to it. */
  attach(request: Request): void {
    request.server = this;
    request.next = null;
    request.previous = this.lastRequest;
    const last = this.lastRequest;
    if (last !== null) last.next = request;
    else this.first = request;
    this.lastRequest = request;
    this.active++;
    const host = this.host;
    if (host !== null) host.active++;
    if (this.state != StreamState.OPENING) return;
    this.pending++;
    this.pool.destination.cluster.pending++;
  }

  /** Removes a request that is answered, or goes elsewhere. */
  detach(request: Request): void {
    const previous = request.previous;
    const next = request.next;
    if (previous !== null) previous.next = next;
    else this.first = next;
    if (next !== null) next.previous = previous;
    else this.lastRequest = previous;
    request.server = null;
    request.previous = null;
    request.next = null;
    this.active--;
    const host = this.host;
    if (host !== null) {
      host.active--;
      request.triedHost = host;
    }
    if (this.pending > 0) {
      this.pending--;
      this.pool.destination.cluster.pending--;
    }
    if (this.active == 0 && this.draining) this.retire();
  }

  onOpen(): void {
    this.settle();
    const root = this.connection.root;
    const now = root.now();
    let host = this.host;
    if (host === null) {
      this.set.searching = false;
      host = this.set.learn(this.address, this.pin, now);
      this.host = host;
      if (host !== null) host.active += this.active;
    } else {
      host.up();
    }
    this.armKeepalive(now);
    this.releaseOneway();
    if (this.searching && this.active == 0 && this.pool.hasOther(this)) this.retire();
  }

  /** Nothing waits for it to open any longer. */
  private settle(): void {
    this.pool.destination.cluster.pending -= this.pending;
    this.pending = 0;
  }

  /** One-way requests are done once they are on an open connection. */
  private releaseOneway(): void {
    let request = this.first;
    while (request !== null) {
      const next = request.next;
      if (request.oneway) this.connection.finish(request);
      request = next;
    }
  }

  onClose(reason: CloseReason): void {
    const root = this.connection.root;
    const now = root.now();
    this.forget();
    if (reason == CloseReason.NO_CLUSTER) root.unknownCluster(this.pool.destination.cluster);
    const failed = reason == CloseReason.REFUSED || reason == CloseReason.OPEN_TIMEOUT;
    let host = this.host;
    if (failed && host === null) host = this.set.findPin(this.pin);
    if (failed && host !== null) host.down(now);
    if (failed && this.searching) this.set.searchFailed(now);
    if (this.secondary && this.searching && this.address.length == 0) restMirror(this.pool.destination, now);
    // Requests leave the list as they are retried or answered.
    for (let request = this.first; request !== null; request = this.first) {
      if (failed) request.triedHost = host;
      onLostRequest(request, this, reason, now);
    }
    dropPushes(this.connection, this);
  }

  /** Takes it out of the pool; its memory goes once the requests on it have been dealt with. */
  private forget(): void {
    this.settle();
    this.connection.root.cancelTimer(this.timer);
    this.pool.remove(this);
    if (this.searching && this.host === null) this.set.searching = false;
    this.input.free();
  }

  /** Ends it without a fault: what waits on it has been dealt with. */
  retire(): void {
    this.forget();
    this.connection.tunnel.end(this);
    this.connection.schedule();
  }

  /** Gives everything back when the client's connection is gone. */
  dispose(): void {
    this.forget();
  }

  onData(ptr: usize, length: i32): void {
    this.heard = true;
    const input = this.input;
    const from = input.length > 0 ? this.complete(ptr, length) : 0;
    if (from >= 0 && from < length) {
      const used = this.frames(ptr + (from as usize), length - from);
      if (used >= 0 && from + used < length) input.add(ptr + ((from + used) as usize), length - from - used);
    }
    input.settle();
  }

  /** Completes the gathered frame. Returns how many bytes that took, or -1 when the connection is given up. */
  private complete(ptr: usize, length: i32): i32 {
    const input = this.input;
    let from = 0;
    for (let tries = 1; input.length > 0; tries++) {
      from += input.take(ptr + (from as usize), length - from, tries);
      if (input.length < input.need) break;
      const used = this.frames(input.bytes.ptr, input.length);
      if (used < 0) return -1;
      input.consume(used);
      if (from == length) break;
    }
    if (input.isTooMuch) this.dropHalf();
    return from;
  }

  /** Bytes of a frame whose rest has not come. */
  get half(): i32 {
    return this.input.length;
  }

  /** There is no room for the frame that is not whole: it is left out, as one beyond the limit is. */
  dropHalf(): void {
    const frame = this.input.describe(this.codec);
    if (frame === null) {
      this.garbage();
      return;
    }
    frame.error = FrameError.NO_ROOM;
    this.onBadFrame(frame, this.input.length);
    this.input.free();
  }

  /**
   * Looks at the frame whose rest has not come: an answer goes with its request, which has a timeout of its own; another
   * frame that takes too long goes with the connection. Returns whether there is one.
   */
  lookAtHalf(now: i64, timeout: i64): bool {
    const input = this.input;
    if (input.length == 0) return false;
    const frame = input.describe(this.codec);
    if (frame === null || frame.kind != FrameKind.RESPONSE) {
      if (!input.patience.isOver(now, input.length, timeout)) return true;
      const root = this.connection.root;
      root.frameTimeouts.add(1);
      root.stuckServer(this, SLOW);
      this.giveUp(CloseReason.RESET, now);
      return false;
    }
    const asked = (this.secondary ? this.connection.mirrors : this.connection.requests).find(frame.id);
    if (asked !== null && asked.server === this) return true;
    this.skip = frame.length - input.length;
    input.free();
    return false;
  }

  /** Deals with the whole frames of a range; returns the bytes they took, or -1 when the connection is given up. */
  private frames(ptr: usize, length: i32): i32 {
    const root = this.connection.root;
    const frame = root.frame;
    let used = min(this.skip, length);
    this.skip -= used;
    this.input.need = 0;
    while (used < length) {
      const codec = this.codec;
      if (codec === null) return this.garbage();
      const decoded = root.codecs.decode(
        codec,
        ptr + (used as usize),
        length - used,
        Peer.SERVER,
        root.maxFrameBytes,
        frame,
      );
      if (decoded == Decoded.MORE) {
        this.input.need = frame.need;
        break;
      }
      if (decoded == Decoded.ERROR) {
        if (!frame.answerable || frame.length <= 0) return this.garbage();
        used += this.onBadFrame(frame, length - used);
      } else {
        used += frame.length;
        this.onFrame(frame.kind);
      }
      if (this.state != StreamState.OPEN) return -1;
    }
    return used;
  }

  private onFrame(kind: FrameKind): void {
    const connection = this.connection;
    const frame = connection.root.frame;
    if (this.secondary && kind <= FrameKind.RESPONSE) {
      onMirrorFrame(connection, this, frame);
      return;
    }
    switch (kind) {
      case FrameKind.RESPONSE:
        onResponse(connection, this, frame);
        break;
      case FrameKind.REQUEST:
      case FrameKind.ONEWAY:
        onServerRequest(connection, this, frame);
        break;
      case FrameKind.HEARTBEAT: {
        const codec = frame.codec;
        if (codec === null) break;
        const before = this.queue.length;
        codec.heartbeatAck(frame.id, frame.aux, this.queue);
        this.answered(this.queue.length - before);
        break;
      }
      case FrameKind.HEARTBEAT_ACK:
        break;
      default: {
        const host = this.host;
        if (host !== null) host.leave(connection.root.now());
        this.draining = true;
        if (this.active == 0) this.retire();
      }
    }
  }

  /** Says that an answer of the proxy's own, `length` bytes, has been added to the queue. */
  answered(length: i32): void {
    this.connection.tunnel.wrote(this, length);
    this.connection.schedule();
    if (!this.unread.add(length, this.position, this.position - (this.unsent as u64))) return;
    const root = this.connection.root;
    root.stuckServer(this, UNREAD);
    this.giveUp(CloseReason.RESET, root.now());
  }

  /** A frame that cannot be used but has an end: only the request that it answers fails. Returns the bytes to leave out. */
  private onBadFrame(frame: Frame, available: i32): i32 {
    this.connection.root.serverGarbage(this, reasonOf(frame.error));
    const now = min(frame.length, available);
    this.skip = frame.length - now;
    if (this.secondary) onMirrorFrame(this.connection, this, frame);
    else if (frame.kind == FrameKind.RESPONSE) onBadResponse(this.connection, this, frame);
    else if (frame.kind == FrameKind.REQUEST) refusePush(this, frame, codeOf(frame.error), reasonOf(frame.error));
    return now;
  }

  /** The server sent what is no frame: nothing that follows can be trusted. */
  private garbage(): i32 {
    const root = this.connection.root;
    root.serverGarbage(this, reasonOf(FrameError.MALFORMED));
    this.giveUp(CloseReason.RESET, root.now());
    return -1;
  }

  /** Ends it because of a fault. Requests of which nothing was sent go elsewhere, so its queue must not go out. */
  private giveUp(reason: CloseReason, now: i64): void {
    this.onClose(reason);
    this.connection.tunnel.abandon(this, now);
    this.connection.schedule();
  }

  /** Gives it up when it takes no bytes: what was sent fails, the rest goes elsewhere. To be asked as `WriteWatch` is. */
  checkWrite(now: i64): void {
    if (!this.writes.isStuck(this, now)) return;
    this.connection.root.stuckServer(this, STUCK);
    this.giveUp(CloseReason.RESET, now);
  }

  private armKeepalive(now: i64): void {
    const keepalive = this.pool.destination.cluster.config.keepalive;
    const codec = this.codec;
    this.connection.root.cancelTimer(this.timer);
    if (keepalive.intervalMs <= 0 || codec === null || !codec.hasHeartbeat) return;
    this.heard = false;
    this.awaitsAck = false;
    this.connection.root.setTimer(this.timer, now + (keepalive.intervalMs as i64), false);
  }

  onTimer(now: i64): void {
    if (this.state == StreamState.OPENING) {
      // What cannot be taken back may yet reach a server: it counts as sent.
      if (!this.connection.tunnel.resets.has(now)) this.release();
      this.giveUp(CloseReason.OPEN_TIMEOUT, now);
    } else if (this.state == StreamState.OPEN) {
      this.keepalive(now);
    }
  }

  /**
   * MOSN's keepalive (docs/reference/mosn.md#keepalive): a heartbeat after an idle interval, and so many in a row without an
   * answer in time close the connection. Anything that comes counts as an answer. In the middle of a frame none can come;
   * and the rest of the frame does not while the client does not read, because Envoy then reads none of its servers.
   */
  private keepalive(now: i64): void {
    const config = this.pool.destination.cluster.config.keepalive;
    const codec = this.codec;
    if (this.heard || codec === null) {
      this.failures = 0;
      this.armKeepalive(now);
    } else if (!this.awaitsAck) {
      const before = this.queue.length;
      codec.heartbeat(this.connection.root.nextHeartbeatId(), this.like, this.queue);
      this.connection.tunnel.wrote(this, this.queue.length - before);
      this.connection.schedule();
      this.awaitsAck = true;
      this.connection.root.setTimer(this.timer, now + (config.timeoutMs as i64), false);
    } else if (++this.failures < config.maxFailures * (this.input.length > 0 ? PATIENCE : 1)) {
      this.armKeepalive(now);
    } else {
      this.giveUp(CloseReason.REMOTE, now);
    }
  }
}
