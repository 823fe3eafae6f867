import { Bytes } from "../bytes/bytes";

/** What became of writing a record back. */
export const enum Saved {
  OK = 0,
  /** Another worker wrote it in between: read it again. */
  CONFLICT = 1,
  FAILED = 2,
}

/** The bytes that all workers know of a resource, or of some values of a parameter, as this worker has read them. */
export class SharedRecord {
  private block: StaticArray<u8> = new StaticArray<u8>(0);
  /** Bytes that count. */
  length: i32 = 0;
  /** The store's own: which version was read; 0: the record does not exist. */
  version: u32 = 0;

  constructor(readonly key: Bytes) {}

  /** Address of the first byte; until the record grows. */
  // @ts-ignore: decorator
  @inline
  get ptr(): usize {
    return changetype<usize>(this.block);
  }

  /** Bytes of memory. */
  get capacity(): i32 {
    return this.block.length;
  }

  /** Sets the length: what is there stays, new bytes are zero. */
  resize(length: i32): void {
    this.room(length);
    if (length > this.length) memory.fill(this.ptr + (this.length as usize), 0, (length - this.length) as usize);
    this.length = length;
  }

  /** Makes room for so many bytes in all, and leaves the length. */
  room(capacity: i32): void {
    if (capacity <= this.block.length) return;
    const block = new StaticArray<u8>(capacity);
    memory.copy(changetype<usize>(block), this.ptr, this.length as usize);
    this.block = block;
  }
}

/** Where records are: shared by all workers, or this worker's own. */
export abstract class RecordStore {
  /** Reads a record; one that does not exist has length 0. False: it cannot be read. */
  abstract load(record: SharedRecord): bool;
  /** Writes what `load` read and the caller changed, unless another has written since. */
  abstract save(record: SharedRecord): Saved;
  /** Whether other workers write the records, too. */
  abstract get shared(): bool;
}

/** Records of this worker alone: they are where they are changed. */
export class LocalStore extends RecordStore {
  load(record: SharedRecord): bool {
    return true;
  }

  save(record: SharedRecord): Saved {
    return Saved.OK;
  }

  get shared(): bool {
    return false;
  }
}
