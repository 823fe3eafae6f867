import type { NetBuffer } from "./buffer.ts";
import type { Clock } from "./clock.ts";
import { checkConnect, isQuestion, wrongKey } from "./connect-request.ts";
import { ConnectStream, type StreamOwner } from "./connect-stream.ts";
import {
  DEFAULT_MAX_FRAME_SIZE,
  DEFAULT_WINDOW,
  encodeFrame,
  encodeSettings,
  ErrorCode,
  Flag,
  FrameType,
  Http2Error,
  MAX_WINDOW,
  Setting,
  words,
} from "./http2/frames.ts";
import { type HeaderList, HpackEncoder } from "./http2/hpack.ts";
import { Inbound, type InboundHandler } from "./http2/inbound.ts";
import type { EventLoop } from "./loop.ts";
import { SWITCHBOARD_DEFAULTS, type SwitchboardOptions } from "./switchboard-options.ts";
import type { Terminal, TerminalConnection } from "./terminal.ts";

/** What the switchboard needs of its host. */
export interface SwitchboardHost {
  loop: EventLoop;
  clock: Clock;
  fault(rule: string, message: string): Error;
}

/** Where a graceful end stands: GOAWAY waits for an answer, the first is out, the last is out. */
type Drain = "no" | "armed" | "first" | "final";

/**
 * Envoy's HTTP connection manager with a CONNECT router, as far as a client inside the filter chain can tell: the
 * server side of HTTP/2, written after Envoy's codec for the order and moment of what it sends. Every violation by the
 * module is a fault.
 */
export class Switchboard implements Terminal, StreamOwner, InboundHandler {
  readonly streams = new Map<number, ConnectStream>();
  /** Every stream ever opened, in order. */
  readonly opened: ConnectStream[] = [];
  /** PING frames received. */
  pings = 0;
  /** Questions received whether it drains; they are no streams of `opened`. */
  questions = 0;
  /** DATA or HEADERS frames for streams that were closed already. */
  lateFrames = 0;
  readonly inbound = new Inbound(this);
  private readonly options: SwitchboardOptions;
  private readonly encoder: HpackEncoder;
  private connection: TerminalConnection | null = null;
  private greeted = false;
  private dispatching = false;
  private flushing = false;
  private output: Buffer[] = [];
  private lastStreamId = 0;
  private receiveWindow = DEFAULT_WINDOW;
  private unacknowledged = 0;
  /** What the configuration adds to the connection's window, until it is announced. */
  private raise = 0;
  private settingsAcknowledged = false;
  private sendWindow = DEFAULT_WINDOW;
  private peerStreamWindow = DEFAULT_WINDOW;
  private drainState: Drain = "no";

  /** @param onConnect decides about CONNECT requests: accept, refuse, or keep the stream to answer it later or never */
  constructor(
    private readonly host: SwitchboardHost,
    public onConnect: (stream: ConnectStream) => void,
    options: Partial<SwitchboardOptions> = {},
  ) {
    this.options = { ...SWITCHBOARD_DEFAULTS, ...options };
    this.encoder = new HpackEncoder(this.options.huffman);
  }

  onNewConnection(connection: TerminalConnection): void {
    this.connection = connection;
  }

  /** Dispatches the whole buffer, drains it, then writes what came of it: in this order, as Envoy's codec does. */
  onData(buffer: NetBuffer): void {
    this.dispatching = true;
    try {
      this.greet();
      this.inbound.receive(buffer.view(0, buffer.length));
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error;
      throw this.host.fault("http2", `the module broke HTTP/2: ${error.message}`);
    } finally {
      this.dispatching = false;
    }
    buffer.take();
    this.grant();
    this.flush();
  }

  /** The server's preface: the codec queues it when it is made, with the first data. */
  private greet(): void {
    if (this.greeted) return;
    this.greeted = true;
    const settings = encodeSettings([
      [Setting.HEADER_TABLE_SIZE, 4096],
      [Setting.ENABLE_CONNECT_PROTOCOL, 1],
      [Setting.MAX_CONCURRENT_STREAMS, this.options.maxConcurrentStreams],
      [Setting.INITIAL_WINDOW_SIZE, this.options.initialStreamWindow],
    ]);
    this.output.push(settings);
    this.raise = Math.max(0, this.options.initialConnectionWindow - DEFAULT_WINDOW);
  }

  data(streamId: number, content: Buffer, flow: number, end: boolean): void {
    this.expectOpened(streamId, "DATA");
    this.receiveWindow -= flow;
    if (this.receiveWindow < 0) overrun("connection window", this.receiveWindow);
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      this.lateFrames++;
      this.unacknowledged += flow;
      return;
    }
    if (stream.remoteEnded) throw new Http2Error(ErrorCode.STREAM_CLOSED, `DATA after END_STREAM on ${streamId}`);
    stream.receiveWindow -= flow;
    if (stream.receiveWindow < 0) overrun(`window of stream ${streamId}`, stream.receiveWindow);
    stream.remoteEnded = end;
    this.consumed(stream, flow - content.length);
    stream.deliver(content);
    if (end && stream.localEnded) this.close(stream);
  }

  headers(streamId: number, headers: HeaderList, end: boolean): void {
    if (streamId <= this.lastStreamId) {
      if (this.streams.has(streamId)) throw new Http2Error(ErrorCode.PROTOCOL_ERROR, "trailers on a CONNECT stream");
      this.lateFrames++;
      return;
    }
    if (this.drainState === "final") return; // beyond the last GOAWAY: never answered
    this.lastStreamId = streamId;
    checkConnect(headers);
    const wrong = wrongKey(headers, this.connection?.property("moe.key") ?? null);
    if (wrong !== null) throw this.host.fault("key", wrong);
    this.inbound.floods.opened();
    if (isQuestion(headers)) this.questions++;
    if (this.streams.size >= this.options.maxConcurrentStreams) {
      this.emit(FrameType.RST_STREAM, Flag.NONE, streamId, words(ErrorCode.REFUSED_STREAM));
      return;
    }
    // Our SETTINGS bind the peer only once it has acknowledged them.
    const receive = this.settingsAcknowledged ? this.options.initialStreamWindow : DEFAULT_WINDOW;
    const windows = { receive, send: this.peerStreamWindow };
    const stream = new ConnectStream(this, streamId, headers, windows, this.host.clock.nowMs);
    this.streams.set(streamId, stream);
    if (isQuestion(headers)) return this.answer(stream, end);
    this.opened.push(stream);
    this.onConnect(stream);
    stream.remoteEnded = end;
    if (end) stream.deliver(Buffer.alloc(0));
  }

  /** Answers the question itself, inside the dispatch: a direct response, or no cluster. */
  private answer(stream: ConnectStream, end: boolean): void {
    stream.remoteEnded = end;
    const { askedStatus } = this.options;
    if (askedStatus === 200) stream.accept({ now: true });
    else if (askedStatus !== null) stream.refuse(askedStatus, { body: "", code: ErrorCode.NO_ERROR, now: true });
  }

  reset(streamId: number, code: ErrorCode): void {
    this.expectOpened(streamId, "RST_STREAM");
    const stream = this.streams.get(streamId);
    if (stream === undefined) return;
    this.inbound.floods.reset(!stream.headersSent && this.host.clock.nowMs - stream.openedAt < 1000);
    stream.resetCode = code;
    this.close(stream);
    stream.onReset(code);
  }

  private expectOpened(streamId: number, frame: string): void {
    if (streamId === 0 || streamId > this.lastStreamId) {
      throw new Http2Error(ErrorCode.PROTOCOL_ERROR, `${frame} on idle stream ${streamId}`);
    }
  }

  settings(settings: [id: Setting, value: number][]): void {
    for (const [id, value] of settings) this.applySetting(id, value);
    this.emit(FrameType.SETTINGS, Flag.ACK, 0, Buffer.alloc(0));
  }

  settingsAck(): void {
    if (this.settingsAcknowledged) throw new Http2Error(ErrorCode.PROTOCOL_ERROR, "SETTINGS ACK for no SETTINGS");
    this.settingsAcknowledged = true;
    for (const stream of this.streams.values())
      stream.receiveWindow += this.options.initialStreamWindow - DEFAULT_WINDOW;
  }

  private applySetting(id: Setting, value: number): void {
    if (id === Setting.HEADER_TABLE_SIZE) this.encoder.setTableSize(value);
    if (id === Setting.ENABLE_PUSH && value > 1) throw new Http2Error(ErrorCode.PROTOCOL_ERROR, "ENABLE_PUSH > 1");
    if (id === Setting.MAX_FRAME_SIZE && (value < DEFAULT_MAX_FRAME_SIZE || value > 0xffffff)) {
      throw new Http2Error(ErrorCode.PROTOCOL_ERROR, `MAX_FRAME_SIZE ${value}`);
    }
    if (id !== Setting.INITIAL_WINDOW_SIZE) return;
    if (value > MAX_WINDOW) throw new Http2Error(ErrorCode.FLOW_CONTROL_ERROR, `INITIAL_WINDOW_SIZE ${value}`);
    for (const stream of this.streams.values()) openWindow(stream, value - this.peerStreamWindow);
    this.peerStreamWindow = value;
    this.pumpAll();
  }

  ping(payload: Buffer): void {
    this.pings++;
    this.emit(FrameType.PING, Flag.ACK, 0, payload);
  }

  windowUpdate(streamId: number, increment: number): void {
    if (streamId === 0) {
      this.sendWindow += increment;
      if (this.sendWindow > MAX_WINDOW)
        throw new Http2Error(ErrorCode.FLOW_CONTROL_ERROR, "connection window too large");
      return this.pumpAll();
    }
    this.expectOpened(streamId, "WINDOW_UPDATE");
    const stream = this.streams.get(streamId);
    if (stream === undefined) return;
    openWindow(stream, increment);
    this.pump(stream);
  }

  act(action: () => void): void {
    this.host.loop.enter(action);
  }

  sendHeaders(stream: ConnectStream, headers: HeaderList, end = false): void {
    if (stream.headersSent) throw new Error(`stream ${stream.id} has been answered`);
    if (this.drainState === "armed") this.startDrain();
    stream.headersSent = true;
    const flags = Flag.END_HEADERS | (end ? Flag.END_STREAM : Flag.NONE);
    this.emit(FrameType.HEADERS, flags, stream.id, this.encoder.encode(headers));
    if (end) this.localEnded(stream);
    this.flush();
    this.pump(stream);
  }

  sendReset(stream: ConnectStream, code: ErrorCode): void {
    stream.resetCode = code;
    this.emit(FrameType.RST_STREAM, Flag.NONE, stream.id, words(code));
    this.close(stream);
    this.flush();
  }

  pump(stream: ConnectStream): void {
    while (!stream.closed && stream.headersSent && this.connection?.aboveWriteLimit !== true) {
      const room = Math.min(stream.sendWindow, this.sendWindow, DEFAULT_MAX_FRAME_SIZE);
      const length = Math.max(0, Math.min(stream.queue.length, room));
      const end = stream.endQueued && length === stream.queue.length;
      if (length === 0 && !end) return;
      stream.sendWindow -= length;
      this.sendWindow -= length;
      this.emit(FrameType.DATA, end ? Flag.END_STREAM : Flag.NONE, stream.id, stream.queue.take(length));
      if (end) this.localEnded(stream);
      this.flush();
      if (end) return;
    }
  }

  private pumpAll(): void {
    for (const stream of [...this.streams.values()]) this.pump(stream);
  }

  /** A response that ends before its request makes Envoy reset the stream after it. */
  private localEnded(stream: ConnectStream): void {
    stream.localEnded = true;
    if (stream.remoteEnded) this.close(stream);
    else this.sendReset(stream, stream.afterEnd);
  }

  get upstreamBufferLimit(): number {
    return this.options.upstreamBufferLimit;
  }

  consumed(stream: ConnectStream, length: number): void {
    this.unacknowledged += length;
    stream.unacknowledged += length;
    if (this.dispatching) return;
    this.grant();
    this.flush();
  }

  /**
   * Gives windows back once half of one is used. At the end of a dispatch only: Envoy does it frame by frame, but the
   * module must not send what it has not been granted before it wrote.
   */
  private grant(): void {
    if (this.raise > 0 || this.unacknowledged * 2 > this.options.initialConnectionWindow) {
      const size = this.raise + this.unacknowledged;
      this.emit(FrameType.WINDOW_UPDATE, Flag.NONE, 0, words(size));
      this.receiveWindow += size;
      this.unacknowledged = 0;
      this.raise = 0;
    }
    const window = this.settingsAcknowledged ? this.options.initialStreamWindow : DEFAULT_WINDOW;
    for (const stream of this.streams.values()) {
      if (stream.remoteEnded || stream.unacknowledged * 2 < window) continue;
      this.emit(FrameType.WINDOW_UPDATE, Flag.NONE, stream.id, words(stream.unacknowledged));
      stream.receiveWindow += stream.unacknowledged;
      stream.unacknowledged = 0;
    }
  }

  private close(stream: ConnectStream): void {
    stream.closed = true;
    this.streams.delete(stream.id);
    this.closeWhenDrained();
  }

  /** Drains as /healthcheck/fail makes Envoy do: GOAWAY goes out with the next answer to a CONNECT. */
  drain(): void {
    if (this.drainState === "no") this.drainState = "armed";
  }

  /** Drains now, as max_connection_duration makes Envoy do: GOAWAY at once, also on an idle connection. */
  shutdown(): void {
    this.act(() => {
      this.startDrain();
      this.flush();
    });
  }

  private startDrain(): void {
    this.drainState = "first";
    this.emit(FrameType.GOAWAY, Flag.NONE, 0, words(MAX_WINDOW, ErrorCode.NO_ERROR));
    this.host.clock.after(this.options.drainTimeoutMs, () => {
      this.drainState = "final";
      this.emit(FrameType.GOAWAY, Flag.NONE, 0, words(this.lastStreamId, ErrorCode.NO_ERROR));
      this.flush();
      this.closeWhenDrained();
    });
  }

  private closeWhenDrained(): void {
    if (this.drainState !== "final" || this.streams.size > 0) return;
    this.host.clock.after(this.options.delayedCloseMs, () => this.connection?.flushAndClose());
  }

  private emit(type: FrameType, flags: number, streamId: number, payload: Uint8Array): void {
    if (type === FrameType.DATA) this.inbound.floods.sentData();
    this.output.push(encodeFrame(type, flags, streamId, payload));
  }

  /** Writes what is queued, one write after the other; not while dispatching, as Envoy's codec. */
  private flush(): void {
    if (this.dispatching || this.flushing) return;
    this.flushing = true;
    try {
      while (this.output.length > 0 && this.connection !== null) this.connection.write(this.nextWrite());
    } finally {
      this.flushing = false;
    }
  }

  private nextWrite(): Buffer {
    const { writeUnit } = this.options;
    if (writeUnit === "frame") return this.output.shift() ?? Buffer.alloc(0);
    const bytes = this.output.length === 1 ? this.output[0] : Buffer.concat(this.output);
    this.output.length = 0;
    if (writeUnit === "dispatch" || bytes.length <= writeUnit) return bytes;
    this.output.unshift(bytes.subarray(writeUnit));
    return bytes.subarray(0, writeUnit);
  }

  onBelowWriteLimit(): void {
    this.pumpAll();
  }

  onClose(): void {
    this.connection = null;
    this.output = [];
    for (const stream of [...this.streams.values()]) {
      stream.closed = true;
      stream.onReset(null);
    }
    this.streams.clear();
  }
}

function overrun(what: string, window: number): never {
  throw new Http2Error(ErrorCode.FLOW_CONTROL_ERROR, `${what} overrun by ${-window} bytes`);
}

function openWindow(stream: ConnectStream, delta: number): void {
  stream.sendWindow += delta;
  if (stream.sendWindow > MAX_WINDOW) {
    throw new Http2Error(ErrorCode.FLOW_CONTROL_ERROR, `window of stream ${stream.id} too large`);
  }
}
