// Headers in the ABI's form: a count, the lengths of each key and value (all u32, little-endian), then the bytes of
// each, with a zero behind.
import { HeaderMapType } from "../abi/types";
import { ByteBuffer } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { bytesEqual } from "../bytes/memory";
import { View } from "../bytes/view";
import { appendPairs } from "./header_map";

/** Most pairs there may be; Envoy's own limit. */
const MAX_PAIRS: u32 = 1024;
const WORD: u32 = 4;

/** Walks over pairs in the ABI's form; what is not in it ends the walk. */
export class PairReader {
  key: usize = 0;
  keyLength: i32 = 0;
  value: usize = 0;
  valueLength: i32 = 0;
  private at: usize = 0;
  private length: u32 = 0;
  private count: u32 = 0;
  private index: u32 = 0;
  private offset: u32 = 0;

  /** Begins a walk over the pairs in a range, which is borrowed until the walk is over. */
  begin(at: usize, length: u32): void {
    this.at = at;
    this.length = length;
    this.index = 0;
    this.count = length < WORD ? 0 : load<u32>(at);
    if (this.count > MAX_PAIRS) this.count = 0;
    this.offset = WORD + 2 * WORD * this.count;
    if (this.offset > length) this.count = 0;
  }

  /** Goes to the next pair; false when there is none. */
  next(): bool {
    if (this.index >= this.count) return false;
    const lengths = this.at + WORD + 2 * WORD * this.index;
    const keyLength = load<u32>(lengths);
    const valueLength = load<u32>(lengths + WORD);
    const left = this.length - this.offset;
    // Each is followed by a zero.
    if (left < 2 || keyLength > left - 2 || valueLength > left - 2 - keyLength) {
      this.count = 0;
      return false;
    }
    this.key = this.at + this.offset;
    this.keyLength = keyLength;
    this.value = this.key + keyLength + 1;
    this.valueLength = valueLength;
    this.offset += keyLength + valueLength + 2;
    this.index++;
    return true;
  }
}

const reader = new PairReader();

/** Headers or trailers that the host has given; names are in lower case. */
export class PairBlock {
  private readonly block: ByteBuffer = new ByteBuffer();

  /** Reads a map of the current context, and forgets what was read before. */
  load(map: HeaderMapType): void {
    this.block.clear();
    appendPairs(map, this.block);
  }

  /** Points `out` at the first value of a header; false when there is none. Borrowed until the next `load`. */
  get(key: Bytes, out: View): bool {
    reader.begin(this.block.ptr, this.block.length);
    while (reader.next()) {
      if (!bytesEqual(key.ptr, key.length, reader.key, reader.keyLength)) continue;
      out.set(reader.value, reader.valueLength);
      return true;
    }
    return false;
  }

  /** Bytes of memory held. */
  get allocated(): i32 {
    return this.block.allocated;
  }

  /** Forgets all; more memory than `keep` bytes goes. */
  reset(keep: i32): void {
    this.block.reset(keep);
  }
}

/** Headers, trailers or metadata that are written for the host. Reused: `clear` before each use. */
export class PairList {
  private readonly lengths: ByteBuffer = new ByteBuffer();
  private readonly texts: ByteBuffer = new ByteBuffer();

  /** Forgets all; the memory is kept. */
  clear(): void {
    this.lengths.clear();
    this.texts.clear();
  }

  /** Adds a header: a copy of both ranges. Names have to be in lower case; those of HTTP/2 begin with a colon. */
  add(key: usize, keyLength: i32, value: usize, valueLength: i32): void {
    const at = this.lengths.reserve(2 * WORD);
    store<u32>(at, keyLength);
    store<u32>(at + WORD, valueLength);
    this.lengths.commit(2 * WORD);
    this.texts.append(key, keyLength);
    this.texts.appendByte(0);
    this.texts.append(value, valueLength);
    this.texts.appendByte(0);
  }

  /** Adds a header from two texts that are kept as bytes. */
  put(key: Bytes, value: Bytes): void {
    this.add(key.ptr, key.length, value.ptr, value.length);
  }

  /** Puts them into `out` in the ABI's form, in the place of what is there; nothing for none. */
  encode(out: ByteBuffer): void {
    out.clear();
    const lengths = this.lengths;
    if (lengths.length == 0) return;
    store<u32>(out.reserve(WORD), (lengths.length as u32) / (2 * WORD));
    out.commit(WORD);
    out.append(lengths.ptr, lengths.length);
    out.append(this.texts.ptr, this.texts.length);
  }

  /** Bytes of memory held. */
  get allocated(): i32 {
    return this.lengths.allocated + this.texts.allocated;
  }

  /** Gives all memory back. */
  free(): void {
    this.lengths.free();
    this.texts.free();
  }
}
