// Strings as names: as Java's readers see them, whatever way their characters are written.
import { ByteBuffer } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { bytesEqual, load16be } from "../bytes/memory";
import { View } from "../bytes/view";
import { Dialect, Kind } from "./dialect";
import { skipUnits } from "./text";

/** Longest name, bytes: longer ones are of no class. */
export const MAX_NAME: i32 = 1024;

/** Reads strings of a stream, and those that may be names once more, into one spelling: the shortest UTF-8. */
export class NameReader {
  /** UTF-16 units of the string that `skip` or `skipUnits` found. */
  units: i32 = 0;
  /** The name that `read` made of it; borrowed from the stream, or kept until the next one. */
  readonly name: View = new View();
  private readonly spelled: ByteBuffer = new ByteBuffer();
  private dialect: Dialect | null = null;
  /** The string's first chunk, whether there are more, and the stream's end. */
  private firstAt: usize = 0;
  private firstEnd: usize = 0;
  private chunked: bool = false;
  private end: usize = 0;

  /** Skips a string, all its chunks; returns the address behind it, 0 when there is none that ends before `end`. */
  skip(dialect: Dialect, at: usize, end: usize): usize {
    this.dialect = dialect;
    this.end = end;
    this.chunked = false;
    const first = this.chunk(dialect, at, end);
    if (first == 0 || this.kind != Kind.STRING_CHUNK) return first;
    const units = this.units;
    const firstAt = this.firstAt;
    let total = units;
    let next = first;
    do {
      next = this.chunk(dialect, next, end);
      if (next == 0) return 0;
      // Units are fewer than bytes, which an i32 can count.
      total += this.units;
    } while (this.kind == Kind.STRING_CHUNK);
    this.units = total;
    this.firstAt = firstAt;
    this.firstEnd = first;
    this.chunked = true;
    return next;
  }

  /** Skips `units` characters without a tag; returns as `skip` does. */
  skipUnits(at: usize, end: usize, units: i32): usize {
    this.units = units;
    this.chunked = false;
    this.firstAt = at;
    this.firstEnd = units < 0 ? 0 : skipUnits(at, end, units);
    return this.firstEnd;
  }

  private kind: Kind = Kind.BAD;

  /** Skips one chunk; 0 when it is none, or does not end. */
  private chunk(dialect: Dialect, at: usize, end: usize): usize {
    if (at >= end) return 0;
    const tag = load<u8>(at) as i32;
    const kind = dialect.kindOf(tag);
    let units = tag;
    let head: usize = 1;
    if (kind == Kind.STRING_SHORT) {
      if (end - at < 2) return 0;
      units = ((tag & 3) << 8) | (load<u8>(at, 1) as i32);
      head = 2;
    } else if (kind == Kind.STRING || kind == Kind.STRING_CHUNK) {
      if (end - at < 3) return 0;
      units = load16be(at + 1) as i32;
      head = 3;
    } else if (kind != Kind.STRING_DIRECT) {
      return 0;
    }
    this.kind = kind;
    this.units = units;
    this.firstAt = at + head;
    this.firstEnd = skipUnits(this.firstAt, end, units);
    return this.firstEnd;
  }

  /** Points `name` at the string that was skipped last; false when it is too long for one. */
  read(): bool {
    const length = (this.firstEnd - this.firstAt) as i32;
    if (!this.chunked && length == this.units) {
      // A byte for each unit: ASCII.
      this.name.set(this.firstAt, min(length, MAX_NAME));
      return length <= MAX_NAME;
    }
    this.spelled.clear();
    const whole = this.spell(this.firstAt, this.firstEnd) && (!this.chunked || this.spellRest());
    this.name.set(this.spelled.ptr, min(this.spelled.length, MAX_NAME));
    return whole;
  }

  /**
   * Like `read`, for readers that take the bytes as they are: false also when the string is in chunks, or spelled in
   * another way than the shortest. `name` is borrowed from the stream.
   */
  readPlain(): bool {
    if (this.chunked || !this.read()) return false;
    const length = (this.firstEnd - this.firstAt) as i32;
    const same = bytesEqual(this.firstAt, length, this.name.ptr, this.name.length);
    this.name.set(this.firstAt, length);
    return same;
  }

  /** Whether the string that was skipped last is this ASCII text; no character that it has is spelled in two ways. */
  is(text: Bytes): bool {
    return this.units == text.length && this.read() && text.equals(this.name.ptr, this.name.length);
  }

  private spellRest(): bool {
    const dialect = this.dialect;
    if (dialect === null) return false;
    const firstAt = this.firstAt;
    const firstEnd = this.firstEnd;
    const units = this.units;
    let next = firstEnd;
    let whole = true;
    do {
      next = this.chunk(dialect, next, this.end);
      whole = next != 0 && this.spell(this.firstAt, this.firstEnd);
    } while (whole && this.kind == Kind.STRING_CHUNK);
    this.firstAt = firstAt;
    this.firstEnd = firstEnd;
    this.units = units;
    return whole;
  }

  /** Appends characters, which have been skipped before; false when the name becomes too long. */
  private spell(at: usize, end: usize): bool {
    while (at < end) {
      if (this.spelled.length > MAX_NAME) return false;
      const lead = load<u8>(at) as u32;
      if (lead < 0x80) {
        this.spelled.appendByte(lead);
        at++;
      } else if (lead < 0xe0) {
        this.append(((lead & 0x1f) << 6) | this.low(at, 1));
        at += 2;
      } else if (lead < 0xf0) {
        this.append(((lead & 0x0f) << 12) | (this.low(at, 1) << 6) | this.low(at, 2));
        at += 3;
      } else {
        for (let i: usize = 0; i < 4; i++) this.spelled.appendByte(load<u8>(at + i));
        at += 4;
      }
    }
    return this.spelled.length <= MAX_NAME;
  }

  // @ts-ignore: decorator
  @inline
  private low(at: usize, offset: usize): u32 {
    return (load<u8>(at + offset) as u32) & 0x3f;
  }

  private append(unit: u32): void {
    const out = this.spelled;
    if (unit < 0x80) {
      out.appendByte(unit);
      return;
    }
    if (unit < 0x800) {
      out.appendByte(0xc0 | (unit >> 6));
    } else {
      out.appendByte(0xe0 | (unit >> 12));
      out.appendByte(0x80 | ((unit >> 6) & 0x3f));
    }
    out.appendByte(0x80 | (unit & 0x3f));
  }
}
