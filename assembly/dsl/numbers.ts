// Numbers as texts, and texts as numbers: as Go's strconv and fmt have them.
import { noteGarbage } from "../abi/dispatch";
import { isDigit } from "../bytes/ascii";
import { DECIMAL_ROOM, writeDecimal } from "../bytes/decimal";
import { arena } from "./arena";
import { Fault, fail } from "./fault";
import { Value } from "./value";

/** Longest text that can be a number, bytes. */
const MAX_NUMBER: i32 = 400;
/** Room for any number as text, bytes: a small duration has eleven characters, a large double 24. */
const ROOM: i32 = 48;
/** From this power of ten on, and below the other one, %g writes an exponent. */
const MANY_DIGITS: i32 = 6;
const FEW_DIGITS: i32 = -4;

const digits = new StaticArray<u8>(ROOM);

/** An integer in decimal digits, with or without a sign. */
export function parseInteger(text: Value, value: Value): Value | null {
  let at = text.ptr;
  const end = at + (text.length as usize);
  const negative = at < end && load<u8>(at) == 0x2d;
  if (at < end && (negative || load<u8>(at) == 0x2b)) at++;
  if (at == end) return fail(Fault.CONVERSION);
  let magnitude: u64 = 0;
  const limit: u64 = negative ? 0x8000000000000000 : 0x7fffffffffffffff;
  for (; at < end; at++) {
    const digit = (load<u8>(at) as u64) - 0x30;
    if (digit > 9 || magnitude > (limit - digit) / 10) return fail(Fault.CONVERSION);
    magnitude = magnitude * 10 + digit;
  }
  return value.setInteger(negative ? -(magnitude as i64) : (magnitude as i64));
}

/** Whether the bytes are a word, whatever the case of its ASCII letters. */
function isWord(ptr: usize, length: i32, word: string): bool {
  if (length != word.length) return false;
  for (let i = 0; i < length; i++) if ((load<u8>(ptr + (i as usize)) | 0x20) != word.charCodeAt(i)) return false;
  return true;
}

function skipDigits(from: usize, end: usize): usize {
  let at = from;
  while (at < end && isDigit(load<u8>(at))) at++;
  return at;
}

/** A decimal number with or without fraction and exponent, or an infinity, or NaN. */
export function parseDouble(text: Value, value: Value): Value | null {
  if (text.length > MAX_NUMBER || text.length == 0) return fail(Fault.CONVERSION);
  const end = text.ptr + (text.length as usize);
  const first = load<u8>(text.ptr);
  const from = first == 0x2b || first == 0x2d ? text.ptr + 1 : text.ptr;
  const length = (end - from) as i32;
  if (isWord(from, length, "inf") || isWord(from, length, "infinity")) {
    value.double = first == 0x2d ? -Infinity : Infinity;
    return value;
  }
  if (isWord(text.ptr, text.length, "nan")) {
    value.double = NaN;
    return value;
  }
  let at = skipDigits(from, end);
  let count = at - from;
  if (at < end && load<u8>(at) == 0x2e) {
    const fraction = at + 1;
    at = skipDigits(fraction, end);
    count += at - fraction;
  }
  if (count == 0) return fail(Fault.CONVERSION);
  if (at < end && (load<u8>(at) | 0x20) == 0x65) {
    at++;
    if (at < end && (load<u8>(at) == 0x2b || load<u8>(at) == 0x2d)) at++;
    const exponent = at;
    at = skipDigits(exponent, end);
    if (at == exponent) return fail(Fault.CONVERSION);
  }
  if (at != end) return fail(Fault.CONVERSION);
  value.double = parseFloat(String.UTF8.decodeUnsafe(text.ptr, text.length));
  noteGarbage(1);
  return isFinite(value.double) ? value : fail(Fault.CONVERSION);
}

/** Go's strconv.ParseBool: 1, t, T, TRUE, true, True, and the same for false. */
export function parseBool(text: Value, value: Value): Value | null {
  const c = text.length == 1 ? (load<u8>(text.ptr) as u32) : 0;
  if (c == 0x31 || (c | 0x20) == 0x74) return value.setBool(true);
  if (c == 0x30 || (c | 0x20) == 0x66) return value.setBool(false);
  const isTrue = isWord(text.ptr, text.length, "true");
  if (!isTrue && !isWord(text.ptr, text.length, "false")) return fail(Fault.CONVERSION);
  // All letters but the first have the case of the second, and the first may be a capital.
  const small = load<u8>(text.ptr, 1) >= 0x61;
  if (!small && load<u8>(text.ptr) >= 0x61) return fail(Fault.CONVERSION);
  for (let i = 2; i < text.length; i++) {
    if (load<u8>(text.ptr + (i as usize)) >= 0x61 != small) return fail(Fault.CONVERSION);
  }
  return value.setBool(isTrue);
}

/** An integer as text. */
export function formatInteger(integer: i64, value: Value): Value | null {
  const to = arena.take(DECIMAL_ROOM);
  if (to == 0) return fail(Fault.TOO_LONG);
  const end = to + (DECIMAL_ROOM as usize);
  const start = writeDecimal(end, integer);
  return value.setText(start, (end - start) as i32);
}

/** The digits of a finite number that is not negative: `digits` holds them, without zeros around. */
let digitCount: i32 = 0;
/** The decimal point is before this digit. */
let point: i32 = 0;

/** Takes the digits out of the shortest text that means the number. */
function splitDouble(double: f64): void {
  const text = double.toString();
  noteGarbage(2);
  digitCount = 0;
  point = 0;
  let fraction = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c == 0x65) {
      point += I32.parseInt(text.substring(i + 1));
      noteGarbage(1);
      break;
    }
    if (c == 0x2e) {
      fraction = true;
      continue;
    }
    const leading = digitCount == 0 && c == 0x30;
    if (!leading && digitCount < ROOM) digits[digitCount++] = c as u8;
    if (fraction ? leading : !leading) point += fraction ? -1 : 1;
  }
  while (digitCount > 0 && digits[digitCount - 1] == 0x30) digitCount--;
  if (digitCount == 0) point = 0;
}

/** A double as text, as Go's %g writes it. */
export function formatDouble(double: f64, value: Value): Value | null {
  const start = arena.take(ROOM);
  if (start == 0) return fail(Fault.TOO_LONG);
  let to = start;
  if (isNaN(double)) return value.setText(start, putWord(to, "NaN"));
  const negative = double < 0 || (double == 0 && 1 / double < 0);
  if (negative) store<u8>(to++, 0x2d);
  if (!isFinite(double)) {
    if (!negative) store<u8>(to++, 0x2b);
    return value.setText(start, ((to - start) as i32) + putWord(to, "Inf"));
  }
  splitDouble(Math.abs(double));
  const exponent = digitCount == 0 ? 0 : point - 1;
  if (exponent >= FEW_DIGITS && exponent < MANY_DIGITS) {
    return value.setText(start, ((to - start) as i32) + putPlain(to));
  }
  return value.setText(start, ((to - start) as i32) + putScientific(to, exponent));
}

function putWord(to: usize, word: string): i32 {
  for (let i = 0; i < word.length; i++) store<u8>(to + (i as usize), word.charCodeAt(i) as u8);
  return word.length;
}

/** Writes the digits with a decimal point and no exponent; a zero where there are none. */
function putPlain(to: usize): i32 {
  let length = 0;
  if (point <= 0) store<u8>(to + (length++ as usize), 0x30);
  for (let i = min(point, 0); i < max(point, digitCount); i++) {
    if (i == point) store<u8>(to + (length++ as usize), 0x2e);
    store<u8>(to + (length++ as usize), i >= 0 && i < digitCount ? unchecked(digits[i]) : 0x30);
  }
  return length;
}

function putScientific(to: usize, exponent: i32): i32 {
  let length = 0;
  for (let i = 0; i < digitCount; i++) {
    if (i == 1) store<u8>(to + (length++ as usize), 0x2e);
    store<u8>(to + (length++ as usize), unchecked(digits[i]));
  }
  store<u8>(to + (length++ as usize), 0x65);
  store<u8>(to + (length++ as usize), exponent < 0 ? 0x2d : 0x2b);
  const size = abs(exponent);
  // At least two digits.
  if (size < 10) store<u8>(to + (length as usize), 0x30);
  length += size < 100 ? 2 : 3;
  writeDecimal(to + (length as usize), size as i64);
  return length;
}

/** A duration in seconds, "1.5s", as MOSN's CEL writes it: the nanoseconds as a double, without exponent. */
export function formatDuration(nanoseconds: i64, value: Value): Value | null {
  const start = arena.take(ROOM);
  if (start == 0) return fail(Fault.TOO_LONG);
  let to = start;
  const seconds = nanoseconds / 1000000000;
  const rest = nanoseconds % 1000000000;
  if (nanoseconds < 0) store<u8>(to++, 0x2d);
  splitDouble(Math.abs((seconds as f64) + (rest as f64) / 1e9));
  to += putPlain(to) as usize;
  store<u8>(to++, 0x73);
  return value.setText(start, (to - start) as i32);
}
