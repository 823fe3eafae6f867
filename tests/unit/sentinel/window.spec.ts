// Sentinel's sliding windows: each row names its test in sentinel-golang v1.0.4.
import { Window } from "../../../assembly/sentinel/window";

const FROM: i64 = 1578416550000;

function made(window: Window): usize {
  const at = heap.alloc(window.size as usize);
  window.clear(at);
  return at;
}

/** Puts one request into each bucket of the 10 s before `now`, and counts those of a window of `interval`. */
class Range {
  readonly requests: i64;
  /** Start of the oldest bucket that counts. */
  readonly oldest: i64;

  constructor(bucketMs: i64, all: i32, buckets: i32, now: i64) {
    const window = new Window(bucketMs, all);
    const at = made(window);
    const end = now - (now % bucketMs);
    for (let i = all; i >= 0; i--) window.add(at, end - (i as i64) * bucketMs, 0, 1);
    this.requests = window.sum(at, now, 0, buckets);
    this.oldest = end - (this.requests - 1) * bucketMs;
  }
}

describe("windows", () => {
  test("core/stat/base/sliding_window_metric_test.go TestSlidingWindowMetric_getBucketStartRange 1, 2, 5", () => {
    expect(new Range(500, 20, 4, 1578416556900).oldest).toBe(1578416555000);
    expect(new Range(500, 20, 2, 1578416556900).oldest).toBe(1578416556000);
    expect(new Range(500, 20, 2, 1578416556500).oldest).toBe(1578416556000);
  });

  test("core/stat/base/sliding_window_metric_test.go TestSlidingWindowMetric_getBucketStartRange 3: buckets of 1 s", () => {
    expect(new Range(1000, 10, 2, 1578416556900).oldest).toBe(1578416555000);
  });

  test("core/stat/base/leap_array_test.go Test_calculateStartTime_normal, Test_leapArray_calculateTimeIdx_normal", () => {
    const window = new Window(500, 20);
    expect(window.bucketOf(1576296044907) * 500).toBe(1576296044500);
  });

  test("core/stat/base/leap_array_test.go Test_leapArray_isBucketDeprecated_normal: 40 s later nothing counts", () => {
    const window = new Window(500, 20);
    const at = made(window);
    window.add(at, 1576296004907, 0, 7);
    expect(window.sum(at, 1576296004907, 0, 20)).toBe(7);
    expect(window.sum(at, 1576296044907, 0, 20)).toBe(0);
    window.add(at, 1576296044907, 0, 1);
    expect(window.sum(at, 1576296044907, 0, 20)).toBe(1);
  });

  test("core/stat/base/sliding_window_metric_test.go TestSlidingWindowMetric_GetIntervalSumWithTime: each ms of 10 s", () => {
    const window = new Window(500, 20);
    const at = made(window);
    for (let ms: i64 = 0; ms < 10000; ms++) window.add(at, FROM + ms, 0, 1);
    expect(window.sum(at, FROM + 9999, 0, 20)).toBe(10000);
    expect(window.sum(at, FROM + 9999, 0, 2)).toBe(1000);
    expect(window.previous(at, FROM + 9999, 0, 2)).toBe(1000);
  });

  test("a window slides by its buckets, and the one before it is known", () => {
    const window = new Window(500, 2);
    const at = made(window);
    window.add(at, FROM, 0, 1);
    window.add(at, FROM + 500, 0, 10);
    window.add(at, FROM + 1000, 0, 100);
    expect(window.sum(at, FROM + 1499, 0, 2)).toBe(110);
    expect(window.previous(at, FROM + 1499, 0, 2)).toBe(11);
    expect(window.sum(at, FROM + 1500, 0, 2)).toBe(100);
    expect(window.sum(at, FROM + 2000, 0, 2)).toBe(0);
  });

  test("what is taken back was counted once, and never too much", () => {
    const window = new Window(500, 2);
    const at = made(window);
    window.add(at, FROM, 0, 5);
    window.add(at, FROM + 600, 0, 5);
    window.takeBack(at, FROM + 100, 0, 2);
    expect(window.sum(at, FROM + 600, 0, 2)).toBe(8);
    window.takeBack(at, FROM + 100, 0, 20);
    expect(window.sum(at, FROM + 600, 0, 2)).toBe(5);
    window.takeBack(at, FROM - 100000, 0, 2);
    expect(window.sum(at, FROM + 600, 0, 2)).toBe(5);
  });

  test("a clock that is behind counts in the newest bucket", () => {
    const window = new Window(500, 2);
    const at = made(window);
    window.add(at, FROM + 500, 0, 1);
    window.add(at, FROM, 0, 1);
    expect(window.sum(at, FROM, 0, 1)).toBe(2);
  });

  test("counts do not wrap around", () => {
    const window = new Window(500, 2);
    const at = made(window);
    for (let i = 0; i < 3; i++) window.add(at, FROM, 0, i32.MAX_VALUE);
    expect(window.sum(at, FROM, 0, 1)).toBe(u32.MAX_VALUE as i64);
  });
});
