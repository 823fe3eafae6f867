// JSONB, fastjson2's binary form, as fastjson2 2.0.6x reads it: where values end, and numbers. A value begins with a tag.
import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { load16be, load32be, store32be } from "../../../assembly/bytes/memory";

/** Tags that are more than a range of compact numbers. */
export const enum Jsonb {
  INT_NUM_MAX = 0x2f,
  /** 0x30 to 0x3f: int of 12 bits; 0x40 to 0x47: of 19 bits. */
  INT_BYTE = 0x30,
  INT_SHORT = 0x40,
  INT = 0x48,
  /** 0x49 to 0x78: ASCII, or Latin 1, of so many bytes. */
  ASCII_FIX = 0x49,
  ASCII = 0x79,
  UTF8 = 0x7a,
  UTF16 = 0x7b,
  UTF16LE = 0x7c,
  UTF16BE = 0x7d,
  GB18030 = 0x7e,
  SYMBOL = 0x7f,
  CHAR = 0x90,
  BINARY = 0x91,
  TYPED = 0x92,
  REFERENCE = 0x93,
  /** 0x94 to 0xa3: array of up to 15 values. */
  ARRAY_FIX = 0x94,
  ARRAY = 0xa4,
  OBJECT_END = 0xa5,
  OBJECT = 0xa6,
  LOCAL_TIME = 0xa7,
  LOCAL_DATETIME = 0xa8,
  ZONED = 0xaa,
  TIMESTAMP = 0xae,
  NULL = 0xaf,
  FALSE = 0xb0,
  TRUE = 0xb1,
  DOUBLE_ZERO = 0xb2,
  DOUBLE_ONE = 0xb3,
  DOUBLE_LONG = 0xb4,
  DOUBLE = 0xb5,
  FLOAT_INT = 0xb6,
  FLOAT = 0xb7,
  DECIMAL_LONG = 0xb8,
  DECIMAL = 0xb9,
  BIGINT_LONG = 0xba,
  BIGINT = 0xbb,
  INT16 = 0xbc,
  INT8 = 0xbd,
  INT64 = 0xbe,
  INT64_INT = 0xbf,
  /** 0xc0 to 0xc7: long of 19 bits; 0xc8 to 0xd7: of 12 bits; 0xd8 to 0xef: -8 to 15. */
  LONG_SHORT = 0xc0,
  LONG_BYTE = 0xc8,
  LONG_NUM = 0xd8,
  INT_NUM_MIN = 0xf0,
}

/** Deepest nesting: far beyond what attachments have. */
export const MAX_DEPTH: i32 = 512;
/** Most values that are walked over in one message. */
export const MAX_VALUES: i32 = 1 << 20;
/** Values that may yet be walked over in this message. */
let allowed: i32 = 0;

/** A message begins: so many values may be walked over. */
export function allowValues(): void {
  allowed = MAX_VALUES;
}

// What is left of the container that is being skipped: a count of values, or one of these.
const KEY_OR_END: i32 = -1;
const VALUE: i32 = -2;

const stack = memory.data(MAX_DEPTH * 4);

/** The int, or the length, that `intEnd` read. */
let number: i32 = 0;

/** The number that was read last. */
// @ts-ignore: decorator
@inline
export function lastInt(): i32 {
  return number;
}

/** Reads an int at `at`; returns the address behind it, 0 when there is none before `end`. */
export function intEnd(at: usize, end: usize): usize {
  if (at >= end) return 0;
  const tag = load<u8>(at) as i32;
  const room = end - at;
  if (tag <= Jsonb.INT_NUM_MAX || tag >= Jsonb.INT_NUM_MIN) {
    number = (tag << 24) >> 24;
    return at + 1;
  }
  if (tag < Jsonb.INT_SHORT) {
    if (room < 2) return 0;
    number = ((tag - 0x38) << 8) + (load<u8>(at, 1) as i32);
    return at + 2;
  }
  if (tag < Jsonb.INT) {
    if (room < 3) return 0;
    number = ((tag - 0x44) << 16) + (load16be(at + 1) as i32);
    return at + 3;
  }
  if (tag != Jsonb.INT || room < 5) return 0;
  number = load32be(at + 1) as i32;
  return at + 5;
}

/** Reads a length and as many bytes; `lastInt` is the length. */
function bytesEnd(at: usize, end: usize): usize {
  const from = intEnd(at, end);
  return from != 0 && number >= 0 && (number as usize) <= end - from ? from + (number as usize) : 0;
}

/**
 * Address behind the string at `at`, whose characters are the last `lastInt` bytes before that; 0 when there is none, or
 * it does not end before `end`.
 */
export function stringEnd(at: usize, end: usize): usize {
  if (at >= end) return 0;
  const tag = load<u8>(at) as i32;
  if (tag >= Jsonb.ASCII && tag <= Jsonb.GB18030) return bytesEnd(at + 1, end);
  if (tag < Jsonb.ASCII_FIX || tag > Jsonb.ASCII) return 0;
  number = tag - Jsonb.ASCII_FIX;
  return (number as usize) < end - at ? at + 1 + (number as usize) : 0;
}

/** Bytes behind the tag of a value of fixed length; -1: not one of those. */
function fixedSize(tag: i32): i32 {
  if (tag <= Jsonb.INT_NUM_MAX || tag >= Jsonb.LONG_NUM) return 0;
  if (tag < Jsonb.INT_SHORT) return 1;
  if (tag < Jsonb.INT) return 2;
  if (tag == Jsonb.INT) return 4;
  if (tag >= Jsonb.LONG_BYTE) return 1;
  if (tag >= Jsonb.LONG_SHORT) return 2;
  switch (tag) {
    case Jsonb.NULL:
    case Jsonb.FALSE:
    case Jsonb.TRUE:
    case Jsonb.DOUBLE_ZERO:
    case Jsonb.DOUBLE_ONE:
      return 0;
    case Jsonb.INT8:
      return 1;
    case Jsonb.INT16:
      return 2;
    case 0xa9: // local date
    case 0xac: // timestamp in seconds, and in minutes
    case 0xad:
    case Jsonb.FLOAT:
    case Jsonb.INT64_INT:
      return 4;
    case 0xab: // timestamp in milliseconds
    case Jsonb.DOUBLE:
    case Jsonb.INT64:
      return 8;
    default:
      return -1;
  }
}

/** Address behind a value that is no container; 0 when there is none, or it does not end before `end`. */
export function scalarEnd(at: usize, end: usize): usize {
  if (at >= end) return 0;
  const tag = load<u8>(at) as i32;
  const size = fixedSize(tag);
  if (size >= 0) return (size as usize) < end - at ? at + 1 + (size as usize) : 0;
  if (tag <= Jsonb.GB18030) return stringEnd(at, end);
  switch (tag) {
    case Jsonb.CHAR:
    case Jsonb.FLOAT_INT:
      return intEnd(at + 1, end);
    case Jsonb.BINARY:
    case Jsonb.BIGINT:
      return bytesEnd(at + 1, end);
    case Jsonb.REFERENCE:
      return stringEnd(at + 1, end);
    case Jsonb.DOUBLE_LONG:
    case Jsonb.DECIMAL_LONG:
    case Jsonb.BIGINT_LONG:
      return wholeEnd(at + 1, end);
    case Jsonb.DECIMAL: {
      const scaled = intEnd(at + 1, end);
      return scaled == 0 ? 0 : wholeEnd(scaled, end);
    }
    case Jsonb.LOCAL_TIME:
      return intEnd(at + 4, end);
    case Jsonb.LOCAL_DATETIME:
      return intEnd(at + 8, end);
    case Jsonb.TIMESTAMP:
      return intEnd(at + 9, end);
    case Jsonb.ZONED: {
      const zone = intEnd(at + 8, end);
      return zone == 0 ? 0 : stringEnd(zone, end);
    }
    default:
      return 0;
  }
}

/** Address behind a whole number of any size; 0 when there is none. */
function wholeEnd(at: usize, end: usize): usize {
  if (at >= end) return 0;
  const tag = load<u8>(at) as i32;
  if (tag == Jsonb.BIGINT) return bytesEnd(at + 1, end);
  const isInt = tag <= Jsonb.INT || tag >= Jsonb.LONG_SHORT || tag == Jsonb.INT64 || tag == Jsonb.INT64_INT;
  return isInt ? scalarEnd(at, end) : 0;
}

/** Address behind the name of a type: a string and its number, or the number of an earlier one. */
export function typeEnd(at: usize, end: usize): usize {
  if (at >= end) return 0;
  if (load<u8>(at) == Jsonb.SYMBOL) return symbolEnd(at, end);
  const known = intEnd(at, end);
  if (known != 0) return known;
  const next = stringEnd(at, end);
  return next == 0 ? 0 : intEnd(next, end);
}

function symbolEnd(at: usize, end: usize): usize {
  const known = intEnd(at + 1, end);
  if (known != 0) return known;
  const next = stringEnd(at + 1, end);
  return next == 0 ? 0 : intEnd(next, end);
}

/** Address behind the value at `at`, whatever it is; 0 when it does not end before `end`, or is beyond the bounds. */
export function valueEnd(at: usize, end: usize): usize {
  let left = 1;
  let depth = 0;
  while (true) {
    while (left == 0) {
      if (depth == 0) return at;
      left = load<i32>(stack + ((--depth as usize) << 2));
    }
    if (at >= end || --allowed < 0) return 0;
    const tag = load<u8>(at) as i32;
    if (left == KEY_OR_END) {
      if (tag == Jsonb.OBJECT_END) {
        at++;
        left = 0;
        continue;
      }
      at = tag == Jsonb.SYMBOL ? symbolEnd(at, end) : scalarEnd(at, end);
      if (at == 0) return 0;
      left = VALUE;
      continue;
    }
    if (tag == Jsonb.TYPED) {
      at = typeEnd(at + 1, end);
      if (at == 0) return 0;
      continue;
    }
    const outer = left == VALUE ? KEY_OR_END : left - 1;
    if (tag == Jsonb.OBJECT || (tag >= Jsonb.ARRAY_FIX && tag <= Jsonb.ARRAY)) {
      at++;
      let inner = KEY_OR_END;
      if (tag == Jsonb.ARRAY) {
        at = intEnd(at, end);
        if (at == 0 || number < 0 || (number as usize) > end - at) return 0;
        inner = number;
      } else if (tag != Jsonb.OBJECT) inner = tag - Jsonb.ARRAY_FIX;
      if (depth == MAX_DEPTH) return 0;
      store<i32>(stack + ((depth++ as usize) << 2), outer);
      left = inner;
      continue;
    }
    at = scalarEnd(at, end);
    if (at == 0) return 0;
    left = outer;
  }
}

/** Appends an int in its shortest form; `value` is not negative. */
export function appendInt(out: ByteBuffer, value: i32): void {
  if (value <= Jsonb.INT_NUM_MAX) out.appendByte(value);
  else if (value < 0x800) {
    out.appendByte(0x38 + (value >> 8));
    out.appendByte(value);
  } else if (value < 0x40000) {
    out.appendByte(0x44 + (value >> 16));
    out.appendByte(value >> 8);
    out.appendByte(value);
  } else {
    const at = out.reserve(5);
    store<u8>(at, Jsonb.INT as u8);
    store32be(at + 1, value as u32);
    out.commit(5);
  }
}
