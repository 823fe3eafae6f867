import { callback } from "../abi/dispatch";
import { clock_time_get, proxy_get_current_time_nanoseconds } from "../abi/imports";
import { callbackBegin } from "./busy";

/** WASI's clock that no one sets. */
const MONOTONIC: u32 = 1;

const word: usize = heap.alloc(8);

/** Wall-clock time, ns since 1970; one host call (about 90 ns). */
export function currentTime(): u64 {
  return proxy_get_current_time_nanoseconds(word) == 0 ? load<u64>(word) : 0;
}

/**
 * Time for timers, ms since some moment in the past: it never steps, as the wall clock may. One host call (about
 * 90 ns): callers keep it for the length of a callback.
 */
export function currentMillis(): i64 {
  return clock_time_get(MONOTONIC, 0, word) == 0 ? ((load<u64>(word) / 1000000) as i64) : 0;
}

/** The same clock in nanoseconds; it is one for all workers. 0: the host has none. */
export function currentNanos(): i64 {
  return clock_time_get(MONOTONIC, 0, word) == 0 ? (load<u64>(word) as i64) : 0;
}

let readIn: u32 = 0;
let lastRead: i64 = 0;

/** The same as it was when this callback of the host first asked: a callback is over within microseconds. */
export function callbackNanos(): i64 {
  const current = callback();
  if (readIn != current || lastRead == 0) {
    const begin = callbackBegin();
    lastRead = begin != 0 ? begin : currentNanos();
    readIn = current;
  }
  return lastRead;
}
