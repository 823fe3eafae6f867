import { parseDuration } from "../config/duration";
import { hexDigit, isDigit, isLetter } from "../bytes/ascii";

export const enum Token {
  END = 0,
  IDENTIFIER = 1,
  INT = 2,
  DOUBLE = 3,
  /** A text in double quotes, or one character in single ones. */
  STRING = 4,
  /** An operator or another mark. */
  MARK = 5,
}

/** Marks of two characters come first. */
const MARKS: string[] = ["&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "|"];
const PARENTHESES: string = "()[],.";

/** Go's keywords: they are no names in its expressions. */
const KEYWORDS: string[] = [
  "break,case,chan,const,continue,default,defer,else,fallthrough,for,func,go,goto,if,import,interface,map,package",
  "range,return,select,struct,switch,type,var",
];
const keywords = new Set<string>();
for (let i = 0; i < KEYWORDS.length; i++) {
  const words = KEYWORDS[i].split(",");
  for (let j = 0; j < words.length; j++) keywords.add(words[j]);
}

/** The first error of an expression. */
export class SyntaxError {
  /** What is wrong, with line and column; empty: nothing. */
  message: string = "";

  constructor(private readonly source: string) {}

  get failed(): bool {
    return this.message.length > 0;
  }

  /** Notes what is wrong at this character; what comes after the first error is dropped. */
  add(at: i32, text: string): void {
    if (this.failed) return;
    let line = 1;
    let start = 0;
    for (let i = 0; i < min(at, this.source.length); i++) {
      if (this.source.charCodeAt(i) != 0x0a) continue;
      line++;
      start = i + 1;
    }
    this.message = `expression line ${line}, column ${at - start + 1}: ${text}`;
  }
}

/** Whether a name can begin with it. */
function isNameStart(c: i32): bool {
  return isLetter(c) || c == 0x5f;
}

/** Cuts an expression into Go's tokens, as far as MOSN takes them. */
export class Lexer {
  /** The token that was read last, where it starts, and what it says: of a text, its characters. */
  token: Token = Token.END;
  at: i32 = 0;
  text: string = "";
  /** Of a text: whether it is in double quotes and spells a Go duration, which makes it one. */
  isDuration: bool = false;
  private next: i32 = 0;

  constructor(
    private readonly source: string,
    readonly error: SyntaxError,
  ) {}

  private code(i: i32): i32 {
    return i < this.source.length ? this.source.charCodeAt(i) : 0;
  }

  /** Reads the next token; END at the end, and after an error. */
  read(): void {
    this.skipSpace();
    this.at = this.next;
    this.text = "";
    this.token = Token.END;
    if (this.error.failed || this.next >= this.source.length) return;
    const c = this.code(this.next);
    if (isNameStart(c)) this.readName();
    else if (isDigit(c) || (c == 0x2e && isDigit(this.code(this.next + 1)))) this.readNumber();
    else if (c == 0x22 || c == 0x27) this.readText(c);
    else this.readMark();
    if (this.error.failed) this.token = Token.END;
  }

  /** Whether the token is this mark. */
  is(mark: string): bool {
    return this.token == Token.MARK && this.text == mark;
  }

  private skipSpace(): void {
    for (;;) {
      const c = this.code(this.next);
      if (this.next < this.source.length && (c == 0x20 || c == 0x09 || c == 0x0a || c == 0x0d)) this.next++;
      else if (c == 0x2f && this.code(this.next + 1) == 0x2f) this.skipTo("\n", 0);
      else if (c == 0x2f && this.code(this.next + 1) == 0x2a) this.skipTo("*/", 2);
      else return;
    }
  }

  private skipTo(end: string, length: i32): void {
    const found = this.source.indexOf(end, this.next + 2);
    if (found < 0 && length > 0) this.error.add(this.next, "the comment does not end");
    this.next = found < 0 ? this.source.length : found + length;
  }

  private readName(): void {
    while (isNameStart(this.code(this.next)) || isDigit(this.code(this.next))) this.next++;
    this.text = this.source.substring(this.at, this.next);
    this.token = Token.IDENTIFIER;
    if (keywords.has(this.text)) this.error.add(this.at, `"${this.text}" is a word of Go's and no name`);
  }

  private digits(): i32 {
    const from = this.next;
    while (isDigit(this.code(this.next))) this.next++;
    return this.next - from;
  }

  /** Go's numbers that are CEL's too: 12, 0x1f, 1.5, .5, 1e3. */
  private readNumber(): void {
    this.token = Token.INT;
    let good = true;
    if (this.code(this.next) == 0x30 && this.code(this.next + 1) == 0x78) {
      this.next += 2;
      const from = this.next;
      while (hexDigit(this.code(this.next)) >= 0) this.next++;
      good = this.next > from;
    } else {
      const whole = this.digits();
      good = whole < 2 || this.code(this.at) != 0x30;
      if (this.code(this.next) == 0x2e) {
        this.next++;
        good = good && this.digits() > 0;
        this.token = Token.DOUBLE;
      }
      if ((this.code(this.next) | 0x20) == 0x65) {
        this.next++;
        if (this.code(this.next) == 0x2b || this.code(this.next) == 0x2d) this.next++;
        good = this.digits() > 0 && good;
        this.token = Token.DOUBLE;
      }
    }
    const after = this.code(this.next);
    if (!good || isNameStart(after) || isDigit(after) || after == 0x2e) {
      this.error.add(this.at, "no number; allowed: 12, 0x1f, 1.5, 1e3");
    }
    this.text = this.source.substring(this.at, this.next);
  }

  private readText(quote: i32): void {
    this.token = Token.STRING;
    this.next++;
    let text = "";
    let from = this.next;
    while (this.code(this.next) != quote) {
      const c = this.code(this.next);
      if (this.next >= this.source.length || c == 0x0a) {
        this.error.add(this.at, "the text does not end");
        return;
      }
      if (c != 0x5c) {
        this.next++;
        continue;
      }
      text += this.source.substring(from, this.next) + this.readEscape(quote);
      if (this.error.failed) return;
      from = this.next;
    }
    this.text = text + this.source.substring(from, this.next);
    this.next++;
    if (quote == 0x27 && !isOneCharacter(this.text)) {
      this.error.add(this.at, "single quotes hold one character; texts are in double quotes");
    }
    this.isDuration = quote == 0x22 && parseDuration(this.text).valid;
  }

  /** An escape of Go's; those with numbers are code points, as in CEL. */
  private readEscape(quote: i32): string {
    const at = this.next;
    const c = this.code(at + 1);
    const simple = "abfnrtv\\".indexOf(String.fromCharCode(c));
    this.next += 2;
    if (simple >= 0 && c != 0) return "\x07\b\f\n\r\t\v\\".charAt(simple);
    if (c == quote) return String.fromCharCode(quote);
    let value = 0;
    let digits = 0;
    let base = 16;
    if (c == 0x78) digits = 2;
    else if (c == 0x75) digits = 4;
    else if (c == 0x55) digits = 8;
    else if (c >= 0x30 && c <= 0x33) {
      digits = 3;
      base = 8;
      this.next--;
    }
    for (let i = 0; i < digits; i++, this.next++) {
      const digit = this.next < this.source.length ? hexDigit(this.code(this.next)) : -1;
      if (digit < 0 || digit >= base || value > 0x10ffff) digits = 0;
      else value = value * base + digit;
    }
    if (digits == 0 || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) {
      this.error.add(at, 'no escape; allowed: \\a \\b \\f \\n \\r \\t \\v \\\\ \\" \\123 \\x12 \\u1234 \\U00012345');
      return "";
    }
    return String.fromCodePoint(value);
  }

  private readMark(): void {
    this.token = Token.MARK;
    const c = String.fromCharCode(this.code(this.next));
    if (PARENTHESES.includes(c)) {
      this.text = c;
      this.next++;
      return;
    }
    for (let i = 0; i < MARKS.length; i++) {
      if (!this.source.startsWith(MARKS[i], this.next)) continue;
      this.text = MARKS[i];
      this.next += MARKS[i].length;
      return;
    }
    if (c == "`") this.error.add(this.at, "no text in back quotes; write it in double quotes");
    else
      this.error.add(
        this.at,
        `"${this.source.substring(this.at, this.at + 1)}" is no operator; allowed: ${MARKS.join(" ")}`,
      );
  }
}

function isOneCharacter(text: string): bool {
  return text.length == 1 || (text.length == 2 && text.codePointAt(0) > 0xffff);
}
