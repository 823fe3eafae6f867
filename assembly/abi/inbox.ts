// Where the host puts the bytes it returns. It allocates them by calling our `malloc` from inside the host call, at
// most once per call; so one scratch area serves every call, and a caller that knows where the bytes belong can have
// them put right there.

import { countMemory } from "../bytes/buffer";

/** The scratch area is given back when it has grown beyond this, bytes. */
const KEEP: usize = 1 << 20;

let scratch: usize = 0;
let scratchSize: usize = 0;
let target: usize = 0;
let targetSize: usize = 0;

/** Address and length of the bytes that the last host call returned: two words that host calls write to. */
export const returned: usize = heap.alloc(2 * sizeof<usize>());

/** Has the next host call put what it returns at `at` if it is at most `size` bytes. */
export function receiveAt(at: usize, size: usize): void {
  target = at;
  targetSize = size;
}

/** Gives a scratch area that has grown large back; call when no bytes received there are in use. */
export function trimScratch(): void {
  if (scratchSize > KEEP) {
    heap.free(scratch);
    countMemory(-(scratchSize as i32));
    scratch = 0;
    scratchSize = 0;
  }
}

/** The memory for the bytes a host call returns; never freed by the caller, valid until the next such call. */
export function allocate(size: usize): usize {
  if (size <= targetSize) {
    targetSize = 0;
    return target;
  }
  if (size > scratchSize) {
    if (scratch != 0) heap.free(scratch);
    countMemory(-(scratchSize as i32));
    scratchSize = (size + 0xffff) & ~0xffff;
    countMemory(scratchSize as i32);
    scratch = heap.alloc(scratchSize);
  }
  return scratch;
}
