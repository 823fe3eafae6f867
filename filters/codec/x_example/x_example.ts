import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { load16be, load32be, store16be, store32be } from "../../../assembly/bytes/memory";
import { Code } from "../../../assembly/message/code";
import { Codec, Decoded, Detected, FRAME_TOO_LONG, NO_PLACE, Peer } from "../../../assembly/xprotocol/codec";
import { Frame, FrameError, FrameKind } from "../../../assembly/xprotocol/frame";
import { Headers } from "../../../assembly/message/headers";
import { HeaderList } from "../../../assembly/message/list";

const MAGIC: u8 = 0x78; // 'x'
const ID_AT: usize = 3;
const REQUEST_LENGTH: i32 = 11;
const RESPONSE_LENGTH: i32 = 13;

const enum Type {
  HEARTBEAT = 0,
  MESSAGE = 1,
  GOAWAY = 2,
}

const enum Direction {
  REQUEST = 0,
  RESPONSE = 1,
}

const enum Status {
  SUCCESS = 0,
  ERROR = 1,
}

/**
 * MOSN's example protocol: 'x', type, direction, id u32, status u16 (responses only), payload length u32, payload.
 * It has neither headers nor a name of a service.
 */
export class XExample extends Codec {
  private readonly reused: HeaderList = new HeaderList();

  constructor() {
    super("x_example", 32);
  }

  detect(ptr: usize, length: i32): Detected {
    if (load<u8>(ptr) != MAGIC) return Detected.NO;
    if (length > 1 && (load<u8>(ptr, 1) as i32) > Type.GOAWAY) return Detected.NO;
    if (length > 2 && (load<u8>(ptr, 2) as i32) > Direction.RESPONSE) return Detected.NO;
    return length > 2 ? Detected.YES : Detected.MORE;
  }

  decode(ptr: usize, length: i32, peer: Peer, maxLength: i32, frame: Frame): Decoded {
    frame.begin(this, ptr);
    if (length > 0 && load<u8>(ptr) != MAGIC) return frame.fail(FrameError.MALFORMED, false);
    if (length < 3) return frame.more(REQUEST_LENGTH);
    const type = load<u8>(ptr, 1) as i32;
    const direction = load<u8>(ptr, 2) as i32;
    if (direction > Direction.RESPONSE) return frame.fail(FrameError.MALFORMED, false);
    const response = direction == Direction.RESPONSE;
    const fixed = response ? RESPONSE_LENGTH : REQUEST_LENGTH;
    if (length < fixed) return frame.more(fixed);

    frame.id = load32be(ptr + ID_AT) as u64;
    frame.kind = response ? FrameKind.RESPONSE : FrameKind.REQUEST;
    if (type == Type.HEARTBEAT) frame.kind = response ? FrameKind.HEARTBEAT_ACK : FrameKind.HEARTBEAT;
    if (type == Type.GOAWAY && !response) frame.kind = FrameKind.GOAWAY;
    if (response) frame.status = load16be(ptr + 7) as i32;
    const known = type < Type.GOAWAY || (type == Type.GOAWAY && !response);
    const contentLength = load32be(ptr + (fixed as usize) - 4);
    const total = (fixed as i64) + (contentLength as i64);
    if (total > (maxLength as i64)) {
      if (total <= (i32.MAX_VALUE as i64)) frame.length = total as i32;
      return frame.fail(FrameError.TOO_LARGE, true);
    }
    if (total > (length as i64)) return frame.more(total as i32);
    frame.length = total as i32;
    frame.headerOffset = frame.contentOffset = fixed;
    frame.contentLength = contentLength as i32;
    return known ? Decoded.FRAME : frame.fail(FrameError.MALFORMED, true);
  }

  setId(at: usize, frame: Frame, id: u64): void {
    store32be(at + ID_AT, id as u32);
  }

  headers(frame: Frame): Headers {
    this.reused.clear();
    return this.reused;
  }

  /** False when there are headers: the protocol has no place for any. */
  encode(frame: Frame, headers: Headers, content: usize, contentLength: i32, id: u64, out: ByteBuffer): bool {
    if (this.reused.length > 0) return this.cannot(NO_PLACE);
    const fixed = frame.contentOffset;
    if (this.exceeds((fixed as i64) + contentLength, frame)) return this.cannot(FRAME_TOO_LONG);
    const total = fixed + contentLength;
    const start = out.reserve(total);
    memory.copy(start, frame.ptr, fixed as usize);
    store32be(start + ID_AT, id as u32);
    store32be(start + (fixed as usize) - 4, contentLength as u32);
    memory.copy(start + (fixed as usize), content, contentLength as usize);
    out.commit(total);
    return true;
  }

  heartbeat(id: u64, like: u64, out: ByteBuffer): void {
    writeRequest(Type.HEARTBEAT, id, out);
  }

  heartbeatAck(id: u64, aux: u64, out: ByteBuffer): void {
    writeResponse(Type.HEARTBEAT, id, Status.SUCCESS, 0, 0, out);
  }

  /** The reason is the payload. */
  reply(id: u64, aux: u64, status: i32, reason: usize, reasonLength: i32, out: ByteBuffer): void {
    writeResponse(Type.MESSAGE, id, status, reason, reasonLength, out);
  }

  goAway(id: u64, out: ByteBuffer): bool {
    writeRequest(Type.GOAWAY, id, out);
    return true;
  }

  toStatus(code: i32): i32 {
    return code == Code.SUCCESS ? Status.SUCCESS : Status.ERROR;
  }

  toCode(status: i32): i32 {
    return status == Status.SUCCESS ? Code.SUCCESS : Code.INTERNAL_ERROR;
  }
}

function writeRequest(type: Type, id: u64, out: ByteBuffer): void {
  const start = out.reserve(REQUEST_LENGTH);
  store<u8>(start, MAGIC);
  store<u8>(start, type as u8, 1);
  store<u8>(start, Direction.REQUEST as u8, 2);
  store32be(start + ID_AT, id as u32);
  store32be(start + 7, 0);
  out.commit(REQUEST_LENGTH);
}

function writeResponse(type: Type, id: u64, status: i32, payload: usize, length: i32, out: ByteBuffer): void {
  const start = out.reserve(RESPONSE_LENGTH + length);
  store<u8>(start, MAGIC);
  store<u8>(start, type as u8, 1);
  store<u8>(start, Direction.RESPONSE as u8, 2);
  store32be(start + ID_AT, id as u32);
  store16be(start + 7, status as u32);
  store32be(start + 9, length as u32);
  memory.copy(start + (RESPONSE_LENGTH as usize), payload, length as usize);
  out.commit(RESPONSE_LENGTH + length);
}

/** The one instance: codecs have no state of connections. */
export const xExample = new XExample();
