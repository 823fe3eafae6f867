import { noteGarbage } from "../abi/dispatch";
import { ByteBuffer } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { DEFAULT_MAX_FRAME, DEFAULT_WINDOW, H2Code, SettingId } from "../http2/constants";
import { ReceiveWindow, SendWindow } from "../http2/flow";
import { HpackDecoder } from "../http2/hpack/decoder";
import { FrameHandler, FrameParser } from "../http2/parser";
import {
  appendData,
  appendHeaders,
  appendPing,
  appendPreface,
  appendRstStream,
  appendSettings,
  appendSettingsAck,
  appendWindowUpdate,
} from "../http2/writer";
import { ConnectAnswer, ConnectTarget } from "./connect";
import { ResetBudget } from "./reset_budget";
import { CloseReason, Upstream, UpstreamState } from "./upstream";

/** What a server may send ahead on one upstream connection, and on all of one client's, bytes. */
const STREAM_WINDOW: i32 = 1 << 20;
const CONNECTION_WINDOW: i32 = 16 << 20;
/** A WINDOW_UPDATE for a stream waits for company up to this many bytes. */
const GRANT_NOW: i32 = STREAM_WINDOW >> 1;
/** Bytes of a refusal's text that are kept. */
const REFUSAL_TEXT: i32 = 200;
/** Managed objects that an upstream leaves behind. */
const OBJECTS_PER_UPSTREAM: i32 = 16;
/** Memory the output keeps between pushes, bytes. */
const KEEP: i32 = 65536;

const SETTINGS: StaticArray<u32> = [
  SettingId.HEADER_TABLE_SIZE,
  0,
  SettingId.ENABLE_PUSH,
  0,
  SettingId.INITIAL_WINDOW_SIZE,
  STREAM_WINDOW,
];

const answer = new ConnectAnswer();
const block = new ByteBuffer();

/**
 * One client connection's HTTP/2 connection to the switchboard: our side of it, a client's. `out` gathers what goes to
 * the switchboard; the owner decides when to push it.
 */
export class Tunnel extends FrameHandler {
  /** Frames for the switchboard, complete but for what `flush` adds. */
  readonly out: ByteBuffer = new ByteBuffer();
  /** Bytes that upstreams have written and that are not sent. */
  backlog: i32 = 0;
  /** The same of secondary upstreams, which `backlog` has not. */
  secondaryBacklog: i32 = 0;
  /** Whether something waits that should go out without waiting for the client's next bytes. */
  urgent: bool = false;
  /** A PING is on its way: its answer calls on_upstream_data, where bytes can go to the client. */
  pinging: bool = false;
  /** The switchboard drains: no new stream will be answered. */
  goAway: bool = false;
  /** Set when a server's bytes have come. */
  heard: bool = false;
  /** How many streams may still be reset: a reset takes back what the switchboard has not yet given to the server. */
  readonly resets: ResetBudget = new ResetBudget();
  /** What may be under way to a server that does not read, bytes. */
  streamWindow: i32 = DEFAULT_WINDOW;

  private readonly parser: FrameParser = new FrameParser();
  private readonly hpack: HpackDecoder = new HpackDecoder(0);
  private readonly upstreams: Map<u32, Upstream> = new Map<u32, Upstream>();
  private last: Upstream | null = null;
  private readonly dirty: Upstream[] = [];
  private readonly secondaryDirty: Upstream[] = [];
  private readonly secondary: Upstream[] = [];
  /** The most that the connection's window has been, bytes. */
  private widest: i32 = DEFAULT_WINDOW;
  private nextStream: u32 = 1;
  private started: bool = false;
  private maxFrame: i32 = DEFAULT_MAX_FRAME;
  private readonly window: SendWindow = new SendWindow(DEFAULT_WINDOW);
  private readonly receive: ReceiveWindow = new ReceiveWindow(DEFAULT_WINDOW);

  /** An upstream connection to hand to `open`. */
  static get streamReceiveWindow(): i32 {
    return STREAM_WINDOW;
  }

  /** Opens `upstream`: to the host of `pin`, or with an empty one to where the cluster's load balancing sends it. */
  open(upstream: Upstream, target: ConnectTarget, pin: Bytes): void {
    this.start();
    upstream.streamId = this.nextStream;
    upstream.pin = pin;
    upstream.window = new SendWindow(this.streamWindow);
    this.nextStream += 2;
    if (upstream.secondary) this.secondary.push(upstream);
    this.upstreams.set(upstream.streamId, upstream);
    block.clear();
    target.append(block, pin);
    appendHeaders(this.out, upstream.streamId, false, block.ptr, block.length, this.maxFrame);
    this.urgent = true;
  }

  /** Asks for a call of on_upstream_data; at most one PING is under way, and it serves all that waits. */
  ping(): void {
    if (this.pinging) return;
    this.start();
    this.pinging = true;
    appendPing(this.out, false, 0);
  }

  private start(): void {
    if (this.started) return;
    this.started = true;
    appendPreface(this.out);
    appendSettings(this.out, SETTINGS);
    appendWindowUpdate(this.out, 0, this.receive.widen(CONNECTION_WINDOW));
  }

  /** Says that `n` bytes have been added to the upstream's queue. */
  // @ts-ignore: decorator
  @inline
  wrote(upstream: Upstream, n: i32): void {
    this.count(upstream, n);
    if (!upstream.dirty) this.mark(upstream);
  }

  // @ts-ignore: decorator
  @inline
  private count(upstream: Upstream, n: i32): void {
    if (upstream.secondary) this.secondaryBacklog += n;
    else this.backlog += n;
  }

  /** Secondary upstreams that are not over. */
  get secondaries(): i32 {
    return this.secondary.length;
  }

  private mark(upstream: Upstream): void {
    if (upstream.dirty) return;
    upstream.dirty = true;
    (upstream.secondary ? this.secondaryDirty : this.dirty).push(upstream);
  }

  /** Moves what the windows allow from the upstreams' queues to `out`. */
  flush(): void {
    this.flushAll(this.dirty);
    // The end of one makes room for others.
    for (let pass = 0; pass < 2 && this.secondaryDirty.length > 0; pass++) this.flushAll(this.secondaryDirty);
    this.urgent = false;
  }

  private flushAll(dirty: Upstream[]): void {
    const n = dirty.length;
    for (let i = 0; i < n; i++) {
      const upstream = unchecked(dirty[i]);
      upstream.dirty = false;
      this.flushUpstream(upstream);
    }
    if (dirty.length == n) dirty.length = 0;
    else dirty.splice(0, n);
  }

  /**
   * What secondary upstreams may still send before the others could lack room: of the connection's window Envoy gives
   * half back at a time, so less than half may be under way to servers that do not read.
   */
  private secondaryRoom(): i32 {
    let room = (this.widest >> 3) * 3;
    for (let i = 0, n = this.secondary.length; i < n; i++) {
      room -= this.streamWindow - unchecked(this.secondary[i]).window.available;
    }
    return room;
  }

  private flushUpstream(upstream: Upstream): void {
    if (upstream.state == UpstreamState.CLOSED) return;
    // Also after our end: the server must be able to write all it has, or it never ends.
    if (upstream.grant > 0) {
      appendWindowUpdate(this.out, upstream.streamId, upstream.grant);
      upstream.grant = 0;
    }
    if (upstream.ended) return;
    let left = upstream.unsent;
    while (left > 0) {
      let n = min(min(left, this.maxFrame), min(upstream.window.available, this.window.available));
      if (upstream.secondary) n = min(n, this.secondaryRoom());
      if (n <= 0) return;
      appendData(this.out, upstream.streamId, false, upstream.queue.ptr + (upstream.queue.length - left), n);
      upstream.window.sent(n);
      this.window.sent(n);
      this.count(upstream, -n);
      upstream.advance(n);
      left -= n;
    }
    if (upstream.ending) {
      upstream.ended = true;
      appendData(this.out, upstream.streamId, true, 0, 0);
      if (upstream.remoteEnded) this.forget(upstream);
    }
  }

  /** Bytes of the backlog that the windows let out now. */
  sendable(): i32 {
    let total = 0;
    for (let i = 0, n = this.dirty.length; i < n; i++) {
      const upstream = unchecked(this.dirty[i]);
      total += max(0, min(upstream.unsent, upstream.window.available));
    }
    return min(total, this.window.available);
  }

  /** Empties `out` after its bytes have been handed over. */
  pushed(): void {
    this.out.reset(KEEP);
  }

  /** Ends an upstream connection once its queue is sent. Its `onClose` is not called. */
  end(upstream: Upstream): void {
    if (upstream.state == UpstreamState.CLOSED) return;
    upstream.state = UpstreamState.ENDING;
    upstream.ending = true;
    upstream.release();
    this.mark(upstream);
    this.urgent = true;
  }

  /**
   * Gives up on an upstream connection whose CONNECT was never answered, or that is stuck: its queue is dropped. Resets
   * are rationed; without one the stream stays half open until the switchboard ends it. `onClose` is not called.
   */
  abandon(upstream: Upstream, now: i64): void {
    if (upstream.state == UpstreamState.CLOSED) return;
    this.drop(upstream);
    upstream.state = UpstreamState.ENDING;
    if (this.resets.take(now)) {
      appendRstStream(this.out, upstream.streamId, H2Code.CANCEL);
      this.forget(upstream);
    } else {
      upstream.ending = true;
      this.mark(upstream);
    }
    this.urgent = true;
  }

  /** Reads what the switchboard wrote. False when that is no HTTP/2: the connection is of no further use. */
  read(ptr: usize, length: i32): bool {
    return this.parser.feed(ptr, length, this) == H2Code.NO_ERROR && !this.stopped;
  }

  /** Gives the memory of the tunnel and its upstreams back. */
  free(): void {
    this.stopped = true;
    this.out.free();
    this.parser.free();
    this.hpack.free();
    const upstreams = this.upstreams.values();
    for (let i = 0; i < upstreams.length; i++) {
      upstreams[i].state = UpstreamState.CLOSED;
      upstreams[i].free();
    }
    this.upstreams.clear();
    this.secondary.length = 0;
    this.last = null;
  }

  private find(stream: u32): Upstream | null {
    const last = this.last;
    if (last !== null && last.streamId == stream) return last;
    if (!this.upstreams.has(stream)) return null;
    const found = this.upstreams.get(stream);
    this.last = found;
    return found;
  }

  /** Drops what has not been sent. */
  private drop(upstream: Upstream): void {
    this.count(upstream, -upstream.unsent);
    upstream.free();
  }

  private forget(upstream: Upstream): void {
    upstream.state = UpstreamState.CLOSED;
    this.drop(upstream);
    this.upstreams.delete(upstream.streamId);
    if (upstream.secondary) this.forgetSecondary(upstream);
    noteGarbage(OBJECTS_PER_UPSTREAM);
    if (this.last === upstream) this.last = null;
  }

  /** Its part of the window is free for the others of its kind. */
  private forgetSecondary(upstream: Upstream): void {
    const i = this.secondary.indexOf(upstream);
    if (i >= 0) this.secondary.splice(i, 1);
    this.resumeSecondary();
  }

  private resumeSecondary(): void {
    for (let i = 0, n = this.secondary.length; i < n; i++) this.resume(unchecked(this.secondary[i]));
  }

  /** Ends an upstream connection that is over on the other side, and tells its owner, who may still read its queue. */
  private close(upstream: Upstream, reason: CloseReason): void {
    const ours = upstream.state == UpstreamState.ENDING;
    upstream.state = UpstreamState.CLOSED;
    if (!ours) upstream.onClose(reason);
    this.forget(upstream);
  }

  onData(stream: u32, ptr: usize, length: i32): void {
    const upstream = this.find(stream);
    if (upstream === null) return;
    if (upstream.state == UpstreamState.OPEN) {
      this.heard = true;
      upstream.onData(ptr, length);
    } else if (upstream.state == UpstreamState.OPENING && upstream.refusal.length == 0) {
      upstream.refusal = Bytes.copy(ptr, min(length, REFUSAL_TEXT));
    }
  }

  onDataEnd(stream: u32, frameLength: i32, endStream: bool): void {
    if (!this.receive.received(frameLength)) this.stopped = true;
    const widen = this.receive.release(frameLength);
    if (widen > 0) {
      appendWindowUpdate(this.out, 0, widen);
      this.urgent = true;
    }
    const upstream = this.find(stream);
    if (upstream === null) return;
    if (!upstream.receive.received(frameLength)) this.stopped = true;
    if (endStream) {
      this.remoteEnd(upstream);
      return;
    }
    upstream.grant += upstream.receive.release(frameLength);
    if (upstream.grant > 0) {
      this.mark(upstream);
      if (upstream.grant >= GRANT_NOW) this.urgent = true;
    }
  }

  /**
   * The other side has ended the stream. A half-closed one is of no use to RPC, so ours ends too: by END_STREAM with the
   * next flush, unless Envoy resets the stream first, as it does after refusing a CONNECT.
   */
  private remoteEnd(upstream: Upstream): void {
    upstream.remoteEnded = true;
    if (upstream.ended) {
      this.forget(upstream);
      return;
    }
    if (upstream.state == UpstreamState.ENDING) return;
    const reason = upstream.state == UpstreamState.OPENING ? CloseReason.REFUSED : CloseReason.REMOTE;
    upstream.state = UpstreamState.ENDING;
    upstream.onClose(reason);
    this.drop(upstream);
    upstream.ending = true;
    this.mark(upstream);
    this.urgent = true;
  }

  onHeaders(stream: u32, blockPtr: usize, blockLength: i32, endStream: bool): void {
    answer.clear();
    if (!this.hpack.decode(blockPtr, blockLength, answer)) {
      this.stopped = true;
      return;
    }
    const upstream = this.find(stream);
    if (upstream === null) return;
    // Also a refusal names its host, if one was tried.
    if (upstream.state == UpstreamState.OPENING && answer.pin.length > 0) upstream.pin = answer.pin;
    if (upstream.state == UpstreamState.OPENING && answer.status == 200) {
      upstream.address = answer.host;
      upstream.state = UpstreamState.OPEN;
      upstream.release();
      upstream.onOpen();
    } else if (upstream.state == UpstreamState.OPENING && answer.status == 404) {
      this.close(upstream, CloseReason.NO_CLUSTER);
      return;
    }
    if (endStream) this.remoteEnd(upstream);
  }

  onRstStream(stream: u32, code: u32): void {
    const upstream = this.find(stream);
    if (upstream === null) return;
    const opening = upstream.state == UpstreamState.OPENING;
    const unopened = opening && code == H2Code.REFUSED_STREAM;
    this.close(upstream, unopened ? CloseReason.NOT_OPENED : opening ? CloseReason.REFUSED : CloseReason.RESET);
  }

  onSetting(id: u32, value: u32): void {
    if (id == SettingId.MAX_FRAME_SIZE) {
      // Larger frames would only make larger buffers.
      this.maxFrame = min(value as i32, 4 * DEFAULT_MAX_FRAME);
    } else if (id == SettingId.INITIAL_WINDOW_SIZE) {
      const upstreams = this.upstreams.values();
      for (let i = 0; i < upstreams.length; i++) {
        if (!upstreams[i].window.adjust(this.streamWindow, value as i32)) this.stopped = true;
        this.resume(upstreams[i]);
      }
      this.streamWindow = value as i32;
    }
  }

  onSettingsEnd(): void {
    appendSettingsAck(this.out);
    this.urgent = true;
  }

  onSettingsAck(): void {}

  onPing(ack: bool, opaque: u64): void {
    if (ack) {
      this.pinging = false;
      return;
    }
    appendPing(this.out, true, opaque);
    this.urgent = true;
  }

  onGoAway(lastStream: u32, code: u32): void {
    this.goAway = true;
    const upstreams = this.upstreams.values();
    for (let i = 0; i < upstreams.length; i++) {
      if (upstreams[i].streamId > lastStream) this.close(upstreams[i], CloseReason.NOT_OPENED);
    }
  }

  onWindowUpdate(stream: u32, increment: u32): void {
    if (stream != 0) {
      const upstream = this.find(stream);
      if (upstream === null) return;
      if (!upstream.window.increase(increment)) this.stopped = true;
      if (upstream.secondary) this.resumeSecondary();
      else this.resume(upstream);
      return;
    }
    if (!this.window.increase(increment)) this.stopped = true;
    this.widest = max(this.widest, this.window.available);
    if (this.backlog + this.secondaryBacklog == 0) return;
    const upstreams = this.upstreams.values();
    for (let i = 0; i < upstreams.length; i++) this.resume(upstreams[i]);
  }

  /** Sends on what a window held back. */
  private resume(upstream: Upstream): void {
    if (upstream.unsent == 0) return;
    this.mark(upstream);
    this.urgent = true;
  }
}
