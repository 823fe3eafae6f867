// Values in the text of a JSON document that `parseJson` has found valid, read where they lie: nothing is allocated.
import { noteGarbage } from "../abi/dispatch";
import { readHex } from "../bytes/ascii";
import { ByteBuffer, KEEP } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { encodeRune } from "../bytes/utf8";
import { View } from "../bytes/view";
import { unescape } from "./json";
import { NumberReader } from "./number";
import { JsonKind, JsonValue } from "./value";

const QUOTE: u32 = 0x22;
const BACKSLASH: u32 = 0x5c;

const reader = new NumberReader();
const number = new JsonValue(JsonKind.NUMBER, 0, 0);

/** A value in a text. The text is borrowed; whatever its bytes, reading ends within it. */
export class JsonScan {
  private ptr: usize = 0;
  private end: usize = 0;
  private at: usize = 0;
  private readonly key: ByteBuffer = new ByteBuffer();
  private readonly words: ByteBuffer = new ByteBuffer();
  private readonly name: View = new View();

  /** Begins at the document's value. */
  begin(ptr: usize, length: i32): void {
    this.ptr = ptr;
    this.end = ptr + (max(length, 0) as usize);
    this.at = ptr;
    this.space();
  }

  /** Begins where another one is. */
  beginAt(other: JsonScan): void {
    this.ptr = other.ptr;
    this.end = other.end;
    this.at = other.at;
  }

  // @ts-ignore: decorator
  @inline
  private peek(): u32 {
    return this.at < this.end ? load<u8>(this.at) : 0;
  }

  private space(): void {
    while (this.at < this.end) {
      const c = load<u8>(this.at);
      if (c != 0x20 && c != 0x0a && c != 0x0d && c != 0x09) return;
      this.at++;
    }
  }

  /** What the value is. */
  get kind(): JsonKind {
    const c = this.peek();
    if (c == QUOTE) return JsonKind.STRING;
    if (c == 0x7b) return JsonKind.OBJECT;
    if (c == 0x5b) return JsonKind.ARRAY;
    if (c == 0x74 || c == 0x66) return JsonKind.BOOL;
    return c == 0x6e || c == 0 ? JsonKind.NULL : JsonKind.NUMBER;
  }

  /** Of BOOL: its value. */
  get isTrue(): bool {
    return this.peek() == 0x74;
  }

  /** Of NUMBER: its value; NaN where it is out of range. */
  get number(): f64 {
    noteGarbage(1);
    return reader.read(this.at, (this.end - this.at) as i32, number) > 0 ? number.number : NaN;
  }

  /** Of STRING: points `out` at its text; valid until the next use of this object. */
  text(out: View): void {
    const from = this.at;
    this.string(out, this.words);
    this.at = from;
  }

  /** The value as it stands in the text. */
  raw(out: View): void {
    const from = this.at;
    this.skip();
    out.set(from, (this.at - from) as i32);
    this.at = from;
  }

  /** Goes to the value of a member of an object; false, and it stays where it is, when there is none. */
  member(name: Bytes): bool {
    const from = this.at;
    if (this.peek() == 0x7b) {
      this.at++;
      this.space();
      while (this.peek() == QUOTE) {
        this.string(this.name, this.key);
        this.space();
        this.at++;
        this.space();
        if (name.equals(this.name.ptr, this.name.length)) return true;
        this.skip();
        if (!this.comma()) break;
      }
    }
    this.at = min(from, this.end);
    return false;
  }

  /** Goes into an array, to its first item; false, and it stays where it is, when there is none. */
  enter(): bool {
    const from = this.at;
    if (this.peek() != 0x5b) return false;
    this.at++;
    this.space();
    if (this.at < this.end && this.peek() != 0x5d) return true;
    this.at = from;
    return false;
  }

  /** Goes to the array's next item; false when there is none. */
  next(): bool {
    this.skip();
    return this.comma();
  }

  private comma(): bool {
    this.space();
    if (this.peek() != 0x2c) return false;
    this.at++;
    this.space();
    return this.at < this.end;
  }

  /** Goes behind the value. */
  private skip(): void {
    let depth = 0;
    while (this.at < this.end) {
      const c = load<u8>(this.at);
      if (c == QUOTE) {
        this.skipString();
        if (depth == 0) return;
        continue;
      }
      const closes = c == 0x7d || c == 0x5d;
      if (depth == 0 && (closes || c == 0x2c)) return;
      this.at++;
      if (c == 0x7b || c == 0x5b) depth++;
      else if (closes && --depth == 0) return;
    }
  }

  private skipString(): void {
    this.at++;
    while (this.at < this.end) {
      const c = load<u8>(this.at++);
      if (c == QUOTE) return;
      if (c == BACKSLASH) this.at++;
    }
    this.at = this.end;
  }

  /** Reads a string and goes behind it. One without escapes is lent as it stands. */
  private string(out: View, scratch: ByteBuffer): void {
    const from = this.at + 1;
    let plain = true;
    let at = from;
    while (at < this.end && load<u8>(at) != QUOTE) {
      if (load<u8>(at) == BACKSLASH) {
        plain = false;
        at++;
      }
      at++;
    }
    at = min(at, this.end);
    const length = at > from ? ((at - from) as i32) : 0;
    if (plain) out.set(from, length);
    else {
      scratch.reset(KEEP);
      appendUnescaped(from, length, scratch);
      out.set(scratch.ptr, scratch.length);
    }
    this.at = min(at + 1, this.end);
  }
}

/** Appends the characters of a string's inside. */
function appendUnescaped(ptr: usize, length: i32, to: ByteBuffer): void {
  for (let i = 0; i < length; i++) {
    const c = load<u8>(ptr + (i as usize));
    if (c != BACKSLASH || i + 1 >= length) {
      to.appendByte(c);
      continue;
    }
    const e = load<u8>(ptr + (++i as usize));
    if (e != 0x75) {
      to.appendByte(unescape(e));
      continue;
    }
    let rune = hex4(ptr, i + 1, length);
    i += 4;
    if (rune >= 0xd800 && rune < 0xdc00) {
      // The other half of the pair: "\uXXXX".
      rune = 0x10000 + ((rune - 0xd800) << 10) + ((hex4(ptr, i + 3, length) - 0xdc00) & 0x3ff);
      i += 6;
    }
    to.commit(encodeRune(rune as u32, to.reserve(4)));
  }
}

/** Four digits; 0xfffd where there are none. */
function hex4(ptr: usize, from: i32, length: i32): i32 {
  const value = length - from < 4 ? -1 : readHex(ptr + (from as usize), 4);
  return value < 0 ? 0xfffd : value;
}
