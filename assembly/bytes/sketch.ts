/** Counters, a power of two; the largest count; and counts after which all are halved. */
const SIZE: i32 = 4096;
const LARGEST: u8 = 15;
const HALVE_AFTER: i32 = 8 * SIZE;

/**
 * About how often something was seen lately, by its hash: never less than it was, as long as that is below 15, and sometimes
 * more. Takes 4 KiB, whatever is seen.
 */
export class Sketch {
  private readonly counters: StaticArray<u8> = new StaticArray<u8>(SIZE);
  private counts: i32 = 0;

  /** Counts it once more; returns how often that is. The hash is one that peers cannot choose (`hashBytes`). */
  count(hash: u64): i32 {
    if (++this.counts >= HALVE_AFTER) this.halve();
    const a = (hash as i32) & (SIZE - 1);
    const b = ((hash >> 32) as i32) & (SIZE - 1);
    const least = min(unchecked(this.counters[a]), unchecked(this.counters[b]));
    if (least == LARGEST) return least;
    if (unchecked(this.counters[a]) == least) unchecked((this.counters[a] = least + 1));
    if (unchecked(this.counters[b]) == least) unchecked((this.counters[b] = least + 1));
    return least + 1;
  }

  /** How often that was. */
  of(hash: u64): i32 {
    const a = unchecked(this.counters[(hash as i32) & (SIZE - 1)]);
    return min(a, unchecked(this.counters[((hash >> 32) as i32) & (SIZE - 1)]));
  }

  private halve(): void {
    this.counts = 0;
    for (let i = 0; i < SIZE; i++) unchecked((this.counters[i] = this.counters[i] >> 1));
  }
}
