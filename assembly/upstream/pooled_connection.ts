import { Bytes } from "../bytes/bytes";
import { Timer } from "../host/timers";
import { CloseReason, StreamState } from "../tunnel/tunnel_stream";
import { Codec, Decoded, Peer } from "../xprotocol/codec";
import { Frame, FrameError, FrameKind } from "../xprotocol/frame";
import { reasonOf } from "./bad_frame";
import { Destination } from "./cluster";
import { FrameAssembler } from "./frame_assembler";
import { Host } from "./host";
import { HostSet } from "./host_set";
import { Owner } from "./owner";
import { SLOW } from "./patience";
import { Traffic } from "./traffic";
import { UnreadAnswers } from "./unread_answers";
import { UpstreamConnection } from "./upstream_connection";
import { WriteWatch } from "./write_watch";

/** Missing heartbeats that are allowed in the middle of a frame, as a multiple of `max_failures`. */
const MID_FRAME_FACTOR: i32 = 4;

// Why a connection is given up.
const STUCK = Bytes.of("takes no bytes");
const UNREAD = Bytes.of("sends requests, and reads no answers");

/** The connections that one belongs to: a pool. */
export abstract class ConnectionList {
  /**
   * @param destination where they go
   * @param traffic what they carry
   */
  constructor(
    readonly owner: Owner,
    readonly destination: Destination,
    readonly traffic: Traffic,
  ) {}

  /** Whether another usable connection goes to the same host, so that a newly found one is not needed. */
  abstract hasOther(connection: UpstreamConnection): bool;

  /** Takes out a connection that is over. */
  abstract remove(connection: UpstreamConnection): void;
}

/** An upstream connection of a pool: its opening, its keepalive, the frames that the server sends, and its end. */
export class PooledConnection extends UpstreamConnection {
  private readonly owner: Owner;
  private readonly traffic: Traffic;
  /** Whether it was opened to find hosts. */
  private readonly searching: bool;
  private readonly assembler: FrameAssembler;
  /** Bytes still to come of a frame that was refused for its length. */
  private skip: i32 = 0;
  private readonly timer: ConnectionTimer = new ConnectionTimer(this);
  /** Whether anything came since the interval began; whether a heartbeat is out; how many in a row had no answer. */
  private heard: bool = false;
  private awaitsAck: bool = false;
  private failures: i32 = 0;
  private readonly writes: WriteWatch = new WriteWatch();
  private readonly unread: UnreadAnswers = new UnreadAnswers();

  constructor(
    private readonly pool: ConnectionList,
    host: Host | null,
  ) {
    super(pool.owner.tunnel, pool.destination, host);
    const owner = pool.owner;
    this.owner = owner;
    this.traffic = pool.traffic;
    this.secondary = pool.traffic.secondary;
    this.assembler = new FrameAssembler(owner);
    this.searching = host === null;
    if (host === null) this.set.searching = true;
    const services = owner.services;
    services.setTimer(this.timer, services.now() + (pool.destination.cluster.config.openTimeoutMs as i64), true);
  }

  private get set(): HostSet {
    return this.destination.set;
  }

  onOpen(): void {
    this.settle();
    const now = this.owner.services.now();
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
    this.finishOneway();
    if (this.searching && this.active == 0 && this.pool.hasOther(this)) this.retire();
  }

  /** One-way requests are done once they are on an open connection. */
  private finishOneway(): void {
    let exchange = this.first;
    while (exchange !== null) {
      const next = exchange.next;
      if (exchange.oneway) exchange.finish();
      exchange = next;
    }
  }

  onClose(reason: CloseReason): void {
    const services = this.owner.services;
    const now = services.now();
    this.forget();
    if (reason == CloseReason.NO_CLUSTER) services.reports.unknownCluster(this.destination.cluster, now);
    const failed = reason == CloseReason.REFUSED || reason == CloseReason.OPEN_TIMEOUT;
    let host = this.host;
    if (failed && host === null) host = this.set.findPin(this.pin);
    if (failed && host !== null) host.down(now);
    if (failed && this.searching) this.set.searchFailed(now);
    this.traffic.onClose(this, now);
    // Exchanges leave the list as they are tried again or finished.
    for (let exchange = this.first; exchange !== null; exchange = this.first) {
      if (failed) exchange.triedHost = host;
      exchange.onLost(this, reason);
    }
  }

  /** Takes it out of the pool; its memory goes once the exchanges on it have been dealt with. */
  private forget(): void {
    this.settle();
    this.owner.services.cancelTimer(this.timer);
    this.pool.remove(this);
    if (this.searching && this.host === null) this.set.searching = false;
    this.assembler.free();
  }

  retire(): void {
    this.forget();
    this.tunnel.end(this);
    this.owner.schedule();
  }

  /** Gives everything back when the owner is gone. */
  dispose(): void {
    this.forget();
  }

  onData(ptr: usize, length: i32): void {
    this.heard = true;
    const assembler = this.assembler;
    const from = assembler.length > 0 ? this.complete(ptr, length) : 0;
    if (from >= 0 && from < length) {
      const used = this.frames(ptr + (from as usize), length - from);
      if (used >= 0 && from + used < length) assembler.add(ptr + ((from + used) as usize), length - from - used);
    }
    assembler.settle();
  }

  /** Completes the gathered frame. Returns how many bytes that took, or -1 when the connection is given up. */
  private complete(ptr: usize, length: i32): i32 {
    const assembler = this.assembler;
    let from = 0;
    for (let tries = 1; assembler.length > 0; tries++) {
      from += assembler.take(ptr + (from as usize), length - from, tries);
      if (assembler.length < assembler.need) break;
      const used = this.frames(assembler.bytes.ptr, assembler.length);
      if (used < 0) return -1;
      assembler.consume(used);
      if (from == length) break;
    }
    if (assembler.isTooMuch) this.dropPartial();
    return from;
  }

  /** Bytes of a frame whose rest has not come. */
  get partial(): i32 {
    return this.assembler.length;
  }

  /** There is no room for the frame that is not whole: it is left out, as one beyond the limit is. */
  dropPartial(): void {
    const frame = this.assembler.describe(this.codec);
    if (frame === null) {
      this.closeForGarbage();
      return;
    }
    frame.error = FrameError.NO_ROOM;
    this.onBadFrame(frame, this.assembler.length);
    this.assembler.free();
  }

  /**
   * Looks at the frame whose rest has not come: a response goes with its exchange, which has a timeout of its own; another
   * frame that takes too long goes with the connection. Returns whether there is one. To be polled.
   */
  checkPartial(now: i64, timeout: i64): bool {
    const assembler = this.assembler;
    if (assembler.length == 0) return false;
    const frame = assembler.describe(this.codec);
    if (frame === null || frame.kind != FrameKind.RESPONSE) {
      if (!assembler.patience.isOver(now, assembler.length, timeout)) return true;
      this.owner.services.frameTimeouts.add(1);
      this.giveUpStuck(SLOW, now);
      return false;
    }
    const exchange = this.traffic.exchanges.find(frame.id);
    if (exchange !== null && exchange.upstream === this) return true;
    this.skip = frame.length - assembler.length;
    assembler.free();
    return false;
  }

  /** Deals with the whole frames of a range; returns the bytes they took, or -1 when the connection is given up. */
  private frames(ptr: usize, length: i32): i32 {
    const services = this.owner.services;
    const codecs = services.codecs;
    const maxLength = services.upstreamConfig.maxFrameBytes;
    const frame = services.frame;
    let used = min(this.skip, length);
    this.skip -= used;
    this.assembler.need = 0;
    while (used < length) {
      const codec = this.codec;
      if (codec === null) return this.closeForGarbage();
      const decoded = codecs.decode(codec, ptr + (used as usize), length - used, Peer.SERVER, maxLength, frame);
      if (decoded == Decoded.MORE) {
        this.assembler.need = frame.need;
        break;
      }
      if (decoded == Decoded.ERROR) {
        if (!frame.answerable || frame.length <= 0) return this.closeForGarbage();
        used += this.onBadFrame(frame, length - used);
      } else {
        used += frame.length;
        const spoken = frame.codec;
        if (spoken !== null) this.onFrame(spoken, frame);
      }
      if (this.state != StreamState.OPEN) return -1;
    }
    return used;
  }

  private onFrame(codec: Codec, frame: Frame): void {
    switch (frame.kind) {
      case FrameKind.RESPONSE: {
        const exchange = this.traffic.exchanges.find(frame.id);
        if (exchange !== null && exchange.upstream === this && !exchange.oneway) {
          exchange.onResponse(codec, frame, this);
        } else this.traffic.onLateResponse(codec);
        break;
      }
      case FrameKind.REQUEST:
      case FrameKind.ONEWAY:
        this.traffic.onServerRequest(this, codec, frame);
        break;
      case FrameKind.HEARTBEAT: {
        const before = this.queue.length;
        codec.heartbeatAck(frame.id, frame.aux, this.queue);
        this.answered(this.queue.length - before);
        break;
      }
      case FrameKind.HEARTBEAT_ACK:
        break;
      default:
        this.onGoAway();
    }
  }

  private onGoAway(): void {
    const host = this.host;
    if (host !== null) host.leave(this.owner.services.now());
    this.draining = true;
    if (this.active == 0) this.retire();
  }

  answered(length: i32): void {
    this.tunnel.wrote(this, length);
    this.owner.schedule();
    if (!this.unread.add(length, this.position, this.position - (this.unsent as u64))) return;
    this.giveUpStuck(UNREAD, this.owner.services.now());
  }

  /** A frame that cannot be used but has an end: only the exchange that it answers fails. Returns the bytes to leave out. */
  private onBadFrame(frame: Frame, available: i32): i32 {
    const services = this.owner.services;
    services.reports.badFrame(this, reasonOf(frame.error), services.now());
    const present = min(frame.length, available);
    this.skip = frame.length - present;
    if (frame.kind == FrameKind.RESPONSE) {
      const exchange = this.traffic.exchanges.find(frame.id);
      if (exchange !== null && exchange.upstream === this && !exchange.oneway) exchange.onBadResponse(frame);
    } else if (frame.kind == FrameKind.REQUEST) this.traffic.onBadServerRequest(this, frame);
    return present;
  }

  /** The server sent no frame: nothing that follows can be trusted. Returns -1, for `frames`. */
  private closeForGarbage(): i32 {
    const services = this.owner.services;
    const now = services.now();
    services.reports.badFrame(this, reasonOf(FrameError.MALFORMED), now);
    this.giveUp(CloseReason.RESET, now);
    return -1;
  }

  /** Ends it because of a fault. Exchanges of which nothing was sent go elsewhere, so its queue must not go out. */
  private giveUp(reason: CloseReason, now: i64): void {
    this.onClose(reason);
    this.tunnel.abandon(this, now);
    this.owner.schedule();
  }

  private giveUpStuck(why: Bytes, now: i64): void {
    this.owner.services.reports.stuck(this, why, now);
    this.giveUp(CloseReason.RESET, now);
  }

  /** Gives it up when the server takes no bytes: what was sent fails, the rest goes elsewhere. To be polled (`WriteWatch`). */
  checkWrite(now: i64): void {
    if (this.writes.isStuck(this, now)) this.giveUpStuck(STUCK, now);
  }

  private armKeepalive(now: i64): void {
    const services = this.owner.services;
    const keepalive = this.destination.cluster.config.keepalive;
    const codec = this.codec;
    services.cancelTimer(this.timer);
    if (keepalive.intervalMs <= 0 || codec === null || !codec.hasHeartbeat) return;
    this.heard = false;
    this.awaitsAck = false;
    services.setTimer(this.timer, now + (keepalive.intervalMs as i64), false);
  }

  onTimer(now: i64): void {
    if (this.state == StreamState.OPENING) {
      // What cannot be taken back may yet reach a server: it counts as sent.
      if (!this.tunnel.resets.has(now)) this.release();
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
    const services = this.owner.services;
    const config = this.destination.cluster.config.keepalive;
    const codec = this.codec;
    if (this.heard || codec === null) {
      this.failures = 0;
      this.armKeepalive(now);
    } else if (!this.awaitsAck) {
      const before = this.queue.length;
      codec.heartbeat(services.nextHeartbeatId(), this.aux, this.queue);
      this.tunnel.wrote(this, this.queue.length - before);
      this.owner.schedule();
      this.awaitsAck = true;
      services.setTimer(this.timer, now + (config.timeoutMs as i64), false);
    } else if (++this.failures < config.maxFailures * (this.assembler.length > 0 ? MID_FRAME_FACTOR : 1)) {
      this.armKeepalive(now);
    } else {
      this.giveUp(CloseReason.REMOTE, now);
    }
  }
}

/** The open timeout, then the keepalive. */
class ConnectionTimer extends Timer {
  constructor(private readonly connection: PooledConnection) {
    super();
  }

  onTimer(now: i64): void {
    this.connection.onTimer(now);
  }
}
