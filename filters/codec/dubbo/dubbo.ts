import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { load16be, load32be, load64be, store16be, store32be, store64be } from "../../../assembly/bytes/memory";
import { View } from "../../../assembly/bytes/view";
import {
  Codec,
  Decoded,
  Detected,
  FIXED_FIELD,
  FRAME_TOO_LONG,
  INCOMPLETE,
  NO_PLACE,
  NOT_TEXT,
  Peer,
} from "../../../assembly/xprotocol/codec";
import { Frame, FrameError, FrameKind } from "../../../assembly/xprotocol/frame";
import { HeaderBytes, Headers } from "../../../assembly/message/headers";
import { Payload, Serialization } from "../../../assembly/message/payload";
import { Attachments, Found } from "./attachments";
import { Body, Name } from "./body";
import { DubboHeaders, HEADER, Place } from "./headers";
import { HessianBody } from "./hessian_body";
import { Invocation, Read } from "./invocation";
import { JsonbBody } from "./jsonb_body";
import { appendReply } from "./reply";
import { codeOf, Status, statusOf } from "./status";
import { readsAttachments } from "./version";
import { appendAttachments, appendFields } from "./writer";

const MAGIC: u32 = 0xdabb;
const ID_AT: usize = 4;
const LENGTH_AT: usize = 12;

/** The third byte: a serialization and these. */
const enum Flag {
  REQUEST = 0x80,
  TWO_WAY = 0x40,
  EVENT = 0x20,
  SERIALIZATION = 0x1f,
}

/** Serializations of the frames that we understand; what we write ourselves is in Hessian. */
const HESSIAN2: u8 = 2;
const FASTJSON2: u8 = 23;
/** In `aux` beside the serialization: the client reads results with attachments. */
export const READS_ATTACHMENTS: u64 = 0x20;
/** Body of heartbeats in Hessian: null. */
const NULL: u8 = 0x4e;
/** Body of the event READONLY in Hessian: the string "R", which is the end of it in most other serializations, too. */
const READONLY: u32 = 0x0152;
/** The kind of a result that is an exception, and what is more in kinds with attachments. */
const EXCEPTION: i32 = 0;
const WITH_ATTACHMENTS: i32 = 3;
const INVOKE = Bytes.of("$invoke");
const INVOKE_ASYNC = Bytes.of("$invokeAsync");
const TANGLED = Bytes.of("something that stays refers to something that goes");
const OLD_CLIENT = Bytes.of("the client's version of Dubbo reads no attachments of results");
const SLASHED = Bytes.of("a service does not begin with a slash");
const MEANT = Bytes.of("the method of a generic call is an argument");
/** Longest body of an event that fits into `aux`, bytes. */
const MAX_EVENT: i32 = 6;

/**
 * Dubbo's protocol, version 2. A frame is: magic 0xdabb; flags; status (responses); id u64; length of the body u32; body.
 * The body is in the serialization that the flags name: Hessian 2 and fastjson2 are read, others are passed on as they are.
 * `aux`: the serialization, and whether the client reads results with attachments; for events in others than Hessian the
 * length of the body << 8 and the body << 16, which the acknowledgement repeats, as it is that serialization's null.
 */
export class Dubbo extends Codec {
  private readonly reused: DubboHeaders = new DubboHeaders();
  private readonly hessian: HessianBody = new HessianBody();
  private readonly jsonb: JsonbBody = new JsonbBody();
  private readonly invocation: Invocation = new Invocation();
  private readonly size: HeaderBytes = new HeaderBytes();
  private readonly attachments: Attachments = new Attachments();
  private readonly argument: View = new View();

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
    else {
      const body = this.bodyOf(frame);
      if (body === null) return Decoded.FRAME;
      if ((flags & Flag.REQUEST) != 0) return this.describeRequest(frame, body);
      describeResponse(frame, body);
    }
    return Decoded.FRAME;
  }

  /** What reads and writes the body of a frame; null for a serialization that is not understood. */
  private bodyOf(frame: Frame): Body | null {
    const serialization = load<u8>(frame.ptr, 2) & Flag.SERIALIZATION;
    if (serialization == HESSIAN2) return this.hessian;
    return serialization == FASTJSON2 ? this.jsonb : null;
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

  /**
   * Finds the names, the arguments and the attachments, which are behind them. A body that is no call passes as it came;
   * where the arguments or the attachments cannot be read, all that is behind the names is the content.
   */
  private describeRequest(frame: Frame, body: Body): Decoded {
    const invocation = this.invocation;
    body.bind(frame.ptr + (HEADER as usize), frame.contentLength);
    const read = invocation.read(body);
    if (read == Read.OTHER) return Decoded.FRAME;
    if (read == Read.AMBIGUOUS) return frame.fail(FrameError.AMBIGUOUS, true);
    if (readsAttachments(invocation.dubbo)) frame.aux |= READS_ATTACHMENTS;
    const end = frame.ptr + (frame.length as usize);
    const content = body.at;
    frame.contentOffset = (content - frame.ptr) as i32;
    frame.contentLength = (end - content) as i32;
    nameService(frame, invocation.service);
    if (!this.nameMethod(frame, body)) return frame.fail(FrameError.AMBIGUOUS, true);
    if (!body.skip(invocation.argumentCount)) return Decoded.FRAME;
    const behind = body.at;
    const attachments = this.attachments;
    const found = attachments.read(body);
    if (found == Found.NOTHING) return Decoded.FRAME;
    if (found == Found.AMBIGUOUS) return frame.fail(FrameError.AMBIGUOUS, true);
    if (found == Found.TOO_MANY) return frame.fail(FrameError.HEADERS, true);
    if (attachments.path.length > 0) nameService(frame, attachments.path);
    frame.timeout = attachments.timeout;
    frame.contentLength = (behind - content) as i32;
    frame.headerOffset = (behind - frame.ptr) as i32;
    frame.headerLength = (body.at - behind) as i32;
    return Decoded.FRAME;
  }

  /** Sets the method; of a generic call that is the first argument. False where servers could read another one. */
  private nameMethod(frame: Frame, body: Body): bool {
    const method = this.invocation.method;
    const argument = this.argument;
    let ptr = method.ptr;
    let length = method.length;
    frame.generic = isGeneric(method);
    if (frame.generic && this.invocation.argumentCount > 0) {
      body.mark();
      const name = body.name(argument);
      body.rewind();
      if (name == Name.ODD) return false;
      if (name == Name.TEXT) {
        ptr = argument.ptr;
        length = argument.length;
        // As servers do.
        while (length > 0 && load<u8>(ptr + ((length - 1) as usize)) <= 0x20) length--;
        while (length > 0 && load<u8>(ptr) <= 0x20) {
          ptr++;
          length--;
        }
      }
    }
    frame.methodOffset = (ptr - frame.ptr) as i32;
    frame.methodLength = length;
    return true;
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
    const body = this.bodyOf(frame);
    const isRequest = (flags & Flag.REQUEST) != 0;
    if ((flags & Flag.EVENT) != 0) this.reused.forget(false);
    else if (body === null) this.reused.forget(isRequest || frame.status == Status.OK);
    else if (isRequest) this.reused.bindRequest(frame, body);
    else if (frame.status == Status.OK) this.reused.bindResponse(frame, body);
    else this.reused.forget(false);
    return this.reused;
  }

  /**
   * False where the contract says so, and when headers are set on a frame that has no place for them (an event, an error,
   * another serialization, a result for a client that reads none with attachments), when they are not UTF-8, or when
   * something that stays refers to something that goes.
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
    if (headers.fixed) return this.cannot(FIXED_FIELD);
    const changed = headers.changed;
    const place = headers.place;
    const contentAt = frame.ptr + (frame.contentOffset as usize);
    const same = content == contentAt && contentLength == frame.contentLength;
    const body = this.bodyOf(frame);
    if (changed && (place == Place.NONE || body === null)) return this.cannot(NO_PLACE);
    if ((!same && headers.kept.tangled) || (changed && !headers.kept.sound)) return this.cannot(TANGLED);
    this.size.bytes = contentLength as i64;
    if (changed) headers.forEach(this.size);
    if (this.exceeds(this.size.bytes, frame)) return this.cannot(FRAME_TOO_LONG);

    const result = place == Place.RESPONSE ? resultOf(headers.result, changed, contentLength > 0) : 0;
    if (place == Place.RESPONSE && result >= WITH_ATTACHMENTS && headers.result < WITH_ATTACHMENTS) {
      if ((frame.requestAux & READS_ATTACHMENTS) == 0) return this.cannot(OLD_CLIENT);
    }
    if (changed && place == Place.REQUEST && body !== null) {
      out.append(frame.ptr, HEADER);
      if (frame.generic && !headers.isMethod(frame)) return this.cannot(MEANT);
      if (headers.isSlashed) return this.cannot(SLASHED);
      if (!appendFields(out, frame, headers, body)) return this.cannot(NOT_TEXT);
    } else if (place == Place.RESPONSE && result != headers.result && body !== null) {
      out.append(frame.ptr, HEADER);
      body.writeResult(out, result);
    } else {
      out.append(frame.ptr, frame.contentOffset);
    }
    out.append(content, contentLength);
    if (changed && body !== null) return appendAttachments(out, frame, headers, body) || this.cannot(NOT_TEXT);
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
    this.hessian.bind(body, bodyLength);
    if (invocation.read(this.hessian) != Read.CALL) {
      out.serialization = Serialization.UNKNOWN;
      return;
    }
    out.descriptor.set(invocation.types.ptr, invocation.types.length);
    out.isGeneric = isGeneric(invocation.method);
  }

  isException(frame: Frame): bool {
    if (frame.kind != FrameKind.RESPONSE || frame.status != Status.OK) return false;
    const body = this.bodyOf(frame);
    if (body === null) return false;
    body.bind(frame.ptr + (HEADER as usize), frame.length - HEADER);
    const result = body.result();
    return result == EXCEPTION || result == EXCEPTION + WITH_ATTACHMENTS;
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

  /**
   * In the serialization of the request where that is fastjson2, in Hessian for all others: clients read an error in the
   * serialization that it names, but a good answer only in their own.
   */
  reply(id: u64, aux: u64, status: i32, reason: usize, reasonLength: i32, out: ByteBuffer): void {
    const before = out.length;
    const json = ((aux as u8) & Flag.SERIALIZATION) == FASTJSON2;
    begin((json ? FASTJSON2 : HESSIAN2) as u32, status, id, 0, out);
    appendReply(out, status, reason, reasonLength, json ? this.jsonb : this.hessian);
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

/** Whether the call is a generic one: the server makes objects of maps that name a class. */
function isGeneric(method: View): bool {
  return INVOKE.equals(method.ptr, method.length) || INVOKE_ASYNC.equals(method.ptr, method.length);
}

/** Names the service as servers do: dubbo-go leaves a first slash out, and others know none with one. */
function nameService(frame: Frame, service: View): void {
  const slash = service.length > 0 && load<u8>(service.ptr) == 0x2f;
  frame.serviceOffset = ((service.ptr - frame.ptr) as i32) + (slash ? 1 : 0);
  frame.serviceLength = service.length - (slash ? 1 : 0);
}

/** The content begins behind the kind of the result. */
function describeResponse(frame: Frame, body: Body): void {
  if (frame.status != Status.OK) return;
  const start = frame.ptr + (HEADER as usize);
  body.bind(start, frame.contentLength);
  if (body.result() < 0) return;
  const kind = (body.at - start) as i32;
  frame.contentOffset += kind;
  frame.contentLength -= kind;
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
