// Values of Hessian 2 as text.
import { ByteBuffer } from "../bytes/buffer";
import { load16be, load32be, load64be } from "../bytes/memory";
import { appendDecimal, appendDouble } from "../bytes/numbers";
import { intAt, isInt, Tag } from "./tags";
import { appendCanonical, skipUnits } from "./text";

/** Most bytes of the text of a number, true or false. */
export const PRINTED: i32 = 32;

/**
 * Appends the text of a string, in one piece or many, of a number, or of true or false: all of its `length` bytes are at
 * `ptr`. Of a string it takes no more bytes than that, of others at most `PRINTED`; of anything else none.
 */
export function printValue(out: ByteBuffer, ptr: usize, length: i32): void {
  const tag = load<u8>(ptr) as i32;
  if (tag == Tag.TRUE) out.append(changetype<usize>(TRUE), 4);
  else if (tag == Tag.FALSE) out.append(changetype<usize>(FALSE), 5);
  else if (isInt(tag)) appendDecimal(out, intAt(ptr, tag) as i64);
  else if (isDouble(tag)) appendDouble(out, doubleAt(ptr, tag));
  else if (tag < Tag.STRING_DIRECT_END || (tag & ~3) == Tag.STRING_SHORT || (tag & ~1) == Tag.STRING_CHUNK) {
    printString(out, ptr, length);
  } else if (tag == Tag.LONG || tag == Tag.LONG_INT || (tag & ~7) == Tag.LONG_SHORT || tag >= Tag.INT_SHORT_END) {
    appendDecimal(out, longAt(ptr, tag));
  }
}

const TRUE: StaticArray<u8> = [0x74, 0x72, 0x75, 0x65];
const FALSE: StaticArray<u8> = [0x66, 0x61, 0x6c, 0x73, 0x65];

function printString(out: ByteBuffer, ptr: usize, length: i32): void {
  const end = ptr + (length as usize);
  while (ptr < end) {
    const tag = load<u8>(ptr) as i32;
    let units = tag;
    let skip: usize = 1;
    if (tag >= Tag.STRING_CHUNK) {
      units = load16be(ptr + 1) as i32;
      skip = 3;
    } else if (tag >= Tag.STRING_SHORT) {
      units = ((tag - Tag.STRING_SHORT) << 8) | (load<u8>(ptr, 1) as i32);
      skip = 2;
    }
    const next = skipUnits(ptr + skip, end, units);
    if (next == 0) return;
    appendCanonical(out, ptr + skip, (next - ptr - skip) as i32);
    ptr = next;
  }
}

function longAt(ptr: usize, tag: i32): i64 {
  if (tag == Tag.LONG) return load64be(ptr + 1) as i64;
  if (tag == Tag.LONG_INT) return load32be(ptr + 1) as i32 as i64;
  if (tag < Tag.LONG_INT) return (((tag - 0x3c) << 16) | (load16be(ptr + 1) as i32)) as i64;
  if (tag < 0xf0) return (tag - 0xe0) as i64;
  return (((tag - 0xf8) << 8) | (load<u8>(ptr, 1) as i32)) as i64;
}

function isDouble(tag: i32): bool {
  return tag == Tag.DOUBLE || (tag >= Tag.DOUBLE_ZERO && tag <= Tag.DOUBLE_MILLI);
}

function doubleAt(ptr: usize, tag: i32): f64 {
  switch (tag) {
    case Tag.DOUBLE:
      return reinterpret<f64>(load64be(ptr + 1));
    case Tag.DOUBLE_ZERO:
      return 0;
    case Tag.DOUBLE_ONE:
      return 1;
    case Tag.DOUBLE_BYTE:
      return load<i8>(ptr, 1) as f64;
    case Tag.DOUBLE_SHORT:
      return load16be(ptr + 1) as i16 as f64;
    default:
      return (load32be(ptr + 1) as i32 as f64) / 1000;
  }
}
