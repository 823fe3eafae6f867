// Paths of requests. Servers read some of them in different ways: rules must not judge another path than the one that is served.
import { ByteBuffer, KEEP } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { normalisePath, resolveDots } from "../bytes/path";
import { decodePercent } from "../bytes/percent";
import { View } from "../bytes/view";
import { StreamHandler } from "../stream/handler";
import { TextMatcher } from "./text_matcher";
import { Verdict } from "./verdict";

const SLASH: u32 = 0x2f;
const BACKSLASH: u32 = 0x5c;
const SEMICOLON: u32 = 0x3b;

const PATH = Bytes.of("x-mosn-path");
const ORIGINAL = Bytes.of("x-mosn-path-original");

const path = new View();
const came = new View();
const bare = new View();
const first = new ByteBuffer();
const second = new ByteBuffer();

/**
 * Whether the path of a request, without the query, is what the matcher wants; on RPC it is "/SERVICE/METHOD". UNKNOWN
 * where there is none, and where servers may read another path than the normalised one that is judged otherwise: one whose
 * dot segments or slashes stay, whose encoded slashes are none, whose backslashes are slashes, whose parameters (";x") go.
 */
export function matchPath(handler: StreamHandler, matcher: TextMatcher): Verdict {
  if (!handler.variable(PATH, path)) return Verdict.UNKNOWN;
  const verdict = matcher.matches(path.ptr, path.length);
  if (!handler.variable(ORIGINAL, came) || !isOdd(came)) return verdict;
  first.reset(KEEP);
  normalisePath(came, first);
  // A filter has given the request another path.
  if (first.length != path.length || memory.compare(first.ptr, path.ptr, first.length) != 0) return verdict;
  first.reset(KEEP);
  decodeInside(came, first);
  if (matcher.matches(first.ptr, first.length) != verdict) return Verdict.UNKNOWN;
  second.reset(KEEP);
  resolveDots(first, second);
  if (matcher.matches(second.ptr, second.length) != verdict) return Verdict.UNKNOWN;
  readLoosely(came);
  return matcher.matches(second.ptr, second.length) == verdict ? verdict : Verdict.UNKNOWN;
}

// @ts-ignore: decorator
@inline
function byteOf(text: View, i: i32): u32 {
  return i < text.length ? load<u8>(text.ptr + (i as usize)) : 0;
}

/** Whether "%2f", "%5c" or, with `dots`, "%2e" is there. */
function isEscaped(text: View, i: i32, dots: bool): bool {
  if (byteOf(text, i) != 0x25) return false;
  const high = byteOf(text, i + 1);
  const low = byteOf(text, i + 2) | 0x20;
  return high == 0x32 ? low == 0x66 || (dots && low == 0x65) : high == 0x35 && low == 0x63;
}

/** Whether there may be two ways to read a path. */
function isOdd(text: View): bool {
  for (let i = 0; i < text.length; i++) {
    const c = byteOf(text, i);
    if (c == BACKSLASH || c == SEMICOLON || isEscaped(text, i, true)) return true;
    const next = byteOf(text, i + 1);
    if (c == SLASH && (next == SLASH || next == 0x2e)) return true;
  }
  return false;
}

/** Appends the path decoded, but for slashes and backslashes: the same segments. */
function decodeInside(text: View, to: ByteBuffer): void {
  for (let i = 0; i < text.length; i++) {
    if (isEscaped(text, i, false)) {
      to.append(text.ptr + (i as usize), 3);
      i += 2;
      continue;
    }
    bare.set(text.ptr + (i as usize), byteOf(text, i) == 0x25 ? min(3, text.length - i) : 1);
    const before = to.length;
    decodePercent(bare, false, to);
    if (to.length - before == 1) i += bare.length - 1;
    else if (bare.length > 1) to.truncate(before + 1);
  }
}

/** Reads a path into `second` as servers do that know parameters of segments, and backslashes as slashes. */
function readLoosely(text: View): void {
  second.reset(KEEP);
  let skips = false;
  for (let i = 0; i < text.length; i++) {
    const c = byteOf(text, i);
    if (c == SLASH || c == BACKSLASH) skips = false;
    else if (c == SEMICOLON) skips = true;
    if (!skips) second.appendByte(c);
  }
  bare.set(second.ptr, second.length);
  first.reset(KEEP);
  decodePercent(bare, false, first);
  for (let i = 0; i < first.length; i++) {
    const at = first.ptr + (i as usize);
    if (load<u8>(at) == BACKSLASH) store<u8>(at, SLASH);
  }
  second.clear();
  resolveDots(first, second);
}
