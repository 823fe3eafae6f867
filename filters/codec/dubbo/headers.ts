import { ByteBuffer, KEEP } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { bytesEqual } from "../../../assembly/bytes/memory";
import { View } from "../../../assembly/bytes/view";
import { Frame } from "../../../assembly/xprotocol/frame";
import { HeaderList, MAX_PAIRS } from "../../../assembly/message/list";
import { Body, Kind, Step } from "./body";
import { Invocation, Read } from "./invocation";
import { KeptPairs } from "./kept";

/** Where the body begins. */
export const HEADER: i32 = 16;
/** Most bytes of printed values of one frame; what is more is not shown. */
const MAX_PRINTED: i64 = 1 << 20;
/** Index of the pair `version`, where there is one. */
const VERSION_INDEX: i32 = 3;

export const DUBBO: Bytes = Bytes.of("dubbo");
export const SERVICE: Bytes = Bytes.of("service");
export const VERSION: Bytes = Bytes.of("version");
export const METHOD: Bytes = Bytes.of("method");
const PATH: Bytes = Bytes.of("path");
const INTERFACE: Bytes = Bytes.of("interface");

/** Where the headers of a frame have their place. */
export const enum Place {
  /** Nowhere: there are none, or none that could change. */
  NONE,
  /** Strings before the arguments, attachments behind them. */
  REQUEST,
  /** Attachments behind the value. */
  RESPONSE,
}

const found = new View();
const came = new View();

/** The field of a request with that name, one bit each; 0: there is none. */
export function fieldOf(key: usize, length: i32): u32 {
  switch (length) {
    case 5:
      return DUBBO.equals(key, length) ? 1 : 0;
    case 6:
      return METHOD.equals(key, length) ? 2 : 0;
    case 7:
      return SERVICE.equals(key, length) ? 4 : VERSION.equals(key, length) ? 8 : 0;
    default:
      return 0;
  }
}

/**
 * The headers of a Dubbo frame: of a request first `dubbo`, `service`, `method` and `version`, its fields, then every
 * attachment that has a text; of a response its attachments. The fields have one value, which is what servers go by;
 * `dubbo` cannot be changed, nor can it, `service` and `method` be removed. The attachments path and interface follow
 * `service`, which follows `path`. The attachment `version` is no header of its own: it is the value of `version`, and follows it. Of
 * attachments with the same key the last one counts, as in servers.
 */
export class DubboHeaders extends HeaderList {
  place: Place = Place.NONE;
  /** There may be headers that cannot be read; whether some of those should have been removed. */
  opaque: bool = false;
  private unread: bool = false;
  /** Whether a field of a request was to have another value, or to go, that has to stay. */
  fixed: bool = false;
  /** The bytes that begin the map of the attachments; length 0 where there is none. */
  readonly opening: View = new View();
  /** Address behind the attachments; a frame should have nothing more. */
  rest: usize = 0;
  /** Of a request: what is before the arguments. */
  readonly invocation: Invocation = new Invocation();
  /** Of a request: what `version` was. */
  readonly versionCame: View = new View();
  /** Whether there is an attachment `version`. */
  twin: bool = false;
  /** Kind of a response, 0 to 5: exception, value or null (the remainder by 3), from 3 on with attachments. */
  result: i32 = 0;
  /** Attachments that are no strings in one piece. */
  readonly kept: KeptPairs = new KeptPairs();
  /** The text of those that have one. */
  private readonly printed: ByteBuffer = new ByteBuffer();
  private measured: bool = false;

  get changed(): bool {
    return super.changed || this.kept.changed || this.unread || this.fixed;
  }

  /** Whether a value is the text of an attachment that is kept. */
  isPrinted(value: usize): bool {
    return value - this.printed.ptr < (this.printed.length as usize);
  }

  set(key: usize, keyLength: i32, value: usize, valueLength: i32): void {
    if (this.isField(DUBBO, key, keyLength)) {
      came.set(value, valueLength);
      if (!this.isSame(DUBBO, came)) this.fixed = true;
      return;
    }
    const service = this.isField(SERVICE, key, keyLength);
    this.kept.drop(key, keyLength);
    super.set(key, keyLength, value, valueLength);
    if (service) {
      this.follow(PATH, SERVICE);
      this.follow(INTERFACE, SERVICE);
    } else if (this.isField(PATH, key, keyLength)) {
      this.follow(SERVICE, PATH);
    }
  }

  /** In a map a key has one value. */
  add(key: usize, keyLength: i32, value: usize, valueLength: i32): void {
    if (super.get(key, keyLength, found)) {
      this.set(key, keyLength, value, valueLength);
      return;
    }
    this.kept.drop(key, keyLength);
    super.add(key, keyLength, value, valueLength);
    if (this.isField(PATH, key, keyLength)) this.follow(SERVICE, PATH);
  }

  remove(key: usize, keyLength: i32): i32 {
    if (this.opaque) this.unread = true;
    if (this.place == Place.REQUEST && fieldOf(key, keyLength) != 0 && !VERSION.equals(key, keyLength)) {
      this.fixed = true;
      return 0;
    }
    const dropped = this.kept.drop(key, keyLength);
    const removed = super.remove(key, keyLength);
    if (removed > 0 && this.isField(PATH, key, keyLength)) {
      const service = this.invocation.service;
      super.set(SERVICE.ptr, SERVICE.length, service.ptr, service.length);
    }
    return dropped + removed;
  }

  /** Makes a header, where it is present, say what another one says. */
  private follow(name: Bytes, other: Bytes): void {
    if (!super.get(name.ptr, name.length, found) || !super.get(other.ptr, other.length, found)) return;
    this.kept.drop(name.ptr, name.length);
    super.set(name.ptr, name.length, found.ptr, found.length);
  }

  private isField(name: Bytes, key: usize, keyLength: i32): bool {
    return this.place == Place.REQUEST && name.equals(key, keyLength);
  }

  /** Whether a field is what it was when the frame came. */
  isSame(name: Bytes, came: View): bool {
    return super.get(name.ptr, name.length, found) && bytesEqual(found.ptr, found.length, came.ptr, came.length);
  }

  /** Whether the service begins with a slash, which servers leave out or do not find: it would be another one. */
  get isSlashed(): bool {
    return super.get(SERVICE.ptr, SERVICE.length, found) && found.length > 0 && load<u8>(found.ptr) == 0x2f;
  }

  /** Whether the method is that of the request. */
  isMethod(frame: Frame): bool {
    frame.method(came);
    return this.isSame(METHOD, came);
  }

  /**
   * Reads the headers of a request that has been decoded. Where its attachments cannot be read its fields are headers all
   * the same, but none that can change.
   */
  bindRequest(frame: Frame, body: Body): void {
    this.forget(true);
    if (!this.fields(frame, body) || frame.headerOffset == HEADER) return;
    const end = frame.ptr + (frame.length as usize);
    const at = frame.ptr + (frame.headerOffset as usize);
    this.place = Place.REQUEST;
    this.opaque = false;
    body.bind(at, (end - at) as i32);
    if (this.attachments(body, true)) return;
    // What is not plain may refer to what is in the arguments.
    this.fields(frame, body);
    if (body.skip(this.invocation.argumentCount) && this.attachments(body, false)) return;
    this.place = Place.NONE;
    this.opaque = true;
  }

  /** Reads what is before the arguments; false where the request is no call. */
  private fields(frame: Frame, body: Body): bool {
    this.clear();
    const invocation = this.invocation;
    body.bind(frame.ptr + (HEADER as usize), frame.length - HEADER);
    if (invocation.read(body) != Read.CALL) return false;
    this.field(DUBBO, invocation.dubbo);
    frame.service(found);
    this.field(SERVICE, found);
    frame.method(found);
    this.field(METHOD, found);
    this.versionCame.set(invocation.version.ptr, invocation.version.length);
    if (invocation.versioned) this.field(VERSION, invocation.version);
    return true;
  }

  private field(name: Bytes, value: View): void {
    this.append(name.ptr, name.length, value.ptr, value.length);
  }

  /**
   * Reads the headers of a response, and gives the value in it its exact length; none when they cannot be read. Where only
   * the value cannot be, and there are no attachments, it is all that is there.
   */
  bindResponse(frame: Frame, body: Body): void {
    this.forget(true);
    body.bind(frame.ptr + (HEADER as usize), frame.length - HEADER);
    const result = body.result();
    if (result < 0) return;
    const content = body.at;
    const hasValue = result % 3 != 2;
    const read = !hasValue || body.skip(1);
    if (!read && (result >= 3 || content == body.end)) return;
    const behind = read ? body.at : body.end;
    this.rest = behind;
    if (result >= 3 && !this.attachments(body, false)) {
      this.forget(true);
      return;
    }
    this.result = result;
    this.place = Place.RESPONSE;
    this.opaque = false;
    frame.contentOffset = (content - frame.ptr) as i32;
    frame.contentLength = (behind - content) as i32;
    frame.headerOffset = (behind - frame.ptr) as i32;
    frame.headerLength = (this.rest - behind) as i32;
  }

  /** Forgets all: a frame without headers, or with some that cannot be read. */
  forget(opaque: bool): void {
    this.opaque = opaque;
    this.unread = false;
    this.fixed = false;
    this.clear();
    this.kept.clear();
    this.printed.reset(KEEP);
    this.opening.set(0, 0);
    this.place = Place.NONE;
    this.twin = false;
    this.result = 0;
  }

  /** Reads the map of attachments, which may be missing; false when it cannot be read, or is not plain but has to be. */
  private attachments(body: Body, plain: bool): bool {
    this.kept.clear();
    this.printed.clear();
    this.measured = false;
    this.rest = body.at;
    const from = body.at;
    let step = body.open();
    if (step == Step.PAIR) this.opening.set(from, (body.inner - from) as i32);
    for (let pairs = 0; step == Step.PAIR;) {
      if (!this.measured) body.mark();
      step = body.next();
      if (step != Step.PAIR) break;
      if (pairs++ == MAX_PAIRS || (plain && !body.plain)) return false;
      body.settle();
      if (body.kind == Kind.PRINTED && !this.measured) {
        // Once more, with room for what will be printed: it must not move.
        this.measure(body);
        body.rewind();
        pairs--;
      } else if (!this.attachment(body)) {
        return false;
      }
    }
    this.rest = body.at;
    return step == Step.END;
  }

  /** Makes room for the text of this value and of those behind it. */
  private measure(body: Body): void {
    let room: i64 = 0;
    do {
      body.settle();
      if (body.kind == Kind.PRINTED) room += body.printedRoom as i64;
    } while (body.next() == Step.PAIR);
    this.printed.reserve(min(room, MAX_PRINTED) as i32);
    this.measured = true;
  }

  private attachment(body: Body): bool {
    const key = body.key;
    const value = body.value;
    const isVersion = this.place == Place.REQUEST && body.keyed && VERSION.equals(key.ptr, key.length);
    if (body.keyed && body.kind == Kind.TEXT) {
      if (!isVersion) return this.present(key, value);
      this.twin = true;
      this.versioned(value);
      return !this.incomplete;
    }
    const printed =
      body.keyed &&
      body.kind == Kind.PRINTED &&
      (this.printed.length as i64) + (body.printedRoom as i64) <= MAX_PRINTED;
    const at = body.pairAt;
    this.kept.add(at, (body.pairEnd - at) as i32, body.keyed ? key : null, body.plain, printed);
    if (printed) {
      const start = this.printed.length;
      body.print(this.printed);
      found.set(this.printed.ptr + (start as usize), this.printed.length - start);
      return this.present(key, found);
    }
    if (isVersion) {
      found.set(value.ptr, 0);
      this.versioned(found);
    } else if (body.keyed && !this.isOther(key)) this.retract(key.ptr, key.length);
    return true;
  }

  /** The version is that of the attachment. */
  private versioned(value: View): void {
    this.versionCame.set(value.ptr, value.length);
    if (this.invocation.versioned) this.repoint(VERSION_INDEX, value.ptr, value.length);
    else this.field(VERSION, value);
    this.invocation.versioned = true;
  }

  private present(key: View, value: View): bool {
    return this.isOther(key)
      ? this.append(key.ptr, key.length, value.ptr, value.length)
      : this.appendLast(key.ptr, key.length, value.ptr, value.length);
  }

  /** Whether an attachment has the name of a field, whose value it is not. */
  private isOther(key: View): bool {
    return this.place == Place.REQUEST && fieldOf(key.ptr, key.length) != 0;
  }
}
