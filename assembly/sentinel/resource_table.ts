import { Resource } from "./resource";

/** Resources by name; the table is never full. */
export class ResourceTable {
  private readonly slots: StaticArray<Resource | null>;
  private readonly mask: i32;
  /** Resources that there are. */
  count: i32 = 0;

  /** @param most resources that there will be */
  constructor(most: i32) {
    let size = 16;
    while (size < 2 * most && size < 1 << 24) size <<= 1;
    this.slots = new StaticArray<Resource | null>(size);
    this.mask = size - 1;
  }

  /**
   * The resource of a name; null: there is none.
   * @param hash `hashBytes` of the name
   */
  // @ts-ignore: decorator
  @inline
  find(hash: u64, ptr: usize, length: i32): Resource | null {
    return unchecked(this.slots[this.slotOf(hash, ptr, length)]);
  }

  /** Adds a resource whose name is not there yet. */
  add(one: Resource): void {
    unchecked((this.slots[this.slotOf(one.slotHash, one.name.ptr, one.name.length)] = one));
    this.count++;
  }

  /** Removes one that is there. */
  remove(gone: Resource): void {
    let hole = this.slotOf(gone.slotHash, gone.name.ptr, gone.name.length);
    unchecked((this.slots[hole] = null));
    // Those that lie behind it because it was there move up.
    for (let slot = (hole + 1) & this.mask; ; slot = (slot + 1) & this.mask) {
      const one = unchecked(this.slots[slot]);
      if (one === null) break;
      const home = (one.slotHash as i32) & this.mask;
      if (((slot - home) & this.mask) < ((slot - hole) & this.mask)) continue;
      unchecked((this.slots[hole] = one));
      unchecked((this.slots[slot] = null));
      hole = slot;
    }
    this.count--;
  }

  /** The slot of a name, or the free one where it belongs. */
  private slotOf(hash: u64, ptr: usize, length: i32): i32 {
    let slot = (hash as i32) & this.mask;
    for (let i = 0; i <= this.mask; i++) {
      const known = unchecked(this.slots[slot]);
      if (known === null || (known.slotHash == hash && known.name.equals(ptr, length))) break;
      slot = (slot + 1) & this.mask;
    }
    return slot;
  }
}
