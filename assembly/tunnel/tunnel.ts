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
import { appendProbe, ConnectAnswer, ConnectTarget } from "./connect";
import { SwitchboardKey } from "./key";
import { ResetBudget } from "./reset_budget";
import { TunnelSender } from "./sender";
import { CloseReason, StreamState, STREAM_WINDOW, TunnelStream } from "./tunnel_stream";

/** What servers may send ahead on all streams of the tunnel, bytes. */
const CONNECTION_WINDOW: i32 = 16 << 20;
/** A WINDOW_UPDATE for a stream waits for company up to this many bytes. */
const GRANT_NOW: i32 = STREAM_WINDOW >> 1;
/** Bytes of a refusal's text that are kept. */
const REFUSAL_TEXT: i32 = 200;
/** In place of the probe's stream: no further probe is sent. */
const NEVER: u32 = 0xffffffff;
/** Managed objects that a stream leaves behind. */
const OBJECTS_PER_STREAM: i32 = 16;

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
  /** The switchboard was written to, and has said something. */
  started: bool = false;
  met: bool = false;
  /** The address that the client connected to, told with each CONNECT; empty: it is not. */
  destination: Bytes = Bytes.EMPTY;
  /** How many streams may still be reset: a reset takes back what the switchboard has not yet given to the server. */
  readonly resets: ResetBudget = new ResetBudget();

  readonly key: SwitchboardKey = new SwitchboardKey();

  private readonly parser: FrameParser = new FrameParser();
  private readonly hpack: HpackDecoder = new HpackDecoder(0);
  private readonly streams: Map<u32, TunnelStream> = new Map<u32, TunnelStream>();
  private last: TunnelStream | null = null;
  private nextStream: u32 = 1;
  /** The stream of the drain probe that is not answered; 0: there is none. */
  private probe: u32 = 0;
  private readonly receive: ReceiveWindow = new ReceiveWindow(DEFAULT_WINDOW);

  /** Opens `stream`: to the host of `pin`, or with an empty one to where the cluster's load balancing sends it. */
  open(stream: TunnelStream, target: ConnectTarget, pin: Bytes): void {
    this.start();
    stream.streamId = this.nextStream;
    stream.pin = pin;
    stream.window = new SendWindow(this.streamWindow);
    this.nextStream += 2;
    if (stream.secondary) this.secondary.all.push(stream);
    this.streams.set(stream.streamId, stream);
    block.clear();
    target.append(block, pin, this.destination);
    this.key.append(block);
    appendHeaders(this.out, stream.streamId, false, block.ptr, block.length, this.maxFrame);
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
   * Sends a drain probe, a CONNECT that opens nothing: a switchboard tells that it drains only with the answer to a
   * CONNECT. At most one probe is under way.
   */
  sendProbe(): void {
    if (this.probe != 0 || this.goAway) return;
    this.start();
    this.probe = this.nextStream;
    this.nextStream += 2;
    block.clear();
    appendProbe(block);
    this.key.append(block);
    appendHeaders(this.out, this.probe, true, block.ptr, block.length, this.maxFrame);
  }

  private start(): void {
    if (this.started) return;
    this.started = true;
    appendPreface(this.out);
    appendSettings(this.out, SETTINGS);
    appendWindowUpdate(this.out, 0, this.receive.widen(CONNECTION_WINDOW));
  }

  /** Ends a stream once its queue is sent. Its `onClose` is not called. */
  end(stream: TunnelStream): void {
    if (stream.state == StreamState.CLOSED) return;
    stream.state = StreamState.ENDING;
    stream.ending = true;
    stream.release();
    this.mark(stream);
    this.urgent = true;
  }

  /**
   * Gives up on a stream whose CONNECT was never answered, or that is stuck: its queue is dropped. Resets
   * are rationed; without one the stream stays half open until the switchboard ends it. `onClose` is not called.
   */
  abandon(stream: TunnelStream, now: i64): void {
    if (stream.state == StreamState.CLOSED) return;
    this.drop(stream);
    stream.state = StreamState.ENDING;
    if (this.resets.take(now)) {
      appendRstStream(this.out, stream.streamId, H2Code.CANCEL);
      this.forget(stream);
    } else {
      stream.ending = true;
      this.mark(stream);
    }
    this.urgent = true;
  }

  /** Reads what the switchboard wrote. False when that is no HTTP/2: the connection is of no further use. */
  read(ptr: usize, length: i32): bool {
    this.met = true;
    return this.parser.feed(ptr, length, this) == H2Code.NO_ERROR && !this.stopped;
  }

  /** Gives the memory of the tunnel and its streams back. */
  free(): void {
    this.stopped = true;
    this.out.free();
    this.parser.free();
    this.hpack.free();
    const streams = this.streams.values();
    for (let i = 0; i < streams.length; i++) {
      streams[i].state = StreamState.CLOSED;
      streams[i].free();
    }
    this.streams.clear();
    this.secondary.all.length = 0;
    this.last = null;
  }

  private find(id: u32): TunnelStream | null {
    const last = this.last;
    if (last !== null && last.streamId == id) return last;
    if (!this.streams.has(id)) return null;
    const found = this.streams.get(id);
    this.last = found;
    return found;
  }

  /** Drops what has not been sent. */
  private drop(stream: TunnelStream): void {
    this.count(stream, -stream.unsent);
    stream.free();
  }

  protected forget(stream: TunnelStream): void {
    stream.state = StreamState.CLOSED;
    this.drop(stream);
    this.streams.delete(stream.streamId);
    if (stream.secondary) {
      this.secondary.remove(stream);
      this.resumeSecondary();
    }
    noteGarbage(OBJECTS_PER_STREAM);
    if (this.last === stream) this.last = null;
  }

  /** Ends a stream that is over on the other side, and tells its owner, who may still read its queue. */
  private close(stream: TunnelStream, reason: CloseReason): void {
    const ours = stream.state == StreamState.ENDING;
    stream.state = StreamState.CLOSED;
    if (!ours) stream.onClose(reason);
    this.forget(stream);
  }

  onData(id: u32, ptr: usize, length: i32): void {
    const stream = this.find(id);
    if (stream === null) return;
    if (stream.state == StreamState.OPEN) {
      this.heard = true;
      stream.onData(ptr, length);
    } else if (stream.state == StreamState.OPENING && stream.refusal.length == 0) {
      stream.refusal = Bytes.copy(ptr, min(length, REFUSAL_TEXT));
    }
  }

  onDataEnd(id: u32, frameLength: i32, endStream: bool): void {
    if (!this.receive.received(frameLength)) this.stopped = true;
    const widen = this.receive.release(frameLength);
    if (widen > 0) {
      appendWindowUpdate(this.out, 0, widen);
      this.urgent = true;
    }
    if (endStream) this.onAnswered(id);
    const stream = this.find(id);
    if (stream === null) return;
    if (!stream.receive.received(frameLength)) this.stopped = true;
    if (endStream) {
      this.remoteEnd(stream);
      return;
    }
    stream.grant += stream.receive.release(frameLength);
    if (stream.grant > 0) {
      this.mark(stream);
      if (stream.grant >= GRANT_NOW) this.urgent = true;
    }
  }

  /**
   * The other side has ended the stream. A half-closed one is of no use to RPC, so ours ends too: by END_STREAM with the
   * next flush, unless Envoy resets the stream first, as it does after refusing a CONNECT.
   */
  private remoteEnd(stream: TunnelStream): void {
    stream.remoteEnded = true;
    if (stream.ended) {
      this.forget(stream);
      return;
    }
    if (stream.state == StreamState.ENDING) return;
    const reason = stream.state == StreamState.OPENING ? CloseReason.REFUSED : CloseReason.REMOTE;
    stream.state = StreamState.ENDING;
    stream.onClose(reason);
    this.drop(stream);
    stream.ending = true;
    this.mark(stream);
    this.urgent = true;
  }

  /** The switchboard is done with a stream: if that was the probe, the next one may be sent. */
  private onAnswered(id: u32): void {
    if (id == this.probe) this.probe = 0;
  }

  onHeaders(id: u32, blockPtr: usize, blockLength: i32, endStream: bool): void {
    answer.clear();
    if (!this.hpack.decode(blockPtr, blockLength, answer)) {
      this.stopped = true;
      return;
    }
    if (endStream) this.onAnswered(id);
    // A switchboard with other routes than ours has opened a connection: not again.
    else if (id == this.probe && answer.status == 200) this.probe = NEVER;
    const stream = this.find(id);
    if (stream === null) return;
    // Also a refusal names its host, if one was tried.
    if (stream.state == StreamState.OPENING && answer.pin.length > 0) stream.pin = answer.pin;
    if (stream.state == StreamState.OPENING && answer.status == 200) {
      stream.address = answer.host;
      stream.state = StreamState.OPEN;
      stream.release();
      stream.onOpen();
    } else if (stream.state == StreamState.OPENING && answer.status == 404) {
      this.close(stream, CloseReason.NO_CLUSTER);
      return;
    }
    if (endStream) this.remoteEnd(stream);
  }

  onRstStream(id: u32, code: u32): void {
    this.onAnswered(id);
    const stream = this.find(id);
    if (stream === null) return;
    const opening = stream.state == StreamState.OPENING;
    const unopened = opening && code == H2Code.REFUSED_STREAM;
    this.close(stream, unopened ? CloseReason.NOT_OPENED : opening ? CloseReason.REFUSED : CloseReason.RESET);
  }

  onSetting(id: u32, value: u32): void {
    if (id == SettingId.MAX_FRAME_SIZE) {
      // Larger frames would only make larger buffers.
      this.maxFrame = min(value as i32, 4 * DEFAULT_MAX_FRAME);
    } else if (id == SettingId.INITIAL_WINDOW_SIZE) {
      const streams = this.streams.values();
      for (let i = 0; i < streams.length; i++) {
        if (!streams[i].window.adjust(this.streamWindow, value as i32)) this.stopped = true;
        this.resume(streams[i]);
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
    const streams = this.streams.values();
    for (let i = 0; i < streams.length; i++) {
      if (streams[i].streamId > lastStream) this.close(streams[i], CloseReason.NOT_OPENED);
    }
  }

  onWindowUpdate(id: u32, increment: u32): void {
    if (id != 0) {
      const stream = this.find(id);
      if (stream === null) return;
      if (!stream.window.increase(increment)) this.stopped = true;
      if (stream.secondary) this.resumeSecondary();
      else this.resume(stream);
      return;
    }
    if (!this.window.increase(increment)) this.stopped = true;
    this.secondary.widen(this.window.available);
    if (this.backlog + this.secondary.backlog == 0) return;
    const streams = this.streams.values();
    for (let i = 0; i < streams.length; i++) this.resume(streams[i]);
  }
}
