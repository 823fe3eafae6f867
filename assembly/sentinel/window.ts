/** Bytes before the counts: the number of the newest bucket. */
const HEAD: i32 = 8;

/** The shortest bucket of resources' own windows, ms, and how many there are (Sentinel's global statistic). */
export const BUCKET_MS: i64 = 500;
export const BUCKETS: i32 = 20;

/**
 * A sliding window of counts in a record (Sentinel's LeapArray): buckets of one length, counted from the clock's origin.
 * One bucket more than the window is kept, so that the window before the newest bucket can be asked for, too. It has no
 * state of its own: each method is told where the window is, and a window of zeros is an empty one.
 */
export class Window {
  /** Bytes in a record; a multiple of 8. */
  readonly size: i32;
  private readonly slots: i32;

  /**
   * @param bucketMs length of a bucket, ms, above 0
   * @param buckets of the longest window that is asked for
   * @param fields counts of a bucket
   */
  constructor(
    readonly bucketMs: i64,
    readonly buckets: i32,
    readonly fields: i32 = 1,
  ) {
    this.slots = buckets + 1;
    this.size = HEAD + ((this.slots * fields * 4 + 7) & ~7);
  }

  /** The number of the bucket at a time. */
  // @ts-ignore: decorator
  @inline
  bucketOf(ms: i64): i64 {
    return ms / this.bucketMs;
  }

  /** Where a count is; `bucket` is not negative. */
  // @ts-ignore: decorator
  @inline
  private place(at: usize, bucket: i64, field: i32): usize {
    const slot = (bucket % (this.slots as i64)) as i32;
    return at + HEAD + (((slot * this.fields + field) * 4) as usize);
  }

  /** Adds to a count of the bucket at `ms`. A time before the newest bucket counts in that one: clocks of callbacks differ. */
  add(at: usize, ms: i64, field: i32, delta: i32): void {
    const bucket = this.bucketOf(ms);
    this.roll(at, bucket);
    const place = this.place(at, max(bucket, load<i64>(at)), field);
    store<u32>(place, clamp((load<u32>(place) as i64) + (delta as i64)));
  }

  /** Takes `delta` off a count of the bucket at `ms`, if it is still there. */
  takeBack(at: usize, ms: i64, field: i32, delta: i32): void {
    const head = load<i64>(at);
    const bucket = min(this.bucketOf(ms), head);
    if (bucket <= head - (this.slots as i64) || bucket < 0) return;
    const place = this.place(at, bucket, field);
    store<u32>(place, clamp((load<u32>(place) as i64) - (delta as i64)));
  }

  /** The sum of a count over the last `buckets` buckets up to that at `ms`. */
  // @ts-ignore: decorator
  @inline
  sum(at: usize, ms: i64, field: i32, buckets: i32): i64 {
    return this.sumTo(at, max(this.bucketOf(ms), load<i64>(at)), field, buckets);
  }

  /** The sum of a count over `buckets` buckets before that at `ms`. */
  previous(at: usize, ms: i64, field: i32, buckets: i32): i64 {
    return this.sumTo(at, max(this.bucketOf(ms), load<i64>(at)) - 1, field, buckets);
  }

  /** The largest count of one bucket among the last `buckets` up to that at `ms`. */
  most(at: usize, ms: i64, field: i32, buckets: i32): i64 {
    const head = load<i64>(at);
    const from = this.first(at, max(this.bucketOf(ms), head), buckets);
    let most: i64 = 0;
    for (let bucket = from; bucket <= head; bucket++) {
      most = max(most, load<u32>(this.place(at, bucket, field)) as i64);
    }
    return most;
  }

  /** Notes a value, 0 or more, in a field that has the least of each bucket, and 1 is added to it: 0 is none. */
  lower(at: usize, ms: i64, field: i32, value: i64): void {
    const bucket = this.bucketOf(ms);
    this.roll(at, bucket);
    const place = this.place(at, max(bucket, load<i64>(at)), field);
    const known = load<u32>(place);
    const noted = clamp(value + 1);
    if (known == 0 || noted < known) store<u32>(place, noted);
  }

  /** The least value that `lower` has noted in the last `buckets` buckets up to that at `ms`; `none` where there is none. */
  least(at: usize, ms: i64, field: i32, buckets: i32, none: i64): i64 {
    const head = load<i64>(at);
    const from = this.first(at, max(this.bucketOf(ms), head), buckets);
    let least = none;
    for (let bucket = from; bucket <= head; bucket++) {
      const noted = load<u32>(this.place(at, bucket, field)) as i64;
      if (noted > 0) least = min(least, noted - 1);
    }
    return least;
  }

  /** The first bucket of so many up to `last` that can be there. */
  private first(at: usize, last: i64, buckets: i32): i64 {
    return max(max(last - (buckets as i64), load<i64>(at) - (this.slots as i64)) + 1, 0);
  }

  private sumTo(at: usize, last: i64, field: i32, buckets: i32): i64 {
    const head = load<i64>(at);
    const from = this.first(at, last, buckets);
    const to = min(last, head);
    let sum: i64 = 0;
    for (let bucket = from; bucket <= to; bucket++) sum += load<u32>(this.place(at, bucket, field)) as i64;
    return sum;
  }

  /** Forgets all counts. */
  clear(at: usize): void {
    memory.fill(at, 0, this.size as usize);
  }

  /** Makes `bucket` the newest one. */
  private roll(at: usize, bucket: i64): void {
    const head = load<i64>(at);
    if (bucket <= head) return;
    if (bucket - head >= (this.slots as i64)) {
      this.clear(at);
    } else {
      for (let one = head + 1; one <= bucket; one++) {
        memory.fill(this.place(at, one, 0), 0, (this.fields * 4) as usize);
      }
    }
    store<i64>(at, bucket);
  }
}

// @ts-ignore: decorator
@inline
function clamp(count: i64): u32 {
  return max<i64>(0, min<i64>(count, u32.MAX_VALUE as i64)) as u32;
}
