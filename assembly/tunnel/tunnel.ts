import { noteGarbage } from "../abi/dispatch";
import { ByteBuffer } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { DEFAULT_MAX_FRAME, DEFAULT_WINDOW, H2Code, SettingId } from "../http2/constants";
import { ReceiveWindow, SendWindow } from "../http2/flow";
import { HpackDecoder } from "../http2/hpack/decoder";
import { FrameParser } from "../http2/parser";
import {
  appendHeaders,
  appendPing,
  appendPreface,
  appendRstStream,
  appendSettings,
  appendSettingsAck,
  appendWindowUpdate,
} from "../http2/writer";
import { appendQuestion, ConnectAnswer, ConnectTarget } from "./connect";
import { SwitchboardKey } from "./key";
import { ResetBudget } from "./reset_budget";
import { TunnelSender } from "./sender";
import { CloseReason, Upstream, UpstreamState } from "./upstream";

/** What a server may send ahead on one upstream connection, and on all of one client's, bytes. */
const STREAM_WINDOW: i32 = 1 << 20;
const CONNECTION_WINDOW: i32 = 16 << 20;
/** A WINDOW_UPDATE for a stream waits for company up to this many bytes. */
const GRANT_NOW: i32 = STREAM_WINDOW >> 1;
/** Bytes of a refusal's text that are kept. */
const REFUSAL_TEXT: i32 = 200;
/** In place of the question's stream: none is asked any more. */
const NEVER: u32 = 0xffffffff;
/** Managed objects that an upstream leaves behind. */
const OBJECTS_PER_UPSTREAM: i32 = 16;

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
export class Tunnel extends TunnelSender {
  /** A PING is on its way: its answer calls on_upstream_data, where bytes can go to the client. */
  pinging: bool = false;
  /** The switchboard drains: no new stream will be answered. */
  goAway: bool = false;
  /** Set when a server's bytes have come. */
  heard: bool = false;
  /** How many streams may still be reset: a reset takes back what the switchboard has not yet given to the server. */
  readonly resets: ResetBudget = new ResetBudget();

  readonly key: SwitchboardKey = new SwitchboardKey();

  private readonly parser: FrameParser = new FrameParser();
  private readonly hpack: HpackDecoder = new HpackDecoder(0);
  private readonly upstreams: Map<u32, Upstream> = new Map<u32, Upstream>();
  private last: Upstream | null = null;
  private nextStream: u32 = 1;
  private started: bool = false;
  /** Stream of the question that is not answered; 0: there is none. */
  private asked: u32 = 0;
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
    if (upstream.secondary) this.secondary.all.push(upstream);
    this.upstreams.set(upstream.streamId, upstream);
    block.clear();
    target.append(block, pin);
    this.key.append(block);
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

  /**
   * Asks for the answer to a CONNECT that opens nothing: a switchboard that drains says so with such an answer, and else
   * keeps it to itself. At most one question is under way.
   */
  ask(): void {
    if (this.asked != 0 || this.goAway) return;
    this.start();
    this.asked = this.nextStream;
    this.nextStream += 2;
    block.clear();
    appendQuestion(block);
    this.key.append(block);
    appendHeaders(this.out, this.asked, true, block.ptr, block.length, this.maxFrame);
  }

  private start(): void {
    if (this.started) return;
    this.started = true;
    appendPreface(this.out);
    appendSettings(this.out, SETTINGS);
    appendWindowUpdate(this.out, 0, this.receive.widen(CONNECTION_WINDOW));
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
    this.secondary.all.length = 0;
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

  protected forget(upstream: Upstream): void {
    upstream.state = UpstreamState.CLOSED;
    this.drop(upstream);
    this.upstreams.delete(upstream.streamId);
    if (upstream.secondary) {
      this.secondary.remove(upstream);
      this.resumeSecondary();
    }
    noteGarbage(OBJECTS_PER_UPSTREAM);
    if (this.last === upstream) this.last = null;
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
    if (endStream) this.onAnswered(stream);
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

  /** The switchboard is done with a stream: the next question may be asked if it was that one. */
  private onAnswered(stream: u32): void {
    if (stream == this.asked) this.asked = 0;
  }

  onHeaders(stream: u32, blockPtr: usize, blockLength: i32, endStream: bool): void {
    answer.clear();
    if (!this.hpack.decode(blockPtr, blockLength, answer)) {
      this.stopped = true;
      return;
    }
    if (endStream) this.onAnswered(stream);
    // A switchboard with other routes than ours has opened a connection: not again.
    else if (stream == this.asked && answer.status == 200) this.asked = NEVER;
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
    this.onAnswered(stream);
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
    this.secondary.widen(this.window.available);
    if (this.backlog + this.secondary.backlog == 0) return;
    const upstreams = this.upstreams.values();
    for (let i = 0; i < upstreams.length; i++) this.resume(upstreams[i]);
  }
}
