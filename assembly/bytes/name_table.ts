import { Bytes } from "./bytes";
import { hashBytes } from "./hash";
import { bytesEqual } from "./memory";
import { Sketch } from "./sketch";
import { View } from "./view";

/** Longest part of a name from the wire that is kept in a label, and longest pair of names with an object, bytes. */
const MAX_LABEL: i32 = 200;
const MAX_NAMES: i64 = 4096;
/** A pair that was proven so many times lately gets a place that is reserved. */
const PROVEN: i32 = 3;

class Entry<T> {
  constructor(
    readonly hash: u64,
    readonly first: Bytes,
    readonly second: Bytes,
    readonly value: T,
  ) {}

  // @ts-ignore: decorator
  @inline
  is(first: View, second: View): bool {
    return (
      bytesEqual(this.first.ptr, this.first.length, first.ptr, first.length) &&
      bytesEqual(this.second.ptr, this.second.length, second.ptr, second.length)
    );
  }
}

/**
 * Objects by two names from the wire, such as a service and a method: each is made when its names are first seen. Peers
 * choose the names, so only so many have an object of their own; the rest share one, named `other`. As many places again
 * are reserved for names that are not made up: configurations have them, or servers have answered to them. Finding one
 * allocates nothing.
 */
export abstract class NameTable<T> {
  private readonly slots: StaticArray<Entry<T> | null>;
  private readonly mask: i32;
  private count: i32 = 0;
  private reserved: i32 = 0;
  private readonly proven: Sketch = new Sketch();
  /** What `prove` takes of the pair that was looked up last, when it has no object of its own; 0: it has one. */
  unplaced: u64 = 0;
  private last: Entry<T> | null = null;
  private other: Entry<T> | null = null;

  /** @param max most pairs of names that have an object of their own, and as many for which that is reserved; 1 to 32,768 */
  constructor(private readonly max: i32) {
    let size = 4;
    while (size < 4 * max && size < 131072) size <<= 1;
    this.slots = new StaticArray<Entry<T> | null>(size);
    this.mask = size - 1;
  }

  /** Makes the object for two labels. */
  protected abstract make(first: string, second: string): T;

  /**
   * The object for two names; either may be empty.
   * @param real they are not made up: a configuration has them
   */
  of(first: View, second: View, real: bool = false): T {
    this.unplaced = 0;
    const last = this.last;
    if (last !== null && last.is(first, second)) return last.value;
    const hash = hashBytes(second.ptr, second.length, hashBytes(first.ptr, first.length));
    let slot = hash as i32;
    for (let i = 0; i <= this.mask; i++, slot++) {
      const entry = unchecked(this.slots[slot & this.mask]);
      if (entry === null) break;
      if (entry.hash != hash || !entry.is(first, second)) continue;
      this.last = entry;
      return entry.value;
    }
    if ((first.length as i64) + (second.length as i64) <= MAX_NAMES) {
      if (this.count < this.max) {
        this.count++;
        return this.add(hash, slot, first, second);
      }
      if (this.reserved < this.max && (real || this.proven.of(hash) >= PROVEN)) {
        this.reserved++;
        return this.add(hash, slot, first, second);
      }
      this.unplaced = hash;
    }
    return this.shared();
  }

  /** Notes that a server has answered to a pair of names, which had no object (`unplaced`): it is not made up. */
  prove(unplaced: u64): void {
    this.proven.count(unplaced);
  }

  private add(hash: u64, slot: i32, first: View, second: View): T {
    const entry = new Entry<T>(
      hash,
      Bytes.copy(first.ptr, first.length),
      Bytes.copy(second.ptr, second.length),
      this.make(labelOf(first), labelOf(second)),
    );
    unchecked((this.slots[slot & this.mask] = entry));
    return entry.value;
  }

  private shared(): T {
    let other = this.other;
    if (other === null) {
      other = new Entry<T>(0, Bytes.EMPTY, Bytes.EMPTY, this.make("other", "other"));
      this.other = other;
    }
    return other.value;
  }
}

/** A name from the wire as part of a metric's name: printable ASCII without spaces, bounded, never empty. */
export function labelOf(name: View): string {
  const length = min(name.length, MAX_LABEL);
  if (length <= 0) return "unknown";
  const text = new StaticArray<u8>(length);
  for (let i = 0; i < length; i++) {
    const c = load<u8>(name.ptr + (i as usize));
    unchecked((text[i] = c > 0x20 && c < 0x7f ? c : 0x5f));
  }
  return String.UTF8.decodeUnsafe(changetype<usize>(text), length);
}
