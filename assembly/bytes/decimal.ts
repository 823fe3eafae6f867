// Integers as decimal digits.
import { isDigit } from "./ascii";

/** Bytes of the longest integer that `writeDecimal` writes. */
export const DECIMAL_ROOM: i32 = 20;
/** What `readDecimal` makes of any larger number. */
const MOST: i64 = 1000000000000000000;

/** Writes an integer in front of `end`, where there is room for it (`DECIMAL_ROOM`); returns where it begins. */
export function writeDecimal(end: usize, value: i64): usize {
  let rest: u64 = value < 0 ? -(value as u64) : (value as u64);
  let at = end;
  do {
    store<u8>(--at, 0x30 + ((rest % 10) as u8));
    rest /= 10;
  } while (rest > 0);
  if (value < 0) store<u8>(--at, 0x2d);
  return at;
}

/** The number that digits alone make, 10^18 where it is more; -1 for no digits and for anything else. */
export function readDecimal(ptr: usize, length: i32): i64 {
  if (length <= 0) return -1;
  let value: i64 = 0;
  for (let i: usize = 0; i < (length as usize); i++) {
    const c = load<u8>(ptr + i) as u32;
    if (!isDigit(c)) return -1;
    value = value < MOST / 10 ? value * 10 + ((c - 0x30) as i64) : MOST;
  }
  return value;
}

/** A status of HTTP, three digits; 0 for anything else. */
export function readStatus(ptr: usize, length: i32): i32 {
  return length == 3 ? (max(readDecimal(ptr, length), 0) as i32) : 0;
}
