import { hexDigit } from "../config/json";

const DOT: u32 = 0x2e;
const COLON: u32 = 0x3a;

/**
 * The last 32 bits of the IP address in a text such as "10.0.0.1:80", "[::1]:80" or "::ffff:10.0.0.1" (MOSN's source_ip
 * hash); 0 where it is none.
 */
export function addressTail(ptr: usize, length: i32): u32 {
  let from = 0;
  let end = length;
  if (length > 0 && load<u8>(ptr) == 0x5b) {
    from = 1;
    end = indexOf(ptr, from, length, 0x5d);
  } else {
    const colon = indexOf(ptr, 0, length, COLON);
    // One colon divides address and port, more belong to the address.
    if (indexOf(ptr, colon + 1, length, COLON) >= length) end = colon;
  }
  end = min(end, indexOf(ptr, from, end, 0x25));
  return indexOf(ptr, from, end, DOT) < end ? dotted(ptr, from, end) : groups(ptr, from, end);
}

/** The offset of `c`, or `end`. */
function indexOf(ptr: usize, from: i32, end: i32, c: u32): i32 {
  let at = from;
  while (at < end && load<u8>(ptr + (at as usize)) != c) at++;
  return at;
}

/** The IPv4 address at the end, which an IPv6 prefix may precede. */
function dotted(ptr: usize, from: i32, end: i32): u32 {
  let at = from;
  for (let i = from; i < end; i++) if (load<u8>(ptr + (i as usize)) == COLON) at = i + 1;
  let value: u32 = 0;
  for (let part = 0; part < 4; part++) {
    const stop = indexOf(ptr, at, end, DOT);
    let number: u32 = 0;
    if (stop == at || stop - at > 3 || (stop == end) != (part == 3)) return 0;
    for (; at < stop; at++) {
      const digit = (load<u8>(ptr + (at as usize)) as u32) - 0x30;
      if (digit > 9) return 0;
      number = number * 10 + digit;
    }
    if (number > 255) return 0;
    value = (value << 8) | number;
    at = stop + 1;
  }
  return value;
}

/** The last two of an IPv6 address' groups. */
function groups(ptr: usize, from: i32, end: i32): u32 {
  const last = groupStart(ptr, from, end);
  if (last <= from) return 0;
  // After "::" the group before the last one is 0.
  const before = last - 1;
  const first = groupStart(ptr, from, before);
  return (group(ptr, first, before) << 16) | group(ptr, last, end);
}

function groupStart(ptr: usize, from: i32, end: i32): i32 {
  let at = end;
  while (at > from && load<u8>(ptr + ((at - 1) as usize)) != COLON) at--;
  return at;
}

function group(ptr: usize, from: i32, end: i32): u32 {
  let value: u32 = 0;
  for (let at = from; at < end; at++) {
    const digit = hexDigit(load<u8>(ptr + (at as usize)));
    if (digit < 0 || value > 0xfff) return 0;
    value = (value << 4) | (digit as u32);
  }
  return value;
}
