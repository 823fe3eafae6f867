import { FloodGuard } from "./flood.ts";
import {
  ErrorCode,
  Flag,
  type Frame,
  FrameReader,
  FrameType,
  Http2Error,
  MAX_WINDOW,
  PREFACE,
  unpad,
} from "./frames.ts";
import { type HeaderList, HpackDecoder } from "./hpack.ts";

/** What arrives on the server's side of an HTTP/2 connection, checked for form. */
export interface InboundHandler {
  /** `flow` bytes count against the windows; with padding that is more than the content. */
  data(streamId: number, content: Buffer, flow: number, end: boolean): void;
  headers(streamId: number, headers: HeaderList, end: boolean): void;
  reset(streamId: number, code: ErrorCode): void;
  settings(settings: [id: number, value: number][]): void;
  settingsAck(): void;
  ping(payload: Buffer): void;
  /** `streamId` 0: the connection's window. */
  windowUpdate(streamId: number, increment: number): void;
}

/** Reads a client's bytes: preface, frames, header blocks. Throws `Http2Error` where RFC 9113 or Envoy's limits end. */
export class Inbound {
  readonly floods = new FloodGuard();
  private readonly reader = new FrameReader();
  private readonly decoder = new HpackDecoder();
  private prefaceSeen = false;
  private headerBlock: { streamId: number; end: boolean; parts: Buffer[] } | null = null;

  constructor(private readonly handler: InboundHandler) {}

  receive(bytes: Buffer): void {
    this.reader.push(bytes);
    this.prefaceSeen ||= this.reader.expect(PREFACE);
    if (!this.prefaceSeen) return;
    for (let frame = this.reader.next(); frame !== null; frame = this.reader.next()) {
      this.floods.received(frame);
      if (this.headerBlock !== null && frame.type !== FrameType.CONTINUATION) {
        throw new Http2Error(ErrorCode.PROTOCOL_ERROR, "a frame between HEADERS and its CONTINUATION");
      }
      this.dispatch(frame);
    }
  }

  private dispatch(frame: Frame): void {
    const { flags, streamId, payload } = frame;
    const end = (flags & Flag.END_STREAM) !== 0;
    const ack = (flags & Flag.ACK) !== 0;
    switch (frame.type) {
      case FrameType.DATA:
        expect(frame, streamId !== 0, "DATA on stream 0");
        return this.handler.data(streamId, unpad(frame), payload.length, end);
      case FrameType.HEADERS:
        return this.receiveHeaders(frame);
      case FrameType.CONTINUATION:
        return this.receiveContinuation(frame);
      case FrameType.RST_STREAM:
        expectLength(frame, payload.length === 4);
        return this.handler.reset(streamId, payload.readUInt32BE(0));
      case FrameType.SETTINGS:
        expectLength(frame, payload.length % 6 === 0 && streamId === 0);
        return ack ? this.handler.settingsAck() : this.handler.settings(parseSettings(payload));
      case FrameType.PING:
        expectLength(frame, payload.length === 8 && streamId === 0);
        return ack ? undefined : this.handler.ping(payload);
      case FrameType.WINDOW_UPDATE:
        return this.receiveWindowUpdate(frame);
      case FrameType.GOAWAY:
        return expectLength(frame, payload.length >= 8 && streamId === 0);
      case FrameType.PUSH_PROMISE:
        throw new Http2Error(ErrorCode.PROTOCOL_ERROR, "PUSH_PROMISE from a client");
    }
  }

  private receiveHeaders(frame: Frame): void {
    expect(frame, frame.streamId % 2 === 1, `HEADERS on stream ${frame.streamId}`);
    const block = (frame.flags & Flag.PRIORITY) !== 0 ? unpad(frame).subarray(5) : unpad(frame);
    this.headerBlock = { streamId: frame.streamId, end: (frame.flags & Flag.END_STREAM) !== 0, parts: [block] };
    if ((frame.flags & Flag.END_HEADERS) !== 0) this.headersComplete();
  }

  private receiveContinuation(frame: Frame): void {
    expect(frame, this.headerBlock?.streamId === frame.streamId, "CONTINUATION without its HEADERS");
    this.headerBlock?.parts.push(frame.payload);
    if ((frame.flags & Flag.END_HEADERS) !== 0) this.headersComplete();
  }

  private headersComplete(): void {
    if (this.headerBlock === null) return;
    const { streamId, end, parts } = this.headerBlock;
    this.headerBlock = null;
    this.handler.headers(streamId, this.decode(Buffer.concat(parts)), end);
  }

  private decode(block: Buffer): HeaderList {
    try {
      return this.decoder.decode(block);
    } catch (error) {
      throw new Http2Error(ErrorCode.COMPRESSION_ERROR, (error as Error).message);
    }
  }

  private receiveWindowUpdate(frame: Frame): void {
    expectLength(frame, frame.payload.length === 4);
    const increment = frame.payload.readUInt32BE(0) & MAX_WINDOW;
    expect(frame, increment > 0, "WINDOW_UPDATE of 0");
    this.handler.windowUpdate(frame.streamId, increment);
  }
}

function parseSettings(payload: Buffer): [number, number][] {
  const count = payload.length / 6;
  return Array.from({ length: count }, (_, i) => [payload.readUInt16BE(6 * i), payload.readUInt32BE(6 * i + 2)]);
}

function expect(frame: Frame, right: boolean, message: string): void {
  if (!right) throw new Http2Error(ErrorCode.PROTOCOL_ERROR, `${message} (${FrameType[frame.type]})`);
}

function expectLength(frame: Frame, right: boolean): void {
  if (!right)
    throw new Http2Error(ErrorCode.FRAME_SIZE_ERROR, `${FrameType[frame.type]} of ${frame.payload.length} bytes`);
}
