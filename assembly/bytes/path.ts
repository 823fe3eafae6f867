// Paths of HTTP as MOSN's filters have them: decoded and normalised.
import { ByteBuffer, KEEP } from "./buffer";
import { decodePercent } from "./percent";
import { View } from "./view";

const SLASH: u32 = 0x2f;
const DOT: u32 = 0x2e;
const PERCENT: u32 = 0x25;

/** Whether the path is the same decoded and normalised. */
export function isPlain(path: View): bool {
  let last: u32 = 0;
  for (let i = 0; i < path.length; i++) {
    const c = load<u8>(path.ptr + (i as usize)) as u32;
    if (c == PERCENT || (last == SLASH && (c == SLASH || c == DOT))) return false;
    last = c;
  }
  return true;
}

const decoded = new ByteBuffer();
/** Appends the path percent-decoded, with single slashes and without dot segments. */
export function normalisePath(path: View, out: ByteBuffer): void {
  decoded.reset(KEEP);
  decodePercent(path, false, decoded);
  resolveDots(decoded, out);
}

/** Appends a path that is decoded with single slashes and without dot segments. */
export function resolveDots(decoded: ByteBuffer, out: ByteBuffer): void {
  const start = out.length;
  const length = decoded.length;
  // Whether a slash follows what there is: the last segment was empty or a dot segment.
  let open = true;
  for (let at = 0; at <= length; at++) {
    const segment = decoded.ptr + (at as usize);
    const from = at;
    while (at < length && load<u8>(decoded.ptr + (at as usize)) != SLASH) at++;
    const dots = dotsOf(segment, at - from);
    open = dots >= 0;
    if (dots == 2) dropSegment(out, start);
    if (open) continue;
    out.appendByte(SLASH);
    out.append(segment, at - from);
  }
  if (open) out.appendByte(SLASH);
}

/** 0 for an empty segment, 1 for ".", 2 for "..", -1 for any other. */
function dotsOf(segment: usize, length: i32): i32 {
  if (length > 2) return -1;
  for (let i = 0; i < length; i++) if (load<u8>(segment + (i as usize)) != DOT) return -1;
  return length;
}

/** Drops the last segment of the path that `out` has from `start` on, with its slash. */
function dropSegment(out: ByteBuffer, start: i32): void {
  let end = out.length;
  while (end > start && load<u8>(out.ptr + ((end - 1) as usize)) != SLASH) end--;
  out.truncate(max(end - 1, start));
}
