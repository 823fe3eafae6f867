// The functions of the language, by name: CEL's standard ones and its string extension as far as MOSN's CEL has them
// (cel-go 0.5.1), and MOSN's own (pkg/cel/ext).
import { Kind, kindName } from "./kind";
import { Field } from "./times";

export const enum Fn {
  /** The argument as it is. */
  SAME,
  // Texts.
  MATCH,
  REVERSE,
  LOWER,
  UPPER,
  SIZE,
  STARTS_WITH,
  ENDS_WITH,
  CONTAINS,
  CHAR_AT,
  INDEX_OF,
  LAST_INDEX_OF,
  REPLACE,
  SUBSTRING,
  TRIM,
  CONDITIONAL_STRING,
  // Conversions.
  EMAIL,
  DNS_NAME,
  URI,
  IP,
  EMPTY_MAP,
  STRING_TO_INT,
  DOUBLE_TO_INT,
  INT_TO_DOUBLE,
  STRING_TO_DOUBLE,
  STRING_TO_BOOL,
  STRING_TO_DURATION,
  STRING_TO_TIMESTAMP,
  INT_TO_TIMESTAMP,
  BOOL_TO_STRING,
  INT_TO_STRING,
  DOUBLE_TO_STRING,
  TIMESTAMP_TO_STRING,
  DURATION_TO_STRING,
  IP_TO_STRING,
  TEXT_TO_STRING,
  // Times; `detail` is the field.
  TIME_FIELD,
  DURATION_FIELD,
  // Methods of `ctx`; `detail` is 1 for the response.
  REWRITE_URL,
  SET_HEADER,
  REMOVE_HEADER,
}

/** How a function may be written. */
const FUNCTION: u32 = 1;
const METHOD: u32 = 2;
const BOTH: u32 = 3;

/** One form of a function: `name(parameters…)` or `parameters[0].name(…)`. */
export class Signature {
  constructor(
    readonly name: string,
    readonly style: u32,
    readonly fn: Fn,
    readonly result: Kind,
    readonly parameters: Kind[],
    readonly detail: i32,
  ) {}

  fits(isMethod: bool, kinds: Kind[]): bool {
    if ((this.style & (isMethod ? METHOD : FUNCTION)) == 0 || kinds.length != this.parameters.length) return false;
    for (let i = 0; i < kinds.length; i++) if (kinds[i] != this.parameters[i]) return false;
    return true;
  }

  /** For messages: `match(string, string)`, `string.contains(string)`. */
  get text(): string {
    const names: string[] = [];
    for (let i = 0; i < this.parameters.length; i++) names.push(kindName(this.parameters[i]));
    if (this.style != METHOD) return `${this.name}(${names.join(", ")})`;
    return `${names[0]}.${this.name}(${names.slice(1).join(", ")})`;
  }
}

const all: Signature[] = [];

function define(name: string, style: u32, fn: Fn, result: Kind, parameters: Kind[], detail: i32 = 0): void {
  all.push(new Signature(name, style, fn, result, parameters, detail));
}

const S = Kind.STRING;
const I = Kind.INT;

define("match", BOTH, Fn.MATCH, Kind.BOOL, [S, S]);
define("reverse", BOTH, Fn.REVERSE, S, [S]);
define("toLower", BOTH, Fn.LOWER, S, [S]);
define("toUpper", BOTH, Fn.UPPER, S, [S]);
define("conditionalString", BOTH, Fn.CONDITIONAL_STRING, S, [Kind.BOOL, S, S]);
define("email", BOTH, Fn.EMAIL, Kind.EMAIL, [S]);
define("dnsName", BOTH, Fn.DNS_NAME, Kind.DNS_NAME, [S]);
define("uri", BOTH, Fn.URI, Kind.URI, [S]);
define("ip", BOTH, Fn.IP, Kind.IP, [S]);
define("emptyStringMap", FUNCTION, Fn.EMPTY_MAP, Kind.MAP, []);

define("size", BOTH, Fn.SIZE, I, [S]);
define("startsWith", METHOD, Fn.STARTS_WITH, Kind.BOOL, [S, S]);
define("endsWith", METHOD, Fn.ENDS_WITH, Kind.BOOL, [S, S]);
define("contains", METHOD, Fn.CONTAINS, Kind.BOOL, [S, S]);
define("charAt", METHOD, Fn.CHAR_AT, S, [S, I]);
define("indexOf", METHOD, Fn.INDEX_OF, I, [S, S]);
define("indexOf", METHOD, Fn.INDEX_OF, I, [S, S, I]);
define("lastIndexOf", METHOD, Fn.LAST_INDEX_OF, I, [S, S]);
define("lastIndexOf", METHOD, Fn.LAST_INDEX_OF, I, [S, S, I]);
define("replace", METHOD, Fn.REPLACE, S, [S, S, S]);
define("replace", METHOD, Fn.REPLACE, S, [S, S, S, I]);
define("substring", METHOD, Fn.SUBSTRING, S, [S, I]);
define("substring", METHOD, Fn.SUBSTRING, S, [S, I, I]);
define("trim", METHOD, Fn.TRIM, S, [S]);

define("int", FUNCTION, Fn.SAME, I, [I]);
define("int", FUNCTION, Fn.STRING_TO_INT, I, [S]);
define("int", FUNCTION, Fn.DOUBLE_TO_INT, I, [Kind.DOUBLE]);
define("int", FUNCTION, Fn.SAME, I, [Kind.TIMESTAMP]);
define("int", FUNCTION, Fn.SAME, I, [Kind.DURATION]);
define("double", FUNCTION, Fn.SAME, Kind.DOUBLE, [Kind.DOUBLE]);
define("double", FUNCTION, Fn.INT_TO_DOUBLE, Kind.DOUBLE, [I]);
define("double", FUNCTION, Fn.STRING_TO_DOUBLE, Kind.DOUBLE, [S]);
define("bool", FUNCTION, Fn.SAME, Kind.BOOL, [Kind.BOOL]);
define("bool", FUNCTION, Fn.STRING_TO_BOOL, Kind.BOOL, [S]);
define("duration", FUNCTION, Fn.SAME, Kind.DURATION, [Kind.DURATION]);
define("duration", FUNCTION, Fn.STRING_TO_DURATION, Kind.DURATION, [S]);
define("timestamp", FUNCTION, Fn.SAME, Kind.TIMESTAMP, [Kind.TIMESTAMP]);
define("timestamp", FUNCTION, Fn.STRING_TO_TIMESTAMP, Kind.TIMESTAMP, [S]);
define("timestamp", FUNCTION, Fn.INT_TO_TIMESTAMP, Kind.TIMESTAMP, [I]);
define("string", FUNCTION, Fn.SAME, S, [S]);
define("string", FUNCTION, Fn.BOOL_TO_STRING, S, [Kind.BOOL]);
define("string", FUNCTION, Fn.INT_TO_STRING, S, [I]);
define("string", FUNCTION, Fn.DOUBLE_TO_STRING, S, [Kind.DOUBLE]);
define("string", FUNCTION, Fn.TIMESTAMP_TO_STRING, S, [Kind.TIMESTAMP]);
define("string", FUNCTION, Fn.DURATION_TO_STRING, S, [Kind.DURATION]);
define("string", BOTH, Fn.IP_TO_STRING, S, [Kind.IP]);
define("string", BOTH, Fn.TEXT_TO_STRING, S, [Kind.URI]);

function defineField(name: string, field: Field, ofDuration: bool): void {
  define(name, METHOD, Fn.TIME_FIELD, I, [Kind.TIMESTAMP], field as i32);
  define(name, METHOD, Fn.TIME_FIELD, I, [Kind.TIMESTAMP, S], field as i32);
  if (ofDuration) define(name, METHOD, Fn.DURATION_FIELD, I, [Kind.DURATION], field as i32);
}

defineField("getFullYear", Field.YEAR, false);
defineField("getMonth", Field.MONTH, false);
defineField("getDayOfYear", Field.DAY_OF_YEAR, false);
defineField("getDayOfMonth", Field.DAY_OF_MONTH, false);
defineField("getDate", Field.DATE, false);
defineField("getDayOfWeek", Field.DAY_OF_WEEK, false);
defineField("getHours", Field.HOURS, true);
defineField("getMinutes", Field.MINUTES, true);
defineField("getSeconds", Field.SECONDS, true);
defineField("getMilliseconds", Field.MILLISECONDS, true);

define("rewrite_request_url", BOTH, Fn.REWRITE_URL, Kind.BOOL, [Kind.CONTEXT, S]);
define("add_request_header", BOTH, Fn.SET_HEADER, Kind.BOOL, [Kind.CONTEXT, S, S], 0);
define("del_request_header", BOTH, Fn.REMOVE_HEADER, Kind.BOOL, [Kind.CONTEXT, S], 0);
define("add_response_header", BOTH, Fn.SET_HEADER, Kind.BOOL, [Kind.CONTEXT, S, S], 1);
define("del_response_header", BOTH, Fn.REMOVE_HEADER, Kind.BOOL, [Kind.CONTEXT, S], 1);

/** The form of a function that fits; null: none does. */
export function findSignature(name: string, isMethod: bool, kinds: Kind[]): Signature | null {
  for (let i = 0; i < all.length; i++) if (all[i].name == name && all[i].fits(isMethod, kinds)) return all[i];
  return null;
}

/** The forms of a function, for messages; empty: there is no such function. */
export function formsOf(name: string): string {
  const forms: string[] = [];
  for (let i = 0; i < all.length; i++) if (all[i].name == name) forms.push(all[i].text);
  return forms.join("; ");
}

/** The names of all functions, for messages. */
export function functionNames(): string {
  const names: string[] = ["conditional", "has", "pick", "matches"];
  for (let i = 0; i < all.length; i++) if (!names.includes(all[i].name)) names.push(all[i].name);
  return names.join(", ");
}
