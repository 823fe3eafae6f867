// Paths as MOSN's HTTP codec has them (docs/reference/mosn.md#variables): decoded and normalised for filters, escaped for servers.
import { isAlphanumeric, upperHex } from "../bytes/ascii";
import { ByteBuffer } from "../bytes/buffer";
import { View } from "../bytes/view";

const SLASH: u32 = 0x2f;
const PERCENT: u32 = 0x25;

/** Splits a request target into its path, as it stands, and its query; false when it has no query. */
export function splitTarget(target: View, path: View, query: View): bool {
  const ptr = target.ptr;
  for (let i = 0; i < target.length; i++) {
    if (load<u8>(ptr + (i as usize)) != 0x3f) continue;
    query.set(ptr + (i as usize) + 1, target.length - i - 1);
    path.set(ptr, i);
    return true;
  }
  path.set(ptr, target.length);
  query.set(0, 0);
  return false;
}

/** Appends the path with everything escaped that must be; "*" stays, nothing becomes "/". */
export function escapePath(path: View, out: ByteBuffer): void {
  if (path.length == 0) out.appendByte(SLASH);
  for (let i = 0; i < path.length; i++) {
    const c = load<u8>(path.ptr + (i as usize)) as u32;
    if (isPathCharacter(c)) {
      out.appendByte(c);
      continue;
    }
    out.appendByte(PERCENT);
    out.appendByte(upperHex(c >> 4));
    out.appendByte(upperHex(c & 15));
  }
}

/** RFC 3986: pchar, "/" and "*". */
function isPathCharacter(c: u32): bool {
  if (isAlphanumeric(c)) return true;
  switch (c) {
    case 0x21: // !
    case 0x24: // $
    case 0x26: // &
    case 0x27: // '
    case 0x28: // (
    case 0x29: // )
    case 0x2a: // *
    case 0x2b: // +
    case 0x2c: // ,
    case 0x2d: // -
    case 0x2e: // .
    case 0x2f: // /
    case 0x3a: // :
    case 0x3b: // ;
    case 0x3d: // =
    case 0x40: // @
    case 0x5f: // _
    case 0x7e: // ~
      return true;
    default:
      return false;
  }
}

/** Finds the value of a query argument, as it stands in the query; false when there is none. */
export function findArgument(query: View, name: usize, nameLength: i32, out: View): bool {
  let at = 0;
  while (at < query.length) {
    let end = at;
    while (end < query.length && load<u8>(query.ptr + (end as usize)) != 0x26) end++;
    if (takeValue(query.ptr + (at as usize), end - at, name, nameLength, out)) return true;
    at = end + 1;
  }
  return false;
}

/** Finds a cookie's value in a Cookie header; false when there is none. */
export function findCookie(header: View, name: usize, nameLength: i32, out: View): bool {
  let at = 0;
  while (at < header.length) {
    while (at < header.length && load<u8>(header.ptr + (at as usize)) == 0x20) at++;
    let end = at;
    while (end < header.length && load<u8>(header.ptr + (end as usize)) != 0x3b) end++;
    if (takeValue(header.ptr + (at as usize), end - at, name, nameLength, out)) return true;
    at = end + 1;
  }
  return false;
}

/** The value of "NAME=VALUE", or of "NAME" alone, which is empty. */
function takeValue(ptr: usize, length: i32, name: usize, nameLength: i32, out: View): bool {
  if (length < nameLength || memory.compare(ptr, name, nameLength) != 0) return false;
  if (length == nameLength) {
    out.set(ptr + (length as usize), 0);
    return true;
  }
  if (load<u8>(ptr + (nameLength as usize)) != 0x3d) return false;
  out.set(ptr + (nameLength as usize) + 1, length - nameLength - 1);
  return true;
}
