// What is refused while the memory of the VM is short (docs/limits.md).
import { memoryIsFull, memoryIsShort, memoryShare } from "../bytes/buffer";

/** A frame counts as large when more than this of it has to be gathered, bytes. */
export const LARGE: i32 = 65536;
/** The same while memory is full. */
export const LARGE_IF_FULL: i32 = 4096;

/** Whether there is no memory for a frame of which so many bytes have been gathered: it is large, and memory is short. */
export function lacksMemory(gathered: i32): bool {
  return (gathered >= LARGE && memoryIsShort()) || (gathered >= LARGE_IF_FULL && memoryIsFull());
}

/**
 * Whether `more` bytes may be held that can be refused, beside `now` others of the same client: no more than `most` in all,
 * and of much no more than half of the memory that is left.
 */
export function mayHold(now: i32, more: i32, most: i32): bool {
  if (more > most - now) return false;
  return more <= LARGE - now ? !memoryIsFull() : more <= memoryShare() - now;
}
