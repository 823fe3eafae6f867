import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { crc32, crc32Replace } from "../../../assembly/bytes/crc32";
import { load16be, load32be, store16be, store32be } from "../../../assembly/bytes/memory";
import {
  Codec,
  Decoded,
  FRAME_TOO_LONG,
  HEADERS_TOO_LONG,
  INCOMPLETE,
  NO_PLACE,
  Peer,
} from "../../../assembly/xprotocol/codec";
import { Frame, FrameError, FrameKind } from "../../../assembly/xprotocol/frame";
import { Headers } from "../../../assembly/message/headers";
import { Payload, Serialization } from "../../../assembly/message/payload";
import { CallReader } from "./call";
import { EXCEPTION_CLASS, exceptionLength, writeException } from "./exception";
import { BlockSize, BlockWriter, BoltHeaders, hasHeader } from "./headers";
import { SOFA_RESPONSE, SofaResponseReader } from "./sofa_response";
import { codeOf, Status, statusOf } from "./status";

/** Byte `type`. */
export const enum Type {
  RESPONSE = 0,
  REQUEST = 1,
  ONEWAY = 2,
}

/** Field `cmdcode`. */
export const enum Command {
  HEARTBEAT = 0,
  REQUEST = 1,
  RESPONSE = 2,
  /** MOSN's own, version 1 only. */
  GOAWAY = 100,
}

/** Field `codec` of frames that we write: Hessian 2, which every peer has. */
const HESSIAN: u8 = 1;
/** Java peers read the lengths of class and header as signed 16-bit numbers. */
const MAX_HEADER: i32 = 0x7fff;
const CHECKSUM_LENGTH: i32 = 4;
/** Version 2 frames: `ver1` with checksums, and the bit of `switch` that says that this frame has one. */
const CHECKSUM_VERSION: u8 = 2;
const CHECKSUM_SWITCH: u8 = 1;
/** Up to this length a new checksum costs less than mending the old one. */
const SHORT: i32 = 256;

/** Why a change cannot be expressed, for the log. */
const AMBIGUOUS: Bytes = Bytes.of("servers would read the changed call in different ways");
const NO_REASON: Bytes = Bytes.of("refused by the proxy");
/** The header of SOFARPC's responses that are an error or an exception, whatever they are written in, and its value. */
const RESPONSE_ERROR: Bytes = Bytes.of("sofa_head_response_error");
const TRUE: Bytes = Bytes.of("true");

/**
 * Both versions of Bolt. A frame is: protocol byte; version 2 only: ver1; type, cmdcode u16, ver2, id u32, codec; version
 * 2 only: switch; timeout i32 (requests) or status u16 (responses); lengths of class u16, header u16, content u32;
 * class, header, content; version 2 when ver1 is 2 and bit 0 of switch is set: CRC-32 of all before it.
 * Both may be mixed on one connection: each codec hands the other's frames over. `aux`: ver1, switch << 8.
 */
export abstract class BoltCodec extends Codec {
  /** The codec of the other version; null: its frames are refused. */
  protected sibling: BoltCodec | null = null;
  private readonly reused: BoltHeaders = new BoltHeaders();
  private readonly callReader: CallReader = new CallReader();
  private readonly written: Frame = new Frame();
  private readonly size: BlockSize = new BlockSize();
  private readonly writer: BlockWriter = new BlockWriter();
  private readonly sofaResponse: SofaResponseReader = new SofaResponseReader();

  /**
   * @param protocol first byte of every frame
   * @param typeAt offset of the type byte
   * @param restAt offset of what follows codec (and switch): timeout or status
   */
  constructor(
    name: string,
    protected readonly protocol: u8,
    private readonly typeAt: i32,
    private readonly restAt: i32,
  ) {
    super(name, 32);
  }

  /** Makes two versions know each other. */
  static pair(a: BoltCodec, b: BoltCodec): void {
    a.sibling = b;
    b.sibling = a;
  }

  decode(ptr: usize, length: i32, peer: Peer, maxLength: i32, frame: Frame): Decoded {
    if (length > 0 && load<u8>(ptr) != this.protocol) {
      const sibling = this.sibling;
      if (sibling !== null && load<u8>(ptr) == sibling.protocol)
        return sibling.decodeOwn(ptr, length, maxLength, frame);
      frame.begin(this, ptr);
      return frame.fail(FrameError.MALFORMED, false);
    }
    return this.decodeOwn(ptr, length, maxLength, frame);
  }

  private decodeOwn(ptr: usize, length: i32, maxLength: i32, frame: Frame): Decoded {
    frame.begin(this, ptr);
    if (length <= this.typeAt) return frame.more(this.restAt + 10);
    const type = load<u8>(ptr + (this.typeAt as usize)) as i32;
    // A ver1 that we do not know could have a checksum or not: the end of the frame is unknown.
    if (type > Type.ONEWAY || (this.typeAt == 2 && !knownVersion(ptr))) {
      return frame.fail(FrameError.MALFORMED, false);
    }
    const fixed = this.fixedLength(ptr);
    if (length < fixed) return frame.more(fixed);

    const rest = ptr + (this.restAt as usize);
    frame.id = load32be(ptr + (this.typeAt as usize) + 4) as u64;
    frame.aux = this.auxOf(ptr);
    const known = this.describe(frame, type, rest);
    const lengths = ptr + (fixed as usize) - 8;
    const classLength = load16be(lengths) as i32;
    const headerLength = load16be(lengths + 2) as i32;
    const contentLength = load32be(lengths + 4);
    const checksum = this.checksumLength(frame.aux);
    const total = (fixed as i64) + classLength + headerLength + (contentLength as i64) + checksum;
    if (total <= (i32.MAX_VALUE as i64)) frame.length = total as i32;
    if (total > (maxLength as i64)) return frame.fail(FrameError.TOO_LARGE, true);
    if (total > (length as i64)) {
      frame.length = 0;
      return frame.more(total as i32);
    }
    frame.headerOffset = fixed + classLength;
    frame.headerLength = headerLength;
    frame.contentOffset = frame.headerOffset + headerLength;
    frame.contentLength = contentLength as i32;
    if (!known) return frame.fail(FrameError.MALFORMED, true);
    if (checksum != 0 && !checksumMatches(ptr, frame.length)) return frame.fail(FrameError.CHECKSUM, true);
    if (frame.kind > FrameKind.ONEWAY) return Decoded.FRAME;
    const error = this.callReader.read(frame, fixed, this.serializationOf(frame) == HESSIAN);
    return error == FrameError.NONE ? Decoded.FRAME : frame.fail(error, true);
  }

  /** Sets kind, timeout and status; false for a command that goes not with this type, when the kind is the type's. */
  private describe(frame: Frame, type: i32, rest: usize): bool {
    const command = load16be(frame.ptr + (this.typeAt as usize) + 1);
    if (type == Type.RESPONSE) {
      frame.status = load16be(rest) as i32;
      frame.kind = command == Command.HEARTBEAT ? FrameKind.HEARTBEAT_ACK : FrameKind.RESPONSE;
      return command == Command.RESPONSE || command == Command.HEARTBEAT;
    }
    frame.timeout = load32be(rest) as i32;
    frame.kind = type == Type.REQUEST ? FrameKind.REQUEST : FrameKind.ONEWAY;
    if (command == Command.HEARTBEAT) frame.kind = FrameKind.HEARTBEAT;
    else if (command == Command.GOAWAY && this.hasGoAway) frame.kind = FrameKind.GOAWAY;
    else return command == Command.REQUEST;
    return true;
  }

  setId(at: usize, frame: Frame, id: u64): void {
    const idAt = at + (this.typeAt as usize) + 4;
    const before = load<u32>(idAt);
    store32be(idAt, id as u32);
    if (this.checksumLength(frame.aux) == 0) return;
    const covered = frame.length - CHECKSUM_LENGTH;
    if (covered <= SHORT) {
      seal(at, frame.length);
      return;
    }
    const end = at + (covered as usize);
    store32be(end, crc32Replace(load32be(end), before, load<u32>(idAt), covered - this.typeAt - 8));
  }

  headers(frame: Frame): Headers {
    this.reused.bind(frame);
    return this.reused;
  }

  encode(frame: Frame, headers: Headers, content: usize, contentLength: i32, id: u64, out: ByteBuffer): bool {
    if (headers.incomplete) return this.cannot(INCOMPLETE);
    const changed = headers.changed;
    if (changed && !this.reused.readable) return this.cannot(NO_PLACE);
    this.size.bytes = frame.headerLength;
    if (changed) {
      this.size.bytes = 0;
      headers.forEach(this.size);
      if (this.size.bytes > (max(frame.headerLength, MAX_HEADER) as i64)) return this.cannot(HEADERS_TOO_LONG);
    }
    const headerLength = this.size.bytes as i32;
    const checksum = this.checksumLength(frame.aux);
    const total = (frame.headerOffset as i64) + headerLength + contentLength + checksum;
    if (this.exceeds(total, frame)) return this.cannot(FRAME_TOO_LONG);

    const start = out.reserve(total as i32);
    memory.copy(start, frame.ptr, frame.headerOffset as usize);
    store32be(start + (this.typeAt as usize) + 4, id as u32);
    const lengths = start + (this.fixedLength(start) as usize) - 8;
    store16be(lengths + 2, headerLength as u32);
    store32be(lengths + 4, contentLength as u32);
    let at = start + (frame.headerOffset as usize);
    if (changed) {
      this.writer.at = at;
      headers.forEach(this.writer);
    } else {
      memory.copy(at, frame.ptr + (frame.headerOffset as usize), headerLength as usize);
    }
    at += headerLength as usize;
    memory.copy(at, content, contentLength as usize);
    if (changed && !this.isClear(frame, start, headerLength, contentLength)) return this.cannot(AMBIGUOUS);
    if (checksum != 0) seal(start, total as i32);
    out.commit(total as i32);
    return true;
  }

  /** Whether readers agree which call a changed request is: SOFARPC takes the method from the content, say. */
  private isClear(frame: Frame, start: usize, headerLength: i32, contentLength: i32): bool {
    if (frame.kind > FrameKind.ONEWAY) return true;
    const written = this.written;
    written.begin(this, start);
    written.headerOffset = frame.headerOffset;
    written.headerLength = headerLength;
    written.contentOffset = frame.headerOffset + headerLength;
    written.contentLength = contentLength;
    const isHessian = this.serializationOf(written) == HESSIAN;
    return this.callReader.read(written, this.fixedLength(start), isHessian) == FrameError.NONE;
  }

  /** The codec byte names the serialization; which version of Hessian 2 it is depends on the peers' libraries. */
  payload(frame: Frame, content: usize, contentLength: i32, out: Payload): void {
    out.begin(Serialization.NONE);
    if (contentLength == 0) return;
    out.serialization = this.serializationOf(frame) == HESSIAN ? Serialization.HESSIAN_ANY : Serialization.OTHER;
    out.stream.set(content, contentLength);
    const fixed = this.fixedLength(frame.ptr);
    out.typeName.set(frame.ptr + (fixed as usize), frame.headerOffset - fixed);
  }

  /** Servers of SOFARPC in Java say it in a header, too; others, such as sofa-rpc-node's, in the content alone. */
  isException(frame: Frame): bool {
    if (frame.kind != FrameKind.RESPONSE || frame.status != Status.SUCCESS) return false;
    if (hasHeader(frame, RESPONSE_ERROR, TRUE)) return true;
    const fixed = this.fixedLength(frame.ptr);
    const sofa = SOFA_RESPONSE.equals(frame.ptr + (fixed as usize), frame.headerOffset - fixed);
    if (this.serializationOf(frame) != HESSIAN || !sofa) return false;
    return this.sofaResponse.isFailure(frame.ptr + (frame.contentOffset as usize), frame.contentLength);
  }

  heartbeat(id: u64, like: u64, out: ByteBuffer): void {
    const total = this.restAt + 12;
    const start = this.begin(Type.REQUEST, Command.HEARTBEAT, id, withoutChecksum(like), out, total);
    store32be(start + (this.restAt as usize), -1); // timeout: none
    out.commit(total);
  }

  heartbeatAck(id: u64, aux: u64, out: ByteBuffer): void {
    const total = this.restAt + 10;
    this.begin(Type.RESPONSE, Command.HEARTBEAT, id, withoutChecksum(aux), out, total);
    out.commit(total);
  }

  reply(id: u64, aux: u64, status: i32, reason: usize, reasonLength: i32, out: ByteBuffer): void {
    // sofa-rpc makes an exception without any message of a SERVER_EXCEPTION without content.
    if (status == Status.SERVER_EXCEPTION && reasonLength == 0) {
      reason = NO_REASON.ptr;
      reasonLength = NO_REASON.length;
    }
    const readable = status != Status.SUCCESS && reasonLength > 0;
    const contentLength = readable ? exceptionLength(reasonLength) : 0;
    const classLength = readable ? EXCEPTION_CLASS.length : 0;
    const fixed = this.restAt + 10;
    const total = fixed + classLength + contentLength + this.checksumLength(aux);
    const start = this.begin(Type.RESPONSE, Command.RESPONSE, id, aux, out, total);
    const rest = start + (this.restAt as usize);
    store16be(rest, status as u32);
    store16be(rest + 2, classLength as u32);
    store32be(rest + 6, contentLength as u32);
    if (readable) {
      memory.copy(start + (fixed as usize), EXCEPTION_CLASS.ptr, classLength as usize);
      writeException(start + ((fixed + classLength) as usize), reason, reasonLength);
    }
    if (this.checksumLength(aux) != 0) seal(start, total);
    out.commit(total);
  }

  toStatus(code: i32): i32 {
    return statusOf(code);
  }

  toCode(status: i32): i32 {
    return codeOf(status);
  }

  /** Whether this version has MOSN's go-away command. */
  protected get hasGoAway(): bool {
    return this.protocol == 1;
  }

  /** Reserves `total` bytes, writes the fields up to timeout or status there and zeros behind them. */
  protected begin(type: Type, command: Command, id: u64, aux: u64, out: ByteBuffer, total: i32): usize {
    const start = out.reserve(total);
    memory.fill(start, 0, total as usize);
    store<u8>(start, this.protocol);
    const at = start + (this.typeAt as usize);
    if (this.typeAt == 2) {
      store<u8>(start, max(1, aux as u8), 1);
      store<u8>(at, (aux >> 8) as u8, 9);
    }
    store<u8>(at, type as u8);
    store16be(at + 1, command);
    store<u8>(at, 1, 3);
    store32be(at + 4, id as u32);
    store<u8>(at, HESSIAN, 8);
    return start;
  }

  /** Length of all fields before the class, of a frame whose type byte is there. */
  // @ts-ignore: decorator
  @inline
  private fixedLength(ptr: usize): i32 {
    return this.restAt + (load<u8>(ptr + (this.typeAt as usize)) == Type.RESPONSE ? 10 : 12);
  }

  // @ts-ignore: decorator
  @inline
  private serializationOf(frame: Frame): u8 {
    return load<u8>(frame.ptr + (this.typeAt as usize) + 8);
  }

  // @ts-ignore: decorator
  @inline
  private auxOf(ptr: usize): u64 {
    return this.typeAt == 2 ? (load<u8>(ptr, 1) as u64) | ((load<u8>(ptr, 11) as u64) << 8) : 0;
  }

  // @ts-ignore: decorator
  @inline
  private checksumLength(aux: u64): i32 {
    return (aux as u8) == CHECKSUM_VERSION && (((aux >> 8) as u8) & CHECKSUM_SWITCH) != 0 ? CHECKSUM_LENGTH : 0;
  }
}

/** Heartbeats carry no checksum, as those of sofa-bolt. */
function withoutChecksum(aux: u64): u64 {
  return aux & 0xff;
}

function checksumMatches(ptr: usize, length: i32): bool {
  const covered = length - CHECKSUM_LENGTH;
  return crc32(ptr, covered) == load32be(ptr + (covered as usize));
}

/** Writes the checksum into the last bytes of a frame of `length` bytes. */
function seal(ptr: usize, length: i32): void {
  const covered = length - CHECKSUM_LENGTH;
  store32be(ptr + (covered as usize), crc32(ptr, covered));
}

/** Whether ver1 of the version 2 frame at `ptr` is one that sofa-bolt knows. */
// @ts-ignore: decorator
@inline
function knownVersion(ptr: usize): bool {
  const ver1 = load<u8>(ptr, 1);
  return ver1 == 1 || ver1 == CHECKSUM_VERSION;
}
