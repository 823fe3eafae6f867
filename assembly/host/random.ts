import { random_get } from "../abi/imports";
import { currentTime } from "./clock";

let state: u64 = 0;

/** The next of a sequence of 64 random bits (SplitMix64), seeded by the clock: for balancing, not for secrets. */
export function random(): u64 {
  if (state == 0) state = currentTime();
  state += 0x9e3779b97f4a7c15;
  let z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

/** A random number from 0 to `bound` - 1; `bound` is positive. */
export function randomBelow(bound: i32): i32 {
  return ((random() >> 33) % (bound as u64)) as i32;
}

/** Whether one of a hundred dice rolls is below the percentage. */
export function draws(percent: i32): bool {
  return percent >= 100 || (percent > 0 && randomBelow(100) < percent);
}

/** Fills a range with bytes that nobody can guess, for secrets; false, and the range as it was, where the host has none. */
export function fillWithSecret(ptr: usize, length: i32): bool {
  return random_get(ptr, length as usize) == 0;
}
