import { ConfigErrors } from "./errors";
import { MAX_JSON_BYTES, MAX_JSON_DEPTH, MAX_JSON_VALUES, parseJson } from "./json";
import { JsonKind, JsonValue } from "./value";

/** Fields of google.protobuf.Struct, its map entries, Value and ListValue, with their wire types: number << 3 | type. */
const enum Tag {
  STRUCT_FIELDS = 0x0a,
  ENTRY_KEY = 0x0a,
  ENTRY_VALUE = 0x12,
  NULL = 0x08,
  NUMBER = 0x11,
  STRING = 0x1a,
  BOOL = 0x20,
  STRUCT = 0x2a,
  LIST = 0x32,
  LIST_VALUES = 0x0a,
}

/** Doubles at or beyond this are not exact integers. */
const MAX_EXACT: f64 = 9007199254740992;

/**
 * Reads a plugin's configuration: Envoy hands a StringValue over as its text, a Struct as its protobuf bytes. Null, with
 * the error, when it is neither. Values of a Struct have no line and column.
 */
export function parseConfiguration(ptr: usize, length: i32, errors: ConfigErrors): JsonValue | null {
  // A Struct's first byte is a newline in JSON, so JSON with an empty first line is tried as a Struct, in vain.
  if (length > 0 && length <= MAX_JSON_BYTES && load<u8>(ptr) == Tag.STRUCT_FIELDS) {
    const reader = new StructReader(ptr, length);
    const value = reader.message();
    if (value !== null) return value;
  }
  return parseJson(ptr, length, errors);
}

/** A bounded reader of google.protobuf.Struct; anything unexpected makes all of it null. */
class StructReader {
  private at: usize;
  private readonly end: usize;
  private count: i32 = 0;

  constructor(ptr: usize, length: i32) {
    this.at = ptr;
    this.end = ptr + (length as usize);
  }

  message(): JsonValue | null {
    return this.struct(this.end, 0);
  }

  /** A varint of at most 32 bits; -1 when it is cut or larger. */
  private varint(end: usize): i64 {
    let value: i64 = 0;
    for (let shift = 0; shift < 35 && this.at < end; shift += 7) {
      const byte = load<u8>(this.at++) as i64;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return -1;
  }

  /** Reads a length and returns where the field ends; 0 when that is beyond `end`. */
  private field(end: usize): usize {
    const length = this.varint(end);
    return length < 0 || length > ((end - this.at) as i64) ? 0 : this.at + (length as usize);
  }

  private tag(end: usize): i32 {
    return this.at < end ? (load<u8>(this.at++) as i32) : -1;
  }

  private struct(end: usize, depth: i32): JsonValue | null {
    const object = this.make(JsonKind.OBJECT);
    const members = new Map<string, JsonValue>();
    object.members = members;
    while (this.at < end) {
      if (this.tag(end) != Tag.STRUCT_FIELDS) return null;
      const entryEnd = this.field(end);
      if (entryEnd == 0 || this.tag(entryEnd) != Tag.ENTRY_KEY) return null;
      const keyEnd = this.field(entryEnd);
      if (keyEnd == 0) return null;
      const key = this.text(keyEnd);
      if (this.tag(entryEnd) != Tag.ENTRY_VALUE || this.field(entryEnd) != entryEnd) return null;
      const value = this.value(entryEnd, depth + 1);
      if (value === null) return null;
      members.set(key, value);
    }
    return object;
  }

  private list(end: usize, depth: i32): JsonValue | null {
    const array = this.make(JsonKind.ARRAY);
    const items = new Array<JsonValue>();
    array.items = items;
    while (this.at < end) {
      if (this.tag(end) != Tag.LIST_VALUES) return null;
      const itemEnd = this.field(end);
      if (itemEnd == 0) return null;
      const item = this.value(itemEnd, depth + 1);
      if (item === null) return null;
      items.push(item);
    }
    return array;
  }

  /** One Value that ends at `end`. */
  private value(end: usize, depth: i32): JsonValue | null {
    if (depth > MAX_JSON_DEPTH || ++this.count > MAX_JSON_VALUES) return null;
    const tag = this.tag(end);
    let value: JsonValue | null = null;
    if (tag == Tag.STRUCT || tag == Tag.LIST || tag == Tag.STRING) {
      if (this.field(end) != end) return null;
      if (tag == Tag.STRUCT) return this.struct(end, depth);
      if (tag == Tag.LIST) return this.list(end, depth);
      value = this.make(JsonKind.STRING);
      value.text = this.text(end);
    } else if (tag == Tag.NUMBER && end - this.at == 8) {
      value = this.number(reinterpret<f64>(load<u64>(this.at)));
      this.at = end;
    } else if (tag == Tag.NULL && this.varint(end) >= 0) {
      value = this.make(JsonKind.NULL);
    } else if (tag == Tag.BOOL) {
      value = this.make(JsonKind.BOOL);
      value.bool = this.varint(end) > 0;
    }
    return this.at == end ? value : null;
  }

  private number(number: f64): JsonValue {
    const value = this.make(JsonKind.NUMBER);
    value.number = number;
    value.integral = Math.abs(number) < MAX_EXACT && Math.floor(number) == number;
    value.negative = number < 0;
    if (value.integral) value.magnitude = Math.abs(number) as u64;
    return value;
  }

  /** Text up to `end`; protobuf has checked that it is UTF-8. */
  private text(end: usize): string {
    const text = String.UTF8.decodeUnsafe(this.at, end - this.at);
    this.at = end;
    return text;
  }

  private make(kind: JsonKind): JsonValue {
    return new JsonValue(kind, 0, 0);
  }
}
