import { decodeRune, INVALID_RUNE } from "../bytes/utf8";
import { View } from "../bytes/view";

/** Deepest nesting of messages, as other implementations have it. */
export const MAX_DEPTH: i32 = 100;
/** Most messages inside of one. */
export const MAX_MESSAGES: i32 = 8192;

/** How the reading of a message ended. */
export const enum ProtoStatus {
  OK = 0,
  /** It ends inside of a field. */
  TRUNCATED = 1,
  /** A tag, a length or a string's UTF-8 cannot be. */
  MALFORMED = 2,
  /** A number has more than ten bytes. */
  OVERLONG = 3,
  /** It has a group, which nobody writes any more. */
  GROUP = 4,
  /** Messages are nested deeper than MAX_DEPTH. */
  TOO_DEEP = 5,
  /** There are more than MAX_MESSAGES messages in it. */
  TOO_MANY = 6,
}

/** How a field's value is written. */
const enum Wire {
  VARINT = 0,
  FIXED64 = 1,
  BYTES = 2,
  GROUP = 3,
  GROUP_END = 4,
  FIXED32 = 5,
}

/**
 * Reads the fields of a message in protobuf's wire format. It never reads beyond the bytes that it was given: what cannot be read
 * sets `status`, the value is 0 or empty, and there is no next field. Which bytes are refused is protobuf's encoding
 * guide, and protobufjs' reading of it; values in more bytes than needed are read, bits beyond the type's are dropped.
 */
export class ProtoReader {
  status: ProtoStatus = ProtoStatus.OK;
  /** The current field's number, shifted left by three, and how it is written. */
  tag: u32 = 0;
  private at: usize = 0;
  private end: usize = 0;
  private depth: i32 = 0;
  private messages: i32 = 0;

  /** Begins a message of `length` (>= 0) bytes at `ptr`; borrowed, as are views of its strings. */
  bind(ptr: usize, length: i32): void {
    this.at = ptr;
    this.end = ptr + (length as usize);
    this.depth = this.messages = 0;
    this.status = ProtoStatus.OK;
  }

  /** Whether bytes of the current message or packed field are left, and nothing was wrong. */
  // @ts-ignore: decorator
  @inline
  get more(): bool {
    return this.at < this.end && this.status == ProtoStatus.OK;
  }

  /** Goes to the next field, whose value has to be read or skipped then; false at the end. */
  next(): bool {
    if (!this.more) return false;
    this.tag = this.short();
    if (this.tag >> 3 == 0) this.fail(ProtoStatus.MALFORMED);
    return this.status == ProtoStatus.OK;
  }

  /** Leaves the current field's value out. */
  skip(): void {
    switch (this.tag & 7) {
      case Wire.VARINT:
        this.uint64();
        return;
      case Wire.FIXED64:
        this.take(8);
        return;
      case Wire.BYTES:
        this.take(this.size());
        return;
      case Wire.FIXED32:
        this.take(4);
        return;
      case Wire.GROUP:
        this.fail(ProtoStatus.GROUP);
        return;
      default:
        this.fail(ProtoStatus.MALFORMED);
    }
  }

  /** Begins a message that is a field; returns what `closeMessage` wants. */
  openMessage(): usize {
    const outer = this.enter();
    if (++this.depth > MAX_DEPTH) this.fail(ProtoStatus.TOO_DEEP);
    else if (++this.messages > MAX_MESSAGES) this.fail(ProtoStatus.TOO_MANY);
    return outer;
  }

  /** Goes back to the message that has the field. */
  closeMessage(outer: usize): void {
    this.depth--;
    this.end = outer;
  }

  /** Begins a packed field, read while there is `more`; returns what `leave` wants. */
  enter(): usize {
    const outer = this.end;
    const size = this.size();
    this.end = this.at + (size as usize);
    return outer;
  }

  /** Goes back to the message that has the packed field. */
  leave(outer: usize): void {
    this.end = outer;
  }

  uint64(): u64 {
    const end = this.end;
    let at = this.at;
    let value: u64 = 0;
    for (let shift: u64 = 0; shift < 70; shift += 7) {
      if (at >= end) {
        this.fail(ProtoStatus.TRUNCATED);
        return 0;
      }
      const byte = load<u8>(at++) as u64;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.at = at;
        return value;
      }
    }
    this.fail(ProtoStatus.OVERLONG);
    return 0;
  }

  int64(): i64 {
    return this.uint64() as i64;
  }

  sint64(): i64 {
    const value = this.uint64();
    return (value >> 1) ^ -(value & 1);
  }

  uint32(): u32 {
    return this.uint64() as u32;
  }

  int32(): i32 {
    return this.uint64() as i32;
  }

  sint32(): i32 {
    const value = this.uint32();
    return (value >> 1) ^ -(value & 1);
  }

  bool(): bool {
    return this.uint64() != 0;
  }

  fixed32(): u32 {
    const at = this.take(4);
    return at != 0 ? load<u32>(at) : 0;
  }

  sfixed32(): i32 {
    return this.fixed32() as i32;
  }

  float(): f32 {
    return reinterpret<f32>(this.fixed32());
  }

  fixed64(): u64 {
    const at = this.take(8);
    return at != 0 ? load<u64>(at) : 0;
  }

  sfixed64(): i64 {
    return this.fixed64() as i64;
  }

  double(): f64 {
    return reinterpret<f64>(this.fixed64());
  }

  /** Points `out` at a field's bytes. */
  bytes(out: View): void {
    const size = this.size();
    const at = this.take(size);
    out.set(at, at != 0 ? size : 0);
  }

  /** The same for a string, which has to be UTF-8. */
  string(out: View): void {
    this.bytes(out);
    let at = out.ptr;
    const end = at + (out.length as usize);
    while (at < end) {
      const rune = decodeRune(at, (end - at) as i32);
      if (rune == INVALID_RUNE) {
        this.fail(ProtoStatus.MALFORMED);
        out.set(0, 0);
        return;
      }
      at += rune & 7;
    }
  }

  /** Goes over `size` bytes and returns where they are, 0 when they are not there. */
  private take(size: i32): usize {
    if ((size as usize) > this.end - this.at) {
      this.fail(ProtoStatus.TRUNCATED);
      return 0;
    }
    const at = this.at;
    this.at = at + (size as usize);
    return at;
  }

  /** A length, of which all bytes are there. */
  private size(): i32 {
    const size = this.short();
    if (size > (i32.MAX_VALUE as u32)) this.fail(ProtoStatus.MALFORMED);
    else if ((size as usize) > this.end - this.at) this.fail(ProtoStatus.TRUNCATED);
    else return size as i32;
    return 0;
  }

  /** A tag or length: 32 bits in at most five bytes. */
  private short(): u32 {
    const start = this.at;
    const value = this.uint64();
    if (this.status == ProtoStatus.OVERLONG || value > u32.MAX_VALUE || this.at - start > 5) {
      this.status = ProtoStatus.MALFORMED;
      return 0;
    }
    return value as u32;
  }

  /** The first fault counts. */
  private fail(status: ProtoStatus): void {
    if (this.status == ProtoStatus.OK) this.status = status;
  }
}
