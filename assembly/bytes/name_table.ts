import { Bytes } from "./bytes";
import { hashBytes } from "./hash";
import { bytesEqual } from "./memory";
import { View } from "./view";

/** Longest part of a name from the wire that is kept in a label, and longest pair of names with an object, bytes. */
const MAX_LABEL: i32 = 200;
const MAX_NAMES: i64 = 4096;

class Entry<T> {
  constructor(
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
 * choose the names, so only so many have an object of their own; the rest share one, named `other`. Finding one
 * allocates nothing.
 */
export abstract class NameTable<T> {
  private readonly slots: StaticArray<Entry<T> | null>;
  private readonly mask: i32;
  private count: i32 = 0;
  private last: Entry<T> | null = null;
  private other: Entry<T> | null = null;

  /** @param max most pairs of names that have an object of their own, 1 to 65,536 */
  constructor(private readonly max: i32) {
    let size = 4;
    while (size < 2 * max && size < 131072) size <<= 1;
    this.slots = new StaticArray<Entry<T> | null>(size);
    this.mask = size - 1;
  }

  /** Makes the object for two labels. */
  protected abstract make(first: string, second: string): T;

  /** The object for two names; either may be empty. */
  of(first: View, second: View): T {
    const last = this.last;
    if (last !== null && last.is(first, second)) return last.value;
    let slot = hashBytes(second.ptr, second.length, hashBytes(first.ptr, first.length)) as i32;
    for (let i = 0; i <= this.mask; i++, slot++) {
      const entry = unchecked(this.slots[slot & this.mask]);
      if (entry === null) break;
      if (!entry.is(first, second)) continue;
      this.last = entry;
      return entry.value;
    }
    const full = this.count >= this.max || (first.length as i64) + (second.length as i64) > MAX_NAMES;
    return full ? this.shared() : this.add(slot, first, second);
  }

  private add(slot: i32, first: View, second: View): T {
    const entry = new Entry<T>(
      Bytes.copy(first.ptr, first.length),
      Bytes.copy(second.ptr, second.length),
      this.make(labelOf(first), labelOf(second)),
    );
    unchecked((this.slots[slot & this.mask] = entry));
    this.count++;
    return entry.value;
  }

  private shared(): T {
    let other = this.other;
    if (other === null) {
      other = new Entry<T>(Bytes.EMPTY, Bytes.EMPTY, this.make("other", "other"));
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
