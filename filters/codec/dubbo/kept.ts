import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { bytesEqual } from "../../../assembly/bytes/memory";
import { View } from "../../../assembly/bytes/view";

/** Memory kept between frames, bytes. */
const KEEP: i32 = 1024;

/** A key and a value, as on the wire. */
@unmanaged
class Pair {
  ptr: usize;
  length: i32;
  key: usize;
  /** -1: the key is no string. */
  keyLength: i32;
  plain: bool;
  shown: bool;
  dropped: bool;
}

/**
 * Attachments that are no strings in one piece. They are kept as they are: objects, lists and maps are numbered in the order in which
 * they come, their classes and type names too, and later ones refer to those numbers.
 */
export class KeptPairs {
  private readonly store: ByteBuffer = new ByteBuffer();
  private dropped: i32 = 0;

  clear(): void {
    this.store.reset(KEEP);
    this.dropped = 0;
  }

  /**
   * Adds a pair; borrowed. `plain`: nothing is numbered in it, and it refers to nothing. `shown`: there is a header for it.
   */
  add(ptr: usize, length: i32, key: View | null, plain: bool, shown: bool): void {
    const size = offsetof<Pair>() as i32;
    const pair = changetype<Pair>(this.store.reserve(size));
    this.store.commit(size);
    pair.ptr = ptr;
    pair.length = length;
    pair.key = key === null ? 0 : key.ptr;
    pair.keyLength = key === null ? -1 : key.length;
    pair.plain = plain;
    pair.shown = shown;
    pair.dropped = false;
  }

  /** Drops the pairs with this key; returns how many of them have no header. */
  drop(key: usize, keyLength: i32): i32 {
    let hidden = 0;
    for (let i = 0; i < this.count; i++) {
      const pair = this.at(i);
      if (pair.dropped || !bytesEqual(pair.key, pair.keyLength, key, keyLength)) continue;
      pair.dropped = true;
      this.dropped++;
      if (!pair.shown) hidden++;
    }
    return hidden;
  }

  /** Whether pairs have been dropped. */
  get changed(): bool {
    return this.dropped > 0;
  }

  /** Whether what is left depends on everything that was before it. */
  get tangled(): bool {
    for (let i = 0; i < this.count; i++) if (!this.at(i).plain && !this.at(i).dropped) return true;
    return false;
  }

  /** Whether what is left means what it did: nothing numbered has been dropped before something that counts on it. */
  get sound(): bool {
    let gap = false;
    for (let i = 0; i < this.count; i++) {
      const pair = this.at(i);
      if (pair.plain) continue;
      if (pair.dropped) gap = true;
      else if (gap) return false;
    }
    return true;
  }

  /** Appends what is left. */
  write(out: ByteBuffer): void {
    for (let i = 0; i < this.count; i++) {
      const pair = this.at(i);
      if (!pair.dropped) out.append(pair.ptr, pair.length);
    }
  }

  private get count(): i32 {
    return this.store.length / (offsetof<Pair>() as i32);
  }

  // @ts-ignore: decorator
  @inline
  private at(i: i32): Pair {
    return changetype<Pair>(this.store.ptr + (i as usize) * offsetof<Pair>());
  }
}
