// The first bytes of Hessian 2.0 values (hessian.caucho.com/doc/hessian-serialization.html, as hessian-lite reads them).
import { load16be, load32be } from "../bytes/memory";

/** Tags that are more than a range of compact numbers. */
export const enum Tag {
  /** 0x00 to 0x1f: string of so many characters. */
  STRING_DIRECT_END = 0x20,
  /** 0x20 to 0x2f: binary of so many bytes. */
  BINARY_DIRECT = 0x20,
  /** 0x30 to 0x33: string; the two low bits and a byte are its length. */
  STRING_SHORT = 0x30,
  /** 0x34 to 0x37: binary; the two low bits and a byte are its length. */
  BINARY_SHORT = 0x34,
  /** 0x38 to 0x3f: long of 19 bits. */
  LONG_SHORT = 0x38,
  BINARY_CHUNK = 0x41, // 'A'
  BINARY = 0x42, // 'B'
  CLASS = 0x43, // 'C'
  DOUBLE = 0x44, // 'D'
  FALSE = 0x46, // 'F'
  MAP_UNTYPED = 0x48, // 'H'
  INT = 0x49, // 'I'
  DATE = 0x4a, // 'J', milliseconds
  DATE_MINUTES = 0x4b, // 'K'
  LONG = 0x4c, // 'L'
  MAP = 0x4d, // 'M'
  NULL = 0x4e, // 'N'
  OBJECT = 0x4f, // 'O'
  REFERENCE = 0x51, // 'Q'
  STRING_CHUNK = 0x52, // 'R'
  STRING = 0x53, // 'S'
  TRUE = 0x54, // 'T'
  LIST_VARIABLE = 0x55, // 'U'
  LIST = 0x56, // 'V'
  LIST_VARIABLE_UNTYPED = 0x57, // 'W'
  LIST_UNTYPED = 0x58, // 'X'
  /** 'Y', long of 32 bits. */
  LONG_INT = 0x59,
  END = 0x5a, // 'Z'
  DOUBLE_ZERO = 0x5b,
  DOUBLE_ONE = 0x5c,
  DOUBLE_BYTE = 0x5d,
  DOUBLE_SHORT = 0x5e,
  /** Thousandths, an int of 32 bits. */
  DOUBLE_MILLI = 0x5f,
  /** 0x60 to 0x6f: object of one of the first sixteen classes. */
  OBJECT_DIRECT = 0x60,
  /** 0x70 to 0x77: typed list of up to seven values. */
  LIST_DIRECT = 0x70,
  /** 0x78 to 0x7f: untyped list of up to seven values. */
  LIST_DIRECT_UNTYPED = 0x78,
  /** 0x80 to 0xbf: int from -16. */
  INT_DIRECT = 0x80,
  /** 0xc0 to 0xcf: int of 12 bits. */
  INT_BYTE = 0xc0,
  /** 0xd0 to 0xd7: int of 19 bits. */
  INT_SHORT = 0xd0,
  INT_SHORT_END = 0xd8,
}

const SIZES: usize = memory.data(256);

function sizes(from: i32, to: i32, size: u8): void {
  memory.fill(SIZES + (from as usize), size, (to - from) as usize);
}

function fillSizes(): void {
  for (let tag = 0x20; tag < 0x30; tag++) store<u8>(SIZES + (tag as usize), (tag - 0x1f) as u8);
  sizes(0x38, 0x40, 3); // long of 19 bits
  sizes(0x44, 0x45, 9); // double
  sizes(0x46, 0x47, 1); // false
  sizes(0x49, 0x4a, 5); // int
  sizes(0x4a, 0x4b, 9); // date, milliseconds
  sizes(0x4b, 0x4c, 5); // date, minutes
  sizes(0x4c, 0x4d, 9); // long
  sizes(0x4e, 0x4f, 1); // null
  sizes(0x54, 0x55, 1); // true
  sizes(0x59, 0x5a, 5); // long of 32 bits
  sizes(0x5b, 0x5d, 1); // 0.0, 1.0
  sizes(0x5d, 0x5e, 2); // double as a byte
  sizes(0x5e, 0x5f, 3); // double as a short
  sizes(0x5f, 0x60, 5); // double as thousandths
  sizes(0x80, 0xc0, 1); // ints
  sizes(0xc0, 0xd0, 2);
  sizes(0xd0, 0xd8, 3);
  sizes(0xd8, 0xf0, 1); // longs
  sizes(0xf0, 0x100, 2);
}
fillSizes();

/** Whether an int starts with `tag`: in all versions of Hessian 2 the same. */
// @ts-ignore: decorator
@inline
export function isInt(tag: i32): bool {
  return tag < Tag.INT_DIRECT ? tag == Tag.INT : tag < Tag.INT_SHORT_END;
}

/** The int at `at` that starts with `tag`; all of its bytes are there. */
// @ts-ignore: decorator
@inline
export function intAt(at: usize, tag: i32): i32 {
  if (tag == Tag.INT) return load32be(at + 1) as i32;
  if (tag < Tag.INT_BYTE) return tag - 0x90;
  if (tag < Tag.INT_SHORT) return ((tag - 0xc8) << 8) | (load<u8>(at, 1) as i32);
  return ((tag - 0xd4) << 16) | (load16be(at + 1) as i32);
}

/** Length of a value that starts with `tag` where the tag tells it all, bytes; 0 for all other tags, known or not. */
// @ts-ignore: decorator
@inline
export function sizeOf(tag: i32): usize {
  return load<u8>(SIZES + (tag as usize)) as usize;
}
