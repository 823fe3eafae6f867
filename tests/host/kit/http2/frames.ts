/** HTTP/2 frames (RFC 9113). */
export enum FrameType {
  DATA = 0,
  HEADERS = 1,
  PRIORITY = 2,
  RST_STREAM = 3,
  SETTINGS = 4,
  PUSH_PROMISE = 5,
  PING = 6,
  GOAWAY = 7,
  WINDOW_UPDATE = 8,
  CONTINUATION = 9,
}

export const Flag = { NONE: 0, END_STREAM: 1, ACK: 1, END_HEADERS: 4, PADDED: 8, PRIORITY: 0x20 } as const;

export enum ErrorCode {
  NO_ERROR = 0,
  PROTOCOL_ERROR = 1,
  INTERNAL_ERROR = 2,
  FLOW_CONTROL_ERROR = 3,
  SETTINGS_TIMEOUT = 4,
  STREAM_CLOSED = 5,
  FRAME_SIZE_ERROR = 6,
  REFUSED_STREAM = 7,
  CANCEL = 8,
  COMPRESSION_ERROR = 9,
  CONNECT_ERROR = 10,
  ENHANCE_YOUR_CALM = 11,
}

export enum Setting {
  HEADER_TABLE_SIZE = 1,
  ENABLE_PUSH = 2,
  MAX_CONCURRENT_STREAMS = 3,
  INITIAL_WINDOW_SIZE = 4,
  MAX_FRAME_SIZE = 5,
  MAX_HEADER_LIST_SIZE = 6,
  ENABLE_CONNECT_PROTOCOL = 8,
}

export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
export const DEFAULT_WINDOW = 65_535;
export const MAX_WINDOW = 0x7fffffff;
export const DEFAULT_MAX_FRAME_SIZE = 16_384;
const HEADER_LENGTH = 9;

export interface Frame {
  type: number;
  flags: number;
  streamId: number;
  payload: Buffer;
}

/** A violation of HTTP/2 by the peer. */
export class Http2Error extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    super(`${ErrorCode[code]}: ${message}`);
  }
}

export function encodeFrame(type: FrameType, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_LENGTH + payload.length);
  frame.writeUIntBE(payload.length, 0, 3);
  frame[3] = type;
  frame[4] = flags;
  frame.writeUInt32BE(streamId, 5);
  frame.set(payload, HEADER_LENGTH);
  return frame;
}

/** A payload of 32-bit big-endian words (RST_STREAM, WINDOW_UPDATE, GOAWAY). */
export function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => bytes.writeUInt32BE(value >>> 0, 4 * index));
  return bytes;
}

export function encodeSettings(settings: [id: Setting, value: number][]): Buffer {
  const payload = Buffer.alloc(6 * settings.length);
  settings.forEach(([id, value], index) => {
    payload.writeUInt16BE(id, 6 * index);
    payload.writeUInt32BE(value, 6 * index + 2);
  });
  return encodeFrame(FrameType.SETTINGS, Flag.NONE, 0, payload);
}

/** Cuts a byte stream into frames. */
export class FrameReader {
  private rest: Buffer = Buffer.alloc(0);

  constructor(private readonly maxFrameSize = DEFAULT_MAX_FRAME_SIZE) {}

  /** Bytes that nobody changes any more. */
  push(bytes: Buffer): void {
    this.rest = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]);
  }

  /** The next whole frame, or null. Throws `Http2Error` for one that is too long. */
  next(): Frame | null {
    if (this.rest.length < HEADER_LENGTH) return null;
    const length = this.rest.readUIntBE(0, 3);
    if (length > this.maxFrameSize) throw new Http2Error(ErrorCode.FRAME_SIZE_ERROR, `frame of ${length} bytes`);
    const end = HEADER_LENGTH + length;
    if (this.rest.length < end) return null;
    const [type, flags] = [this.rest[3], this.rest[4]];
    const frame = {
      type,
      flags,
      streamId: this.rest.readUInt32BE(5) & MAX_WINDOW,
      payload: this.rest.subarray(HEADER_LENGTH, end),
    };
    this.rest = this.rest.subarray(end);
    return frame;
  }

  /** Removes exactly these bytes from the front: true; false while they may still come. Throws when they cannot. */
  expect(bytes: Uint8Array): boolean {
    const seen = this.rest.subarray(0, bytes.length);
    if (Buffer.compare(seen, bytes.subarray(0, seen.length)) !== 0) {
      throw new Http2Error(ErrorCode.PROTOCOL_ERROR, `no client preface: ${seen.toString("hex")}`);
    }
    if (seen.length < bytes.length) return false;
    this.rest = this.rest.subarray(bytes.length);
    return true;
  }
}

/** Content of a padded frame; throws when the padding is longer than the frame. */
export function unpad(frame: Frame): Buffer {
  if ((frame.flags & Flag.PADDED) === 0) return frame.payload;
  const padding = frame.payload[0] ?? 0;
  if (padding >= frame.payload.length) throw new Http2Error(ErrorCode.PROTOCOL_ERROR, "padding longer than the frame");
  return frame.payload.subarray(1, frame.payload.length - padding);
}
