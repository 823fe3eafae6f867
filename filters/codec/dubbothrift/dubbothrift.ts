import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import {
  bytesEqual,
  load16be,
  load32be,
  load64be,
  store16be,
  store32be,
  store64be,
} from "../../../assembly/bytes/memory";
import { View } from "../../../assembly/bytes/view";
import {
  Codec,
  Decoded,
  Detected,
  FIXED_FIELD,
  FRAME_TOO_LONG,
  HEADERS_TOO_LONG,
  NO_PLACE,
  Peer,
} from "../../../assembly/xprotocol/codec";
import { Frame, FrameError, FrameKind } from "../../../assembly/xprotocol/frame";
import { Headers } from "../../../assembly/message/headers";
import { exceptionType, isExceptionResult, writeEmptyResult, writeException } from "./binary";
import { METHOD, SERVICE, ThriftHeaders } from "./headers";
import { NameCache } from "./names";
import { codeOf, Status, statusOf } from "./status";

const MAGIC: u32 = 0xdabc;
/** The header's own length counts from the magic on. */
const MAGIC_AT: i32 = 4;
/** Length of the frame u32, magic u16, length of the message u32, length of the header u16, version u8. */
const FIXED: i32 = 13;
const ID_LENGTH: i32 = 8;
/** Header with an empty service: the fixed part behind the frame's length, a string's length, the id. */
const MIN_HEADER: i32 = FIXED - MAGIC_AT + 4 + ID_LENGTH;
/** Begin of a message with an empty name: version and type, the name's length, sequence id. */
const MIN_MESSAGE: i32 = 12;
const SHORTEST: i32 = MAGIC_AT + MIN_HEADER + MIN_MESSAGE;
/** The header's length is 16 bits wide; a method's name may be as long. */
const MAX_HEADER: i32 = 0xffff;
const VERSION: u8 = 1;
const SLASH: u8 = 0x2f;
const STRICT: u32 = 0x80010000;

/** Longest reason written, bytes; the rest is cut. */
const MAX_REASON: i32 = 1024;
const NO_REASON: Bytes = Bytes.of("refused by the proxy");

/** Byte `type` of a message. */
const enum MessageType {
  CALL = 1,
  REPLY = 2,
  EXCEPTION = 3,
  ONEWAY = 4,
}

/** What `describe` answers beside a count of bytes. */
const DESCRIBED: i32 = 0;
const BROKEN: i32 = -1;
/** Broken before the id. */
const UNIDENTIFIED: i32 = -2;
/** Whole, but servers would read it in different ways. */
const AMBIGUOUS: i32 = -3;

/**
 * Dubbo's Thrift protocol: a framed TBinary message behind a header of Dubbo's. `aux` is what a reply repeats of its
 * request: sequence id, the number of service and method in `names` << 32, whether there is a path << 63.
 */
export class DubboThrift extends Codec {
  private readonly reused: ThriftHeaders = new ThriftHeaders();
  private readonly names: NameCache = new NameCache();
  private readonly service: View = new View();
  private readonly method: View = new View();

  constructor() {
    super("dubbo-thrift", 64);
  }

  detect(ptr: usize, length: i32): Detected {
    if (!plausible(ptr, length)) return Detected.NO;
    return length >= MAGIC_AT + 2 ? Detected.YES : Detected.MORE;
  }

  decode(ptr: usize, length: i32, peer: Peer, maxLength: i32, frame: Frame): Decoded {
    frame.begin(this, ptr);
    if (!plausible(ptr, length)) return frame.fail(FrameError.MALFORMED, false);
    if (length < SHORTEST) return frame.more(SHORTEST);
    const total = (load32be(ptr) as i64) + MAGIC_AT;
    const tooLarge = total > (maxLength as i64);
    if (!tooLarge && total > (length as i64)) return frame.more(total as i32);

    const outcome = this.describe(frame, peer, min(total, length as i64) as i32, total);
    if (tooLarge) {
      if (outcome > 0 && outcome <= maxLength) return frame.more(outcome);
      if (total <= (i32.MAX_VALUE as i64)) frame.length = total as i32;
      return frame.fail(FrameError.TOO_LARGE, outcome == DESCRIBED || outcome == AMBIGUOUS);
    }
    frame.length = total as i32;
    if (outcome == AMBIGUOUS) return frame.fail(FrameError.AMBIGUOUS, true);
    if (outcome != DESCRIBED) return frame.fail(FrameError.HEADERS, outcome == BROKEN);
    frame.contentLength = frame.length - frame.contentOffset;
    if (frame.kind == FrameKind.RESPONSE) {
      const reply = typeOf(frame) == MessageType.REPLY;
      const content = ptr + (frame.contentOffset as usize);
      frame.status = reply ? Status.SUCCESS : exceptionType(content, frame.contentLength);
    }
    return Decoded.FRAME;
  }

  /**
   * Describes what comes before the arguments of a frame of `total` bytes, of which `length` are there: DESCRIBED,
   * BROKEN, UNIDENTIFIED, AMBIGUOUS, or how many bytes it takes to tell.
   */
  private describe(frame: Frame, peer: Peer, length: i32, total: i64): i32 {
    const ptr = frame.ptr;
    const headerLength = load16be(ptr + 10) as i32;
    const message = MAGIC_AT + headerLength;
    const serviceLength = load32be(ptr + (FIXED as usize)) as i64;
    if (headerLength < MIN_HEADER || serviceLength > ((headerLength - MIN_HEADER) as i64)) return UNIDENTIFIED;
    if (((message + MIN_MESSAGE) as i64) > total) return UNIDENTIFIED;
    if (length < message + MIN_MESSAGE) return message + MIN_MESSAGE;

    const begin = ptr + (message as usize);
    frame.id = load64be(begin - ID_LENGTH);
    const type = load<u8>(begin, 3) as i32;
    frame.kind = kindOf(type, peer);
    const methodLength = load32be(begin + 4) as i64;
    const content = ((message + MIN_MESSAGE) as i64) + methodLength;
    if ((load32be(begin) & 0xffff0000) != STRICT || type < MessageType.CALL || type > MessageType.ONEWAY) return BROKEN;
    if (methodLength > (MAX_HEADER as i64) || content > total) return BROKEN;
    if ((load32be(ptr + 6) as i64) != total - MAGIC_AT) return BROKEN;
    if (content > (length as i64)) return content as i32;

    frame.headerOffset = FIXED;
    frame.contentOffset = content as i32;
    frame.headerLength = frame.contentOffset - FIXED;
    if (frame.kind == FrameKind.RESPONSE) return DESCRIBED;
    frame.serviceOffset = FIXED + 4;
    frame.serviceLength = serviceLength as i32;
    frame.methodOffset = message + 8;
    frame.methodLength = methodLength as i32;
    const restLength = headerLength - MIN_HEADER - frame.serviceLength;
    if (frame.kind == FrameKind.REQUEST) frame.aux = this.auxOf(frame, restLength > 0);
    return restLength == 0 || isPathOf(frame, restLength) ? DESCRIBED : AMBIGUOUS;
  }

  private auxOf(frame: Frame, path: bool): u64 {
    const service = frame.ptr + (frame.serviceOffset as usize);
    const method = frame.ptr + (frame.methodOffset as usize);
    const names = this.names.numberOf(service, frame.serviceLength, method, frame.methodLength);
    const sequence = load32be(frame.ptr + (frame.contentOffset as usize) - 4);
    return (sequence as u64) | ((names as u64) << 32) | ((path as u64) << 63);
  }

  setId(at: usize, frame: Frame, id: u64): void {
    store64be(at + (messageAt(at) as usize) - ID_LENGTH, id);
  }

  headers(frame: Frame): Headers {
    const service = frame.ptr + (FIXED as usize);
    const method = frame.ptr + (messageAt(frame.ptr) as usize) + 4;
    const sequence = load32be(frame.ptr + (frame.contentOffset as usize) - 4) as i32;
    this.reused.bind(
      service + 4,
      load32be(service) as i32,
      method + 4,
      load32be(method) as i32,
      sequence,
      typeOf(frame),
    );
    return this.reused;
  }

  /** False also when there are other headers than the message's own fields, or when one of those was to change that cannot. */
  encode(frame: Frame, headers: Headers, content: usize, contentLength: i32, id: u64, out: ByteBuffer): bool {
    const service = this.service;
    const method = this.method;
    headers.get(SERVICE.ptr, SERVICE.length, service);
    headers.get(METHOD.ptr, METHOD.length, method);
    // A path, which newer versions of Dubbo write between the service and the id, follows the service.
    const restAt = FIXED + 4 + (load32be(frame.ptr + (FIXED as usize)) as i32);
    const oldRest = messageAt(frame.ptr) - ID_LENGTH - restAt;
    const slash = slashes(frame.ptr + (restAt as usize), oldRest, restAt - FIXED - 4);
    const follows = oldRest > 4 && frame.kind != FrameKind.RESPONSE;
    const restLength = follows ? ((4 + slash + service.length) as i64) : (oldRest as i64);
    const headerLength = (MIN_HEADER as i64) + service.length + restLength;
    const total = headerLength + MAGIC_AT + MIN_MESSAGE + method.length + contentLength;
    if (this.reused.fixed) return this.cannot(FIXED_FIELD);
    if (!this.reused.fit) return this.cannot(NO_PLACE);
    if (headerLength > (MAX_HEADER as i64) || method.length > MAX_HEADER) return this.cannot(HEADERS_TOO_LONG);
    if (this.exceeds(total, frame)) return this.cannot(FRAME_TOO_LONG);

    const start = out.reserve(total as i32);
    memory.copy(start, frame.ptr, FIXED as usize);
    store32be(start, (total as u32) - MAGIC_AT);
    store32be(start + 6, (total as u32) - MAGIC_AT);
    store16be(start + 10, headerLength as u32);
    let at = putString(start + (FIXED as usize), service.ptr, service.length);
    if (follows) {
      store32be(at, (slash + service.length) as u32);
      if (slash > 0) store<u8>(at, SLASH, 4);
      memory.copy(at + 4 + (slash as usize), service.ptr, service.length as usize);
    } else {
      memory.copy(at, frame.ptr + (restAt as usize), restLength as usize);
    }
    at += restLength as usize;
    store64be(at, id);
    store<u32>(at + 8, load<u32>(frame.ptr + (messageAt(frame.ptr) as usize)));
    at = putString(at + 12, method.ptr, method.length);
    store<u32>(at, load<u32>(frame.ptr + (frame.contentOffset as usize) - 4));
    memory.copy(at + 4, content, contentLength as usize);
    out.commit(total as i32);
    return true;
  }

  isException(frame: Frame): bool {
    if (frame.kind != FrameKind.RESPONSE || frame.status != Status.SUCCESS) return false;
    return isExceptionResult(frame.ptr + (frame.contentOffset as usize), frame.contentLength);
  }

  get hasHeartbeat(): bool {
    return false;
  }

  heartbeat(id: u64, like: u64, out: ByteBuffer): void {}

  heartbeatAck(id: u64, aux: u64, out: ByteBuffer): void {}

  /** An EXCEPTION with the reason as its message, as MOSN writes it; for success the REPLY of a void method. */
  reply(id: u64, aux: u64, status: i32, reason: usize, reasonLength: i32, out: ByteBuffer): void {
    const service = this.service;
    const method = this.method;
    this.names.find(((aux >> 32) & 0x7fffffff) as u32, service, method);
    const pathLength = aux >> 63 != 0 ? 4 : 0;
    const headerLength = MIN_HEADER + service.length + pathLength;
    const before = out.length;
    const size = MAGIC_AT + headerLength + MIN_MESSAGE + method.length;
    const start = out.reserve(size);
    store16be(start + MAGIC_AT, MAGIC);
    store16be(start + 10, headerLength as u32);
    store<u8>(start, VERSION, 12);
    let at = putString(start + (FIXED as usize), service.ptr, service.length);
    // The path that newer clients write and read; empty, because they make no use of a response's.
    if (pathLength > 0) at = putString(at, 0, 0);
    store64be(at, id);
    const success = status == Status.SUCCESS;
    store32be(at + 8, STRICT | (success ? MessageType.REPLY : MessageType.EXCEPTION));
    store32be(putString(at + 12, method.ptr, method.length), aux as u32);
    out.commit(size);
    if (success) writeEmptyResult(out);
    else if (reasonLength > 0) writeException(status, reason, min(reasonLength, MAX_REASON), out);
    else writeException(status, NO_REASON.ptr, NO_REASON.length, out);
    const frame = out.ptr + (before as usize);
    store32be(frame, (out.length - before - MAGIC_AT) as u32);
    store32be(frame + 6, (out.length - before - MAGIC_AT) as u32);
  }

  toStatus(code: i32): i32 {
    return statusOf(code);
  }

  toCode(status: i32): i32 {
    return codeOf(status);
  }
}

/** Whether the first `length` bytes may be a frame's: its length is possible, and the magic is there as far as seen. */
function plausible(ptr: usize, length: i32): bool {
  if (length >= MAGIC_AT && load32be(ptr) < ((SHORTEST - MAGIC_AT) as u32)) return false;
  if (length > MAGIC_AT && load<u8>(ptr, 4) != ((MAGIC >> 8) as u8)) return false;
  return length <= MAGIC_AT + 1 || load<u8>(ptr, 5) == (MAGIC as u8);
}

/**
 * Whether the `length` bytes between service and id are a path, and that is empty or the service's name. Dubbo 2.7 finds
 * the service by the path, earlier versions, which know none, by the name; and no version looks at the header's length.
 */
function isPathOf(frame: Frame, length: i32): bool {
  const service = frame.ptr + (frame.serviceOffset as usize);
  const rest = service + (frame.serviceLength as usize);
  if (length < 4 || load32be(rest) != ((length - 4) as u32)) return false;
  const slash = slashes(rest, length, frame.serviceLength);
  const pathLength = length - 4 - slash;
  return length == 4 || bytesEqual(rest + 4 + (slash as usize), pathLength, service, frame.serviceLength);
}

/** How many slashes the path in the `length` bytes at `rest` has before a service's name of `serviceLength` bytes. */
function slashes(rest: usize, length: i32, serviceLength: i32): i32 {
  return length == 4 + 1 + serviceLength && load<u8>(rest, 4) == SLASH ? 1 : 0;
}

/** Offset of the message in a frame that has been described. */
// @ts-ignore: decorator
@inline
function messageAt(ptr: usize): i32 {
  return MAGIC_AT + (load16be(ptr + 10) as i32);
}

/** The kind of a message; one of no known type is what its sender mostly sends. */
function kindOf(type: i32, peer: Peer): FrameKind {
  if (type == MessageType.CALL) return FrameKind.REQUEST;
  if (type == MessageType.ONEWAY) return FrameKind.ONEWAY;
  const known = type == MessageType.REPLY || type == MessageType.EXCEPTION;
  return known || peer == Peer.SERVER ? FrameKind.RESPONSE : FrameKind.REQUEST;
}

// @ts-ignore: decorator
@inline
function typeOf(frame: Frame): i32 {
  return load<u8>(frame.ptr + (messageAt(frame.ptr) as usize), 3) as i32;
}

/** Writes a string of TBinary; returns the address behind it. */
function putString(to: usize, ptr: usize, length: i32): usize {
  store32be(to, length as u32);
  memory.copy(to + 4, ptr, length as usize);
  return to + 4 + (length as usize);
}

/** The one instance: codecs have no state of connections. */
export const dubboThrift = new DubboThrift();
