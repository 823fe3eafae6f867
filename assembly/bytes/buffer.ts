/** Smallest block a buffer allocates, bytes. */
const MIN_CAPACITY: i32 = 512;
/** A buffer's most memory, as far as it is for it to say, bytes. */
const MOST: i32 = 0x3fffffff;

/** Memory of buffers and values above which no more of it is given to what can be refused: a VM may have 1 GiB in all. */
export const MEMORY_HIGH: u64 = 640 << 20;
/** The same, for all but what is small. */
const MEMORY_FULL: u64 = 704 << 20;
/** Memory of all buffers above which an empty one keeps none but its least block: very many connections may be idle. */
const MEMORY_KEPT: u64 = 64 << 20;

// What an empty buffer keeps for its next use (`ByteBuffer.reset`), bytes.
/** As a rule: few messages are larger. */
export const KEEP: i32 = 4096;
/** Where there may be very many that are seldom used. */
export const KEEP_SMALL: i32 = 512;
/** Where there is one in a VM, or in a client connection, that is always in use. */
export const KEEP_LARGE: i32 = 65536;

/** Memory that all buffers of the VM hold, and values that are counted with them, bytes. */
let held: u64 = 0;

/** Memory that all `ByteBuffer`s of the VM hold, bytes, with what `countMemory` was told of. */
export function bufferMemory(): u64 {
  return held;
}

/** Whether the VM's buffers hold so much that what can be refused has to be: large frames, requests, bodies. */
export function memoryIsShort(): bool {
  return held >= MEMORY_HIGH;
}

/** Whether they hold so much that nothing is gathered but what is small. */
export function memoryIsFull(): bool {
  return held >= MEMORY_FULL;
}

/**
 * Most that one owner may hold now of what can be refused, bytes: half of what is left, so that there is room for others
 * however many come.
 */
export function memoryShare(): i32 {
  return held >= MEMORY_HIGH ? 0 : (((MEMORY_HIGH - held) >> 1) as i32);
}

/** Counts `delta` bytes of values that live as long as a request, and that peers choose, as buffers' memory. */
export function countMemory(delta: i32): void {
  held += delta as u64;
}

/**
 * A growable byte queue on the unmanaged heap: bytes are appended at the end and consumed at the front. The owner
 * frees it with `free()`; the garbage collector does not. Pointers into it are valid until the next append.
 */
export class ByteBuffer {
  private block: usize = 0;
  private capacity: i32 = 0;
  private start: i32 = 0;
  private end: i32 = 0;

  /** Address of the first unread byte. */
  // @ts-ignore: decorator
  @inline
  get ptr(): usize {
    return this.block + (this.start as usize);
  }

  /** Count of unread bytes. */
  // @ts-ignore: decorator
  @inline
  get length(): i32 {
    return this.end - this.start;
  }

  /** Bytes of memory held. */
  get allocated(): i32 {
    return this.capacity;
  }

  /**
   * Makes room for `n` more bytes and returns the address where they go; they count once `commit` is called.
   * `n` must not be negative. Where it has to grow it takes twice its memory, but stays at `most` bytes, the size of a
   * message that is being gathered, or little above what it needs beyond that.
   */
  reserve(n: i32, most: i32 = MOST): usize {
    if (this.capacity - this.end < n) this.grow(n, most);
    return this.block + (this.end as usize);
  }

  /** Counts `n` bytes, written where `reserve` pointed, as part of the buffer. */
  // @ts-ignore: decorator
  @inline
  commit(n: i32): void {
    this.end += n;
  }

  /** Appends a copy of `n` bytes from `source`; `most` as for `reserve`. */
  append(source: usize, n: i32, most: i32 = MOST): void {
    const to = this.reserve(n, most);
    memory.copy(to, source, n as usize);
    this.end += n;
  }

  /** Appends one byte. */
  appendByte(value: u32): void {
    store<u8>(this.reserve(1), value as u8);
    this.end += 1;
  }

  /** Drops `n` unread bytes from the front; at most `length`. */
  consume(n: i32): void {
    this.start += n;
    if (this.start >= this.end) this.start = this.end = 0;
  }

  /** Drops the bytes after the first `n` unread ones. */
  truncate(n: i32): void {
    if (n < this.length) this.end = this.start + n;
  }

  /** Drops all bytes and keeps the memory. */
  clear(): void {
    this.start = this.end = 0;
  }

  /** Drops all bytes, and gives the memory back when more than `keep` bytes of it are held, or all buffers hold much. */
  reset(keep: i32): void {
    this.start = this.end = 0;
    if (this.capacity > keep || (this.capacity > MIN_CAPACITY && held > MEMORY_KEPT)) this.free();
  }

  /** Gives the memory back; the buffer is empty and may be used again. */
  free(): void {
    if (this.block != 0) heap.free(this.block);
    held -= this.capacity as u64;
    this.block = 0;
    this.capacity = this.start = this.end = 0;
  }

  private grow(n: i32, most: i32): void {
    const used = this.length;
    // Reuse the consumed front when that gives room without copying more than is dropped.
    if (this.start >= used && this.capacity - used >= n) {
      memory.copy(this.block, this.block + (this.start as usize), used as usize);
    } else {
      const needed = used + n;
      const enough = needed <= most ? most : needed + (needed >> 3);
      const wanted = max(max(MIN_CAPACITY, needed), min(this.capacity << 1, enough));
      this.move(wanted, used);
      held += (wanted - this.capacity) as u64;
      this.capacity = wanted;
    }
    this.start = 0;
    this.end = used;
  }

  /** Brings the `used` unread bytes to the front of a block of `wanted` bytes. */
  private move(wanted: i32, used: i32): void {
    const old = this.block;
    if (old != 0 && this.start == 0) {
      // It grows where it lies if the memory behind it is free.
      this.block = heap.realloc(old, wanted as usize);
      return;
    }
    this.block = heap.alloc(wanted as usize);
    if (old == 0) return;
    memory.copy(this.block, old + (this.start as usize), used as usize);
    heap.free(old);
  }
}
