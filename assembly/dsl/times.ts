import { isDigit } from "../bytes/ascii";
import { Fault, fail } from "./fault";
import { Value } from "./value";

const SECOND: i64 = 1000000000;
const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 86400;
/** The years 1 to 9999, seconds since 1970: what CEL's timestamps can be. */
const FIRST_SECOND: i64 = -62135596800;
const LAST_SECOND: i64 = 253402300799;

/** What can be asked of a time. */
export const enum Field {
  YEAR,
  MONTH,
  DAY_OF_YEAR,
  DAY_OF_MONTH,
  DATE,
  DAY_OF_WEEK,
  HOURS,
  MINUTES,
  SECONDS,
  MILLISECONDS,
}

/** Makes a value a time; null when it is not in the years 1 to 9999. */
export function setSeconds(value: Value, seconds: i64, nanos: i32): Value | null {
  if (seconds < FIRST_SECOND || seconds > LAST_SECOND) return fail(Fault.OVERFLOW);
  value.nanos = nanos;
  return value.setInteger(seconds);
}

/** A time and a duration, ns, added, or subtracted. */
export function setSum(value: Value, time: Value, duration: i64, negative: bool): Value | null {
  let seconds = duration / SECOND;
  let nanos = (duration % SECOND) as i32;
  if (negative) {
    seconds = -seconds;
    nanos = -nanos;
  }
  nanos += time.nanos;
  if (nanos < 0) {
    nanos += SECOND as i32;
    seconds--;
  } else if (nanos >= (SECOND as i32)) {
    nanos -= SECOND as i32;
    seconds++;
  }
  return setSeconds(value, time.integer + seconds, nanos);
}

/** The duration between two times: as Go's, at most about 292 years. */
export function difference(left: Value, right: Value, value: Value): Value {
  const seconds = left.integer - right.integer;
  const most = i64.MAX_VALUE / SECOND - 1;
  if (seconds > most) return value.setInteger(i64.MAX_VALUE);
  if (seconds < -most) return value.setInteger(i64.MIN_VALUE);
  return value.setInteger(seconds * SECOND + ((left.nanos - right.nanos) as i64));
}

// @ts-ignore: decorator
@inline
function floorDivide(a: i64, b: i64): i64 {
  return a >= 0 ? a / b : -((b - 1 - a) / b);
}

// The civil calendar, counted from 1 March: leap days come last in their year.
const DAYS_TO_MARCH_0: i64 = 719468;
const ERA: i64 = 146097;

/** Days since 1970 of a date; the month is 1 to 12. */
function daysOf(year: i64, month: i64, day: i64): i64 {
  const shifted = month <= 2 ? year - 1 : year;
  const era = floorDivide(shifted, 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
  return era * ERA + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - DAYS_TO_MARCH_0;
}

let dateYear: i64 = 0;
let dateMonth: i64 = 0;
let dateDay: i64 = 0;

/** Finds year, month (1 to 12) and day of the month of a count of days since 1970. */
function splitDays(days: i64): void {
  const shifted = days + DAYS_TO_MARCH_0;
  const era = floorDivide(shifted, ERA);
  const dayOfEra = shifted - era * ERA;
  const yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365;
  const dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
  const month = (5 * dayOfYear + 2) / 153;
  dateDay = dayOfYear - (153 * month + 2) / 5 + 1;
  dateMonth = month < 10 ? month + 3 : month - 9;
  dateYear = yearOfEra + era * 400 + (dateMonth <= 2 ? 1 : 0);
}

/** A field of a time, in a zone that many seconds east of UTC (CEL's getFullYear and the like). */
export function fieldOf(time: Value, zone: i64, field: Field): i64 {
  const local = time.integer + zone;
  const days = floorDivide(local, DAY);
  const second = local - days * DAY;
  if (field == Field.HOURS) return second / HOUR;
  if (field == Field.MINUTES) return (second % HOUR) / MINUTE;
  if (field == Field.SECONDS) return second % MINUTE;
  if (field == Field.MILLISECONDS) return (time.nanos / 1000000) as i64;
  // 1 January 1970 was a Thursday.
  if (field == Field.DAY_OF_WEEK) return days + 4 - floorDivide(days + 4, 7) * 7;
  splitDays(days);
  if (field == Field.YEAR) return dateYear;
  if (field == Field.MONTH) return dateMonth - 1;
  if (field == Field.DATE) return dateDay;
  return field == Field.DAY_OF_MONTH ? dateDay - 1 : days - daysOf(dateYear, 1, 1);
}

/** A field of a duration (ns): all of it in hours, minutes, seconds or milliseconds. */
export function fieldOfDuration(duration: i64, field: Field): i64 {
  if (field == Field.HOURS) return duration / (HOUR * SECOND);
  if (field == Field.MINUTES) return duration / (MINUTE * SECOND);
  return field == Field.SECONDS ? duration / SECOND : duration / 1000000;
}

let at: usize = 0;
let end: usize = 0;
let good: bool = false;

/** A number of so many digits. */
function digits(count: i32): i64 {
  let value: i64 = 0;
  for (let i = 0; i < count; i++, at++) {
    const digit = at < end ? (load<u8>(at) as u32) - 0x30 : 10;
    if (digit > 9) {
      good = false;
      return 0;
    }
    value = value * 10 + (digit as i64);
  }
  return value;
}

function take(c: u32): bool {
  if (at >= end || load<u8>(at) != c) return false;
  at++;
  return true;
}

function need(c: u32): void {
  if (!take(c)) good = false;
}

/** What is behind the seconds: the nanoseconds; digits beyond them are cut off. */
function fraction(): i32 {
  if (!take(0x2e)) return 0;
  let nanos: i64 = 0;
  let scale: i64 = SECOND;
  const from = at;
  while (at < end && isDigit(load<u8>(at))) {
    scale /= 10;
    nanos += scale * ((load<u8>(at) as i64) - 0x30);
    at++;
  }
  if (at == from) good = false;
  return nanos as i32;
}

/** "Z", or hours and minutes east or west: seconds. */
function offset(): i64 {
  if (take(0x5a)) return 0;
  const west = take(0x2d);
  if (!west) need(0x2b);
  const hours = digits(2);
  need(0x3a);
  const minutes = digits(2);
  if (hours > 23 || minutes > 59) good = false;
  const seconds = hours * HOUR + minutes * MINUTE;
  return west ? -seconds : seconds;
}

/** Makes a value the time that the text is, as RFC 3339 writes it; null when it is none. */
export function parseTime(value: Value, ptr: usize, length: i32): Value | null {
  at = ptr;
  end = ptr + (length as usize);
  good = true;
  const year = digits(4);
  need(0x2d);
  const month = digits(2);
  need(0x2d);
  const day = digits(2);
  need(0x54);
  const hours = digits(2);
  need(0x3a);
  const minutes = digits(2);
  need(0x3a);
  const seconds = digits(2);
  const nanos = fraction();
  const east = offset();
  if (!good || at != end || month < 1 || month > 12 || day < 1) return fail(Fault.CONVERSION);
  if (hours > 23 || minutes > 59 || seconds > 59) return fail(Fault.CONVERSION);
  const days = daysOf(year, month, day);
  splitDays(days);
  if (dateDay != day) return fail(Fault.CONVERSION);
  return setSeconds(value, days * DAY + hours * HOUR + minutes * MINUTE + seconds - east, nanos);
}

/**
 * Reads a zone: "UTC", or hours and minutes from it ("+08:00", "-03:30"). The seconds east; i64.MIN_VALUE when it is none.
 */
export function parseZone(ptr: usize, length: i32): i64 {
  at = ptr;
  end = ptr + (length as usize);
  good = true;
  if (length == 0) return 0;
  if (length == 3 && take(0x55) && take(0x54) && take(0x43)) return 0;
  at = ptr;
  const c = load<u8>(ptr);
  if (c == 0x5a) return i64.MIN_VALUE;
  const seconds = c == 0x2b || c == 0x2d ? offset() : unsigned();
  return good && at == end ? seconds : i64.MIN_VALUE;
}

/** CEL also takes an offset to the east without a sign. */
function unsigned(): i64 {
  const hours = digits(2);
  need(0x3a);
  const minutes = digits(2);
  if (hours > 23 || minutes > 59) good = false;
  return hours * HOUR + minutes * MINUTE;
}

function put(to: usize, value: i64, count: i32): void {
  let rest = value;
  for (let i = count - 1; i >= 0; i--, rest /= 10) store<u8>(to + (i as usize), 0x30 + ((rest % 10) as u8));
}

/** Most bytes that `formatTime` writes. */
export const TIME_ROOM: i32 = 32;

/** Writes a time as RFC 3339 does, in UTC, with as many digits of the second as there are; returns the bytes. */
export function formatTime(time: Value, to: usize): i32 {
  const days = floorDivide(time.integer, DAY);
  const second = time.integer - days * DAY;
  splitDays(days);
  put(to, dateYear, 4);
  put(to + 5, dateMonth, 2);
  put(to + 8, dateDay, 2);
  put(to + 11, second / HOUR, 2);
  put(to + 14, (second % HOUR) / MINUTE, 2);
  put(to + 17, second % MINUTE, 2);
  store<u8>(to, 0x2d, 4);
  store<u8>(to, 0x2d, 7);
  store<u8>(to, 0x54, 10);
  store<u8>(to, 0x3a, 13);
  store<u8>(to, 0x3a, 16);
  let length = 19;
  if (time.nanos > 0) {
    store<u8>(to, 0x2e, 19);
    put(to + 20, time.nanos as i64, 9);
    length = 29;
    while (load<u8>(to + ((length - 1) as usize)) == 0x30) length--;
  }
  store<u8>(to + (length as usize), 0x5a);
  return length + 1;
}
