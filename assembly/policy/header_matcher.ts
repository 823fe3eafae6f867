// Envoy's HeaderMatcher (config/route/v3/route_components.proto) on the headers of all protocols.
import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";
import { ObjectReader } from "../config/object";
import { oneOf, protoFields } from "../config/proto_fields";
import { StreamHandler } from "../stream/handler";
import { HeaderVisitor } from "../message/headers";
import { matchPath } from "./path";
import { TextMatcher } from "./text_matcher";
import { not, Verdict, verdictOf } from "./verdict";

const SPECIFIERS: string[] = [
  "exact_match",
  "prefix_match",
  "suffix_match",
  "contains_match",
  "safe_regex_match",
  "string_match",
  "range_match",
  "present_match",
];

/** Most digits of a number that is compared with a range. */
const MAX_DIGITS: i32 = 18;
/** Bounds of a range: integers that JSON has exactly everywhere. */
const MOST: i64 = 9007199254740991;

/** What stands for Envoy's and MOSN's names of what is no header in all protocols. */
const VARIABLES = new Map<string, string>();
VARIABLES.set(":method", "x-mosn-method");
VARIABLES.set(":path", "x-mosn-path");
VARIABLES.set(":authority", "x-mosn-host");
VARIABLES.set(":scheme", "x-mosn-scheme");

const PATH = Bytes.of("x-mosn-path");

const view = new View();

/** Compares each value of a header: where they differ in the answer, it is not known which one the server goes by. */
class Values extends HeaderVisitor {
  matcher: HeaderMatcher | null = null;
  count: i32 = 0;
  verdict: Verdict = Verdict.NO;

  onHeader(key: usize, keyLength: i32, value: usize, valueLength: i32): bool {
    const matcher = this.matcher;
    if (matcher === null) return false;
    const verdict = matcher.compare(value, valueLength);
    if (this.count++ == 0) this.verdict = verdict;
    else if (this.verdict != verdict) this.verdict = Verdict.UNKNOWN;
    return this.verdict != Verdict.UNKNOWN;
  }
}

const values = new Values();

/** One header of requests, and what it must be. Asking allocates nothing. */
export class HeaderMatcher {
  private readonly text: TextMatcher | null;
  private readonly start: i64;
  private readonly end: i64;
  /** Whether only that it is there counts, or with false that it is not. */
  private readonly asksPresence: bool;
  private readonly present: bool;
  private readonly inverts: bool;
  private readonly emptyIfMissing: bool;

  /**
   * @param name of the header; empty: there is none of the name, only the variable
   * @param variable is asked first; empty: none
   */
  private constructor(
    readonly name: Bytes,
    private readonly variable: Bytes,
    from: ObjectReader,
  ) {
    const kind = oneOf(from, SPECIFIERS);
    this.text = readText(from, kind);
    const range = from.object("range_match");
    this.start = range.integer("start", 0, -MOST, MOST);
    this.end = range.integer("end", 0, -MOST, MOST);
    range.finish();
    this.asksPresence = kind == "present_match";
    this.present = from.bool("present_match", true);
    this.inverts = from.bool("invert_match", false);
    this.emptyIfMissing = from.bool("treat_missing_header_as_empty", false);
    from.finish();
  }

  /**
   * Reads one.
   * @param rpc whether "service" and "method" are what the call is named by
   */
  static read(from: ObjectReader, rpc: bool): HeaderMatcher {
    protoFields(from);
    const name = from.required("name");
    let variable = "";
    if (VARIABLES.has(name)) variable = VARIABLES.get(name);
    else if (rpc && (name == "service" || name == "method")) variable = "x-mosn-rpc-" + name;
    return new HeaderMatcher(
      Bytes.of(name.startsWith(":") || variable.length > 0 ? "" : name),
      Bytes.of(variable),
      from,
    );
  }

  /** Whether a request has the header as it must be; UNKNOWN where its headers cannot be read. */
  test(handler: StreamHandler): Verdict {
    const text = this.text;
    if (text !== null && PATH.equals(this.variable.ptr, this.variable.length))
      return this.finish(matchPath(handler, text));
    if (this.variable.length > 0 && handler.variable(this.variable, view)) {
      return this.finish(this.compare(view.ptr, view.length));
    }
    const headers = handler.requestHeaders;
    if (headers === null) return Verdict.UNKNOWN;
    values.count = 0;
    values.matcher = this;
    if (this.name.length > 0) headers.forEachOf(this.name.ptr, this.name.length, values);
    values.matcher = null;
    if (headers.incomplete) return Verdict.UNKNOWN;
    return values.count > 0 ? this.finish(values.verdict) : this.ofMissing();
  }

  private ofMissing(): Verdict {
    if (this.emptyIfMissing) return this.finish(this.compare(0, 0));
    // Also inverted, a header that is missing has no value that is another one.
    return this.asksPresence ? this.finish(verdictOf(!this.present)) : Verdict.NO;
  }

  private finish(verdict: Verdict): Verdict {
    return this.inverts ? not(verdict) : verdict;
  }

  /** What one value is, before it may be inverted. */
  compare(ptr: usize, length: i32): Verdict {
    if (this.asksPresence) return verdictOf(this.present);
    const text = this.text;
    return text !== null ? text.matches(ptr, length) : verdictOf(this.isInRange(ptr, length));
  }

  private isInRange(ptr: usize, length: i32): bool {
    let end = length;
    while (end > 0 && isSpace(ptr + ((end - 1) as usize))) end--;
    let first = 0;
    while (first < end && isSpace(ptr + (first as usize))) first++;
    const sign = first < end ? load<u8>(ptr + (first as usize)) : 0;
    const negative = sign == 0x2d;
    if (negative || sign == 0x2b) first++;
    if (end == first) return false;
    // Zeros in front are no digits that count.
    while (first < end - 1 && load<u8>(ptr + (first as usize)) == 0x30) first++;
    if (end - first > MAX_DIGITS) return false;
    let number: i64 = 0;
    for (let i = first; i < end; i++) {
      const digit = (load<u8>(ptr + (i as usize)) as i64) - 0x30;
      if (digit < 0 || digit > 9) return false;
      number = number * 10 + digit;
    }
    if (negative) number = -number;
    return number >= this.start && number < this.end;
  }
}

/** Envoy, as most servers do, reads a number with spaces around it. */
function isSpace(at: usize): bool {
  const c = load<u8>(at);
  return c == 0x20 || (c >= 9 && c <= 13);
}

/** The matcher of a specifier that is about the text; null: of another one. All of them are asked for. */
function readText(from: ObjectReader, kind: string): TextMatcher | null {
  const exact = from.string("exact_match");
  const prefix = kind == "prefix_match" ? from.required(kind) : from.string("prefix_match");
  const suffix = kind == "suffix_match" ? from.required(kind) : from.string("suffix_match");
  const part = kind == "contains_match" ? from.required(kind) : from.string("contains_match");
  if (kind == "exact_match") return TextMatcher.exact(exact);
  if (kind == "prefix_match") return TextMatcher.prefix(prefix);
  if (kind == "suffix_match") return TextMatcher.suffix(suffix);
  if (kind == "contains_match") return TextMatcher.contains(part);
  if (kind == "safe_regex_match") return TextMatcher.regex(from.object(kind));
  return kind == "string_match" ? TextMatcher.read(from.object(kind)) : null;
}
