import { hexDigit, isAlphanumeric } from "../bytes/ascii";
import { decodeRune } from "../bytes/utf8";
import { MAX_RUNE } from "./class";

/** What `Scanner.escapedLiteral` gives when there is none. */
export const NO_RUNE: u32 = 0xffffffff;

/** Reads the characters of a pattern, and notes the first error with its byte offset. */
export class Scanner {
  at: i32 = 0;
  /** Empty: no error so far. */
  error: string = "";

  constructor(
    private readonly ptr: usize,
    readonly length: i32,
  ) {}

  get done(): bool {
    return this.at >= this.length;
  }

  /** Notes an error at `offset`, unless there is one already, and ends the reading. */
  fail(offset: i32, text: string): void {
    if (this.error.length == 0) this.error = `${text} at offset ${offset}`;
    this.at = this.length;
  }

  /** The byte `ahead` of the place; 0 beyond the end. */
  peek(ahead: i32 = 0): u32 {
    const at = this.at + ahead;
    return at >= 0 && at < this.length ? load<u8>(this.ptr + (at as usize)) : 0;
  }

  /** Whether the text goes on with `word` (ASCII); steps over it then. */
  take(word: string): bool {
    if (this.length - this.at < word.length) return false;
    for (let i = 0; i < word.length; i++) if (this.peek(i) != word.charCodeAt(i)) return false;
    this.at += word.length;
    return true;
  }

  /** Steps over one character; there must be one. */
  rune(): u32 {
    const rune = decodeRune(this.ptr + (this.at as usize), this.length - this.at);
    this.at += rune & 7;
    return rune >> 3;
  }

  /** The bytes from `from` to `to` as text. */
  text(from: i32, to: i32): string {
    return from < to ? String.UTF8.decodeUnsafe(this.ptr + (from as usize), to - from, false) : "";
  }

  /** Steps over decimal digits; -1 when there are none, they start with a needless 0, or are beyond 10^6. */
  decimal(): i32 {
    const from = this.at;
    let value = 0;
    for (; this.peek() - 0x30 < 10; this.at++) value = min(value * 10 + ((this.peek() - 0x30) as i32), 1000000);
    const digits = this.at - from;
    return digits == 0 || (digits > 1 && load<u8>(this.ptr + (from as usize)) == 0x30) ? -1 : value;
  }

  /** The character that the escape at "\" stands for; NO_RUNE and an error when there is none. */
  escapedLiteral(): u32 {
    const from = this.at++;
    const c = this.peek();
    if (this.done) return this.refuse(from, "trailing backslash");
    if (c >= 0x31 && c <= 0x37 && (this.peek(1) < 0x30 || this.peek(1) > 0x37)) {
      return this.refuse(from, "backreferences are not supported");
    }
    if (c >= 0x30 && c <= 0x37) return this.octal();
    if (c == 0x78) return this.hex(from);
    const control = controlEscape(c);
    if (control != 0 || (c < 0x80 && !isAlphanumeric(c))) {
      this.at++;
      return control != 0 ? control : c;
    }
    const what = c == 0x70 || c == 0x50 ? "Unicode classes (\\p) are not supported" : "unknown escape";
    return this.refuse(from, what);
  }

  private refuse(offset: i32, text: string): u32 {
    this.fail(offset, text);
    return NO_RUNE;
  }

  /** Up to three octal digits. */
  private octal(): u32 {
    let value: u32 = 0;
    for (let i = 0; i < 3 && this.peek() >= 0x30 && this.peek() <= 0x37; i++, this.at++) {
      value = value * 8 + this.peek() - 0x30;
    }
    return value;
  }

  /** xHH or x{H...}. */
  private hex(from: i32): u32 {
    this.at++;
    let value: u32 = 0;
    if (!this.take("{")) {
      const high = hexDigit(this.peek());
      const low = hexDigit(this.peek(1));
      if (high < 0 || low < 0) return this.refuse(from, "unknown escape");
      this.at += 2;
      return ((high << 4) | low) as u32;
    }
    const start = this.at;
    for (; hexDigit(this.peek()) >= 0; this.at++) {
      value = value * 16 + (hexDigit(this.peek()) as u32);
      if (value > MAX_RUNE) return this.refuse(from, "unknown escape");
    }
    return this.at == start || !this.take("}") ? this.refuse(from, "unknown escape") : value;
  }
}

function controlEscape(c: u32): u32 {
  if (c == 0x61) return 7;
  if (c == 0x66) return 12;
  if (c == 0x6e) return 10;
  if (c == 0x72) return 13;
  if (c == 0x74) return 9;
  return c == 0x76 ? 11 : 0;
}
