import { isAlphanumeric, lowerCase } from "../bytes/ascii";
import { ByteBuffer, KEEP_SMALL } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";

/** Labels of one request, bytes of one value, and of all of them with those that were replaced. */
export const MAX_LABELS: i32 = 16;
const MAX_VALUE: i32 = 255;
const MAX_BYTES: i32 = 16384;
/** What the headers `x-moe-KEY` of the proxy itself are called: no labels. */
const RESERVED: StaticArray<Bytes> = [
  Bytes.of("cluster"),
  Bytes.of("pin"),
  Bytes.of("ask"),
  Bytes.of("host"),
  Bytes.of("destination"),
];

/**
 * Labels that the request's host must have, as filters set them (MOSN's x-mosn-router-meta); sorted by key. Reused for
 * one request after the other.
 */
export class LabelSet {
  private readonly keys: Bytes[] = [];
  private readonly offsets: StaticArray<i32> = new StaticArray<i32>(MAX_LABELS);
  private readonly lengths: StaticArray<i32> = new StaticArray<i32>(MAX_LABELS);
  private readonly values: ByteBuffer = new ByteBuffer();

  get count(): i32 {
    return this.keys.length;
  }

  /** The key at an index below `count`. */
  key(i: i32): Bytes {
    return this.keys[i];
  }

  /** Points `out` at the value at an index below `count`; borrowed until the labels change. */
  value(i: i32, out: View): void {
    out.set(this.values.ptr + (this.offsets[i] as usize), this.lengths[i]);
  }

  /**
   * Sets a label to a copy of the value. False where it cannot be: labels travel to Envoy as headers, so a key is what
   * `isLabelKey` says, and a value 1 to 255 visible ASCII characters; and there is room for 16 labels.
   */
  set(key: Bytes, value: usize, length: i32): bool {
    if (!isLabelKey(key) || !isLabelValue(value, length) || this.values.length + length > MAX_BYTES) return false;
    let i = 0;
    while (i < this.keys.length && compare(unchecked(this.keys[i]), key) < 0) i++;
    if (i == this.keys.length || !unchecked(this.keys[i]).equals(key.ptr, key.length)) {
      if (!this.insert(i, key)) return false;
    }
    unchecked((this.offsets[i] = this.values.length));
    unchecked((this.lengths[i] = length));
    this.values.append(value, length);
    return true;
  }

  private insert(at: i32, key: Bytes): bool {
    if (this.keys.length >= MAX_LABELS) return false;
    this.keys.push(key);
    for (let i = this.keys.length - 1; i > at; i--) {
      unchecked((this.keys[i] = this.keys[i - 1]));
      unchecked((this.offsets[i] = this.offsets[i - 1]));
      unchecked((this.lengths[i] = this.lengths[i - 1]));
    }
    unchecked((this.keys[at] = key));
    return true;
  }

  clear(): void {
    this.keys.length = 0;
    this.values.reset(KEEP_SMALL);
  }

  /** Gives all memory back. */
  free(): void {
    this.keys.length = 0;
    this.values.free();
  }
}

/** Whether a key can be a label's: a part of the name of a header towards Envoy, and none of the proxy's own. */
export function isLabelKey(key: Bytes): bool {
  return isHeaderPart(key) && !isReserved(key);
}

/** Why the key in a configuration cannot be a label's; "": it can. */
export function labelKeyError(text: string): string {
  const key = Bytes.of(text);
  if (key.length == 0 || !isHeaderPart(key)) return "a label's key must be of letters, digits, - _ and .";
  return isReserved(key)
    ? "a label cannot be called cluster, pin, ask, host or destination: x-moe-KEY is the proxy's own then"
    : "";
}

function isHeaderPart(key: Bytes): bool {
  for (let i = 0; i < key.length; i++) {
    const c = load<u8>(key.ptr + (i as usize));
    if (!isAlphanumeric(c) && c != 0x2d && c != 0x2e && c != 0x5f) return false;
  }
  return true;
}

function isReserved(key: Bytes): bool {
  for (let i = 0; i < RESERVED.length; i++) if (equalsInAnyCase(unchecked(RESERVED[i]), key)) return true;
  return false;
}

/** Whether a key is, in upper or lower case, a text that is in lower case. */
function equalsInAnyCase(text: Bytes, key: Bytes): bool {
  if (text.length != key.length) return false;
  for (let i = 0; i < key.length; i++) {
    if (lowerCase(load<u8>(key.ptr + (i as usize))) != load<u8>(text.ptr + (i as usize))) return false;
  }
  return true;
}

/** Whether the bytes can be a label's value. */
export function isLabelValue(ptr: usize, length: i32): bool {
  if (length < 1 || length > MAX_VALUE) return false;
  for (let i = 0; i < length; i++) {
    const c = load<u8>(ptr + (i as usize));
    if (c < 0x21 || c > 0x7e) return false;
  }
  return true;
}

function compare(a: Bytes, b: Bytes): i32 {
  const order = memory.compare(a.ptr, b.ptr, min(a.length, b.length) as usize);
  return order != 0 ? order : a.length - b.length;
}
