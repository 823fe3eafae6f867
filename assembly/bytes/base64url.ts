// Base64 for URLs (RFC 4648, section 5), without padding, as JSON web tokens have it.
import { ByteBuffer } from "./buffer";

const PAD: u32 = 0x3d;

/** The number of a character; -1 for others. */
function digit(c: u32): i32 {
  if (c - 0x41 < 26) return (c - 0x41) as i32;
  if (c - 0x61 < 26) return (c - 0x61 + 26) as i32;
  if (c - 0x30 < 10) return (c - 0x30 + 52) as i32;
  return c == 0x2d ? 62 : c == 0x5f ? 63 : -1;
}

function letter(n: u32): u32 {
  if (n < 26) return n + 0x41;
  if (n < 52) return n - 26 + 0x61;
  if (n < 62) return n - 52 + 0x30;
  return n == 62 ? 0x2d : 0x5f;
}

/**
 * Appends what a text stands for; false, with anything appended, when it is none: other characters, padding, a length that
 * there is not, or bits at the end that are not 0.
 */
export function decodeBase64Url(ptr: usize, length: i32, to: ByteBuffer): bool {
  if (length < 0 || (length & 3) == 1) return false;
  let bits: u32 = 0;
  let count = 0;
  let at = to.reserve((length >> 2) * 3 + 3);
  const from = at;
  for (let i = 0; i < length; i++) {
    const value = digit(load<u8>(ptr + (i as usize)));
    if (value < 0) return false;
    bits = (bits << 6) | (value as u32);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    store<u8>(at++, (bits >> (count as u32)) as u8);
  }
  if ((bits & ((1 << (count as u32)) - 1)) != 0) return false;
  to.commit((at - from) as i32);
  return true;
}

/** Appends the text that stands for bytes; `pads`: filled up to a multiple of four characters. */
export function encodeBase64Url(ptr: usize, length: i32, pads: bool, to: ByteBuffer): void {
  for (let i = 0; i < length; i += 3) {
    const left = min(length - i, 3);
    const at = ptr + (i as usize);
    let bits = (load<u8>(at) as u32) << 16;
    if (left > 1) bits |= (load<u8>(at, 1) as u32) << 8;
    if (left > 2) bits |= load<u8>(at, 2) as u32;
    for (let j = 0; j < 4; j++) {
      if (j <= left) to.appendByte(letter((bits >> ((18 - 6 * j) as u32)) & 63));
      else if (pads) to.appendByte(PAD);
    }
  }
}
