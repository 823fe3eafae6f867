import { proxy_get_current_time_nanoseconds } from "../abi/imports";

const word: usize = heap.alloc(8);

/** Wall-clock time, ns since 1970; one host call (about 90 ns). Callers keep it for the length of a callback. */
export function currentTime(): u64 {
  return proxy_get_current_time_nanoseconds(word) == 0 ? load<u64>(word) : 0;
}

/** The same in milliseconds. */
export function currentMillis(): i64 {
  return (currentTime() / 1000000) as i64;
}
