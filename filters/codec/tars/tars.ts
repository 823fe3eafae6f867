import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { bytesEqual, load32be, store16be, store32be } from "../../../assembly/bytes/memory";
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import {
  Codec,
  Decoded,
  Detected,
  FIXED_FIELD,
  FRAME_TOO_LONG,
  INCOMPLETE,
  NO_PLACE,
  Peer,
} from "../../../assembly/xprotocol/codec";
import { Frame, FrameError, FrameKind } from "../../../assembly/xprotocol/frame";
import { HeaderBytes, Headers, HeaderVisitor } from "../../../assembly/message/headers";
import { HeaderList } from "../../../assembly/message/list";
import { METHOD, SERVICE, TarsHeaders } from "./headers";
import { typeFor, widthOf, writeBytesHead, writeIntegerAs, writeMapHead, writeText } from "./jce";
import { Packet, ResponseTag, STRUCT_AT, Tag } from "./packet";
import { isTup, readNumber, RECONNECT, RESULT_CODE, writeReply } from "./reply";
import { codeOf, Status, statusOf } from "./status";

/** Head of the first field: tag 1, a byte. The versions are TARS 1, TUP 2 and 3, XML 4, JSON 5. */
const VERSION_HEAD: u8 = 0x10;
const FIRST_VERSION: u8 = 1;
const LAST_VERSION: u8 = 5;
/** Version, id, iRet and an empty buffer, behind the length. */
const SHORTEST: i32 = STRUCT_AT + 2 + 1 + 1 + 3;
/** In so many bytes every packet shows its id and kind. */
const PREFIX: i32 = 32;
const ONEWAY: i32 = 1;
/** Why a change cannot be expressed, for the log. */
const AMBIGUOUS: Bytes = Bytes.of("a key of the context or status would have two values");

/**
 * Tars: the length of the frame, then a RequestPacket or ResponsePacket in Jce. `aux`: the request's version, message
 * type << 8.
 */
export class Tars extends Codec {
  private readonly packet: Packet = new Packet();
  private readonly reused: TarsHeaders = new TarsHeaders();
  private readonly size: HeaderBytes = new HeaderBytes();
  private readonly pairs: PairWriter = new PairWriter();
  private readonly view: View = new View();
  /** Apart from `reused`: decoding leaves headers alone that somebody holds. */
  private readonly decoded: HeaderList = new HeaderList();
  private readonly twice: Twice = new Twice();

  constructor() {
    super("tars", 32);
  }

  /** Only a length below 16 MiB begins as that of no other protocol does. */
  detect(ptr: usize, length: i32): Detected {
    if (load<u8>(ptr) != 0 || !plausible(ptr, length)) return Detected.NO;
    if (length < STRUCT_AT) return Detected.MORE;
    const total = load32be(ptr);
    if (total < (SHORTEST as u32)) return Detected.NO;
    return length > STRUCT_AT + 1 ? Detected.YES : Detected.MORE;
  }

  decode(ptr: usize, length: i32, peer: Peer, maxLength: i32, frame: Frame): Decoded {
    frame.begin(this, ptr);
    if (!plausible(ptr, length)) return frame.fail(FrameError.MALFORMED, false);
    if (length < SHORTEST) return frame.more(SHORTEST);
    const total = load32be(ptr) as i64;
    if (total < (SHORTEST as i64)) return frame.fail(FrameError.MALFORMED, false);
    const tooLarge = total > (maxLength as i64);
    if (!tooLarge && total > (length as i64)) return frame.more(total as i32);

    const available = min(total, length as i64) as i32;
    const identified = this.packet.identify(ptr, available);
    if (tooLarge && !identified && (available as i64) < total && available < PREFIX) return frame.more(available + 1);
    if (total <= (i32.MAX_VALUE as i64)) frame.length = total as i32;
    if (identified) this.identify(frame, peer);
    if (tooLarge) return frame.fail(FrameError.TOO_LARGE, identified);
    if (!identified) return frame.fail(FrameError.HEADERS, false);
    const whole = this.packet.readRest();
    const call = this.packet.request && frame.kind != FrameKind.RESPONSE;
    // Of an answer nothing more is needed; of a call a lenient server could make something.
    if (!whole && call) return frame.fail(FrameError.HEADERS, true);
    this.describe(frame);
    return call && !this.isClear() ? frame.fail(FrameError.AMBIGUOUS, true) : Decoded.FRAME;
  }

  /** Whether every key of the packet's maps has one value. */
  private isClear(): bool {
    const packet = this.packet;
    if (packet.valueOf(Tag.CONTEXT) + packet.valueOf(Tag.STATUS) < 2) return true;
    const pairs = this.decoded;
    pairs.clear();
    packet.pairs(Tag.STATUS, pairs);
    packet.pairs(Tag.CONTEXT, pairs);
    this.twice.begin();
    pairs.forEach(this.twice);
    const found = this.twice.found;
    pairs.clear();
    this.twice.begin();
    return !found;
  }

  /** Sets what an identified packet says of the kind of frame. */
  private identify(frame: Frame, peer: Peer): void {
    const packet = this.packet;
    const version = packet.valueOf(Tag.VERSION);
    const id = packet.valueOf(packet.idTag);
    frame.id = id as u32 as u64;
    frame.aux = (version as u8 as u64) | ((packet.valueOf(packet.messageTypeTag) as u32 as u64) << 8);
    if (packet.request) {
      if (peer == Peer.SERVER && isTup(version)) frame.kind = FrameKind.RESPONSE;
      else frame.kind = packet.valueOf(Tag.PACKET_TYPE) == ONEWAY ? FrameKind.ONEWAY : FrameKind.REQUEST;
    } else {
      // A response to no request is a message of the server's own.
      frame.kind = id == 0 && peer == Peer.SERVER ? FrameKind.ONEWAY : FrameKind.RESPONSE;
    }
  }

  /** Sets the other fields of a frame whose packet has been read. */
  private describe(frame: Frame): void {
    const packet = this.packet;
    frame.headerOffset = packet.start(Tag.CONTEXT);
    frame.headerLength = packet.end(Tag.CONTEXT) - frame.headerOffset;
    const buffer = packet.bufferTag;
    frame.contentOffset = packet.has(buffer) ? packet.offset(buffer) : packet.end(buffer);
    frame.contentLength = packet.has(buffer) ? packet.length(buffer) : 0;
    if (!packet.request) {
      if (frame.kind == FrameKind.RESPONSE) frame.status = packet.valueOf(ResponseTag.RET);
      else if (this.asksToReconnect(frame)) frame.kind = FrameKind.GOAWAY;
    } else if (frame.kind == FrameKind.RESPONSE) {
      frame.status = this.resultCode(frame);
    } else {
      frame.timeout = packet.valueOf(Tag.TIMEOUT);
      frame.serviceOffset = packet.offset(Tag.SERVANT);
      frame.serviceLength = packet.length(Tag.SERVANT);
      frame.methodOffset = packet.offset(Tag.FUNC);
      frame.methodLength = packet.length(Tag.FUNC);
    }
  }

  private asksToReconnect(frame: Frame): bool {
    const packet = this.packet;
    if (!packet.has(ResponseTag.DESC)) return false;
    const desc = frame.ptr + (packet.offset(ResponseTag.DESC) as usize);
    return RECONNECT.equals(desc, packet.length(ResponseTag.DESC));
  }

  /** The return code of a TUP response. */
  private resultCode(frame: Frame): i32 {
    const status = this.decoded;
    status.clear();
    this.packet.pairs(Tag.STATUS, status);
    if (!status.get(RESULT_CODE.ptr, RESULT_CODE.length, this.view)) return Status.SUCCESS;
    return readNumber(this.view.ptr, this.view.length);
  }

  /** Ids take up to four bytes; one that needs more than there are is not written. */
  setId(at: usize, frame: Frame, id: u64): void {
    const packet = this.packet;
    if (!packet.identify(at, frame.length)) return;
    const type = packet.typeOf(packet.idTag);
    const width = widthOf(type);
    const end = at + (packet.end(packet.idTag) as usize);
    if (widthOf(typeFor(id as i32)) > width) return;
    if (width == 1) store<u8>(end - 1, id as u8);
    else if (width == 2) store16be(end - 2, id as u32);
    else if (width == 4) store32be(end - 4, id as u32);
  }

  /** The id takes as many bytes as before, or as many as it needs. */
  copy(frame: Frame, id: u64, out: ByteBuffer): i32 {
    const packet = this.packet;
    const before = out.length;
    out.reserve(frame.length + 4);
    if (packet.identify(frame.ptr, frame.length)) {
      out.append(frame.ptr, packet.start(packet.idTag));
      this.writeId(id as i32, out);
      const rest = packet.end(packet.idTag);
      out.append(frame.ptr + (rest as usize), frame.length - rest);
      seal(before, out);
    }
    return out.length - before;
  }

  private writeId(id: i32, out: ByteBuffer): void {
    const packet = this.packet;
    const old = packet.typeOf(packet.idTag);
    const least = typeFor(id);
    writeIntegerAs(widthOf(least) > widthOf(old) ? least : old, packet.idTag, id, out);
  }

  headers(frame: Frame): Headers {
    const packet = this.packet;
    const whole = packet.identify(frame.ptr, frame.length) && packet.readRest();
    this.reused.bind(packet, frame.ptr, whole);
    return this.reused;
  }

  encode(frame: Frame, headers: Headers, content: usize, contentLength: i32, id: u64, out: ByteBuffer): bool {
    const packet = this.packet;
    const changed = this.reused;
    if (changed.fixed) return this.cannot(FIXED_FIELD);
    if (changed.incomplete) return this.cannot(INCOMPLETE);
    this.size.bytes = contentLength as i64;
    if (changed.changed) changed.forEach(this.size);
    if (this.exceeds(this.size.bytes, frame)) return this.cannot(FRAME_TOO_LONG);
    if (!packet.identify(frame.ptr, frame.length)) return this.cannot(NO_PLACE);
    if (!packet.readRest()) return this.encodePart(frame, content, contentLength, id, out);
    if (!changed.fit(packet)) return this.cannot(NO_PLACE);
    if (changed.changed && this.isTwice(frame)) return this.cannot(AMBIGUOUS);

    const before = out.length;
    out.append(frame.ptr, packet.start(packet.idTag));
    this.writeId(id as i32, out);
    let at = packet.end(packet.idTag);
    if (packet.request && changed.names.changed) {
      at = through(frame, at, packet.start(Tag.SERVANT), out);
      this.writeName(Tag.SERVANT, SERVICE.ptr, SERVICE.length, out);
      this.writeName(Tag.FUNC, METHOD.ptr, METHOD.length, out);
      at = packet.end(Tag.FUNC);
    }
    at = through(frame, at, packet.start(packet.bufferTag), out);
    if (contentLength == frame.contentLength) through(frame, at, frame.contentOffset, out);
    else writeBytesHead(packet.bufferTag, contentLength, out);
    out.append(content, contentLength);
    at = packet.end(packet.bufferTag);
    if (!packet.request) at = this.writeMap(frame, at, ResponseTag.STATUS, changed.status, out);
    at = this.writeMap(frame, at, Tag.CONTEXT, changed.context, out);
    if (packet.request) at = this.writeMap(frame, at, Tag.STATUS, changed.status, out);
    through(frame, at, frame.length, out);
    seal(before, out);
    if (!this.exceeds((out.length - before) as i64, frame)) return true;
    out.truncate(before);
    return this.cannot(FRAME_TOO_LONG);
  }

  /** The same for a packet that has not been read to its end: it cannot be changed. */
  private encodePart(frame: Frame, content: usize, contentLength: i32, id: u64, out: ByteBuffer): bool {
    const own = frame.ptr + (frame.contentOffset as usize);
    const changed = this.reused.changed || !bytesEqual(content, contentLength, own, frame.contentLength);
    if (changed) return this.cannot(NO_PLACE);
    this.copy(frame, id, out);
    return true;
  }

  /** Whether the changed headers of a call have a key with two values. */
  private isTwice(frame: Frame): bool {
    if (frame.kind > FrameKind.ONEWAY) return false;
    this.twice.begin();
    this.reused.status.forEach(this.twice);
    this.reused.context.forEach(this.twice);
    return this.twice.found;
  }

  private writeName(tag: i32, key: usize, keyLength: i32, out: ByteBuffer): void {
    this.reused.names.get(key, keyLength, this.view);
    writeText(tag, this.view.ptr, this.view.length, out);
  }

  /** Appends the frame's bytes from `at` to the map, and the map if it has changed; returns what comes next. */
  private writeMap(frame: Frame, at: i32, tag: i32, list: HeaderList, out: ByteBuffer): i32 {
    if (!list.changed) return at;
    const packet = this.packet;
    through(frame, at, packet.start(tag), out);
    if (list.length > 0 || packet.has(tag)) {
      writeMapHead(tag, list.length, out);
      this.pairs.out = out;
      list.forEach(this.pairs);
    }
    return packet.end(tag);
  }

  get hasHeartbeat(): bool {
    return false;
  }

  heartbeat(id: u64, like: u64, out: ByteBuffer): void {}

  heartbeatAck(id: u64, aux: u64, out: ByteBuffer): void {}

  /** The reason is sResultDesc, or STATUS_RESULT_DESC of TUP's status map. */
  reply(id: u64, aux: u64, status: i32, reason: usize, reasonLength: i32, out: ByteBuffer): void {
    writeReply((aux & 0xff) as i32, id as i32, (aux >> 8) as i32, status, reason, reasonLength, out);
  }

  /** TarsGo's request for a new connection. A C++ client without a push callback closes the connection over it. */
  goAway(id: u64, out: ByteBuffer): bool {
    writeReply(FIRST_VERSION, 0, 0, Status.SUCCESS, RECONNECT.ptr, RECONNECT.length, out);
    return true;
  }

  /** A positive return code is an error that the servant itself returns. */
  isException(frame: Frame): bool {
    return frame.kind == FrameKind.RESPONSE && frame.status > Status.SUCCESS;
  }

  toStatus(code: i32): i32 {
    return statusOf(code);
  }

  toCode(status: i32): i32 {
    return codeOf(status);
  }
}

/** Whether the first field, as far as it is there, is a version that Tars knows. */
function plausible(ptr: usize, length: i32): bool {
  if (length > STRUCT_AT && load<u8>(ptr, 4) != VERSION_HEAD) return false;
  if (length <= STRUCT_AT + 1) return true;
  const version = load<u8>(ptr, 5);
  return version >= FIRST_VERSION && version <= LAST_VERSION;
}

/** Appends the frame's bytes between two offsets; returns the second. */
function through(frame: Frame, from: i32, to: i32, out: ByteBuffer): i32 {
  out.append(frame.ptr + (from as usize), to - from);
  return to;
}

/** Writes the length of the frame that starts at offset `before` of `out`. */
function seal(before: i32, out: ByteBuffer): void {
  store32be(out.ptr + (before as usize), (out.length - before) as u32);
}

/** Finds a key that has two values, in the same map or in two. */
class Twice extends HeaderVisitor {
  found: bool = false;
  private readonly seen: HeaderList = new HeaderList();
  private readonly view: View = new View();

  begin(): void {
    this.found = false;
    this.seen.clear();
  }

  onHeader(key: usize, keyLength: i32, value: usize, valueLength: i32): bool {
    const view = this.view;
    if (this.seen.get(key, keyLength, view)) this.found = !bytesEqual(view.ptr, view.length, value, valueLength);
    else this.seen.append(key, keyLength, value, valueLength);
    return !this.found;
  }
}

/** Appends headers as pairs of a map. */
class PairWriter extends HeaderVisitor {
  out: ByteBuffer = new ByteBuffer();

  onHeader(key: usize, keyLength: i32, value: usize, valueLength: i32): bool {
    writeText(0, key, keyLength, this.out);
    writeText(1, value, valueLength, this.out);
    return true;
  }
}

/** The one instance: codecs have no state of connections. */
export const tars = new Tars();
