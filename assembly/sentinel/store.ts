import { Bytes } from "../bytes/bytes";
import { SECRET0 } from "../bytes/secret";

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
  /** The store's own: which version was read, or is presumed; 0: it was never read. */
  version: u32 = 0;
  /** Whether it is as this worker wrote it last, under a version that is presumed. */
  presumed: bool = false;
  /** What is here was not read but presumed: only a write that is accepted proves it right. */
  guessed: bool = false;
  /** Below 0: so many times it is read before it is presumed again. */
  luck: i32 = 0;

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

/** What a change makes of a record. */
export const enum Decision {
  /** The record is changed, and to be written. */
  WRITE = 0,
  /** The record need not be written: what was decided holds. */
  KEEP = 1,
  /** Nothing can be decided: another record cannot be read. */
  FAIL = 2,
}

/** What became of a change. */
export const enum Committed {
  WRITTEN = 0,
  /** It was decided that nothing is to be written, on what was read. */
  KEPT = 1,
  /** The record could not be read or written, or others were faster every time. */
  FAILED = 2,
}

/** How often a request that enters is tried against other workers, and one that leaves, which must not be lost. */
export const ENTER_TRIES: i32 = 64;
export const LEAVE_TRIES: i32 = 1024;

/** A change of a record by what it holds. */
export abstract class Change {
  /** Changes a record that was just read; asked again when another worker wrote it in between. */
  abstract apply(record: SharedRecord): Decision;
}

/** The version to write under whatever there is. */
const OVERWRITE: u32 = 0;
/** After a wrong guess a record is read so many times before the next one: a guess costs a fifth of what it saves. */
const DISTRUST: i32 = 8;

/**
 * Where records are: shared by all workers, or this worker's own. What a worker has written itself it need not read
 * again: it changes that, and writes it under the version that it must have if nobody else has written (`commit`).
 */
export abstract class RecordStore {
  /**
   * Changes a record: reads it, changes it, and writes it if nobody else has; or all again. A decision that is not written
   * has to be made on what was read.
   * @param fresh it is read the first time, too, and not presumed
   */
  commit(record: SharedRecord, change: Change, tries: i32, fresh: bool = false): Committed {
    for (let i = 0; i < tries; i++) {
      if (!this.load(record, fresh)) return Committed.FAILED;
      const decision = change.apply(record);
      if (decision == Decision.FAIL) return Committed.FAILED;
      if (decision == Decision.KEEP) {
        if (record.guessed) continue;
        return Committed.KEPT;
      }
      const saved = this.save(record);
      if (saved != Saved.CONFLICT) return saved == Saved.OK ? Committed.WRITTEN : Committed.FAILED;
    }
    return Committed.FAILED;
  }

  /**
   * Finds the bytes of a record; one that does not exist has length 0. False: it cannot be read.
   * @param fresh they are read, not presumed
   */
  load(record: SharedRecord, fresh: bool = false): bool {
    record.guessed = record.presumed && !fresh && record.luck >= 0;
    if (record.presumed && record.luck < 0) record.luck++;
    record.presumed = false;
    return record.guessed || this.read(record);
  }

  /** Writes what `load` found and the caller changed, unless another has written since. */
  save(record: SharedRecord): Saved {
    const saved = this.write(record);
    if (saved == Saved.OK) record.presumed = true;
    else if (record.guessed) record.luck = -DISTRUST;
    return saved;
  }

  /** Leaves nothing of a record but its key, whoever has written it; one that this worker never saw stays. */
  erase(record: SharedRecord): void {
    if (record.version == 0) return;
    record.length = 0;
    record.version = OVERWRITE;
    this.write(record);
    record.presumed = false;
  }

  /** Reads the bytes and the version of a record. */
  protected abstract read(record: SharedRecord): bool;
  /** Writes a record if it still has its version, and leaves the version that it is presumed to have then. */
  protected abstract write(record: SharedRecord): Saved;
  /** Whether other workers write the records, too. */
  abstract get shared(): bool;
  /** What hashes of names that peers choose are keyed with; the same for all workers. */
  abstract get secret(): u64;
}

/** Records of this worker alone: they are where they are changed. */
export class LocalStore extends RecordStore {
  load(record: SharedRecord, fresh: bool = false): bool {
    return true;
  }

  save(record: SharedRecord): Saved {
    return Saved.OK;
  }

  protected read(record: SharedRecord): bool {
    return true;
  }

  protected write(record: SharedRecord): Saved {
    return Saved.OK;
  }

  get shared(): bool {
    return false;
  }

  get secret(): u64 {
    return SECRET0;
  }
}
