import { callback } from "../abi/dispatch";
import { clock_time_get } from "../abi/imports";
import { CallbackObserver, observeCallbacks } from "../abi/observer";

/** WASI's clock that no one sets. */
const MONOTONIC: u32 = 1;

const word: usize = heap.alloc(8);

/** Who wants to know; 0: no clock is read. */
let users: i32 = 0;
/** When the outermost callback began, ns, and which one it is; 0: it is not measured. */
let begunAt: i64 = 0;
let begunIn: u32 = 0;
let busy: i64 = 0;

/** Adds up the time that is spent in callbacks. */
class BusyObserver extends CallbackObserver {
  onBegin(): void {
    begunAt = now();
    begunIn = callback();
  }

  onEnd(): void {
    const at = begunAt != 0 ? now() : 0;
    if (at > begunAt) busy += at - begunAt;
    begunAt = 0;
    if (users == 0) observeCallbacks(null);
  }
}

const observer = new BusyObserver();

/** Has the time within callbacks measured from the next one on: two readings of the clock in each. */
export function measureBusy(): void {
  if (users++ == 0) observeCallbacks(observer);
}

/** Ends one `measureBusy`. */
export function ignoreBusy(): void {
  users = max(0, users - 1);
}

/** Time that was spent in callbacks, as far as it was measured, ns; that of the running one is not in it yet. */
export function busyNanos(): i64 {
  return busy;
}

/** When the running callback began, ns on the monotonic clock; 0: it was not read, or another one has run within it. */
// @ts-ignore: decorator
@inline
export function callbackBegin(): i64 {
  return begunAt != 0 && begunIn == callback() ? begunAt : 0;
}

function now(): i64 {
  return clock_time_get(MONOTONIC, 0, word) == 0 ? (load<u64>(word) as i64) : 0;
}
