/** What `decodeRune` gives for bytes that are not UTF-8: U+FFFD, one byte long. */
export const INVALID_RUNE: u32 = (0xfffd << 3) | 1;

/**
 * Decodes the character at `ptr`, of which `left` (> 0) bytes may be read: its code point shifted left by three, and
 * its length in bytes (1 to 4) in the low three bits. Overlong forms, surrogates, code points beyond U+10FFFF and cut
 * sequences are `INVALID_RUNE`, one byte at a time, as in Go.
 */
// @ts-ignore: decorator
@inline
export function decodeRune(ptr: usize, left: i32): u32 {
  const first = load<u8>(ptr) as u32;
  return first < 0x80 ? (first << 3) | 1 : decodeLong(ptr, left, first);
}

function decodeLong(ptr: usize, left: i32, first: u32): u32 {
  if (first < 0xc2 || first > 0xf4 || left < 2) return INVALID_RUNE;
  const second = load<u8>(ptr, 1) as u32;
  if ((second & 0xc0) != 0x80) return INVALID_RUNE;
  if (first < 0xe0) return ((((first & 0x1f) << 6) | (second & 0x3f)) << 3) | 2;
  if (left < 3 || (load<u8>(ptr, 2) & 0xc0) != 0x80) return INVALID_RUNE;
  const third = (load<u8>(ptr, 2) as u32) & 0x3f;
  if (first < 0xf0) {
    const rune = ((first & 0xf) << 12) | ((second & 0x3f) << 6) | third;
    return rune < 0x800 || (rune >= 0xd800 && rune < 0xe000) ? INVALID_RUNE : (rune << 3) | 3;
  }
  if (left < 4 || (load<u8>(ptr, 3) & 0xc0) != 0x80) return INVALID_RUNE;
  const rune = ((first & 7) << 18) | ((second & 0x3f) << 12) | (third << 6) | ((load<u8>(ptr, 3) as u32) & 0x3f);
  return rune < 0x10000 || rune > 0x10ffff ? INVALID_RUNE : (rune << 3) | 4;
}

/** Writes `rune` as UTF-8 at `to`, where 4 bytes are free; returns how many it took. */
export function encodeRune(rune: u32, to: usize): i32 {
  if (rune < 0x80) {
    store<u8>(to, rune as u8);
    return 1;
  }
  if (rune < 0x800) {
    store<u8>(to, (0xc0 | (rune >> 6)) as u8);
    store<u8>(to, (0x80 | (rune & 0x3f)) as u8, 1);
    return 2;
  }
  if (rune < 0x10000) {
    store<u8>(to, (0xe0 | (rune >> 12)) as u8);
    store<u8>(to, (0x80 | ((rune >> 6) & 0x3f)) as u8, 1);
    store<u8>(to, (0x80 | (rune & 0x3f)) as u8, 2);
    return 3;
  }
  store<u8>(to, (0xf0 | (rune >> 18)) as u8);
  store<u8>(to, (0x80 | ((rune >> 12) & 0x3f)) as u8, 1);
  store<u8>(to, (0x80 | ((rune >> 6) & 0x3f)) as u8, 2);
  store<u8>(to, (0x80 | (rune & 0x3f)) as u8, 3);
  return 4;
}
