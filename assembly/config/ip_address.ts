import { readHex } from "../bytes/ascii";

const DOT: u32 = 0x2e;
const COLON: u32 = 0x3a;
/** Longest text that is looked at: an IPv6 address with a zone and a port is shorter. */
const MAX_TEXT: i32 = 128;
const GROUPS: i32 = 8;

/** The groups of the IPv6 address that is being read. */
const parts = new StaticArray<u16>(GROUPS);

/**
 * An IP address read from text; reading allocates nothing. An IPv4 address that is mapped into IPv6 ("::ffff:10.0.0.1")
 * is an IPv4 address. After a text that is none the numbers mean nothing.
 */
export class IpAddress {
  isV4: bool = false;
  /** The address as a 128-bit number; of an IPv4 address the last 32 bits. */
  high: u64 = 0;
  low: u64 = 0;
  /** The port that `parseEndpoint` found; -1: none. */
  port: i32 = -1;
  /** Whether `parseEndpoint` found a zone ("%eth0"), which is no part of the number. */
  zoned: bool = false;

  /** Whether it is an address of the machine itself: 127.0.0.0/8 or ::1. */
  get isLoopback(): bool {
    return this.isV4 ? this.low >> 24 == 127 : this.high == 0 && this.low == 1;
  }

  /** Reads an address that is all of the text: as Go's net.ParseIP, so without zone, and numbers without leading zeros. */
  parse(ptr: usize, length: i32): bool {
    return length <= MAX_TEXT && this.read(ptr, ptr + (max(length, 0) as usize));
  }

  /** Reads the address in a text such as "10.0.0.1", "10.0.0.1:80", "::1", "[::1]", "[fe80::1%eth0]:80". */
  parseEndpoint(ptr: usize, length: i32): bool {
    this.port = -1;
    this.zoned = false;
    if (length < 2 || length > MAX_TEXT) return false;
    const end = ptr + (length as usize);
    let from = ptr;
    let to = end;
    if (load<u8>(ptr) == 0x5b) {
      from = ptr + 1;
      to = indexOf(from, end, 0x5d);
      if (to == end || !this.readPort(to + 1, end)) return false;
    } else {
      // One colon divides address and port, more belong to the address.
      const colon = indexOf(ptr, end, COLON);
      if (colon < end && indexOf(colon + 1, end, COLON) == end) {
        if (!this.readPort(colon, end)) return false;
        to = colon;
      }
    }
    const isV6 = indexOf(from, to, COLON) < to;
    const last = isV6 ? indexOf(from, to, 0x25) : to;
    this.zoned = last < to;
    return this.read(from, last);
  }

  /** Reads the rest of a text, which is to be nothing, or a colon and a port. */
  private readPort(from: usize, end: usize): bool {
    if (from == end) return true;
    if (load<u8>(from) != COLON || end - from > 6) return false;
    let port = 0;
    for (let at = from + 1; at < end; at++) {
      const digit = (load<u8>(at) as i32) - 0x30;
      if (digit < 0 || digit > 9) return false;
      port = port * 10 + digit;
    }
    this.port = end - from > 1 ? port : -1;
    return port < 65536;
  }

  private read(from: usize, end: usize): bool {
    this.high = 0;
    this.low = 0;
    this.isV4 = indexOf(from, end, COLON) == end;
    if (!this.isV4) return this.readGroups(from, end);
    const number = dotted(from, end);
    this.low = number as u64;
    return number >= 0;
  }

  private readGroups(from: usize, end: usize): bool {
    let at = from;
    let count = 0;
    let gap = -1;
    if (load<u8>(at) == COLON) {
      if (end - at < 2 || load<u8>(at, 1) != COLON) return false;
      gap = 0;
      at += 2;
    }
    while (at < end && count < GROUPS) {
      const stop = indexOf(at, end, COLON);
      if (stop == end && indexOf(at, end, DOT) < end) {
        const number = dotted(at, end);
        if (number < 0 || count > GROUPS - 2) return false;
        unchecked((parts[count++] = (number >> 16) as u16));
        unchecked((parts[count++] = number as u16));
        at = end;
        break;
      }
      const value = group(at, stop);
      if (value < 0) return false;
      unchecked((parts[count++] = value as u16));
      at = stop;
      if (at == end) break;
      if (++at == end) return false;
      if (load<u8>(at) != COLON) continue;
      if (gap >= 0) return false;
      gap = count;
      at++;
    }
    // "::" stands for one group at least.
    if (at != end || (gap >= 0 ? count == GROUPS : count != GROUPS)) return false;
    this.join(count, gap);
    return true;
  }

  /** Puts the groups together; the ones from `gap` on are the last ones. */
  private join(count: i32, gap: i32): void {
    for (let i = 0; i < count; i++) {
      const place = gap >= 0 && i >= gap ? i + GROUPS - count : i;
      const value = unchecked(parts[i]) as u64;
      if (place < 4) this.high |= value << ((3 - place) * 16);
      else this.low |= value << ((7 - place) * 16);
    }
    this.isV4 = this.high == 0 && this.low >> 32 == 0xffff;
    if (this.isV4) this.low &= 0xffffffff;
  }
}

/** Where `c` is, or `end`. */
function indexOf(from: usize, end: usize, c: u32): usize {
  let at = from;
  while (at < end && load<u8>(at) != c) at++;
  return at;
}

/** An IPv4 address; -1 where it is none. */
function dotted(from: usize, end: usize): i64 {
  let value: i64 = 0;
  let at = from;
  for (let part = 0; part < 4; part++) {
    const stop = indexOf(at, end, DOT);
    const digits = (stop - at) as i32;
    if (digits < 1 || digits > 3 || (stop == end) != (part == 3)) return -1;
    if (digits > 1 && load<u8>(at) == 0x30) return -1;
    let number: u32 = 0;
    for (; at < stop; at++) {
      const digit = (load<u8>(at) as u32) - 0x30;
      if (digit > 9) return -1;
      number = number * 10 + digit;
    }
    if (number > 255) return -1;
    value = (value << 8) | (number as i64);
    at = stop + 1;
  }
  return value;
}

/** One of an IPv6 address' groups; -1 where it is none. */
function group(from: usize, end: usize): i32 {
  if (end <= from || end - from > 4) return -1;
  return readHex(from, (end - from) as i32);
}
