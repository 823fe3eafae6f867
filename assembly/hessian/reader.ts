import { load16be } from "../bytes/memory";
import { View } from "../bytes/view";
import { behind, CANNOT, KEY_OR_END, UNTIL_END } from "./container";
import { intAt, isInt, sizeOf, Tag } from "./tags";
import { skipUnits } from "./text";

/** Deepest nesting: about twice what a Java peer's stack can write or read with its default size. */
export const MAX_DEPTH: i32 = 2048;
/** Most classes that one stream may define. */
export const MAX_CLASSES: i32 = 4096;
/** Most values that are skipped in one stream: some 10 ms. Ints of one byte that follow each other are not counted. */
export const MAX_VALUES: i32 = 1 << 20;

// Eight ints of one byte each, 0x80 to 0xbf.
const FOUR_KINDS: u64 = 0xc0c0c0c0c0c0c0c0;
const SMALL_INTS: u64 = 0x8080808080808080;

/**
 * Reads a stream of Hessian 2.0 values by skipping them: nothing is instantiated, and one reader is reused for all
 * streams. The time is linear in the bytes whatever they are: a value takes at least one, lengths are believed only as
 * far as bytes are there, and references are counted, not followed. What hessian-lite would refuse is refused.
 *
 * A read that fails returns false and moves nothing, but for `skip`, behind which nothing can be read.
 */
export class HessianReader {
  /** Address of the next value. */
  at: usize = 0;
  /** Address behind the stream. */
  end: usize = 0;
  /** What `readInt` read. */
  value: i32 = 0;
  /** Lists, maps and objects so far: what references may point to. */
  private objects: i32 = 0;
  /** Type names so far. */
  private types: i32 = 0;
  private classes: i32 = 0;
  /** Values that may yet be skipped. */
  private allowed: i32 = 0;
  private markedAt: usize = 0;
  private markedObjects: i32 = 0;
  private markedTypes: i32 = 0;
  private markedClasses: i32 = 0;
  /** Counts of the fields of the classes. */
  private readonly fields: StaticArray<i32> = new StaticArray<i32>(MAX_CLASSES);
  private readonly stack: StaticArray<i32> = new StaticArray<i32>(MAX_DEPTH);

  /** Starts a stream of `length` (>= 0) bytes at `ptr`; borrowed. */
  bind(ptr: usize, length: i32): void {
    this.at = ptr;
    this.end = ptr + (length as usize);
    this.objects = this.types = this.classes = 0;
    this.allowed = MAX_VALUES;
  }

  /** Whether all is read. */
  get done(): bool {
    return this.at >= this.end;
  }

  /** The tag of the next value; the end tag where there is none. */
  private get tag(): i32 {
    return this.at < this.end ? (load<u8>(this.at) as i32) : Tag.END;
  }

  /** Whether the next value is a string. */
  get isString(): bool {
    return isString(this.tag);
  }

  /** Whether the next value is no list, map, object or reference: nothing in the stream depends on it, nor it on that. */
  get isPlain(): bool {
    const tag = this.tag;
    return sizeOf(tag) != 0 || isString(tag) || isBinary(tag);
  }

  /** Whether the next value is a number, true or false. */
  get isScalar(): bool {
    const tag = this.tag;
    if (sizeOf(tag) == 0 || (tag & ~15) == Tag.BINARY_DIRECT) return false;
    return tag != Tag.NULL && tag != Tag.DATE && tag != Tag.DATE_MINUTES;
  }

  /** Remembers the place, for `rewind`. */
  mark(): void {
    this.markedAt = this.at;
    this.markedObjects = this.objects;
    this.markedTypes = this.types;
    this.markedClasses = this.classes;
  }

  /** Goes back to the place of the last `mark`. */
  rewind(): void {
    this.at = this.markedAt;
    this.objects = this.markedObjects;
    this.types = this.markedTypes;
    this.classes = this.markedClasses;
  }

  /** Reads a null. */
  readNull(): bool {
    if (this.tag != Tag.NULL) return false;
    this.at++;
    return true;
  }

  /** Reads the end of a map or list that `readMap` began. */
  readEnd(): bool {
    if (this.at >= this.end || load<u8>(this.at) != Tag.END) return false;
    this.at++;
    return true;
  }

  /** Reads the beginning of a map; keys and values follow, one by one, then `readEnd`. */
  readMap(): bool {
    const start = this.at;
    const tag = this.tag;
    if (tag != Tag.MAP && tag != Tag.MAP_UNTYPED) return false;
    this.at++;
    if (tag == Tag.MAP && !this.type()) {
      this.at = start;
      return false;
    }
    this.objects++;
    return true;
  }

  /**
   * Reads a string that is in one piece; `out` is its bytes, borrowed: UTF-8, but a character beyond U+FFFF may be two
   * surrogates of three bytes each.
   */
  readWord(out: View): bool {
    const tag = this.tag;
    if (!isString(tag) || tag == Tag.STRING_CHUNK) return false;
    const next = this.chunk(this.at);
    if (next == 0) return false;
    out.set(this.chunkAt, (next - this.chunkAt) as i32);
    this.at = next;
    return true;
  }

  /** Reads an int into `value`. */
  readInt(): bool {
    const at = this.at;
    const tag = this.tag;
    if (!isInt(tag)) return false;
    const next = at + sizeOf(tag);
    if (next > this.end) return false;
    this.value = intAt(at, tag);
    this.at = next;
    return true;
  }

  /** Skips `count` values of any kind; false when they are not there, not Hessian, or beyond the bounds. */
  skip(count: i32): bool {
    let left = count;
    let depth = 0;
    let at = this.at;
    const end = this.end;
    while (true) {
      while (left == 0) {
        if (depth == 0) {
          this.at = at;
          return true;
        }
        left = unchecked(this.stack[--depth]);
      }
      if (at >= end) return false;
      if (end - at > 8 && (left > 8 || left < 0) && (load<u64>(at) & FOUR_KINDS) == SMALL_INTS) {
        // Eight ints; of keys and values as many.
        at += 8;
        if (left > 0) left -= 8;
        continue;
      }
      if (--this.allowed < 0) return false;
      const tag = load<u8>(at) as i32;
      if (tag < Tag.STRING_DIRECT_END) {
        at = skipUnits(at + 1, end, tag);
        if (at == 0) return false;
        left = behind(left);
        continue;
      }
      const size = sizeOf(tag);
      if (size != 0) {
        if (size > end - at) return false;
        at += size;
        left = behind(left);
        continue;
      }
      this.at = at;
      if (tag == Tag.END) {
        if (left != UNTIL_END && left != KEY_OR_END) return false;
        at++;
        left = 0;
        continue;
      }
      if (tag == Tag.CLASS) {
        // A definition comes before the value that needs it; it is none itself.
        if (!this.define()) return false;
      } else {
        const inner = this.open(tag);
        if (inner == CANNOT) return false;
        left = behind(left);
        if (inner != 0) {
          if (depth == MAX_DEPTH) return false;
          unchecked((this.stack[depth++] = left));
          left = inner;
        }
      }
      at = this.at;
    }
  }

  /** Reads a value up to what it contains, and returns what that is: 0 for nothing, CANNOT when it cannot be read. */
  private open(tag: i32): i32 {
    if (isString(tag)) return this.string() ? 0 : CANNOT;
    if (isBinary(tag)) return this.binary() ? 0 : CANNOT;
    this.at++;
    switch (tag) {
      case Tag.MAP_UNTYPED:
        return this.container(KEY_OR_END);
      case Tag.MAP:
        return this.type() ? this.container(KEY_OR_END) : CANNOT;
      case Tag.LIST_VARIABLE_UNTYPED:
        return this.container(UNTIL_END);
      case Tag.LIST_VARIABLE:
        return this.type() ? this.container(UNTIL_END) : CANNOT;
      case Tag.LIST_UNTYPED:
        return this.readInt() ? this.list(this.value) : CANNOT;
      case Tag.LIST:
        return this.type() && this.readInt() ? this.list(this.value) : CANNOT;
      case Tag.OBJECT:
        return this.readInt() ? this.object(this.value) : CANNOT;
      case Tag.REFERENCE:
        return this.readInt() && this.value >= 0 && this.value < this.objects ? 0 : CANNOT;
      default:
        if (tag >= Tag.INT_DIRECT) return CANNOT;
        if (tag >= Tag.LIST_DIRECT_UNTYPED) return this.list(tag - Tag.LIST_DIRECT_UNTYPED);
        if (tag >= Tag.LIST_DIRECT) return this.type() ? this.list(tag - Tag.LIST_DIRECT) : CANNOT;
        return tag >= Tag.OBJECT_DIRECT ? this.object(tag - Tag.OBJECT_DIRECT) : CANNOT;
    }
  }

  private container(left: i32): i32 {
    this.objects++;
    return left;
  }

  /** A list with a length, which is refused at once when there cannot be so many values. */
  private list(length: i32): i32 {
    return length >= 0 && (length as usize) <= this.end - this.at ? this.container(length) : CANNOT;
  }

  private object(index: i32): i32 {
    if (index < 0 || index >= this.classes) return CANNOT;
    this.objects++;
    return unchecked(this.fields[index]);
  }

  /** Reads a type: a name, or the number of an earlier one. */
  private type(): bool {
    if (this.readInt()) return this.value >= 0 && this.value < this.types;
    if (!isString(this.tag) || !this.string()) return false;
    this.types++;
    return true;
  }

  /** Reads the definition of a class: its name, and the count and names of its fields. */
  private define(): bool {
    this.at++;
    if (this.classes == MAX_CLASSES || !this.string() || !this.readInt()) return false;
    const count = this.value;
    if (count < 0 || (count as usize) > this.end - this.at) return false;
    for (let i = 0; i < count; i++) if (!this.string()) return false;
    unchecked((this.fields[this.classes++] = count));
    return true;
  }

  /** Skips a string. */
  private string(): bool {
    let at = this.at;
    let more = true;
    while (more) {
      if (at >= this.end) return false;
      const tag = load<u8>(at) as i32;
      if (!isString(tag)) return false;
      at = this.chunk(at);
      if (at == 0) return false;
      more = tag == Tag.STRING_CHUNK;
    }
    this.at = at;
    return true;
  }

  /** Where the characters of the chunk begin that `chunk` looked at. */
  private chunkAt: usize = 0;

  /** Address behind the string, or chunk of one, whose tag is at `at`; 0 when it does not end. */
  private chunk(at: usize): usize {
    const tag = load<u8>(at) as i32;
    const room = this.end - at;
    let units = tag;
    let skip: usize = 1;
    if (tag >= Tag.STRING_CHUNK) {
      if (room < 3) return 0;
      units = load16be(at + 1) as i32;
      skip = 3;
    } else if (tag >= Tag.STRING_SHORT) {
      if (room < 2) return 0;
      units = ((tag - Tag.STRING_SHORT) << 8) | (load<u8>(at, 1) as i32);
      skip = 2;
    }
    this.chunkAt = at + skip;
    return skipUnits(this.chunkAt, this.end, units);
  }

  /** Skips a binary. */
  private binary(): bool {
    let at = this.at;
    while (true) {
      if (at >= this.end) return false;
      const room = this.end - at;
      const tag = load<u8>(at) as i32;
      if (!isBinary(tag)) return false;
      let size = sizeOf(tag);
      if (tag >= Tag.BINARY_CHUNK) {
        if (room < 3) return false;
        size = 3 + (load16be(at + 1) as usize);
      } else if (tag >= Tag.BINARY_SHORT) {
        if (room < 2) return false;
        size = 2 + ((((tag - Tag.BINARY_SHORT) << 8) | (load<u8>(at, 1) as i32)) as usize);
      }
      if (size > room) return false;
      at += size;
      if (tag != Tag.BINARY_CHUNK) {
        this.at = at;
        return true;
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function isString(tag: i32): bool {
  return tag < Tag.STRING_DIRECT_END || (tag & ~3) == Tag.STRING_SHORT || (tag & ~1) == Tag.STRING_CHUNK;
}

// @ts-ignore: decorator
@inline
function isBinary(tag: i32): bool {
  return (
    (tag & ~15) == Tag.BINARY_DIRECT || (tag & ~3) == Tag.BINARY_SHORT || tag == Tag.BINARY_CHUNK || tag == Tag.BINARY
  );
}
