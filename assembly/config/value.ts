/** What a JSON value is. */
export const enum JsonKind {
  NULL = 0,
  BOOL = 1,
  NUMBER = 2,
  STRING = 3,
  ARRAY = 4,
  OBJECT = 5,
}

/** Most characters of a string that a message quotes. */
const QUOTED: i32 = 64;

const NO_ITEMS: JsonValue[] = [];
const NO_MEMBERS: Map<string, JsonValue> = new Map<string, JsonValue>();

/** One value of a parsed JSON text, and where it stands there. Owned by the collector; built by `parseJson`. */
export class JsonValue {
  bool: bool = false;
  number: f64 = 0;
  /** Whether the number is an integer of at most 64 bits beside its sign: then `magnitude` and `negative` are exact. */
  integral: bool = false;
  negative: bool = false;
  magnitude: u64 = 0;
  text: string = "";
  items: JsonValue[] = NO_ITEMS;
  /** In the order of the text. */
  members: Map<string, JsonValue> = NO_MEMBERS;

  /**
   * @param line counted from 1
   * @param column counted from 1, in characters
   */
  constructor(
    readonly kind: JsonKind,
    readonly line: i32,
    readonly column: i32,
  ) {}

  /** The value as compact JSON text. */
  toJson(): string {
    const parts: string[] = [];
    writeValue(this, parts);
    return parts.join("");
  }

  /** The value for a message: short, with the type where the text alone does not tell. */
  describe(): string {
    switch (this.kind) {
      case JsonKind.ARRAY:
        return "an array";
      case JsonKind.OBJECT:
        return "an object";
      case JsonKind.STRING: {
        const shown = this.text.length > QUOTED ? this.text.substr(0, QUOTED) + "..." : this.text;
        return quoteJson(shown);
      }
      default:
        return this.toJson();
    }
  }
}

/** Depth is bounded by the parser. */
function writeValue(value: JsonValue, parts: string[]): void {
  switch (value.kind) {
    case JsonKind.NULL:
      parts.push("null");
      return;
    case JsonKind.BOOL:
      parts.push(value.bool ? "true" : "false");
      return;
    case JsonKind.NUMBER:
      parts.push(value.integral ? (value.negative ? "-" : "") + value.magnitude.toString() : value.number.toString());
      return;
    case JsonKind.STRING:
      parts.push(quoteJson(value.text));
      return;
    case JsonKind.ARRAY:
      writeItems(value, parts);
      return;
    default:
      writeMembers(value, parts);
  }
}

function writeItems(value: JsonValue, parts: string[]): void {
  parts.push("[");
  for (let i = 0; i < value.items.length; i++) {
    if (i > 0) parts.push(",");
    writeValue(value.items[i], parts);
  }
  parts.push("]");
}

function writeMembers(value: JsonValue, parts: string[]): void {
  parts.push("{");
  const keys = value.members.keys();
  const values = value.members.values();
  for (let i = 0; i < keys.length; i++) {
    if (i > 0) parts.push(",");
    parts.push(quoteJson(keys[i]));
    parts.push(":");
    writeValue(values[i], parts);
  }
  parts.push("}");
}

/** `text` as a JSON string, quotes included. */
export function quoteJson(text: string): string {
  const parts: string[] = ['"'];
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c >= 0x20 && c != 0x22 && c != 0x5c) continue;
    parts.push(text.substring(from, i));
    parts.push(escapeOf(c));
    from = i + 1;
  }
  parts.push(text.substring(from));
  parts.push('"');
  return parts.join("");
}

function escapeOf(c: i32): string {
  if (c == 0x22) return '\\"';
  if (c == 0x5c) return "\\\\";
  if (c == 0x0a) return "\\n";
  if (c == 0x0d) return "\\r";
  if (c == 0x09) return "\\t";
  return "\\u" + c.toString(16).padStart(4, "0");
}
