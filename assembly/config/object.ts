import { Bytes } from "../bytes/bytes";
import { MILLISECOND, formatDuration, parseDuration } from "./duration";
import { ConfigErrors } from "./errors";
import { NumberReader } from "./number";
import { suggestion } from "./suggest";
import { JsonKind, JsonValue, quoteJson } from "./value";

const EMPTY_OBJECT: JsonValue = new JsonValue(JsonKind.OBJECT, 0, 0);

/**
 * Typed access to the fields of one JSON object: each getter names a field, its range and its default; what does not
 * fit is noted in `errors` with the field's path, and the default is returned, so that callers read on, find all other
 * mistakes, and ask `errors.failed` once, at the end. A field that is null counts as absent. `finish` refuses the fields nobody asked for:
 * call every getter whatever the others gave.
 */
export class ObjectReader {
  /** The object itself. */
  readonly value: JsonValue;
  private readonly known: string[] = [];

  /**
   * @param value the object; null: an empty one
   * @param path of the object, as `router.virtual_hosts[0]`; empty: the whole configuration
   */
  constructor(
    value: JsonValue | null,
    readonly path: string,
    readonly errors: ConfigErrors,
  ) {
    this.value = value !== null && value.kind == JsonKind.OBJECT ? value : EMPTY_OBJECT;
    if (value !== null && value.kind != JsonKind.OBJECT) errors.addType(path, value, "an object");
  }

  /** The path of a field of this object. */
  pathOf(name: string): string {
    return this.path.length > 0 ? this.path + "." + name : name;
  }

  /** The field as it stands; null when it is absent. */
  raw(name: string): JsonValue | null {
    if (!this.known.includes(name)) this.known.push(name);
    if (!this.value.members.has(name)) return null;
    const value = this.value.members.get(name);
    return value.kind == JsonKind.NULL ? null : value;
  }

  has(name: string): bool {
    return this.raw(name) !== null;
  }

  /** Whether a mistake is known of a field: what others say about it together with it is no further one. */
  isWrong(name: string): bool {
    return this.errors.knows(this.pathOf(name));
  }

  /** Notes an error about a field, or about the whole object where the field is absent, unless the field is wrong already. */
  fail(name: string, text: string): void {
    const value = this.raw(name);
    this.errors.add(this.pathOf(name), value !== null ? value : this.value, text);
  }

  /** Notes an error about this object, unless something in it is wrong already. */
  failHere(text: string): void {
    this.errors.add(this.path, this.value, text);
  }

  /** Notes an error about this object, whatever else is wrong in it. */
  refuse(text: string): void {
    this.errors.tell(this.path, this.value, text);
  }

  /** Notes an error about fields that do not go together, unless one of them is wrong already. */
  failTogether(names: string[], text: string): void {
    for (let i = 0; i < names.length; i++) if (this.isWrong(names[i])) return;
    this.refuse(text);
  }

  /** Notes an error where a field is absent. */
  demand(name: string): void {
    if (!this.has(name)) this.refuse(name + " must be given");
  }

  private typed(name: string, kind: JsonKind, expected: string): JsonValue | null {
    const value = this.raw(name);
    if (value === null || value.kind == kind) return value;
    this.errors.addType(this.pathOf(name), value, expected);
    return null;
  }

  bool(name: string, fallback: bool): bool {
    const value = this.typed(name, JsonKind.BOOL, "true or false");
    return value === null ? fallback : value.bool;
  }

  string(name: string, fallback: string = ""): string {
    const value = this.typed(name, JsonKind.STRING, "a string");
    return value === null ? fallback : value.text;
  }

  /** A string that must be there and not be empty; "" with an error otherwise. */
  required(name: string): string {
    const text = this.string(name);
    if (text.length == 0) this.fail(name, "must be given and not be empty");
    return text;
  }

  /** A string as UTF-8 bytes. */
  bytes(name: string): Bytes {
    return Bytes.of(this.string(name));
  }

  /** An integer from `min` to `max`. */
  integer(name: string, fallback: i64, min: i64, max: i64): i64 {
    const value = this.raw(name);
    return value === null ? fallback : this.integerAt(value, this.pathOf(name), fallback, min, max);
  }

  private integerAt(value: JsonValue, path: string, fallback: i64, min: i64, max: i64): i64 {
    if (value.kind == JsonKind.NUMBER && value.integral) {
      const limit: u64 = value.negative ? 0x8000000000000000 : 0x7fffffffffffffff;
      const number = value.negative ? -(value.magnitude as i64) : (value.magnitude as i64);
      if (value.magnitude <= limit && number >= min && number <= max) return number;
    }
    this.errors.add(path, value, `expected an integer from ${min} to ${max}, got ${value.describe()}`);
    return fallback;
  }

  /** An unsigned integer from `min` to `max`. */
  unsigned(name: string, fallback: u64, min: u64, max: u64): u64 {
    const value = this.raw(name);
    if (value === null) return fallback;
    const positive = value.kind == JsonKind.NUMBER && value.integral && (!value.negative || value.magnitude == 0);
    if (positive && value.magnitude >= min && value.magnitude <= max) return value.magnitude;
    this.errors.add(this.pathOf(name), value, `expected an integer from ${min} to ${max}, got ${value.describe()}`);
    return fallback;
  }

  /** A number from `min` to `max`; also as a string, which is what Envoy makes of a fraction in YAML. */
  float(name: string, fallback: f64, min: f64, max: f64): f64 {
    const value = this.raw(name);
    if (value === null) return fallback;
    const number = numberOf(value);
    if (number >= min && number <= max) return number;
    this.errors.add(this.pathOf(name), value, `expected a number from ${min} to ${max}, got ${value.describe()}`);
    return fallback;
  }

  /** A duration in Go's spelling ("1m30s"), in nanoseconds, from `min` to `max` (nanoseconds). */
  nanoseconds(name: string, fallback: i64, min: i64, max: i64): i64 {
    const value = this.raw(name);
    if (value === null) return fallback;
    if (value.kind == JsonKind.STRING) {
      const duration = parseDuration(value.text);
      if (duration.valid) {
        if (duration.nanoseconds >= min && duration.nanoseconds <= max) return duration.nanoseconds;
        const range = `from ${formatDuration(min)} to ${formatDuration(max)}`;
        this.errors.add(this.pathOf(name), value, `expected a duration ${range}, got ${value.describe()}`);
        return fallback;
      }
    }
    this.errors.add(this.pathOf(name), value, `expected a duration such as "3s", got ${value.describe()}`);
    return fallback;
  }

  /**
   * A duration in Go's spelling, in milliseconds; parts of one round away from zero, so that a duration that is not
   * zero stays so.
   */
  milliseconds(name: string, fallback: i64, min: i64, max: i64): i64 {
    const none = i64.MIN_VALUE;
    const value = this.nanoseconds(name, none, min * MILLISECOND, max * MILLISECOND);
    if (value == none) return fallback;
    return (value + (value < 0 ? 1 - MILLISECOND : MILLISECOND - 1)) / MILLISECOND;
  }

  /** The index in `allowed` of the string in the field. */
  choice(name: string, fallback: i32, allowed: string[]): i32 {
    const value = this.raw(name);
    if (value === null) return fallback;
    const index = value.kind == JsonKind.STRING ? allowed.indexOf(value.text) : -1;
    if (index >= 0) return index;
    const like = value.kind == JsonKind.STRING ? suggestion(value.text, allowed) : "";
    const expected = `expected one of "${allowed.join('", "')}", got ${value.describe()}${like}`;
    this.errors.add(this.pathOf(name), value, expected);
    return fallback;
  }

  /** An object in the field; an empty one when it is absent. */
  object(name: string): ObjectReader {
    return new ObjectReader(this.raw(name), this.pathOf(name), this.errors);
  }

  /** The items of an array; none when it is absent. */
  items(name: string): JsonValue[] {
    const value = this.typed(name, JsonKind.ARRAY, "an array");
    return value === null ? EMPTY_OBJECT.items : value.items;
  }

  /** The objects of an array. */
  objects(name: string): ObjectReader[] {
    const items = this.items(name);
    const out: ObjectReader[] = [];
    for (let i = 0; i < items.length && !this.errors.full; i++) {
      out.push(new ObjectReader(items[i], `${this.pathOf(name)}[${i}]`, this.errors));
    }
    return out;
  }

  /** The strings of an array; an empty one for what is none. */
  strings(name: string): string[] {
    const items = this.items(name);
    const out: string[] = [];
    for (let i = 0; i < items.length; i++) {
      out.push(items[i].text);
      if (items[i].kind != JsonKind.STRING)
        this.errors.add(`${this.pathOf(name)}[${i}]`, items[i], `expected a string, got ${items[i].describe()}`);
    }
    return out;
  }

  /**
   * Notes what is wrong with strings of an array.
   * @param wrong their indexes
   */
  failStrings(name: string, wrong: i32[], expected: string): void {
    const items = this.items(name);
    for (let i = 0; i < wrong.length && !this.errors.full; i++) {
      const at = wrong[i];
      if (at >= items.length) return;
      this.errors.add(`${this.pathOf(name)}[${at}]`, items[at], `${expected}, got ${items[at].describe()}`);
    }
  }

  /** The integers of an array, each from `min` to `max`. */
  integers(name: string, min: i64, max: i64): i64[] {
    const items = this.items(name);
    const out: i64[] = [];
    for (let i = 0; i < items.length; i++) {
      out.push(this.integerAt(items[i], `${this.pathOf(name)}[${i}]`, 0, min, max));
    }
    return out;
  }

  /** An object whose values are strings, in the order of the text. */
  stringMap(name: string): Map<string, string> {
    const out = new Map<string, string>();
    const fields = this.object(name);
    const keys = fields.value.members.keys();
    for (let i = 0; i < keys.length; i++) out.set(keys[i], fields.string(keys[i]));
    return out;
  }

  /** Refuses every field that no getter has asked for. */
  finish(): void {
    const keys = this.value.members.keys();
    for (let i = 0; i < keys.length && !this.errors.full; i++) {
      if (this.known.includes(keys[i])) continue;
      const at = this.value.members.get(keys[i]);
      const allowed = this.known.length > 0 ? "allowed: " + this.known.join(", ") : "none is allowed here";
      const like = suggestion(keys[i], this.known);
      this.errors.tell(this.path, at, `unknown field ${quoteJson(keys[i])}; ${allowed}${like}`);
    }
  }
}

/** The value of a number, or of a string that is one; NaN for others. */
function numberOf(value: JsonValue): f64 {
  if (value.kind == JsonKind.NUMBER) return value.number;
  if (value.kind != JsonKind.STRING) return NaN;
  const text = Bytes.of(value.text);
  const read = new JsonValue(JsonKind.NUMBER, 0, 0);
  const length = new NumberReader().read(text.ptr, text.length, read);
  return length > 0 && length == text.length ? read.number : NaN;
}
