// Hessian counts a string's length in UTF-16 units. Java writes each unit by itself, a surrogate as three bytes; others
// write one sequence of four bytes for two of them. Bytes behind the first of a sequence are not looked at, as in Java.
import { ByteBuffer } from "../bytes/buffer";
import { store16be } from "../bytes/memory";
import { encodeRune } from "../bytes/utf8";
import { Tag } from "./tags";

const NOT_ASCII: u64 = 0x8080808080808080;
/** Units of a chunk of a long string, as Java writes them. */
const CHUNK: i32 = 0x8000;

// Runs of characters of two bytes, four at a time, and of three bytes, two at a time.
const TWO_MASK: u64 = 0xc0e0c0e0c0e0c0e0;
const TWO: u64 = 0x80c080c080c080c0;
/** Bits of the first bytes that overlong forms have not. */
const TWO_LEAD: u64 = 0x001e001e001e001e;
const TWO_CARRY: u64 = 0x00fe00fe00fe00fe;
const TWO_CARRIED: u64 = 0x0100010001000100;
const THREE_MASK: u64 = 0x0000c0c0f0c0c0f0;
const THREE: u64 = 0x00008080e08080e0;

/** Bytes of the character that starts with a byte; 0 when none does. */
const SEQUENCES: usize = memory.data(256);

function fillSequences(): void {
  memory.fill(SEQUENCES, 1, 0x80);
  memory.fill(SEQUENCES + 0x80, 0, 0x40);
  memory.fill(SEQUENCES + 0xc0, 2, 0x20);
  memory.fill(SEQUENCES + 0xe0, 3, 0x10);
  memory.fill(SEQUENCES + 0xf0, 4, 8);
  memory.fill(SEQUENCES + 0xf8, 0, 8);
}
fillSequences();

/** Address behind `count` UTF-16 units from `at`; 0 when that is not before `end`, or the bytes are no characters. */
export function skipUnits(at: usize, end: usize, count: i32): usize {
  while (count > 0) {
    if (at >= end) return 0;
    const room = end - at;
    if (room >= 8) {
      // Names and words end here: one look at eight bytes.
      const eight = load<u64>(at);
      const high = eight & NOT_ASCII;
      if (count <= 8) {
        if (high << (64 - ((count as u64) << 3)) == 0) return at + (count as usize);
      } else if (high == 0) {
        at += 8;
        count -= 8;
        continue;
      } else if ((eight & TWO_MASK) == TWO) {
        at += 8;
        count -= 4;
        continue;
      } else if ((eight & THREE_MASK) == THREE) {
        at += 6;
        count -= 2;
        continue;
      }
    }
    const lead = load<u8>(at) as i32;
    const size = sequence(lead);
    if (size == 0 || (size as usize) > room) return 0;
    at += size as usize;
    count -= size == 4 ? 2 : 1;
  }
  return count == 0 ? at : 0;
}

/** UTF-16 units of `length` bytes of UTF-8, surrogates in three bytes included; -1 when they are no characters. */
export function countUnits(ptr: usize, length: i32): i32 {
  let units = 0;
  for (let i = 0; i < length;) {
    if (length - i >= 8 && (load<u64>(ptr + (i as usize)) & NOT_ASCII) == 0) {
      i += 8;
      units += 8;
      continue;
    }
    const size = sequence(load<u8>(ptr + (i as usize)) as i32);
    if (size == 0 || size > length - i) return -1;
    i += size;
    units += size == 4 ? 2 : 1;
  }
  return units;
}

/** Bytes of the character that starts with `lead`; 0 when none does. */
// @ts-ignore: decorator
@inline
function sequence(lead: i32): i32 {
  return load<u8>(SEQUENCES + (lead as usize)) as i32;
}

/**
 * Appends the string of these bytes of UTF-8 (surrogates in three bytes are good, too), in chunks where it is long.
 * False, and nothing appended, when they are no characters.
 */
export function appendString(out: ByteBuffer, ptr: usize, length: i32): bool {
  let units = countUnits(ptr, length);
  if (units < 0) return false;
  while (units > CHUNK) {
    const taken = chunk(ptr, length);
    const size = countUnits(ptr, taken);
    appendLength(out, Tag.STRING_CHUNK, size);
    appendUnits(out, ptr, taken);
    ptr += taken as usize;
    length -= taken;
    units -= size;
  }
  if (units < (Tag.STRING_DIRECT_END as i32)) out.appendByte(units);
  else if (units < 0x400) {
    out.appendByte(Tag.STRING_SHORT + (units >> 8));
    out.appendByte(units);
  } else appendLength(out, Tag.STRING, units);
  appendUnits(out, ptr, length);
  return true;
}

/** Bytes of the longest chunk from `ptr` on; a pair of surrogates is never cut in two. */
function chunk(ptr: usize, length: i32): i32 {
  let units = 0;
  let at = 0;
  while (at < length) {
    const lead = load<u8>(ptr + (at as usize)) as i32;
    const size = sequence(lead);
    const next = units + (size == 4 ? 2 : 1);
    // A high surrogate (U+D800 to U+DBFF in three bytes: ed a0 to ed af) goes with what follows.
    const high = lead == 0xed && size <= length - at && (load<u8>(ptr + (at as usize), 1) & 0xf0) == 0xa0;
    if (next > CHUNK || (next == CHUNK && high) || size == 0) break;
    units = next;
    at += size;
  }
  return min(at, length);
}

function appendLength(out: ByteBuffer, tag: Tag, units: i32): void {
  const at = out.reserve(3);
  store<u8>(at, tag as u8);
  store16be(at + 1, units as u32);
  out.commit(3);
}

/** Copies characters, those of four bytes as two surrogates: hessian-lite reads no others. */
function appendUnits(out: ByteBuffer, ptr: usize, length: i32): void {
  // Four bytes become six.
  const start = out.reserve(length + (length >> 1));
  const end = ptr + (length as usize);
  let to = start;
  while (ptr < end) {
    const room = end - ptr;
    if (room >= 8 && (load<u64>(ptr) & NOT_ASCII) == 0) {
      store<u64>(to, load<u64>(ptr));
      ptr += 8;
      to += 8;
      continue;
    }
    const size = min(sequence(load<u8>(ptr) as i32) as usize, room);
    if (size == 4) {
      to = appendPair(to, ptr);
    } else {
      for (let i: usize = 0; i < size; i++) store<u8>(to + i, load<u8>(ptr + i));
      to += size;
    }
    ptr += size;
  }
  out.commit((to - start) as i32);
}

/** Writes the character of four bytes at `ptr` as a high and a low surrogate; returns the address behind them. */
function appendPair(to: usize, ptr: usize): usize {
  const high = ((load<u8>(ptr) as u32) & 7) << 18;
  const middle = ((load<u8>(ptr, 1) as u32) & 63) << 12;
  const point = high | middle | (((load<u8>(ptr, 2) as u32) & 63) << 6) | ((load<u8>(ptr, 3) as u32) & 63);
  return surrogate(surrogate(to, 0xd800 | (((point - 0x10000) >> 10) & 0x3ff)), 0xdc00 | (point & 0x3ff));
}

function surrogate(to: usize, unit: u32): usize {
  store<u8>(to, 0xe0 | (unit >> 12));
  store<u8>(to, 0x80 | ((unit >> 6) & 63), 1);
  store<u8>(to, 0x80 | (unit & 63), 2);
  return to + 3;
}

/**
 * Whether no other bytes mean the same characters: shortest forms, and what has to continue a sequence does. Java reads
 * others, too: it looks at no more than the first byte of a sequence, and takes the rest as it is.
 */
export function isCanonical(ptr: usize, length: i32): bool {
  const end = ptr + (length as usize);
  while (ptr < end) {
    const room = end - ptr;
    if (room >= 8) {
      const eight = load<u64>(ptr);
      const isTwo = (eight & TWO_MASK) == TWO && (((eight & TWO_LEAD) + TWO_CARRY) & TWO_CARRIED) == TWO_CARRIED;
      if ((eight & NOT_ASCII) == 0 || isTwo) {
        ptr += 8;
        continue;
      }
      // E0 may begin an overlong form.
      if ((eight & THREE_MASK) == THREE && (eight & 0xf) != 0 && (eight & 0xf000000) != 0) {
        ptr += 6;
        continue;
      }
    }
    const lead = load<u8>(ptr) as i32;
    const size = sequence(lead) as usize;
    if (size == 0 || size > room || lead == 0xc0 || lead == 0xc1) return false;
    for (let i: usize = 1; i < size; i++) if ((load<u8>(ptr + i) & 0xc0) != 0x80) return false;
    const second = size > 1 ? (load<u8>(ptr, 1) as i32) : 0;
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) {
      return false;
    }
    if (lead > 0xf4) return false;
    ptr += size;
  }
  return true;
}

/** Appends the characters that Java makes of `length` bytes, in their shortest form: never more bytes than there were. */
export function appendCanonical(out: ByteBuffer, ptr: usize, length: i32): void {
  const start = out.reserve(length);
  const end = ptr + (length as usize);
  let to = start;
  while (ptr < end) {
    const lead = load<u8>(ptr) as u32;
    const size = max(sequence(lead as i32), 1) as usize;
    if (size > end - ptr) break;
    if (size == 4) {
      memory.copy(to, ptr, 4);
      to += 4;
    } else {
      let unit = size == 1 ? lead : size == 2 ? lead & 0x1f : lead & 0x0f;
      for (let i: usize = 1; i < size; i++) unit = (unit << 6) | ((load<u8>(ptr + i) as u32) & 0x3f);
      to += encodeRune(unit, to) as usize;
    }
    ptr += size;
  }
  out.commit((to - start) as i32);
}
