/** Most entries of one table; ids keep 16 bits for the slot. */
const MAX_SLOTS: i32 = 0xffff;
const FIRST_SLOTS: i32 = 16;
/** Generations of a slot, so that an id stays positive as a signed 32-bit integer. */
const GENERATIONS: u32 = 0x7fff;
const NONE: i32 = -1;

/**
 * Entries under ids that the table hands out: finding one needs no hashing, and an id that has been released is not
 * found again until its slot has been used 32,767 more times (free slots are reused oldest first). Ids are 1 to 2^31 - 1.
 */
export class SlotTable<T> {
  private entries: StaticArray<T | null> = new StaticArray<T | null>(0);
  private generations: StaticArray<u16> = new StaticArray<u16>(0);
  private nextFree: StaticArray<i32> = new StaticArray<i32>(0);
  private firstFree: i32 = NONE;
  private lastFree: i32 = NONE;
  /** Entries in use. */
  count: i32 = 0;

  /** Slots there are, used and free: `at` takes an index below. */
  get capacity(): i32 {
    return this.entries.length;
  }

  /** Puts an entry in and returns its id; 0 when the table is full. */
  add(entry: T): u32 {
    if (this.firstFree == NONE && !this.grow()) return 0;
    const slot = this.firstFree;
    this.firstFree = unchecked(this.nextFree[slot]);
    if (this.firstFree == NONE) this.lastFree = NONE;
    unchecked((this.entries[slot] = entry));
    const generation = ((unchecked(this.generations[slot]) as u32) % GENERATIONS) + 1;
    unchecked((this.generations[slot] = generation as u16));
    this.count++;
    return (generation << 16) | (slot as u32);
  }

  /** The entry with this id; null when it was released or never was. */
  find(id: u64): T | null {
    const slot = (id & 0xffff) as i32;
    if (slot >= this.entries.length || id >> 16 != (unchecked(this.generations[slot]) as u64)) return null;
    return unchecked(this.entries[slot]);
  }

  /** Releases the entry with this id; nothing happens when there is none. */
  release(id: u64): void {
    if (this.find(id) === null) return;
    const slot = (id & 0xffff) as i32;
    unchecked((this.entries[slot] = null));
    this.addFree(slot);
    this.count--;
  }

  /** The entry in a slot, for walking over all; null when the slot is free. */
  at(slot: i32): T | null {
    return slot >= 0 && slot < this.entries.length ? unchecked(this.entries[slot]) : null;
  }

  private addFree(slot: i32): void {
    unchecked((this.nextFree[slot] = NONE));
    if (this.lastFree == NONE) this.firstFree = slot;
    else unchecked((this.nextFree[this.lastFree] = slot));
    this.lastFree = slot;
  }

  private grow(): bool {
    const old = this.entries.length;
    const size = old == 0 ? FIRST_SLOTS : min(old * 2, MAX_SLOTS);
    if (size == old) return false;
    const entries = new StaticArray<T | null>(size);
    const generations = new StaticArray<u16>(size);
    const nextFree = new StaticArray<i32>(size);
    for (let i = 0; i < old; i++) {
      unchecked((entries[i] = this.entries[i]));
      unchecked((generations[i] = this.generations[i]));
      unchecked((nextFree[i] = this.nextFree[i]));
    }
    this.entries = entries;
    this.generations = generations;
    this.nextFree = nextFree;
    for (let slot = old; slot < size; slot++) this.addFree(slot);
    return true;
  }
}
