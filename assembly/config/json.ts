import { readHex, isDigit } from "../bytes/ascii";
import { ByteBuffer } from "../bytes/buffer";
import { ConfigErrors } from "./errors";
import { NumberReader } from "./number";
import { INVALID_RUNE, decodeRune, encodeRune } from "../bytes/utf8";
import { JsonKind, JsonValue } from "./value";

/** Longest text that is read, bytes. */
export const MAX_JSON_BYTES: i32 = 1 << 20;
/** Deepest nesting of arrays and objects. */
export const MAX_JSON_DEPTH: i32 = 32;
/** Most values in one text, the containers included. */
export const MAX_JSON_VALUES: i32 = 65536;
/** Longest string, bytes of UTF-8. */
export const MAX_JSON_STRING: i32 = 256 * 1024;

const QUOTE: u32 = 0x22;
const BACKSLASH: u32 = 0x5c;

/**
 * Parses one JSON text (RFC 8259, strictly: no comments, trailing commas or text, duplicate keys, lone surrogates or
 * bytes that are not UTF-8), within the limits above. Null when it is not one: the error then names line and column.
 */
export function parseJson(ptr: usize, length: i32, errors: ConfigErrors): JsonValue | null {
  if (length > MAX_JSON_BYTES) {
    errors.add("", null, `longer than ${MAX_JSON_BYTES} bytes of JSON`);
    return null;
  }
  const parser = new Parser(ptr, length, errors);
  const value = parser.text();
  parser.scratch.free();
  return errors.failed ? null : value;
}

/** Recursive descent; the depth is bounded. After an error nothing more is read. */
class Parser {
  scratch: ByteBuffer = new ByteBuffer();
  private at: i32 = 0;
  private line: i32 = 1;
  /** Where the line starts, less the continuation bytes seen in it, so that columns count characters. */
  private lineStart: i32 = 0;
  private count: i32 = 0;
  private number: NumberReader = new NumberReader();

  constructor(
    private readonly ptr: usize,
    private readonly length: i32,
    private readonly errors: ConfigErrors,
  ) {}

  /** The whole text. */
  text(): JsonValue {
    this.space();
    const value = this.value(0);
    this.space();
    if (this.at < this.length) this.fail("unexpected text after the end");
    return value;
  }

  private fail(text: string): void {
    const here = new JsonValue(JsonKind.NULL, this.line, this.at - this.lineStart + 1);
    this.errors.add("", here, "invalid JSON: " + text);
    this.at = this.length;
  }

  /** The next byte; 0, which is no part of any token, at the end. */
  // @ts-ignore: decorator
  @inline
  private peek(): u32 {
    return this.at < this.length ? load<u8>(this.ptr + (this.at as usize)) : 0;
  }

  private space(): void {
    while (this.at < this.length) {
      const c = this.peek();
      if (c == 0x0a) {
        this.line++;
        this.lineStart = this.at + 1;
      } else if (c != 0x20 && c != 0x09 && c != 0x0d) return;
      this.at++;
    }
  }

  private start(kind: JsonKind): JsonValue {
    return new JsonValue(kind, this.line, this.at - this.lineStart + 1);
  }

  private value(depth: i32): JsonValue {
    if (++this.count > MAX_JSON_VALUES) this.fail(`more than ${MAX_JSON_VALUES} values`);
    const c = this.peek();
    if (c == 0x7b) return this.object(depth + 1);
    if (c == 0x5b) return this.array(depth + 1);
    if (c == QUOTE) return this.string();
    if (c == 0x2d || isDigit(c)) return this.numeric();
    return this.word();
  }

  private word(): JsonValue {
    const value = this.start(JsonKind.BOOL);
    if (this.take("true")) {
      value.bool = true;
      return value;
    }
    if (this.take("false")) return value;
    const none = this.start(JsonKind.NULL);
    if (!this.take("null")) this.fail(this.at < this.length ? "expected a value" : "unexpected end");
    return none;
  }

  private take(word: string): bool {
    const n = word.length;
    if (this.length - this.at < n) return false;
    for (let i = 0; i < n; i++) {
      if (load<u8>(this.ptr + ((this.at + i) as usize)) != word.charCodeAt(i)) return false;
    }
    this.at += n;
    return true;
  }

  private array(depth: i32): JsonValue {
    const value = this.start(JsonKind.ARRAY);
    value.items = [];
    if (!this.open(depth)) return value;
    if (this.close(0x5d)) return value;
    do {
      this.space();
      value.items.push(this.value(depth));
      this.space();
      if (this.close(0x5d)) return value;
    } while (this.comma("]"));
    return value;
  }

  private object(depth: i32): JsonValue {
    const value = this.start(JsonKind.OBJECT);
    value.members = new Map<string, JsonValue>();
    if (!this.open(depth)) return value;
    if (this.close(0x7d)) return value;
    do {
      this.member(value.members, depth);
      this.space();
      if (this.close(0x7d)) return value;
    } while (this.comma("}"));
    return value;
  }

  private member(members: Map<string, JsonValue>, depth: i32): void {
    this.space();
    if (this.peek() != QUOTE) return this.fail("expected a key in double quotes");
    const key = this.string();
    if (members.has(key.text)) {
      this.errors.add("", key, `invalid JSON: duplicate key ${key.describe()}`);
      this.at = this.length;
      return;
    }
    this.space();
    if (this.peek() != 0x3a) return this.fail('expected ":"');
    this.at++;
    this.space();
    members.set(key.text, this.value(depth));
  }

  private open(depth: i32): bool {
    if (depth > MAX_JSON_DEPTH) {
      this.fail(`nested deeper than ${MAX_JSON_DEPTH}`);
      return false;
    }
    this.at++;
    this.space();
    return true;
  }

  private close(bracket: u32): bool {
    if (this.peek() != bracket) return false;
    this.at++;
    return true;
  }

  private comma(bracket: string): bool {
    if (this.errors.failed) return false;
    if (this.peek() == 0x2c) {
      this.at++;
      return true;
    }
    this.fail(this.at < this.length ? `expected "," or "${bracket}"` : "unexpected end");
    return false;
  }

  private numeric(): JsonValue {
    const value = this.start(JsonKind.NUMBER);
    const n = this.number.read(this.ptr + (this.at as usize), this.length - this.at, value);
    if (n > 0) this.at += n;
    else this.fail(n == 0 ? "malformed number" : "number out of range");
    return value;
  }

  private string(): JsonValue {
    const value = this.start(JsonKind.STRING);
    const scratch = this.scratch;
    scratch.clear();
    this.at++;
    while (!this.errors.failed) {
      const c = this.peek();
      if (c == QUOTE) {
        this.at++;
        value.text = String.UTF8.decodeUnsafe(scratch.ptr, scratch.length, false);
        break;
      }
      if (c == BACKSLASH) this.escape();
      else this.character(c);
      if (scratch.length > MAX_JSON_STRING) this.fail(`string longer than ${MAX_JSON_STRING} bytes`);
    }
    return value;
  }

  private character(c: u32): void {
    if (this.at >= this.length) return this.fail("string without end");
    if (c < 0x20) return this.fail("control character in a string");
    const at = this.ptr + (this.at as usize);
    const rune = decodeRune(at, this.length - this.at);
    if (rune == INVALID_RUNE) return this.fail("string that is not UTF-8");
    const n = rune & 7;
    this.scratch.append(at, n);
    this.at += n;
    this.lineStart += n - 1;
  }

  private escape(): void {
    this.at++;
    const c = this.peek();
    if (c == 0x75) return this.unicode();
    const plain = unescape(c);
    if (plain == 0) return this.fail("unknown escape in a string");
    this.scratch.appendByte(plain);
    this.at++;
  }

  private unicode(): void {
    const start = this.at - 1;
    let rune = this.hex4();
    if (rune >= 0xd800 && rune < 0xdc00 && this.take("\\")) {
      const low = this.peek() == 0x75 ? this.hex4() : -1;
      rune = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((rune - 0xd800) << 10) + (low - 0xdc00) : -1;
    } else if (rune >= 0xd800 && rune < 0xe000) rune = -1;
    if (rune < 0) {
      this.at = start;
      return this.fail("\\u escape that is no character");
    }
    const scratch = this.scratch;
    scratch.commit(encodeRune(rune as u32, scratch.reserve(4)));
  }

  /** Reads "uXXXX"; -1 when it is not that. */
  private hex4(): i32 {
    if (this.length - this.at < 5) return -1;
    const value = readHex(this.ptr + ((this.at + 1) as usize), 4);
    if (value >= 0) this.at += 5;
    return value;
  }
}

/** The character a one-letter escape stands for; 0: no such escape. */
export function unescape(c: u32): u32 {
  if (c == QUOTE || c == BACKSLASH || c == 0x2f) return c;
  if (c == 0x62) return 8;
  if (c == 0x66) return 12;
  if (c == 0x6e) return 10;
  if (c == 0x72) return 13;
  return c == 0x74 ? 9 : 0;
}
