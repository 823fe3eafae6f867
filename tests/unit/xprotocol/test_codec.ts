import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { load16be, load32be, load64be, store16be, store32be, store64be } from "../../../assembly/bytes/memory";
import { Code } from "../../../assembly/message/code";
import { Codec, Decoded, Detected, FRAME_TOO_LONG, HEADERS_TOO_LONG, Peer } from "../../../assembly/xprotocol/codec";
import { Frame, FrameError, FrameKind } from "../../../assembly/xprotocol/frame";
import { Headers, HeaderVisitor } from "../../../assembly/message/headers";
import { HeaderList } from "../../../assembly/message/list";

const MAGIC: u8 = 0xd5;
const FIXED: i32 = 20;
const MAX_META: i64 = 0xffff;
const SERVICE: Bytes = Bytes.of("s");
const METHOD: Bytes = Bytes.of("m");
const REASON: Bytes = Bytes.of("reason");

/**
 * A protocol as unlike Bolt as the contract allows, for tests only: 64-bit ids, no heartbeat, no go-away, metadata
 * behind the content. Magic, kind (FrameKind), id u64, length of the whole frame u32, timeout or status u16, length of
 * the metadata u32, content, metadata: pairs of key (u8 length) and value (u16 length).
 */
export class TestCodec extends Codec {
  private readonly list: HeaderList = new HeaderList();
  private readonly writer: MetaWriter = new MetaWriter();

  constructor() {
    super("test", 64);
  }

  detect(ptr: usize, length: i32): Detected {
    if (load<u8>(ptr) != MAGIC) return Detected.NO;
    if (length < 2) return Detected.MORE;
    return (load<u8>(ptr, 1) as i32) <= FrameKind.RESPONSE ? Detected.YES : Detected.NO;
  }

  decode(ptr: usize, length: i32, peer: Peer, maxLength: i32, frame: Frame): Decoded {
    frame.begin(this, ptr);
    if (length > 0 && load<u8>(ptr) != MAGIC) return frame.fail(FrameError.MALFORMED, false);
    if (length < FIXED) return frame.more(FIXED);
    const kind = load<u8>(ptr, 1) as i32;
    const total = load32be(ptr + 10) as i64;
    const meta = load32be(ptr + 16) as i64;
    if (kind > FrameKind.RESPONSE || total < FIXED) return frame.fail(FrameError.MALFORMED, false);
    frame.kind = kind;
    frame.id = load64be(ptr + 2);
    if (kind == FrameKind.RESPONSE) frame.status = load16be(ptr + 14) as i32;
    else frame.timeout = load16be(ptr + 14) as i32;
    if (total <= (i32.MAX_VALUE as i64)) frame.length = total as i32;
    if (total > (maxLength as i64)) return frame.fail(FrameError.TOO_LARGE, true);
    if (total > (length as i64)) {
      frame.length = 0;
      return frame.more(total as i32);
    }
    if (meta > total - FIXED) return frame.fail(FrameError.HEADERS, true);
    frame.headerLength = meta as i32;
    frame.headerOffset = (total - meta) as i32;
    frame.contentOffset = FIXED;
    frame.contentLength = ((total - meta) as i32) - FIXED;
    return this.walk(frame, false) ? Decoded.FRAME : frame.fail(FrameError.HEADERS, true);
  }

  /** Validates the metadata; notes service and method, or fills the list. */
  private walk(frame: Frame, fill: bool): bool {
    let at = frame.headerOffset;
    const end = frame.length;
    while (at < end) {
      const keyLength = load<u8>(frame.ptr + at) as i32;
      const key = at + 1;
      if (end - key < keyLength + 2) return false;
      const valueLength = load16be(frame.ptr + key + keyLength) as i32;
      const value = key + keyLength + 2;
      if (end - value < valueLength) return false;
      at = value + valueLength;
      if (fill) {
        this.list.append(frame.ptr + key, keyLength, frame.ptr + value, valueLength);
      } else if (frame.kind < FrameKind.RESPONSE) {
        if (frame.serviceLength == 0 && SERVICE.equals(frame.ptr + key, keyLength)) {
          frame.serviceOffset = value;
          frame.serviceLength = valueLength;
        } else if (frame.methodLength == 0 && METHOD.equals(frame.ptr + key, keyLength)) {
          frame.methodOffset = value;
          frame.methodLength = valueLength;
        }
      }
    }
    return true;
  }

  setId(at: usize, frame: Frame, id: u64): void {
    store64be(at + 2, id);
  }

  headers(frame: Frame): Headers {
    this.list.clear();
    this.walk(frame, true);
    return this.list;
  }

  encode(frame: Frame, headers: Headers, content: usize, contentLength: i32, id: u64, out: ByteBuffer): bool {
    const writer = this.writer;
    writer.reset(0);
    headers.forEach(writer);
    const meta = writer.bytes;
    const total = meta + FIXED + contentLength;
    if (!writer.fits || meta > MAX_META) return this.cannot(HEADERS_TOO_LONG);
    if (this.exceeds(total, frame)) return this.cannot(FRAME_TOO_LONG);
    const start = out.reserve(total as i32);
    memory.copy(start, frame.ptr, FIXED);
    store64be(start + 2, id);
    store32be(start + 10, total as u32);
    store32be(start + 16, meta as u32);
    memory.copy(start + FIXED, content, contentLength);
    writer.reset(start + FIXED + contentLength);
    headers.forEach(writer);
    out.commit(total as i32);
    return true;
  }

  get hasHeartbeat(): bool {
    return false;
  }

  heartbeat(id: u64, like: u64, out: ByteBuffer): void {}

  heartbeatAck(id: u64, aux: u64, out: ByteBuffer): void {}

  reply(id: u64, aux: u64, status: i32, reason: usize, reasonLength: i32, out: ByteBuffer): void {
    const writer = this.writer;
    const n = min(reasonLength, 1000);
    const meta = n > 0 ? 3 + REASON.length + n : 0;
    const start = out.reserve(FIXED + meta);
    store<u8>(start, MAGIC);
    store<u8>(start, FrameKind.RESPONSE as u8, 1);
    store64be(start + 2, id);
    store32be(start + 10, FIXED + meta);
    store16be(start + 14, status);
    store32be(start + 16, meta);
    writer.reset(start + FIXED);
    if (n > 0) writer.onHeader(REASON.ptr, REASON.length, reason, n);
    out.commit(FIXED + meta);
  }

  toStatus(code: i32): i32 {
    return code == Code.SUCCESS ? 7 : code == Code.TIMEOUT ? 8 : 9;
  }

  toCode(status: i32): i32 {
    return status == 7 ? Code.SUCCESS : status == 8 ? Code.TIMEOUT : Code.INTERNAL_ERROR;
  }
}

/** Counts the bytes of metadata, and writes them where it is told an address. */
class MetaWriter extends HeaderVisitor {
  bytes: i64 = 0;
  fits: bool = true;
  private at: usize = 0;

  reset(at: usize): void {
    this.at = at;
    this.bytes = 0;
    this.fits = true;
  }

  onHeader(key: usize, keyLength: i32, value: usize, valueLength: i32): bool {
    if (keyLength > 0xff || valueLength > 0xffff) this.fits = false;
    this.bytes += 3 + keyLength + valueLength;
    if (this.at == 0) return true;
    store<u8>(this.at, keyLength as u8);
    memory.copy(this.at + 1, key, keyLength);
    store16be(this.at + 1 + keyLength, valueLength);
    memory.copy(this.at + 3 + keyLength, value, valueLength);
    this.at += 3 + keyLength + valueLength;
    return true;
  }
}

export const testCodec = new TestCodec();
