import { bytesEqual } from "./memory";

/**
 * An immutable byte string that owns its memory, freed by the garbage collector. The collector does not move
 * objects, so `ptr` stays valid while the object is reachable.
 */
export class Bytes {
  private constructor(private readonly data: StaticArray<u8>) {}

  static readonly EMPTY: Bytes = new Bytes(new StaticArray<u8>(0));

  /** Copies `length` bytes from `ptr`. */
  static copy(ptr: usize, length: i32): Bytes {
    if (length <= 0) return Bytes.EMPTY;
    const data = new StaticArray<u8>(length);
    memory.copy(changetype<usize>(data), ptr, length as usize);
    return new Bytes(data);
  }

  /** The UTF-8 bytes of `text`. */
  static of(text: string): Bytes {
    const length = String.UTF8.byteLength(text, false);
    if (length == 0) return Bytes.EMPTY;
    const data = new StaticArray<u8>(length);
    String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, changetype<usize>(data), false);
    return new Bytes(data);
  }

  /** Address of the first byte; borrowed, valid while this object is reachable. */
  get ptr(): usize {
    return changetype<usize>(this.data);
  }

  get length(): i32 {
    return this.data.length;
  }

  /** Whether these bytes are exactly the `length` bytes at `ptr`. */
  equals(ptr: usize, length: i32): bool {
    return bytesEqual(this.ptr, this.length, ptr, length);
  }

  /** Whether the `length` bytes at `ptr` begin with these bytes. */
  isPrefixOf(ptr: usize, length: i32): bool {
    return length >= this.length && memory.compare(this.ptr, ptr, this.length as usize) == 0;
  }

  /** Whether the `length` bytes at `ptr` end with these bytes. */
  isSuffixOf(ptr: usize, length: i32): bool {
    const skip = length - this.length;
    return skip >= 0 && memory.compare(this.ptr, ptr + skip, this.length as usize) == 0;
  }

  /** Decodes as UTF-8; for messages and logs, never for the hot path. */
  toString(): string {
    return String.UTF8.decodeUnsafe(this.ptr, this.length, false);
  }
}
