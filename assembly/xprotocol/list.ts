import { ByteBuffer } from "../bytes/buffer";
import { bytesEqual } from "../bytes/memory";
import { View } from "../bytes/view";
import { Headers, HeaderVisitor } from "./headers";

/** Changes and pairs kept for the next frame, beyond which the memory is given back. */
const KEEP_BYTES: i32 = 4096;
const KEEP_PAIRS: i32 = 256;

/** A range is an address in the frame's memory, or an offset into the list's own bytes. */
const KEY_OWNED: u32 = 1;
const VALUE_OWNED: u32 = 2;


@unmanaged
class Pair {
  key: usize;
  keyLength: i32;
  value: usize;
  valueLength: i32;
  owned: u32;
}

/**
 * Headers as a list of pairs: what codecs use whose headers are keys and values in a block. `clear`, then `append` for
 * every pair on the wire; those are borrowed, only changes are copied. The memory is unmanaged and kept for the next
 * frame.
 */
export class HeaderList extends Headers {
  private pairs: usize = 0;
  private capacity: i32 = 0;
  private count: i32 = 0;
  private readonly store: ByteBuffer = new ByteBuffer();
  private dirty: bool = false;

  /** Forgets all pairs and changes. */
  clear(): void {
    this.count = 0;
    this.dirty = false;
    this.store.reset(KEEP_BYTES);
    if (this.capacity > KEEP_PAIRS) {
      heap.free(this.pairs);
      this.pairs = 0;
      this.capacity = 0;
    }
  }

  /** Appends a pair that is on the wire; the ranges are borrowed. */
  append(key: usize, keyLength: i32, value: usize, valueLength: i32): void {
    const pair = this.push();
    pair.key = key;
    pair.keyLength = keyLength;
    pair.value = value;
    pair.valueLength = valueLength;
    pair.owned = 0;
  }

  /** Points the value of pair `i` (which is there) elsewhere on the wire; borrowed, and no change. */
  repoint(i: i32, value: usize, valueLength: i32): void {
    const pair = this.at(i);
    pair.value = value;
    pair.valueLength = valueLength;
  }

  /** How many pairs there are. */
  get length(): i32 {
    return this.count;
  }

  get changed(): bool {
    return this.dirty;
  }

  get(key: usize, keyLength: i32, out: View): bool {
    const i = this.find(key, keyLength, 0);
    if (i < 0) return false;
    out.set(this.valueOf(this.at(i)), this.at(i).valueLength);
    return true;
  }

  set(key: usize, keyLength: i32, value: usize, valueLength: i32): void {
    const i = this.find(key, keyLength, 0);
    if (i < 0) {
      this.add(key, keyLength, value, valueLength);
      return;
    }
    this.dirty = true;
    const pair = this.at(i);
    // The rest goes first: `key` may be a view of this list's own bytes, which `keep` can move.
    this.drop(key, keyLength, i + 1);
    pair.value = this.keep(value, valueLength);
    pair.valueLength = valueLength;
    pair.owned |= VALUE_OWNED;
  }

  add(key: usize, keyLength: i32, value: usize, valueLength: i32): void {
    this.dirty = true;
    // One reservation for both, so that neither of two views of the own bytes is moved between the copies.
    const at = this.store.length;
    this.keepBoth(key, keyLength, value, valueLength);
    const pair = this.push();
    pair.key = at as usize;
    pair.keyLength = keyLength;
    pair.value = (at + keyLength) as usize;
    pair.valueLength = valueLength;
    pair.owned = KEY_OWNED | VALUE_OWNED;
  }

  remove(key: usize, keyLength: i32): i32 {
    const dropped = this.drop(key, keyLength, 0);
    if (dropped > 0) this.dirty = true;
    return dropped;
  }

  forEach(visitor: HeaderVisitor): void {
    for (let i = 0; i < this.count; i++) {
      const pair = this.at(i);
      if (!visitor.onHeader(this.keyOf(pair), pair.keyLength, this.valueOf(pair), pair.valueLength)) return;
    }
  }

  /** Gives all memory back; the list is empty and may be used again. */
  free(): void {
    this.clear();
    this.store.free();
    if (this.pairs != 0) heap.free(this.pairs);
    this.pairs = 0;
    this.capacity = 0;
  }

  // @ts-ignore: decorator
  @inline
  private at(i: i32): Pair {
    return changetype<Pair>(this.pairs + (i as usize) * offsetof<Pair>());
  }

  // @ts-ignore: decorator
  @inline
  private keyOf(pair: Pair): usize {
    return (pair.owned & KEY_OWNED) != 0 ? this.store.ptr + pair.key : pair.key;
  }

  // @ts-ignore: decorator
  @inline
  private valueOf(pair: Pair): usize {
    return (pair.owned & VALUE_OWNED) != 0 ? this.store.ptr + pair.value : pair.value;
  }

  private find(key: usize, keyLength: i32, from: i32): i32 {
    for (let i = from; i < this.count; i++) {
      const pair = this.at(i);
      if (bytesEqual(this.keyOf(pair), pair.keyLength, key, keyLength)) return i;
    }
    return -1;
  }

  /** Removes the pairs with this key from index `from` on; returns how many. */
  private drop(key: usize, keyLength: i32, from: i32): i32 {
    let to = from;
    for (let i = from; i < this.count; i++) {
      const pair = this.at(i);
      if (bytesEqual(this.keyOf(pair), pair.keyLength, key, keyLength)) continue;
      if (to != i) memory.copy(changetype<usize>(this.at(to)), changetype<usize>(pair), offsetof<Pair>());
      to++;
    }
    const dropped = this.count - to;
    this.count = to;
    return dropped;
  }

  private push(): Pair {
    if (this.count == this.capacity) {
      const wanted = max(16, this.capacity * 2);
      const table = heap.alloc((wanted as usize) * offsetof<Pair>());
      if (this.pairs != 0) {
        memory.copy(table, this.pairs, (this.count as usize) * offsetof<Pair>());
        heap.free(this.pairs);
      }
      this.pairs = table;
      this.capacity = wanted;
    }
    return this.at(this.count++);
  }

  /** Copies bytes, which may be own ones, to the end of the store; returns their offset. */
  private keep(ptr: usize, length: i32): usize {
    const at = this.store.length;
    this.keepBoth(ptr, length, ptr, 0);
    return at as usize;
  }

  private keepBoth(a: usize, aLength: i32, b: usize, bLength: i32): void {
    const before = this.store.ptr;
    const held = this.store.length as usize;
    const to = this.store.reserve(aLength + bLength);
    const moved = this.store.ptr - before;
    memory.copy(to, a - before < held ? a + moved : a, aLength as usize);
    memory.copy(to + (aLength as usize), b - before < held ? b + moved : b, bLength as usize);
    this.store.commit(aLength + bLength);
  }
}
