import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { load16be, load32be, load64be, store16be, store32be, store64be } from "../../../assembly/bytes/memory";
import { View } from "../../../assembly/bytes/view";
import { HessianReader } from "../../../assembly/hessian/reader";
import {
  Codec,
  Decoded,
  Detected,
  FRAME_TOO_LONG,
  INCOMPLETE,
  NO_PLACE,
  NOT_TEXT,
  Peer,
} from "../../../assembly/xprotocol/codec";
import { Frame, FrameError, FrameKind } from "../../../assembly/xprotocol/frame";
import { HeaderBytes, Headers } from "../../../assembly/xprotocol/headers";
import { Payload, Serialization } from "../../../assembly/xprotocol/payload";
import { isExceptionResult } from "./exception";
import { DubboHeaders, Place } from "./headers";
import { Invocation, skipAttachments } from "./invocation";
import { appendReply } from "./reply";
import { codeOf, Status, statusOf } from "./status";
import { appendAttachments, appendFields } from "./writer";

const MAGIC: u32 = 0xdabb;
const HEADER: i32 = 16;
const ID_AT: usize = 4;
const LENGTH_AT: usize = 12;

/** The third byte: a serialization and these. */
const enum Flag {
  REQUEST = 0x80,
  TWO_WAY = 0x40,
  EVENT = 0x20,
  SERIALIZATION = 0x1f,
}

/** Serialization of the frames that we understand and write. */
const HESSIAN2: u8 = 2;
/** Body of heartbeats in Hessian: null. */
const NULL: u8 = 0x4e;
/** Body of the event READONLY in Hessian: the string "R", which is the end of it in most other serializations, too. */
const READONLY: u32 = 0x0152;
/** First byte of the body of a response: an int from 0, and one past the last. */
const RESULT: u32 = 0x90;
const RESULTS: u32 = 6;
const INVOKE = Bytes.of("$invoke");
const INVOKE_ASYNC = Bytes.of("$invokeAsync");
const TANGLED = Bytes.of("something that stays refers to something that goes");
/** Longest body of an event that fits into `aux`, bytes. */
const MAX_EVENT: i32 = 6;

/**
 * Dubbo's protocol, version 2. A frame is: magic 0xdabb; flags; status (responses); id u64; length of the body u32; body.
 * The body is in the serialization that the flags name: Hessian 2 is read, others are passed on as they are.
 * `aux`: the serialization; for events in others than Hessian the length of the body << 8 and the body << 16, which the
 * acknowledgement repeats, as it is that serialization's null.
 */
export class Dubbo extends Codec {
  private readonly reused: DubboHeaders = new DubboHeaders();
  private readonly reader: HessianReader = new HessianReader();
  private readonly invocation: Invocation = new Invocation();
  private readonly size: HeaderBytes = new HeaderBytes();

  constructor() {
    super("dubbo", 64);
  }

  detect(ptr: usize, length: i32): Detected {
    if (load<u8>(ptr) != ((MAGIC >> 8) as u8)) return Detected.NO;
    if (length < 2) return Detected.MORE;
    return load16be(ptr) == MAGIC ? Detected.YES : Detected.NO;
  }

  decode(ptr: usize, length: i32, peer: Peer, maxLength: i32, frame: Frame): Decoded {
    frame.begin(this, ptr);
    if (length > 0 && this.detect(ptr, length) == Detected.NO) return frame.fail(FrameError.MALFORMED, false);
    if (length < HEADER) return frame.more(HEADER);
    const flags = load<u8>(ptr, 2) as u32;
    const bodyLength = load32be(ptr + LENGTH_AT);
    const total = (HEADER as i64) + (bodyLength as i64);
    frame.id = load64be(ptr + ID_AT);
    frame.aux = (flags & Flag.SERIALIZATION) as u64;
    frame.kind = kindOf(flags, bodyLength);
    if (frame.kind == FrameKind.RESPONSE) frame.status = load<u8>(ptr, 3) as i32;
    if (total <= (i32.MAX_VALUE as i64)) frame.length = total as i32;
    if (total > (maxLength as i64)) return frame.fail(FrameError.TOO_LARGE, true);
    if (total > (length as i64)) {
      frame.length = 0;
      return frame.more(total as i32);
    }
    frame.headerOffset = frame.contentOffset = HEADER;
    frame.contentLength = bodyLength as i32;
    if ((flags & Flag.EVENT) != 0) this.describeEvent(frame, flags);
    else if (!isHessian(frame)) return Decoded.FRAME;
    else if ((flags & Flag.REQUEST) != 0) return this.describeRequest(frame);
    else describeResponse(frame);
    return Decoded.FRAME;
  }

  /** Tells the events apart; only READONLY says something. */
  private describeEvent(frame: Frame, flags: u32): void {
    const body = frame.ptr + HEADER;
    const n = frame.contentLength;
    if (frame.kind == FrameKind.GOAWAY && load<u8>(body + (n as usize) - 1) != (READONLY as u8)) {
      frame.kind = FrameKind.HEARTBEAT_ACK;
    }
    if (frame.aux == (HESSIAN2 as u64) || n > MAX_EVENT) return;
    frame.aux |= (n as u64) << 8;
    for (let i = 0; i < n; i++) frame.aux |= (load<u8>(body + (i as usize)) as u64) << (16 + 8 * i);
  }

  /** Finds the names, the arguments and the attachments, which are behind them. */
  private describeRequest(frame: Frame): Decoded {
    const reader = this.reader;
    const invocation = this.invocation;
    reader.bind(frame.ptr + HEADER, frame.contentLength);
    if (!invocation.read(reader)) return frame.fail(FrameError.HEADERS, true);
    const content = reader.at;
    if (!reader.skip(invocation.argumentCount)) return frame.fail(FrameError.HEADERS, true);
    const attachments = reader.at;
    const timeout = skipAttachments(reader);
    if (timeout < 0) return frame.fail(FrameError.HEADERS, true);
    frame.timeout = timeout;
    frame.serviceOffset = (invocation.service.ptr - frame.ptr) as i32;
    frame.serviceLength = invocation.service.length;
    frame.methodOffset = (invocation.method.ptr - frame.ptr) as i32;
    frame.methodLength = invocation.method.length;
    frame.contentOffset = (content - frame.ptr) as i32;
    frame.contentLength = (attachments - content) as i32;
    frame.headerOffset = (attachments - frame.ptr) as i32;
    frame.headerLength = (reader.at - attachments) as i32;
    return Decoded.FRAME;
  }

  setId(at: usize, frame: Frame, id: u64): void {
    store64be(at + ID_AT, id);
  }

  /**
   * As the contract says; and the content of a response, until then all that is behind the kind of its result, loses the
   * attachments: finding their beginning takes a walk over the value.
   */
  headers(frame: Frame): Headers {
    const flags = load<u8>(frame.ptr, 2) as u32;
    if ((flags & Flag.EVENT) != 0) this.reused.forget(false);
    else if (!isHessian(frame)) this.reused.forget(frame.kind != FrameKind.RESPONSE || frame.status == Status.OK);
    else if ((flags & Flag.REQUEST) != 0) this.reused.bindRequest(frame, this.reader);
    else if (frame.status == Status.OK) this.reused.bindResponse(frame, this.reader);
    else this.reused.forget(false);
    return this.reused;
  }

  /**
   * False where the contract says so, and when headers are set on a frame that has no place for them (an event, an error,
   * another serialization), when they are not UTF-8, or when something that stays refers to something that goes.
   */
  encode(frame: Frame, headers: Headers, content: usize, contentLength: i32, id: u64, out: ByteBuffer): bool {
    const before = out.length;
    const appended = this.append(frame, content, contentLength, out);
    const total = out.length - before;
    if (!appended || this.exceeds(total as i64, frame)) {
      out.truncate(before);
      return appended ? this.cannot(FRAME_TOO_LONG) : false;
    }
    const start = out.ptr + (before as usize);
    store64be(start + ID_AT, id);
    store32be(start + LENGTH_AT, (total - HEADER) as u32);
    return true;
  }

  private append(frame: Frame, content: usize, contentLength: i32, out: ByteBuffer): bool {
    const headers = this.reused;
    if (headers.incomplete) return this.cannot(INCOMPLETE);
    const changed = headers.changed;
    const place = headers.place;
    const contentAt = frame.ptr + (frame.contentOffset as usize);
    const same = content == contentAt && contentLength == frame.contentLength;
    if (changed && place == Place.NONE) return this.cannot(NO_PLACE);
    if ((!same && headers.kept.tangled) || (changed && !headers.kept.sound)) return this.cannot(TANGLED);
    this.size.bytes = contentLength as i64;
    if (changed) headers.forEach(this.size);
    if (this.exceeds(this.size.bytes, frame)) return this.cannot(FRAME_TOO_LONG);

    if (changed && place == Place.REQUEST) {
      out.append(frame.ptr, HEADER);
      if (!appendFields(out, frame, headers)) return this.cannot(NOT_TEXT);
    } else {
      out.append(frame.ptr, frame.contentOffset);
    }
    if (place == Place.RESPONSE) {
      const result = resultOf(headers.result, changed, contentLength > 0);
      if (result != headers.result) {
        out.truncate(out.length - (frame.contentOffset - HEADER));
        out.appendByte(RESULT + (result as u32));
      }
    }
    out.append(content, contentLength);
    if (changed) return appendAttachments(out, frame, headers) || this.cannot(NOT_TEXT);
    const behind = frame.contentOffset + frame.contentLength;
    out.append(frame.ptr + (behind as usize), frame.length - behind);
    return true;
  }

  /** All of the body is one stream: what is in the attachments counts on what is in the arguments, and the reverse. */
  payload(frame: Frame, content: usize, contentLength: i32, out: Payload): void {
    const bodyLength = frame.length - HEADER;
    out.begin(bodyLength > 0 ? Serialization.OTHER : Serialization.NONE);
    if (bodyLength <= 0 || !isHessian(frame)) return;
    const own = content == frame.ptr + (frame.contentOffset as usize) && contentLength == frame.contentLength;
    out.serialization = own ? Serialization.HESSIAN : Serialization.UNKNOWN;
    const body = frame.ptr + (HEADER as usize);
    out.stream.set(body, bodyLength);
    if (((load<u8>(frame.ptr, 2) as u32) & Flag.REQUEST) == 0) return;
    const invocation = this.invocation;
    this.reader.bind(body, bodyLength);
    if (!invocation.read(this.reader)) {
      out.serialization = Serialization.UNKNOWN;
      return;
    }
    out.descriptor.set(invocation.types.ptr, invocation.types.length);
    out.isGeneric = isGeneric(invocation.method);
  }

  isException(frame: Frame): bool {
    if (frame.kind != FrameKind.RESPONSE || frame.status != Status.OK) return false;
    const serialization = (load<u8>(frame.ptr, 2) as u32) & Flag.SERIALIZATION;
    return isExceptionResult(serialization, frame.ptr + (HEADER as usize), frame.length - HEADER);
  }

  /** In Hessian, whatever `like` says: every peer has it. */
  heartbeat(id: u64, like: u64, out: ByteBuffer): void {
    const start = begin((Flag.REQUEST | Flag.TWO_WAY | Flag.EVENT | HESSIAN2) as u32, 0, id, 1, out);
    store<u8>(start, NULL);
  }

  heartbeatAck(id: u64, aux: u64, out: ByteBuffer): void {
    const known = min(((aux >> 8) & 0xff) as i32, MAX_EVENT);
    const serialization = known > 0 ? (aux as u32) & Flag.SERIALIZATION : (HESSIAN2 as u32);
    const start = begin(Flag.EVENT | serialization, Status.OK, id, max(known, 1), out);
    store<u8>(start, NULL);
    for (let i = 0; i < known; i++) store<u8>(start + (i as usize), (aux >> (16 + 8 * i)) as u8);
  }

  /** In Hessian, whatever the request was in: clients read an error in the serialization that it names. */
  reply(id: u64, aux: u64, status: i32, reason: usize, reasonLength: i32, out: ByteBuffer): void {
    const before = out.length;
    begin(HESSIAN2 as u32, status, id, 0, out);
    appendReply(out, status, reason, reasonLength);
    store32be(out.ptr + (before as usize) + LENGTH_AT, (out.length - before - HEADER) as u32);
  }

  /** The event READONLY. A Dubbo 3 client fails all further calls as long as the connection stays open. */
  goAway(id: u64, out: ByteBuffer): bool {
    store16be(begin((Flag.REQUEST | Flag.EVENT | HESSIAN2) as u32, 0, id, 2, out), READONLY);
    return true;
  }

  toStatus(code: i32): i32 {
    return statusOf(code);
  }

  toCode(status: i32): i32 {
    return codeOf(status);
  }
}

/** What the flags say; an event that wants no answer may be READONLY, which its body tells. */
function kindOf(flags: u32, bodyLength: u32): FrameKind {
  const event = (flags & Flag.EVENT) != 0;
  if ((flags & Flag.REQUEST) == 0) return event ? FrameKind.HEARTBEAT_ACK : FrameKind.RESPONSE;
  if ((flags & Flag.TWO_WAY) != 0) return event ? FrameKind.HEARTBEAT : FrameKind.REQUEST;
  if (!event) return FrameKind.ONEWAY;
  return bodyLength > 1 ? FrameKind.GOAWAY : FrameKind.HEARTBEAT_ACK;
}

// @ts-ignore: decorator
@inline
function isHessian(frame: Frame): bool {
  return (load<u8>(frame.ptr, 2) & Flag.SERIALIZATION) == HESSIAN2;
}

/**
 * Whether the call may be a generic one: the server makes objects of maps that name a class. A name that is not ASCII may be
 * another spelling of one that is.
 */
function isGeneric(method: View): bool {
  for (let i = 0; i < method.length; i++) if (load<u8>(method.ptr + (i as usize)) >= 0x80) return true;
  return INVOKE.equals(method.ptr, method.length) || INVOKE_ASYNC.equals(method.ptr, method.length);
}

function describeResponse(frame: Frame): void {
  if (frame.status != Status.OK || frame.contentLength == 0) return;
  if ((load<u8>(frame.ptr, HEADER) as u32) - RESULT >= RESULTS) return;
  frame.contentOffset++;
  frame.contentLength--;
}

/** The kind of a result once it has attachments or not, and a value or not. */
function resultOf(result: i32, attachments: bool, value: bool): i32 {
  if (attachments && result < 3) result += 3;
  if (value) return result % 3 == 2 ? result - 1 : result;
  return result - (result % 3) + 2;
}

/** Appends the header of a frame and room for its body, where the address that is returned points. */
function begin(flags: u32, status: i32, id: u64, bodyLength: i32, out: ByteBuffer): usize {
  const start = out.reserve(HEADER + bodyLength);
  store16be(start, MAGIC);
  store<u8>(start, flags as u8, 2);
  store<u8>(start, status as u8, 3);
  store64be(start + ID_AT, id);
  store32be(start + LENGTH_AT, bodyLength as u32);
  out.commit(HEADER + bodyLength);
  return start + (HEADER as usize);
}

/** The one instance: codecs have no state of connections. */
export const dubbo = new Dubbo();
