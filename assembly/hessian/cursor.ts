import { load16be, load32be } from "../bytes/memory";
import { Dialect, HESSIAN_2, Kind } from "./dialect";
import { intAt, isInt } from "./tags";

/** A place in a stream of Hessian 2, and what is read there that names no classes. A read that fails returns false. */
export class Cursor {
  protected dialect: Dialect = HESSIAN_2;
  protected at: usize = 0;
  protected end: usize = 0;
  /** The number that was read last. */
  protected value: i32 = 0;

  /** Starts a stream of `length` (>= 0) bytes at `ptr`; borrowed. */
  protected bind(dialect: Dialect, ptr: usize, length: i32): void {
    this.dialect = dialect;
    this.at = ptr;
    this.end = ptr + (length as usize);
  }

  /** Reads an int into `value`. */
  protected readInt(): bool {
    if (this.at >= this.end) return false;
    const tag = load<u8>(this.at) as i32;
    if (!isInt(tag)) return false;
    const size = this.dialect.sizeOf(tag);
    if (size > this.end - this.at) return false;
    this.value = intAt(this.at, tag);
    this.at += size;
    return true;
  }

  /** Reads a number of 1, 2 or 4 bytes into `value`. */
  protected readBytes(count: i32): bool {
    if ((count as usize) > this.end - this.at) return false;
    if (count == 4) this.value = load32be(this.at) as i32;
    else this.value = count == 2 ? (load16be(this.at) as i32) : (load<u8>(this.at) as i32);
    this.at += count as usize;
    return true;
  }

  /** Reads the end of a container. */
  protected readEnd(): bool {
    if (this.at >= this.end || this.dialect.kindOf(load<u8>(this.at)) != Kind.END) return false;
    this.at++;
    return true;
  }

  /** Skips a binary. */
  protected skipBinary(): bool {
    while (this.at < this.end) {
      const room = this.end - this.at;
      const tag = load<u8>(this.at) as i32;
      const kind = this.dialect.kindOf(tag);
      let size = this.dialect.sizeOf(tag);
      if (kind == Kind.BINARY || kind == Kind.BINARY_CHUNK) {
        if (room < 3) return false;
        size = 3 + (load16be(this.at + 1) as usize);
      } else if (kind == Kind.BINARY_SHORT) {
        if (room < 2) return false;
        size = 2 + ((((tag & 3) << 8) | (load<u8>(this.at, 1) as i32)) as usize);
      } else if (kind != Kind.BINARY_DIRECT) {
        return false;
      }
      if (size > room) return false;
      this.at += size;
      if (kind != Kind.BINARY_CHUNK) return true;
    }
    return false;
  }
}
