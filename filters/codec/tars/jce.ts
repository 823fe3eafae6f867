// Jce, the encoding of Tars' structs: fields of tag and type, in ascending order of tags. Reading and writing of what
// packets have, and skipping of everything else.
import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { load16be, load32be, store16be, store32be } from "../../../assembly/bytes/memory";

export const enum Type {
  BYTE = 0,
  SHORT = 1,
  INT = 2,
  LONG = 3,
  FLOAT = 4,
  DOUBLE = 5,
  STRING1 = 6,
  STRING4 = 7,
  MAP = 8,
  LIST = 9,
  STRUCT_BEGIN = 10,
  STRUCT_END = 11,
  ZERO = 12,
  SIMPLE_LIST = 13,
}

/** Structs and containers inside each other that are skipped; what is deeper counts as broken. */
const MAX_DEPTH: i32 = 32;
/** Tags from here on take a byte of their own. */
const WIDE_TAG: u32 = 15;

/** Reads a range of bytes. Every method answers false where the bytes do not have what it is to read. */
export class Reader {
  at: usize = 0;
  private end: usize = 0;
  /** What `head` has read. */
  tag: u32 = 0;
  type: i32 = 0;
  /** What `integer` has read. */
  value: i32 = 0;
  /** What `text` or `bytes` has read. */
  ptr: usize = 0;
  length: i32 = 0;

  start(at: usize, end: usize): void {
    this.at = at;
    this.end = end;
  }

  get done(): bool {
    return this.at >= this.end;
  }

  private get left(): usize {
    return this.end - this.at;
  }

  /** The head of a field: its tag and type. */
  head(): bool {
    if (this.left < 1) return false;
    const byte = load<u8>(this.at++) as u32;
    this.type = (byte & 15) as i32;
    this.tag = byte >> 4;
    if (this.tag < WIDE_TAG) return true;
    if (this.left < 1) return false;
    this.tag = load<u8>(this.at++) as u32;
    return true;
  }

  /** An integer of up to 32 bits, behind its head. */
  integer(): bool {
    if (this.type > Type.INT && this.type != Type.ZERO) return false;
    const width = widthOf(this.type);
    if (this.left < (width as usize)) return false;
    const at = this.at;
    if (width == 0) this.value = 0;
    else if (width == 1) this.value = load<i8>(at) as i32;
    else if (width == 2) this.value = load16be(at) as i16 as i32;
    else this.value = load32be(at) as i32;
    this.at += width as usize;
    return true;
  }

  /** Whether the head is one of a string. */
  get isText(): bool {
    return this.type == Type.STRING1 || this.type == Type.STRING4;
  }

  /** A string, behind its head. */
  text(): bool {
    if (this.type == Type.STRING1) {
      if (this.left < 1) return false;
      const length = load<u8>(this.at++) as u32;
      return this.range(length);
    }
    if (this.type != Type.STRING4 || this.left < 4) return false;
    const length = load32be(this.at);
    this.at += 4;
    return this.range(length);
  }

  /** A vector of bytes, behind its head. */
  bytes(): bool {
    if (this.type != Type.SIMPLE_LIST || !this.head() || this.type != Type.BYTE) return false;
    return this.count() && this.range(this.value as u32);
  }

  /** The count of a container, a field of its own with tag 0: `value`. */
  count(): bool {
    return this.head() && this.tag == 0 && this.integer() && this.value >= 0;
  }

  private range(length: u32): bool {
    if (this.left < (length as usize)) return false;
    this.ptr = this.at;
    this.length = length as i32;
    this.at += length as usize;
    return true;
  }

  /** Leaves out a value of any type, behind its head. */
  skip(depth: i32 = 0): bool {
    switch (this.type) {
      case Type.BYTE:
        return this.range(1);
      case Type.SHORT:
        return this.range(2);
      case Type.INT:
      case Type.FLOAT:
        return this.range(4);
      case Type.LONG:
      case Type.DOUBLE:
        return this.range(8);
      case Type.STRING1:
      case Type.STRING4:
        return this.text();
      case Type.ZERO:
        return true;
      case Type.SIMPLE_LIST:
        return this.bytes();
      case Type.MAP:
        return this.count() && this.skipFields((this.value as i64) * 2, depth + 1);
      case Type.LIST:
        return this.count() && this.skipFields(this.value as i64, depth + 1);
      case Type.STRUCT_BEGIN:
        return this.skipStruct(depth + 1);
      default:
        return false;
    }
  }

  /** Skips so many fields; each has a head, so there cannot be more than bytes. */
  private skipFields(count: i64, depth: i32): bool {
    if (depth > MAX_DEPTH || count > (this.left as i64)) return false;
    for (let i: i64 = 0; i < count; i++) if (!this.head() || !this.skip(depth)) return false;
    return true;
  }

  private skipStruct(depth: i32): bool {
    if (depth > MAX_DEPTH) return false;
    while (this.head()) {
      if (this.type == Type.STRUCT_END) return true;
      if (!this.skip(depth)) return false;
    }
    return false;
  }
}

/** The narrowest type for an integer. */
export function typeFor(value: i32): Type {
  if (value == 0) return Type.ZERO;
  if (value == (value as i8 as i32)) return Type.BYTE;
  return value == (value as i16 as i32) ? Type.SHORT : Type.INT;
}

/** Bytes of an integer of this type. */
export function widthOf(type: i32): i32 {
  return type == Type.ZERO ? 0 : 1 << type;
}

/** Appends the head of a field; `tag` is below 15. */
export function writeHead(tag: u32, type: Type, out: ByteBuffer): void {
  out.appendByte((tag << 4) | (type as u32));
}

/** Appends an integer as one of `type`, which is wide enough. */
export function writeIntegerAs(type: Type, tag: u32, value: i32, out: ByteBuffer): void {
  writeHead(tag, type, out);
  const width = widthOf(type);
  const at = out.reserve(width);
  if (width == 1) store<u8>(at, value as u8);
  else if (width == 2) store16be(at, value as u32);
  else if (width == 4) store32be(at, value as u32);
  out.commit(width);
}

/** Appends an integer in as few bytes as it takes. */
export function writeInteger(tag: u32, value: i32, out: ByteBuffer): void {
  writeIntegerAs(typeFor(value), tag, value, out);
}

export function writeText(tag: u32, ptr: usize, length: i32, out: ByteBuffer): void {
  if (length <= 0xff) {
    writeHead(tag, Type.STRING1, out);
    out.appendByte(length);
  } else {
    writeHead(tag, Type.STRING4, out);
    store32be(out.reserve(4), length as u32);
    out.commit(4);
  }
  out.append(ptr, length);
}

/** Appends what comes before the bytes of a vector of bytes. */
export function writeBytesHead(tag: u32, length: i32, out: ByteBuffer): void {
  writeHead(tag, Type.SIMPLE_LIST, out);
  writeHead(0, Type.BYTE, out);
  writeInteger(0, length, out);
}

/** Appends what comes before the pairs of a map: keys have tag 0, values tag 1. */
export function writeMapHead(tag: u32, count: i32, out: ByteBuffer): void {
  writeHead(tag, Type.MAP, out);
  writeInteger(0, count, out);
}
