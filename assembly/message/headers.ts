import { View } from "../bytes/view";

/** What `Headers.forEach` calls. */
export abstract class HeaderVisitor {
  /** One header, in wire order; the ranges are borrowed. Returns false to stop. */
  abstract onHeader(key: usize, keyLength: i32, value: usize, valueLength: i32): bool;
}

/** Adds up the bytes of names and values. */
export class HeaderBytes extends HeaderVisitor {
  bytes: i64 = 0;

  onHeader(key: usize, keyLength: i32, value: usize, valueLength: i32): bool {
    this.bytes += (keyLength as i64) + (valueLength as i64);
    return true;
  }
}

/**
 * The headers of one frame, read in place. Keys are bytes, compared exactly as the protocol does; they may repeat.
 * Changes are kept aside until the frame is encoded again. Views handed out are valid until the next change.
 */
export abstract class Headers {
  /** Points `out` at the first value of the key; false when there is none. */
  abstract get(key: usize, keyLength: i32, out: View): bool;
  /**
   * Leaves exactly one value for the key, in the place of the first, or at the end. Where it is a field of the frame that
   * cannot have another value it stays, and counts as a change, which `Codec.encode` then refuses; so for `add`, `remove`.
   */
  abstract set(key: usize, keyLength: i32, value: usize, valueLength: i32): void;
  /** Appends one more value for the key. */
  abstract add(key: usize, keyLength: i32, value: usize, valueLength: i32): void;
  /**
   * Removes every value of the key; returns how many there were. Where the frame may have headers that the codec cannot
   * read, and for a field that has to stay, it counts as a change, which `Codec.encode` then refuses.
   */
  abstract remove(key: usize, keyLength: i32): i32;
  abstract forEach(visitor: HeaderVisitor): void;
  /** Like `forEach`, of the values of one key. */
  abstract forEachOf(key: usize, keyLength: i32, visitor: HeaderVisitor): void;
  /** Whether anything differs from the bytes on the wire. */
  abstract get changed(): bool;
  /** Whether there were too many pairs or changes: some are missing, so that this must not be encoded. */
  abstract get incomplete(): bool;
}
