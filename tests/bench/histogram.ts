// Latencies in buckets whose width grows with the value: 64 to each power of two, so within 1.6 %.

const SUB_BITS = 6;
const SUB = 1 << SUB_BITS;

/** Counts of values from 0.1 µs on. */
export class Histogram {
  private readonly counts = new Uint32Array(SUB * 40);
  private total = 0;

  /** Adds a value in milliseconds. */
  record(ms: number): void {
    this.counts[bucketOf((ms * 10_000) | 0)] += 1;
    this.total += 1;
  }

  reset(): void {
    this.counts.fill(0);
    this.total = 0;
  }

  get count(): number {
    return this.total;
  }

  /** The value (ms) that the given share of all values does not exceed; 0 if there is none. */
  percentile(share: number): number {
    let left = Math.ceil(this.total * share);
    for (let bucket = 0; bucket < this.counts.length; bucket++) {
      left -= this.counts[bucket];
      if (left <= 0) return upperBound(bucket) / 10_000;
    }
    return 0;
  }
}

function bucketOf(value: number): number {
  if (value < SUB) return value < 0 ? 0 : value;
  const shift = 31 - Math.clz32(value) - SUB_BITS;
  return (shift + 1) * SUB + (value >> shift) - SUB;
}

function upperBound(bucket: number): number {
  if (bucket < SUB) return bucket;
  const shift = Math.floor(bucket / SUB) - 1;
  return ((bucket % SUB) + SUB + 1) * 2 ** shift - 1;
}
