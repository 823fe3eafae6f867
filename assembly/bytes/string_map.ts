import { hashBytes } from "./hash";

/** Slots of an empty map, a power of two. */
const FIRST: i32 = 8;

class Entry<V> {
  constructor(
    readonly hash: u64,
    readonly key: string,
    public value: V,
  ) {}
}

/**
 * Objects by texts that peers may choose: their hashes are keyed (`hashBytes`), which those of the standard Map are not, and
 * kept, so that growing and deleting hash nothing again. Its users bound it.
 */
export class StringMap<V> {
  private slots: StaticArray<Entry<V> | null> = new StaticArray<Entry<V> | null>(FIRST);
  private mask: i32 = FIRST - 1;
  /** How many there are. */
  size: i32 = 0;

  /** The object of a text; null: it has none. */
  get(key: string): V | null {
    const entry = unchecked(this.slots[this.slotOf(hashOf(key), key)]);
    return entry === null ? null : entry.value;
  }

  has(key: string): bool {
    return unchecked(this.slots[this.slotOf(hashOf(key), key)]) !== null;
  }

  /** Gives a text its object, in place of another. */
  set(key: string, value: V): void {
    if (2 * (this.size + 1) > this.mask) this.grow();
    const hash = hashOf(key);
    const slot = this.slotOf(hash, key);
    const known = unchecked(this.slots[slot]);
    if (known !== null) {
      known.value = value;
      return;
    }
    unchecked((this.slots[slot] = new Entry<V>(hash, key, value)));
    this.size++;
  }

  /** Takes a text's object away; nothing happens when it has none. */
  delete(key: string): void {
    let hole = this.slotOf(hashOf(key), key);
    if (unchecked(this.slots[hole]) === null) return;
    unchecked((this.slots[hole] = null));
    this.size--;
    // Those that lie behind it because it was there move up.
    for (let slot = (hole + 1) & this.mask; ; slot = (slot + 1) & this.mask) {
      const one = unchecked(this.slots[slot]);
      if (one === null) return;
      const home = (one.hash as i32) & this.mask;
      if (((slot - home) & this.mask) < ((slot - hole) & this.mask)) continue;
      unchecked((this.slots[hole] = one));
      unchecked((this.slots[slot] = null));
      hole = slot;
    }
  }

  /** All texts, in no order. */
  keys(): string[] {
    const out: string[] = [];
    for (let i = 0; i <= this.mask; i++) {
      const entry = unchecked(this.slots[i]);
      if (entry !== null) out.push(entry.key);
    }
    return out;
  }

  clear(): void {
    this.slots = new StaticArray<Entry<V> | null>(FIRST);
    this.mask = FIRST - 1;
    this.size = 0;
  }

  /** The slot of a text, or the free one where it belongs; the table is never full. */
  private slotOf(hash: u64, key: string): i32 {
    let slot = (hash as i32) & this.mask;
    for (let i = 0; i <= this.mask; i++) {
      const one = unchecked(this.slots[slot]);
      if (one === null || (one.hash == hash && one.key == key)) break;
      slot = (slot + 1) & this.mask;
    }
    return slot;
  }

  private grow(): void {
    const old = this.slots;
    const size = 2 * old.length;
    const slots = new StaticArray<Entry<V> | null>(size);
    for (let i = 0; i < old.length; i++) {
      const one = unchecked(old[i]);
      if (one === null) continue;
      let slot = (one.hash as i32) & (size - 1);
      while (unchecked(slots[slot]) !== null) slot = (slot + 1) & (size - 1);
      unchecked((slots[slot] = one));
    }
    this.slots = slots;
    this.mask = size - 1;
  }
}

// @ts-ignore: decorator
@inline
function hashOf(key: string): u64 {
  return hashBytes(changetype<usize>(key), key.length << 1);
}
