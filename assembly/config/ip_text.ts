// The one spelling of IP addresses and endpoints: Go's and RFC 5952's. What is compared as text is brought into it first.
import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";
import { IpAddress } from "./ip_address";

/** Bytes of the longest address as text. */
export const ADDRESS_ROOM: i32 = 48;

const DOT: u8 = 0x2e;
const COLON: u8 = 0x3a;
const ZERO: u8 = 0x30;

/** Room for an address in brackets with a port. */
const written: usize = memory.data(64);
const parsed = new IpAddress();

/**
 * "IP:PORT" in its one spelling: IPv6 in brackets as RFC 5952 writes it, an IPv4 address that is mapped into IPv6 as the
 * IPv4 address. What is no IP address with a port, or has a zone, is given back as it is.
 */
export function canonicalEndpoint(text: Bytes): Bytes {
  if (!parsed.parseEndpoint(text.ptr, text.length) || parsed.port < 0 || parsed.zoned) return text;
  let length = putHost();
  store<u8>(written + (length++ as usize), COLON);
  length += putDecimal(written + (length as usize), parsed.port as u32);
  return text.equals(written, length) ? text : Bytes.copy(written, length);
}

/**
 * Points `out` at the one spelling of an address in brackets, "[::1]", as it stands in the host of a request; false where
 * it is none. Valid until the next call.
 */
export function canonicalHost(ptr: usize, length: i32, out: View): bool {
  if (!parsed.parseEndpoint(ptr, length) || parsed.port >= 0 || parsed.zoned) return false;
  out.set(written, putHost());
  return true;
}

/** Writes the address that was parsed as it stands before a port; returns the bytes. */
function putHost(): i32 {
  if (parsed.isV4) return putV4(written, parsed.low as u32);
  store<u8>(written, 0x5b);
  const length = putV6(written + 1, parsed.high, parsed.low) + 1;
  store<u8>(written + (length as usize), 0x5d);
  return length + 1;
}

/** Writes an address, of which an IPv4 one is in the last 32 bits of `low`; returns the bytes, at most ADDRESS_ROOM. */
export function putAddress(to: usize, isV4: bool, high: u64, low: u64): i32 {
  return isV4 ? putV4(to, low as u32) : putV6(to, high, low);
}

/** Writes a number below 100,000 in decimal; returns the bytes. */
function putDecimal(to: usize, value: u32): i32 {
  let length = 0;
  for (let unit: u32 = 10000; unit > 0; unit /= 10) {
    if (value >= unit || length > 0 || unit == 1) {
      store<u8>(to + (length++ as usize), ZERO + (((value / unit) % 10) as u8));
    }
  }
  return length;
}

function putV4(to: usize, address: u32): i32 {
  let length = 0;
  for (let shift = 24; shift >= 0; shift -= 8) {
    length += putDecimal(to + (length as usize), (address >> shift) & 0xff);
    if (shift > 0) store<u8>(to + (length++ as usize), DOT);
  }
  return length;
}

function group(high: u64, low: u64, i: i32): u32 {
  const half = i < 4 ? high : low;
  return ((half >> ((3 - (i & 3)) * 16)) as u32) & 0xffff;
}

/** The longest run of zeros becomes "::", the first of those that are as long. */
function putV6(to: usize, high: u64, low: u64): i32 {
  let gap = -1;
  let gapLength = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && group(high, low, end) == 0) end++;
    if (end - i > gapLength) {
      gap = i;
      gapLength = end - i;
    }
    if (end > i) i = end;
  }
  let length = 0;
  for (let i = 0; i < 8; i++) {
    if (i == gap) {
      store<u16>(to + (length as usize), 0x3a3a);
      length += 2;
      i += gapLength - 1;
      continue;
    }
    if (i > 0 && load<u8>(to + (length as usize) - 1) != COLON) store<u8>(to + (length++ as usize), COLON);
    const value = group(high, low, i);
    for (let shift = 12; shift >= 0; shift -= 4) {
      if (shift > 0 && value >> shift == 0) continue;
      const digit = (value >> shift) & 0xf;
      store<u8>(to + (length++ as usize), digit < 10 ? ZERO + (digit as u8) : 0x57 + (digit as u8));
    }
  }
  return length;
}
