import { ByteBuffer, countMemory, KEEP } from "../bytes/buffer";
import { hashBytes } from "../bytes/hash";
import { bytesEqual } from "../bytes/memory";
import { View } from "../bytes/view";
import { Headers, HeaderVisitor } from "./headers";

/**
 * Most pairs of one list, those that are added included. A pair takes two bytes on the wire and many times that here, so
 * a codec refuses a frame with more of them: no list takes more than 3 MiB, and every look at one is over soon.
 */
export const MAX_PAIRS: i32 = 65536;
/** Most bytes of keys and values that are changed, those that have been replaced again included. */
export const MAX_OWNED: i32 = 1 << 20;
/** Pairs kept for the next frame, beyond which their memory is given back. */
const KEEP_PAIRS: i32 = 256;
/** Pairs up to which a walk is faster than an index, and walks through a longer list before it gets one. */
const SHORT: i32 = 32;
const WALKS: i32 = 4;
/** Pairs for each bucket above which the index is made larger. */
const CROWD: i32 = 2;

/** A range is an address in the frame's memory, or an offset into the list's own bytes. */
const KEY_OWNED: u32 = 1;
const VALUE_OWNED: u32 = 2;
/** In place of the length of its key: the pair has been removed. */
const REMOVED: i32 = -1;
/** In place of a pair's place: there is none. */
const NONE: i32 = -1;


@unmanaged
class Pair {
  key: usize;
  keyLength: i32;
  value: usize;
  valueLength: i32;
  owned: u32;
  /** Place of the next pair in the same bucket; NONE: it is the last. Only while there is an index. */
  next: i32;
}

/** The pairs whose keys have hashes of the same low bits, in the order of the list. */
@unmanaged
class Bucket {
  first: i32;
  last: i32;
}

/**
 * Headers as a list of pairs: what codecs use whose headers are keys and values in a block. `clear`, then `append` for
 * every pair on the wire; those are borrowed, only changes are copied. The memory is unmanaged, counted, and kept for the
 * next frame. A long list that is asked often gets an index: the cost of all questions is linear in the pairs.
 */
export class HeaderList extends Headers {
  private pairs: usize = 0;
  private capacity: i32 = 0;
  /** Places in use, and how many of them have been removed. */
  private count: i32 = 0;
  private removed: i32 = 0;
  private index: usize = 0;
  /** Room of the index, and how many buckets are in use, a power of two; 0: there is no index. */
  private room: i32 = 0;
  private buckets: i32 = 0;
  /** Pairs that have been walked over since the last `clear`. */
  private walked: i32 = 0;
  private readonly store: ByteBuffer = new ByteBuffer();
  private dirty: bool = false;
  private lost: bool = false;

  /** Forgets all pairs and changes. */
  clear(): void {
    this.count = this.removed = this.walked = this.buckets = 0;
    this.dirty = this.lost = false;
    this.store.reset(KEEP);
    if (this.capacity > KEEP_PAIRS) this.freePairs();
    if (this.room > KEEP_PAIRS) this.freeIndex();
  }

  /** Appends a pair that is on the wire; the ranges are borrowed. False, and it is left out, where there are too many. */
  append(key: usize, keyLength: i32, value: usize, valueLength: i32): bool {
    const pair = this.push();
    if (pair === null) return false;
    pair.key = key;
    pair.keyLength = keyLength;
    pair.value = value;
    pair.valueLength = valueLength;
    pair.owned = 0;
    this.link(this.count - 1);
    return true;
  }

  /** Like `append`, but in place of an earlier pair with this key: where the last one counts. */
  appendLast(key: usize, keyLength: i32, value: usize, valueLength: i32): bool {
    const i = this.find(key, keyLength);
    if (i < 0) return this.append(key, keyLength, value, valueLength);
    this.repoint(i, value, valueLength);
    return true;
  }

  /** Takes the pairs with this key back; no change. */
  retract(key: usize, keyLength: i32): void {
    this.drop(key, keyLength, 0);
  }

  /** Points the value of pair `i` (which is there) elsewhere on the wire; borrowed, and no change. */
  repoint(i: i32, value: usize, valueLength: i32): void {
    const pair = this.at(i);
    pair.value = value;
    pair.valueLength = valueLength;
  }

  /** Bytes of memory held. */
  get allocated(): i32 {
    const pairs = this.capacity * (offsetof<Pair>() as i32);
    return pairs + this.room * (offsetof<Bucket>() as i32) + this.store.allocated;
  }

  /** How many pairs there are. */
  get length(): i32 {
    return this.count - this.removed;
  }

  get changed(): bool {
    return this.dirty;
  }

  get incomplete(): bool {
    return this.lost;
  }

  get(key: usize, keyLength: i32, out: View): bool {
    const i = this.find(key, keyLength);
    if (i < 0) return false;
    out.set(this.valueOf(this.at(i)), this.at(i).valueLength);
    return true;
  }

  set(key: usize, keyLength: i32, value: usize, valueLength: i32): void {
    const i = this.find(key, keyLength);
    if (i < 0) {
      this.add(key, keyLength, value, valueLength);
      return;
    }
    this.dirty = true;
    if (!this.mayKeep(0, valueLength)) return;
    // The rest goes first: `key` may be a view of this list's own bytes, which `keep` can move.
    this.drop(key, keyLength, i + 1);
    const pair = this.at(i);
    pair.value = this.keep(value, valueLength);
    pair.valueLength = valueLength;
    pair.owned |= VALUE_OWNED;
  }

  add(key: usize, keyLength: i32, value: usize, valueLength: i32): void {
    this.dirty = true;
    if (!this.mayKeep(keyLength, valueLength)) return;
    const pair = this.push();
    if (pair === null) return;
    // One reservation for both, so that neither of two views of the own bytes is moved between the copies.
    const at = this.store.length;
    this.keepBoth(key, keyLength, value, valueLength);
    pair.key = at as usize;
    pair.keyLength = keyLength;
    pair.value = (at + keyLength) as usize;
    pair.valueLength = valueLength;
    pair.owned = KEY_OWNED | VALUE_OWNED;
    this.link(this.count - 1);
  }

  remove(key: usize, keyLength: i32): i32 {
    const dropped = this.drop(key, keyLength, 0);
    if (dropped > 0) this.dirty = true;
    return dropped;
  }

  forEach(visitor: HeaderVisitor): void {
    for (let i = 0; i < this.count; i++) {
      if (this.at(i).keyLength != REMOVED && !this.show(this.at(i), visitor)) return;
    }
  }

  forEachOf(key: usize, keyLength: i32, visitor: HeaderVisitor): void {
    let i = this.find(key, keyLength);
    while (i >= 0) {
      if (!this.show(this.at(i), visitor)) return;
      i = this.seek(this.after(i), key, keyLength);
    }
  }

  /** Gives all memory back; the list is empty and may be used again. */
  free(): void {
    this.clear();
    this.store.free();
    this.freePairs();
    this.freeIndex();
  }

  private freePairs(): void {
    if (this.pairs != 0) heap.free(this.pairs);
    countMemory(-this.capacity * (offsetof<Pair>() as i32));
    this.pairs = 0;
    this.capacity = 0;
  }

  private freeIndex(): void {
    if (this.index != 0) heap.free(this.index);
    countMemory(-this.room * (offsetof<Bucket>() as i32));
    this.index = 0;
    this.room = this.buckets = 0;
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

  private show(pair: Pair, visitor: HeaderVisitor): bool {
    return visitor.onHeader(this.keyOf(pair), pair.keyLength, this.valueOf(pair), pair.valueLength);
  }

  // @ts-ignore: decorator
  @inline
  private has(pair: Pair, key: usize, keyLength: i32): bool {
    return bytesEqual(this.keyOf(pair), pair.keyLength, key, keyLength);
  }

  /** Place of the first pair with this key; NONE: there is none. */
  private find(key: usize, keyLength: i32): i32 {
    this.prepare();
    return this.seek(this.buckets > 0 ? this.bucketOf(key, keyLength).first : 0, key, keyLength);
  }

  /** Place of the first pair with this key from place `i` on. */
  private seek(i: i32, key: usize, keyLength: i32): i32 {
    const count = this.count as u32;
    // NONE is beyond all places.
    while ((i as u32) < count) {
      if (this.has(this.at(i), key, keyLength)) return i;
      i = this.after(i);
    }
    return NONE;
  }

  // @ts-ignore: decorator
  @inline
  private after(i: i32): i32 {
    return this.buckets > 0 ? this.at(i).next : i + 1;
  }

  /** A walk begins: a list that has been walked through often enough gets its index. */
  // @ts-ignore: decorator
  @inline
  private prepare(): void {
    if (this.count <= SHORT) return;
    if (this.buckets > 0) {
      if (this.count > CROWD * this.buckets) this.build();
    } else if (this.walked >= WALKS * this.count) this.build();
    else this.walked += this.count;
  }

  private build(): void {
    let buckets = KEEP_PAIRS;
    while (buckets < this.count) buckets <<= 1;
    if (buckets > this.room) {
      this.freeIndex();
      this.index = heap.alloc((buckets as usize) * offsetof<Bucket>());
      this.room = buckets;
      countMemory(buckets * (offsetof<Bucket>() as i32));
    }
    this.buckets = buckets;
    memory.fill(this.index, 0xff, (buckets as usize) * offsetof<Bucket>());
    for (let i = 0; i < this.count; i++) if (this.at(i).keyLength != REMOVED) this.link(i);
  }

  private bucketOf(key: usize, keyLength: i32): Bucket {
    const i = (hashBytes(key, keyLength) as i32) & (this.buckets - 1);
    return changetype<Bucket>(this.index + (i as usize) * offsetof<Bucket>());
  }

  /** Puts the pair at place `i` into the index, where there is one. */
  // @ts-ignore: decorator
  @inline
  private link(i: i32): void {
    if (this.buckets > 0) this.linkLast(i);
  }

  private linkLast(i: i32): void {
    const pair = this.at(i);
    pair.next = NONE;
    const bucket = this.bucketOf(this.keyOf(pair), pair.keyLength);
    if (bucket.last == NONE) bucket.first = i;
    else this.at(bucket.last).next = i;
    bucket.last = i;
  }

  /** Removes the pairs with this key from place `from` on; returns how many. */
  private drop(key: usize, keyLength: i32, from: i32): i32 {
    this.prepare();
    return this.buckets > 0 ? this.unlink(key, keyLength, from) : this.squeeze(key, keyLength, from);
  }

  private squeeze(key: usize, keyLength: i32, from: i32): i32 {
    let to = from;
    for (let i = from; i < this.count; i++) {
      const pair = this.at(i);
      if (this.has(pair, key, keyLength)) continue;
      if (to != i) memory.copy(changetype<usize>(this.at(to)), changetype<usize>(pair), offsetof<Pair>());
      to++;
    }
    const dropped = this.count - to;
    this.count = to;
    return dropped;
  }

  /** With an index the others keep their places. */
  private unlink(key: usize, keyLength: i32, from: i32): i32 {
    const bucket = this.bucketOf(key, keyLength);
    let dropped = 0;
    let previous = NONE;
    for (let i = bucket.first; i != NONE; i = this.at(i).next) {
      const pair = this.at(i);
      if (i < from || !this.has(pair, key, keyLength)) {
        previous = i;
        continue;
      }
      if (previous == NONE) bucket.first = pair.next;
      else this.at(previous).next = pair.next;
      if (bucket.last == i) bucket.last = previous;
      pair.keyLength = REMOVED;
      dropped++;
    }
    this.removed += dropped;
    return dropped;
  }

  private push(): Pair | null {
    if (this.count == this.capacity && !this.grow()) return null;
    return this.at(this.count++);
  }

  private grow(): bool {
    const wanted = min(max(16, this.capacity * 2), MAX_PAIRS);
    if (wanted == this.capacity) {
      this.lost = true;
      return false;
    }
    const size = (wanted as usize) * offsetof<Pair>();
    this.pairs = this.pairs == 0 ? heap.alloc(size) : heap.realloc(this.pairs, size);
    countMemory((wanted - this.capacity) * (offsetof<Pair>() as i32));
    this.capacity = wanted;
    return true;
  }

  /** Whether there is room for a change of so many bytes. */
  fits(keyLength: i32, valueLength: i32): bool {
    const left = MAX_OWNED - this.store.length;
    return this.count < MAX_PAIRS && keyLength <= left && valueLength <= left - keyLength;
  }

  private mayKeep(keyLength: i32, valueLength: i32): bool {
    if (this.fits(keyLength, valueLength)) return true;
    this.lost = true;
    return false;
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
