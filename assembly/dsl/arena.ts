/** Memory that stays, bytes. */
const FIRST: i32 = 8192;
/** Smallest further block, and the most that all of them have in one evaluation, bytes. */
const FURTHER: i32 = 65536;
const MAX_BYTES: i32 = 1048576;

/**
 * Memory for the texts of one evaluation: what is taken stays where it is until `reset`. The first block is kept, others
 * are given back.
 */
export class Arena {
  private first: usize = 0;
  private block: usize = 0;
  private size: i32 = 0;
  private used: i32 = 0;
  private taken: i32 = 0;
  private readonly further: usize[] = [];

  /** The address of `length` (not negative) bytes; 0 where that would be too many. */
  take(length: i32): usize {
    if ((this.block == 0 || length > this.size - this.used) && !this.grow(length)) return 0;
    const at = this.block + (this.used as usize);
    this.used += length;
    return at;
  }

  /** The address of a copy of the bytes; 0 where they are too many. */
  copy(ptr: usize, length: i32): usize {
    const at = this.take(length);
    if (at != 0) memory.copy(at, ptr, length as usize);
    return at;
  }

  private grow(length: i32): bool {
    if (this.block == 0 && length <= FIRST) {
      if (this.first == 0) this.first = heap.alloc(FIRST);
      this.block = this.first;
      this.size = FIRST;
      this.used = 0;
      return true;
    }
    if (length > MAX_BYTES - this.taken) return false;
    const size = min(max(length, FURTHER), MAX_BYTES - this.taken);
    this.taken += size;
    this.block = heap.alloc(size as usize);
    this.size = size;
    this.used = 0;
    this.further.push(this.block);
    return true;
  }

  /** Forgets all that was taken. */
  reset(): void {
    if (this.further.length > 0) {
      for (let i = 0; i < this.further.length; i++) heap.free(unchecked(this.further[i]));
      this.further.length = 0;
      this.block = this.first;
      this.size = this.first == 0 ? 0 : FIRST;
      this.taken = 0;
    }
    this.used = 0;
  }
}

/** The texts of the evaluation that runs: there is never more than one. */
export const arena = new Arena();
