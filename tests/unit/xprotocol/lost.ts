// What became of a frame and its headers on the way, in words that a codec's author can go by.
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { Frame } from "../../../assembly/xprotocol/frame";
import { Model } from "./support";

const before = new View();
const after = new View();

/**
 * The first field of `from` that `to`, written from it, has not; "" when all are there. Lengths and offsets may differ;
 * so may what a header names that was changed, without `names`.
 */
export function lostField(from: Frame, to: Frame, names: bool): string {
  if (from.codec !== to.codec) return "codec";
  if (from.kind != to.kind) return "kind";
  if (from.status != to.status) return "status";
  if (from.timeout != to.timeout) return "timeout";
  if (!names) return "";
  if (from.aux != to.aux) return "aux";
  if (from.generic != to.generic) return "generic";
  from.service(before);
  to.service(after);
  if (!same()) return "service";
  from.method(before);
  to.method(after);
  if (!same()) return "method";
  return "";
}

/** Whether `to` has these bytes as its content. */
export function hasContent(to: Frame, content: usize, length: i32): bool {
  after.set(to.ptr + (to.contentOffset as usize), to.contentLength);
  before.set(content, length);
  return same();
}

function same(): bool {
  return before.length == after.length && memory.compare(before.ptr, after.ptr, before.length as usize) == 0;
}

/**
 * How the headers on the wire differ from those that should be there: one that nobody set, or else the first difference;
 * "" when there is none.
 */
export function lostHeader(wanted: Model, found: Model): string {
  for (let i = 0; i < found.keys.length; i++) {
    if (wanted.find(found.keys[i]) < 0) return "header " + quoted(found.keys[i]) + " was not there before";
  }
  const count = max(wanted.keys.length, found.keys.length);
  for (let i = 0; i < count; i++) {
    if (i >= wanted.keys.length) return "header " + quoted(found.keys[i]) + " is there once more than before";
    const key = wanted.keys[i];
    if (i >= found.keys.length) return "header " + quoted(key) + " is lost";
    if (found.keys[i].equals(key.ptr, key.length)) {
      const value = wanted.values[i];
      if (found.values[i].equals(value.ptr, value.length)) continue;
      return "header " + quoted(key) + " is " + quoted(found.values[i]) + " instead of " + quoted(value);
    }
    if (found.find(key) < 0) return "header " + quoted(key) + " is lost";
    return "header " + quoted(key) + " is in another place";
  }
  return "";
}

/** Text in quotes, with what is not printable in hex, and the end of a long one left out. */
export function quoted(text: Bytes): string {
  let out = '"';
  for (let i = 0; i < min(text.length, 40); i++) {
    const byte = load<u8>(text.ptr + i);
    if (byte >= 0x20 && byte < 0x7f) out += String.fromCharCode(byte);
    else out += "\\x" + (byte >> 4).toString(16) + (byte & 15).toString(16);
  }
  return out + (text.length > 40 ? '..."' : '"');
}
