// URIs as Go's net/url reads and writes them.
import { readHex, isAlphanumeric, isDigit, isLetter, lowerCase, upperHex } from "../bytes/ascii";
import { byteAt, bytesEqual } from "../bytes/memory";
import { arena } from "./arena";
import { Fault, fail } from "./fault";
import { compareNames } from "./net";
import { Value } from "./value";

const COLON: u32 = 0x3a;
const SLASH: u32 = 0x2f;
const PERCENT: u32 = 0x25;
/** What is escaped takes three times its bytes. */
const GROWTH: i32 = 3;

/** Whether Go's URLs never escape it: letters, digits, "-", ".", "_", "~". */
function isUnreserved(c: u32): bool {
  return isAlphanumeric(c) || c == 0x2d || c == 0x2e || c == 0x5f || c == 0x7e;
}

/** Whether it stands for itself in a path that is written anew: $ & + , / : ; = @; in fragments also ! ( ) * and ?. */
function isPlain(c: u32, fragment: bool): bool {
  if (isUnreserved(c) || c == 0x24 || c == 0x26 || (c >= 0x2b && c <= 0x2c) || c == SLASH) return true;
  if (c == COLON || c == 0x3b || c == 0x3d || c == 0x40) return true;
  return fragment && (c == 0x21 || (c >= 0x28 && c <= 0x2a) || c == 0x3f);
}

/** Whether it may stand in a path or fragment as it came: the above and ! ' ( ) * [ ] %. */
function isValid(c: u32, fragment: bool): bool {
  return isPlain(c, fragment) || c == 0x21 || (c >= 0x27 && c <= 0x2a) || c == 0x5b || c == 0x5d || c == PERCENT;
}

function find(ptr: usize, from: i32, end: i32, c: u32): i32 {
  let i = from;
  while (i < end && byteAt(ptr, i) != c) i++;
  return i;
}

/** Reads one URI after the other. Of the result `integer` and `nanos` are where its host is, and how long. */
class UriReader {
  private ptr: usize = 0;
  private to: usize = 0;
  private written: i32 = 0;

  read(text: Value, value: Value): Value | null {
    const length = text.length;
    this.ptr = text.ptr;
    this.written = 0;
    for (let i = 0; i < length; i++)
      if (byteAt(text.ptr, i) < 0x20 || byteAt(text.ptr, i) == 0x7f) return fail(Fault.CONVERSION);
    const room = (length as i64) * (GROWTH as i64);
    this.to = room > (i32.MAX_VALUE as i64) ? 0 : arena.take(room as i32);
    if (this.to == 0) return fail(Fault.TOO_LONG);
    value.integer = 0;
    value.nanos = 0;
    const hash = find(text.ptr, 0, length, 0x23);
    if (!this.readAll(hash, value)) return fail(Fault.CONVERSION);
    if (hash < length - 1) {
      this.put(0x23);
      if (!this.escape(hash + 1, length, true)) return fail(Fault.CONVERSION);
    }
    return value.setText(this.to, this.written);
  }

  private put(c: u32): void {
    store<u8>(this.to + (this.written++ as usize), c);
  }

  private copy(from: i32, to: i32): void {
    memory.copy(this.to + (this.written as usize), this.ptr + (from as usize), (to - from) as usize);
    this.written += to - from;
  }

  /** What is before the fragment. */
  private readAll(end: i32, value: Value): bool {
    if (end > 0 && byteAt(this.ptr, 0) == COLON) return false;
    const scheme = this.scheme(end);
    for (let i = 0; i < scheme; i++) {
      const c = byteAt(this.ptr, i);
      this.put(lowerCase(c));
    }
    let next = scheme;
    const query = find(this.ptr, next, end, 0x3f);
    if (next == query || byteAt(this.ptr, next) != SLASH) {
      // Behind a scheme it is opaque; else a colon in the first segment would look like one.
      if (scheme == 0 && find(this.ptr, next, query, COLON) < find(this.ptr, next, query, SLASH)) return false;
      if (scheme > 0) this.copy(next, query);
      else if (!this.escape(next, query, false)) return false;
      this.copy(query, end);
      return true;
    }
    const hasHost = query - next > 1 && byteAt(this.ptr, next + 1) == SLASH;
    if (hasHost && (scheme > 0 || query - next < 3 || byteAt(this.ptr, next + 2) != SLASH)) {
      const authority = find(this.ptr, next + 2, query, SLASH);
      if (!this.authority(next + 2, authority, value)) return false;
      next = authority;
    }
    if (!this.escape(next, query, false)) return false;
    this.copy(query, end);
    return true;
  }

  /** The length of the scheme with its colon; 0: there is none. */
  private scheme(end: i32): i32 {
    for (let i = 0; i < end; i++) {
      const c = byteAt(this.ptr, i);
      if (c == COLON) return i + 1;
      if (!isLetter(c) && (i == 0 || !(isDigit(c) || c == 0x2b || c == 0x2d || c == 0x2e))) return 0;
    }
    return 0;
  }

  /** User, host and port. */
  private authority(from: i32, end: i32, value: Value): bool {
    let host = end;
    while (host > from && byteAt(this.ptr, host - 1) != 0x40) host--;
    for (let i = from; i < host - 1; i++) if (!isUser(byteAt(this.ptr, i))) return false;
    const isV6 = host < end && byteAt(this.ptr, host) == 0x5b;
    const close = isV6 ? find(this.ptr, host, end, 0x5d) : host;
    if (close == end && isV6) return false;
    let port = end;
    while (port > close && byteAt(this.ptr, port - 1) != COLON) port--;
    const name = port > close ? port - 1 : end;
    if (isV6 && name != close + 1) return false;
    for (let i = port; i < end && port > close; i++) if (!isDigit(byteAt(this.ptr, i))) return false;
    for (let i = host; i < name; i++) if (!isHost(byteAt(this.ptr, i))) return false;
    this.put(SLASH);
    this.put(SLASH);
    this.copy(from, host);
    value.integer = this.written as i64;
    value.nanos = end - host;
    this.copy(host, end);
    return true;
  }

  /** A path or a fragment: as it came where that is valid, or else decoded and escaped anew. */
  private escape(from: i32, end: i32, fragment: bool): bool {
    let valid = true;
    for (let i = from; i < end; i++) {
      const c = byteAt(this.ptr, i);
      if (!isValid(c, fragment)) valid = false;
      if (c != PERCENT) continue;
      if (end - i < 3 || readHex(this.ptr + ((i + 1) as usize), 2) < 0) return false;
      i += 2;
    }
    if (valid) {
      this.copy(from, end);
      return true;
    }
    for (let i = from; i < end; i++) {
      let c = byteAt(this.ptr, i);
      if (c == PERCENT) {
        c = readHex(this.ptr + ((i + 1) as usize), 2) as u32;
        i += 2;
      }
      if (isPlain(c, fragment)) this.put(c);
      else this.putEscaped(c);
    }
    return true;
  }

  private putEscaped(c: u32): void {
    this.put(PERCENT);
    this.put(upperHex(c >> 4));
    this.put(upperHex(c & 0xf));
  }
}

/** What can stand before "@". */
function isUser(c: u32): bool {
  return isUnreserved(c) || c == 0x21 || (c >= 0x24 && c <= 0x2c) || c == COLON || c == 0x3b || c == 0x3d || c == 0x40;
}

/** What a host is made of; Go also takes what is escaped there. */
function isHost(c: u32): bool {
  return isUnreserved(c) || c == 0x21 || c == 0x22 || c == 0x24 || (c >= 0x26 && c <= 0x2c) || isHostMark(c);
}

function isHostMark(c: u32): bool {
  return (c >= COLON && c <= 0x3e) || c == 0x5b || c == 0x5d;
}

const reader = new UriReader();

/** Makes a value a URI; null when the text is none. */
export function parseUri(text: Value, value: Value): Value | null {
  return reader.read(text, value);
}

/** Whether the URI's scheme is http or https: only those have hosts that are DNS names. */
function isWeb(uri: Value): bool {
  if (uri.length < 5 || (load<u32>(uri.ptr) & 0xffffffff) != 0x70747468) return false;
  return byteAt(uri.ptr, 4) == COLON || (uri.length > 5 && byteAt(uri.ptr, 4) == 0x73 && byteAt(uri.ptr, 5) == COLON);
}

/** Whether two URIs are the same; of http and https but for the case of the host. Below 0: a host is no name. */
export function compareUris(a: Value, b: Value): i32 {
  if (!isWeb(a) || !isWeb(b)) return bytesEqual(a.ptr, a.length, b.ptr, b.length) ? 1 : 0;
  const aHost = a.integer as i32;
  const bHost = b.integer as i32;
  if (!bytesEqual(a.ptr, find(a.ptr, 0, a.length, COLON), b.ptr, find(b.ptr, 0, b.length, COLON))) return 0;
  const aName = nameLength(a);
  const bName = nameLength(b);
  const same = compareNames(a.ptr + (aHost as usize), aName, b.ptr + (bHost as usize), bName);
  if (same < 1) return same;
  const aRest = aHost + aName;
  const bRest = bHost + bName;
  if (!bytesEqual(a.ptr, aHost, b.ptr, bHost)) return 0;
  return bytesEqual(a.ptr + (aRest as usize), a.length - aRest, b.ptr + (bRest as usize), b.length - bRest) ? 1 : 0;
}

/** The length of the host without its port. */
function nameLength(uri: Value): i32 {
  const host = uri.integer as i32;
  return find(uri.ptr, host, host + uri.nanos, COLON) - host;
}
