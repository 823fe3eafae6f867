import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { HessianReader } from "../../../assembly/hessian/reader";
import { Frame } from "../../../assembly/xprotocol/frame";
import { HeaderVisitor } from "../../../assembly/xprotocol/headers";
import { HeaderList, MAX_PAIRS } from "../../../assembly/xprotocol/list";
import { Invocation } from "./invocation";
import { KeptPairs } from "./kept";

/** Memory kept for long strings between frames, bytes. */
const KEEP: i32 = 4096;
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
  /** Nowhere: there are none, and none can be added. */
  NONE,
  /** Strings before the arguments, attachments behind them. */
  REQUEST,
  /** Attachments behind the value. */
  RESPONSE,
}

const key = new View();
const value = new View();

const found = new View();

class Count extends HeaderVisitor {
  found: i32 = 0;

  onHeader(key: usize, keyLength: i32, value: usize, valueLength: i32): bool {
    this.found++;
    return true;
  }
}
const count = new Count();

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
 * attachment that is a string; of a response its attachments. `dubbo` cannot be changed. The other fields have one
 * value; `service` and `method` cannot be removed. The attachments path and interface follow `service`. The attachment
 * `version` is no header of its own: it is what servers go by, so it is the value of `version`, and follows it.
 */
export class DubboHeaders extends HeaderList {
  place: Place = Place.NONE;
  /** There may be headers that cannot be read; whether some of those should have been removed. */
  opaque: bool = false;
  private unread: bool = false;
  /** The bytes that begin the map of the attachments; length 0 where there is none. */
  readonly opening: View = new View();
  /** Address behind the attachments; a frame should have nothing more. */
  rest: usize = 0;
  /** Of a request: address of the service. */
  serviceAt: usize = 0;
  /** Of a request: address of the types of the parameters. */
  typesAt: usize = 0;
  /** Whether there is an attachment `version`. */
  twin: bool = false;
  /** Kind of a response, 0 to 5: exception, value or null (the remainder by 3), from 3 on with attachments. */
  result: i32 = 0;
  /** Attachments that are no strings. */
  readonly kept: KeptPairs = new KeptPairs();
  private readonly joined: ByteBuffer = new ByteBuffer();
  private readonly invocation: Invocation = new Invocation();

  get changed(): bool {
    return super.changed || this.kept.changed || this.unread;
  }

  set(key: usize, keyLength: i32, value: usize, valueLength: i32): void {
    if (this.isField(DUBBO, key, keyLength)) return;
    const service = this.isField(SERVICE, key, keyLength);
    this.kept.drop(key, keyLength);
    super.set(key, keyLength, value, valueLength);
    if (!service) return;
    this.follow(PATH);
    this.follow(INTERFACE);
  }

  add(key: usize, keyLength: i32, value: usize, valueLength: i32): void {
    const field = this.place == Place.REQUEST && fieldOf(key, keyLength) != 0;
    if (field && super.get(key, keyLength, found)) this.set(key, keyLength, value, valueLength);
    else super.add(key, keyLength, value, valueLength);
  }

  remove(key: usize, keyLength: i32): i32 {
    if (this.opaque) this.unread = true;
    const dropped = this.kept.drop(key, keyLength);
    const stays = this.place == Place.REQUEST && fieldOf(key, keyLength) != 0 && !VERSION.equals(key, keyLength);
    if (!stays) return dropped + super.remove(key, keyLength);
    // Only attachments of that name go.
    count.found = 0;
    this.forEachOf(key, keyLength, count);
    if (count.found > 1 && super.get(key, keyLength, found)) super.set(key, keyLength, found.ptr, found.length);
    return dropped + max(count.found - 1, 0);
  }

  /** Makes an attachment, where it is present, say what `service` says. */
  private follow(name: Bytes): void {
    if (!super.get(name.ptr, name.length, found) || !super.get(SERVICE.ptr, SERVICE.length, found)) return;
    super.set(name.ptr, name.length, found.ptr, found.length);
  }

  private isField(name: Bytes, key: usize, keyLength: i32): bool {
    return this.place == Place.REQUEST && name.equals(key, keyLength);
  }

  /** Reads the headers of a request, which has been validated. */
  bindRequest(frame: Frame, reader: HessianReader): void {
    this.forget(false);
    this.place = Place.REQUEST;
    const end = frame.ptr + (frame.length as usize);
    const at = frame.ptr + (frame.headerOffset as usize);
    if (!this.fields(frame, reader)) {
      this.forget(true);
      return;
    }
    reader.bind(at, (end - at) as i32);
    if (this.attachments(reader, true)) return;
    // What is not plain may refer to what is in the arguments.
    if (!this.fields(frame, reader)) return;
    if (!reader.skip(this.invocation.argumentCount) || !this.attachments(reader, false)) this.forget(true);
  }

  /** Reads what is before the arguments. */
  private fields(frame: Frame, reader: HessianReader): bool {
    this.clear();
    const invocation = this.invocation;
    reader.bind(frame.ptr + 16, frame.length - 16);
    if (!invocation.read(reader)) {
      this.place = Place.NONE;
      return false;
    }
    this.serviceAt = invocation.serviceAt;
    this.typesAt = invocation.typesAt;
    this.field(DUBBO, invocation.dubbo);
    this.field(SERVICE, invocation.service);
    this.field(METHOD, invocation.method);
    if (invocation.versioned) this.field(VERSION, invocation.version);
    return true;
  }

  private field(name: Bytes, value: View): void {
    this.append(name.ptr, name.length, value.ptr, value.length);
  }

  /** Reads the headers of a response, and gives the value in it its exact length; none when it cannot be read. */
  bindResponse(frame: Frame, reader: HessianReader): void {
    this.forget(true);
    const body = frame.ptr + 16;
    reader.bind(body, frame.length - 16);
    if (!reader.readInt() || reader.value < 0 || reader.value > 5) return;
    this.result = reader.value;
    const content = reader.at;
    if (this.result % 3 != 2 && !reader.skip(1)) return;
    const behind = reader.at;
    if (this.result >= 3) {
      if (!this.attachments(reader, false)) {
        this.forget(true);
        return;
      }
    } else {
      this.rest = behind;
    }
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
    this.clear();
    this.kept.clear();
    this.joined.reset(KEEP);
    this.opening.set(0, 0);
    this.place = Place.NONE;
    this.twin = false;
    this.result = 0;
  }

  /** Reads the map of attachments, which may be missing; false when it cannot be read, or is not plain but has to be. */
  private attachments(reader: HessianReader, plain: bool): bool {
    this.kept.clear();
    this.joined.clear();
    this.joined.reserve((reader.end - reader.at) as i32);
    this.rest = reader.at;
    if (reader.done) return true;
    if (!reader.readNull()) {
      if (!reader.readMap()) return false;
      this.opening.set(this.rest, (reader.at - this.rest) as i32);
      for (let pairs = 0; !reader.readEnd(); pairs++) {
        if (pairs == MAX_PAIRS || !this.attachment(reader, plain)) return false;
      }
    }
    this.rest = reader.at;
    return true;
  }

  private attachment(reader: HessianReader, plain: bool): bool {
    const start = reader.at;
    const named = reader.readText(key, this.joined);
    if (named && reader.isString) {
      if (!reader.readText(value, this.joined)) return false;
      if (this.place == Place.REQUEST && VERSION.equals(key.ptr, key.length)) {
        this.twin = true;
        if (this.invocation.versioned) this.repoint(VERSION_INDEX, value.ptr, value.length);
        else this.field(VERSION, value);
        this.invocation.versioned = true;
        return !this.incomplete;
      }
      return this.append(key.ptr, key.length, value.ptr, value.length);
    }
    const isPlain = (named || reader.isPlain) && (!named || reader.isPlain);
    if (plain && !isPlain) return false;
    if (!reader.skip(named ? 1 : 2)) return false;
    this.kept.add(start, (reader.at - start) as i32, named ? key : null, isPlain);
    return true;
  }
}
