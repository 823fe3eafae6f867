// Numbers as text, at the end of a buffer.
import { dtoa_buffered } from "util/number";
import { ByteBuffer } from "./buffer";
import { DECIMAL_ROOM, writeDecimal } from "./decimal";

/** Characters of the longest double, with room to spare. */
const DOUBLE_ROOM: i32 = 32;

const integer = memory.data(DECIMAL_ROOM);
/** Of UTF-16. */
const double = memory.data(DOUBLE_ROOM * 2);

/** Appends an integer. */
export function appendDecimal(out: ByteBuffer, value: i64): void {
  const end = integer + (DECIMAL_ROOM as usize);
  const start = writeDecimal(end, value);
  out.append(start, (end - start) as i32);
}

/** Appends a double as JavaScript writes it, but whole numbers with ".0"; at most 32 bytes. */
export function appendDouble(out: ByteBuffer, value: f64): void {
  const length = min(dtoa_buffered(double, value) as i32, DOUBLE_ROOM);
  const to = out.reserve(length);
  for (let i = 0; i < length; i++) store<u8>(to + (i as usize), load<u16>(double + ((i as usize) << 1)) as u8);
  out.commit(length);
}
