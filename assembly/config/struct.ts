import { View } from "../bytes/view";
import { ProtoReader, ProtoStatus } from "../protobuf/reader";
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
  private readonly reader: ProtoReader = new ProtoReader();
  private readonly bytes: View = new View();
  private count: i32 = 0;

  constructor(ptr: usize, length: i32) {
    this.reader.bind(ptr, length);
  }

  message(): JsonValue | null {
    return this.struct(0);
  }

  /** Goes to the next field, which has to be this one. */
  private field(tag: Tag): bool {
    return this.reader.next() && this.reader.tag == (tag as u32);
  }

  /** Goes back to what is around a field that begins with `enter`; false when not all of it was read. */
  private leave(outer: usize): bool {
    const whole = this.whole;
    this.reader.leave(outer);
    return whole;
  }

  /** Whether all bytes of the current message were read. */
  private get whole(): bool {
    return this.reader.status == ProtoStatus.OK && !this.reader.more;
  }

  private struct(depth: i32): JsonValue | null {
    const reader = this.reader;
    const object = this.make(JsonKind.OBJECT);
    const members = new Map<string, JsonValue>();
    object.members = members;
    while (reader.more) {
      if (!this.field(Tag.STRUCT_FIELDS)) return null;
      const outer = reader.enter();
      if (!this.field(Tag.ENTRY_KEY)) return null;
      const key = this.text();
      if (!this.field(Tag.ENTRY_VALUE)) return null;
      const value = this.value(depth + 1);
      if (value === null || !this.leave(outer)) return null;
      members.set(key, value);
    }
    return this.whole ? object : null;
  }

  private list(depth: i32): JsonValue | null {
    const array = this.make(JsonKind.ARRAY);
    const items = new Array<JsonValue>();
    array.items = items;
    while (this.reader.more) {
      const item = this.field(Tag.LIST_VALUES) ? this.value(depth + 1) : null;
      if (item === null) return null;
      items.push(item);
    }
    return this.whole ? array : null;
  }

  /** The Value that is the current field: one field, and nothing behind it. */
  private value(depth: i32): JsonValue | null {
    if (depth > MAX_JSON_DEPTH || ++this.count > MAX_JSON_VALUES) return null;
    const outer = this.reader.enter();
    const value = this.reader.next() ? this.kind(depth) : null;
    return this.leave(outer) ? value : null;
  }

  /** The current field of a Value. */
  private kind(depth: i32): JsonValue | null {
    const reader = this.reader;
    const tag = reader.tag as i32;
    if (tag == Tag.NUMBER) return this.number(reader.double());
    if (tag == Tag.STRUCT || tag == Tag.LIST) {
      const outer = reader.enter();
      const value = tag == Tag.STRUCT ? this.struct(depth) : this.list(depth);
      reader.leave(outer);
      return value;
    }
    if (tag == Tag.STRING) {
      const value = this.make(JsonKind.STRING);
      value.text = this.text();
      return value;
    }
    if (tag != Tag.NULL && tag != Tag.BOOL) return null;
    const value = this.make(tag == Tag.NULL ? JsonKind.NULL : JsonKind.BOOL);
    const set = reader.bool();
    if (tag == Tag.BOOL) value.bool = set;
    return value;
  }

  private number(number: f64): JsonValue {
    const value = this.make(JsonKind.NUMBER);
    value.number = number;
    value.integral = Math.abs(number) < MAX_EXACT && Math.floor(number) == number;
    value.negative = number < 0;
    if (value.integral) value.magnitude = Math.abs(number) as u64;
    return value;
  }

  /** The text of the current field; Envoy's protobuf has checked that it is UTF-8. */
  private text(): string {
    this.reader.bytes(this.bytes);
    return String.UTF8.decodeUnsafe(this.bytes.ptr, this.bytes.length as usize);
  }

  private make(kind: JsonKind): JsonValue {
    return new JsonValue(kind, 0, 0);
  }
}
