// What functions do to texts. They count in characters, as Go's runes: bytes that are not UTF-8 are U+FFFD each.
import { bytesEqual } from "../bytes/memory";
import { decodeRune, encodeRune, INVALID_RUNE } from "../bytes/utf8";
import { arena } from "./arena";
import { Fault, fail } from "./fault";
import { spend } from "./steps";
import { Value } from "./value";

/** How many characters the bytes are. */
export function countRunes(ptr: usize, length: i32): i32 {
  let count = 0;
  for (let at = 0; at < length; count++) at += widthAt(ptr, length, at);
  return count;
}

// @ts-ignore: decorator
@inline
function widthAt(ptr: usize, length: i32, at: i32): i32 {
  return (decodeRune(ptr + (at as usize), length - at) & 7) as i32;
}

/** The offset of character `index`; of the one behind the last: the length; -1: there is none. */
function offsetOf(ptr: usize, length: i32, index: i64): i32 {
  if (index < 0 || index > (length as i64)) return -1;
  let at = 0;
  for (let i: i64 = 0; i < index; i++) {
    if (at >= length) return -1;
    at += widthAt(ptr, length, at);
  }
  return at;
}

/** Where `part` is first, from offset `from` on; -1: nowhere, or the evaluation's steps are used up. */
export function find(text: Value, part: Value, from: i32): i32 {
  for (let at = from; at <= text.length - part.length; at++) {
    if (isAt(text, part, at)) return at;
    if (!spend(0)) break;
  }
  return -1;
}

/** Whether `part` is at an offset where there is room for it: a step for each byte that is compared. */
function isAt(text: Value, part: Value, at: i32): bool {
  const start = text.ptr + (at as usize);
  let same = 0;
  while (same < part.length && load<u8>(start + (same as usize)) == load<u8>(part.ptr + (same as usize))) same++;
  spend(same + 1);
  return same == part.length;
}

/** MOSN's `match`: a "*" at the pattern's end or else at its beginning stands for anything. */
export function wildcardMatches(text: Value, pattern: Value): bool {
  const length = pattern.length;
  if (length == 0) return text.length == 0;
  const rest = length - 1;
  if (load<u8>(pattern.ptr + (rest as usize)) == 0x2a) return startsWith(text, pattern.ptr, rest);
  if (load<u8>(pattern.ptr) == 0x2a) return endsWith(text, pattern.ptr + 1, rest);
  return bytesEqual(text.ptr, text.length, pattern.ptr, length);
}

export function startsWith(text: Value, ptr: usize, length: i32): bool {
  return text.length >= length && bytesEqual(text.ptr, length, ptr, length);
}

export function endsWith(text: Value, ptr: usize, length: i32): bool {
  const skip = text.length - length;
  return skip >= 0 && bytesEqual(text.ptr + (skip as usize), length, ptr, length);
}

/** ASCII letters in the other case: from `first` on there are 26. */
export function foldCase(text: Value, first: u32, value: Value): Value | null {
  const length = text.length;
  const to = arena.take(length);
  if (to == 0) return fail(Fault.TOO_LONG);
  for (let i: usize = 0; i < (length as usize); i++) {
    const c = load<u8>(text.ptr + i) as u32;
    store<u8>(to + i, c - first < 26 ? c ^ 0x20 : c);
  }
  return value.setText(to, length);
}

/** The characters in the opposite order. */
export function reverse(text: Value, value: Value): Value | null {
  // A byte that is not UTF-8 becomes the three of U+FFFD.
  const room = text.length * 3;
  const start = arena.take(room);
  if (start == 0) return fail(Fault.TOO_LONG);
  let to = start + (room as usize);
  for (let at = 0; at < text.length;) {
    const rune = decodeRune(text.ptr + (at as usize), text.length - at);
    const width = rune == INVALID_RUNE ? 3 : ((rune & 7) as i32);
    to -= width as usize;
    encodeRune(rune >> 3, scratch);
    memory.copy(to, scratch, width as usize);
    at += (rune & 7) as i32;
  }
  return value.setText(to, (start + (room as usize) - to) as i32);
}

const scratch: usize = heap.alloc(4);

/** `text.charAt(index)`; one behind the last character: an empty text. */
export function charAt(text: Value, index: i64, value: Value): Value | null {
  const at = offsetOf(text.ptr, text.length, index);
  if (at < 0) return fail(Fault.NO_INDEX);
  return value.setText(text.ptr + (at as usize), at == text.length ? 0 : widthAt(text.ptr, text.length, at));
}

/** `text.substring(first, end)`: characters from one to before the other. */
export function substring(text: Value, first: i64, last: i64, value: Value): Value | null {
  const from = offsetOf(text.ptr, text.length, first);
  const to = last == i64.MAX_VALUE ? text.length : offsetOf(text.ptr, text.length, last);
  if (from < 0 || to < from) return fail(Fault.NO_INDEX);
  return value.setText(text.ptr + (from as usize), to - from);
}

/** `text.indexOf(part, from)`: the number of a character; -1 where the part is not. */
export function indexOf(text: Value, part: Value, from: i64, value: Value): Value | null {
  if (part.length == 0) return value.setInteger(from);
  const start = offsetOf(text.ptr, text.length, from);
  if (start < 0 || start >= text.length) return fail(Fault.NO_INDEX);
  const found = find(text, part, start);
  return value.setInteger(found < 0 ? -1 : (countRunes(text.ptr, found) as i64));
}

/** The same for the last one that begins at character `from` or before; `anywhere`: from the end. */
export function lastIndexOf(text: Value, part: Value, from: i64, anywhere: bool, value: Value): Value | null {
  const count = countRunes(text.ptr, text.length) as i64;
  const last = anywhere ? (part.length == 0 ? count : count - 1) : from;
  if (part.length == 0) return value.setInteger(last);
  const start = last < 0 || last >= count ? -1 : offsetOf(text.ptr, text.length, last);
  if (start < 0) return fail(Fault.NO_INDEX);
  for (let at = min(start, text.length - part.length); at >= 0; at--) {
    if (!spend(0)) break;
    if (!isAt(text, part, at)) continue;
    return value.setInteger(countRunes(text.ptr, at) as i64);
  }
  return value.setInteger(-1);
}

/** `text.replace(old, by, count)`: the first so many; a negative count: all. As Go's strings.Replace. */
export function replace(text: Value, old: Value, by: Value, count: i64, value: Value): Value | null {
  let matches: i64 = 0;
  for (let at = next(text, old, 0, true); at >= 0 && matches != count; at = next(text, old, at, false)) matches++;
  const length = (text.length as i64) + matches * ((by.length - old.length) as i64);
  if (length > (i32.MAX_VALUE as i64)) return fail(Fault.TOO_LONG);
  const to = arena.take(length as i32);
  if (to == 0) return fail(Fault.TOO_LONG);
  let written = to;
  let copied = 0;
  let at = next(text, old, 0, true);
  for (; matches > 0; matches--) {
    memory.copy(written, text.ptr + (copied as usize), (at - copied) as usize);
    written += (at - copied) as usize;
    memory.copy(written, by.ptr, by.length as usize);
    written += by.length as usize;
    copied = at + old.length;
    at = next(text, old, at, false);
  }
  memory.copy(written, text.ptr + (copied as usize), (text.length - copied) as usize);
  return value.setText(to, length as i32);
}

/** Where the next match is: an empty `old` is before each character and behind the last. -1: nowhere. */
function next(text: Value, old: Value, last: i32, first: bool): i32 {
  if (old.length > 0) return find(text, old, first ? 0 : last + old.length);
  if (first) return 0;
  return last >= text.length ? -1 : last + widthAt(text.ptr, text.length, last);
}

/** Without the white space around it: Go's unicode.IsSpace. */
export function trim(text: Value, value: Value): Value {
  let from = 0;
  while (from < text.length) {
    const rune = decodeRune(text.ptr + (from as usize), text.length - from);
    if (!isSpace(rune >> 3)) break;
    from += (rune & 7) as i32;
  }
  let to = from;
  for (let at = from; at < text.length;) {
    const rune = decodeRune(text.ptr + (at as usize), text.length - at);
    at += (rune & 7) as i32;
    if (!isSpace(rune >> 3)) to = at;
  }
  return value.setText(text.ptr + (from as usize), to - from);
}

function isSpace(rune: u32): bool {
  if (rune < 0x80) return rune == 0x20 || (rune >= 0x09 && rune <= 0x0d);
  if (rune == 0x85 || rune == 0xa0 || rune == 0x1680 || rune == 0x3000) return true;
  return (rune >= 0x2000 && rune <= 0x200a) || rune == 0x2028 || rune == 0x2029 || rune == 0x202f || rune == 0x205f;
}
