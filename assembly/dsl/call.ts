import { Bytes } from "../bytes/bytes";
import { parseDuration } from "../config/duration";
import { noteGarbage } from "../abi/dispatch";
import { budget, Found } from "../regex/budget";
import { Regex } from "../regex/regex";
import { AttributeSource } from "./attributes";
import { Fault, fail } from "./fault";
import { Fn, Signature } from "./functions";
import { Kind } from "./kind";
import { formatAddress, parseEmail, parseName } from "./net";
import { copyText, Node, setAddress } from "./node";
import { formatDouble, formatDuration, formatInteger, parseBool, parseDouble, parseInteger } from "./numbers";
import { spend } from "./steps";
import * as texts from "./texts";
import * as times from "./times";
import { parseUri } from "./uri";
import { Value } from "./value";

const TRUE = Bytes.of("true");
const FALSE = Bytes.of("false");
/** The doubles between which there are 64-bit integers. */
const MAX_INT: f64 = 9223372036854775808.0;
/** Longest text that can be a duration, bytes. */
const MAX_DURATION: i32 = 128;
/** Most places and bytes of one search for a text in another, multiplied. */
const MAX_PRODUCT: i64 = 1 << 22;

const NO_ZONE: i64 = i64.MIN_VALUE;

/** A call of a function or method. */
export class CallNode extends Node {
  private readonly fn: Fn;
  private readonly detail: i32;
  private readonly operands: StaticArray<Node>;

  constructor(signature: Signature, operands: Node[]) {
    super(signature.result);
    this.fn = signature.fn;
    this.detail = signature.detail;
    this.operands = StaticArray.fromArray(operands);
  }

  evaluate(source: AttributeSource): Value | null {
    const parts = this.operands;
    const count = parts.length;
    const none = this.value;
    const a = count > 0 ? unchecked(parts[0]).evaluate(source) : none;
    const b = count > 1 ? unchecked(parts[1]).evaluate(source) : none;
    const c = count > 2 ? unchecked(parts[2]).evaluate(source) : none;
    const d = count > 3 ? unchecked(parts[3]).evaluate(source) : none;
    if (a === null || b === null || c === null || d === null) return null;
    // What a function does takes time linear in its texts; searches take more steps of their own.
    if (!spend(a.length + b.length + c.length)) return fail(Fault.TOO_LONG);
    const fn = this.fn;
    if (fn <= Fn.TRIM) return this.text(a, b, c, d, count);
    if (fn <= Fn.EMPTY_MAP) return this.make(a, b, c);
    if (fn <= Fn.INT_TO_TIMESTAMP) return this.convert(a);
    if (fn <= Fn.TEXT_TO_STRING) return this.format(a);
    return fn <= Fn.DURATION_FIELD ? this.field(a, b, count) : this.act(source, b, c);
  }

  private text(a: Value, b: Value, c: Value, d: Value, count: i32): Value | null {
    const value = this.value;
    switch (this.fn) {
      case Fn.MATCH:
        return value.setBool(texts.wildcardMatches(a, b));
      case Fn.REVERSE:
        return texts.reverse(a, value);
      case Fn.LOWER:
        return texts.foldCase(a, 0x41, value);
      case Fn.UPPER:
        return texts.foldCase(a, 0x61, value);
      case Fn.SIZE:
        return value.setInteger(texts.countRunes(a.ptr, a.length) as i64);
      case Fn.STARTS_WITH:
        return value.setBool(texts.startsWith(a, b.ptr, b.length));
      case Fn.ENDS_WITH:
        return value.setBool(texts.endsWith(a, b.ptr, b.length));
      case Fn.CHAR_AT:
        return texts.charAt(a, b.integer, value);
      case Fn.SUBSTRING:
        return texts.substring(a, b.integer, count > 2 ? c.integer : i64.MAX_VALUE, value);
      case Fn.TRIM:
        return texts.trim(a, value);
      case Fn.SAME:
        return a;
      default:
        return this.search(a, b, c, d, count);
    }
  }

  /** Functions that look for one text in another. */
  private search(a: Value, b: Value, c: Value, d: Value, count: i32): Value | null {
    if ((a.length as i64) * (b.length as i64) > MAX_PRODUCT) return fail(Fault.TOO_LONG);
    const found = this.searched(a, b, c, d, count);
    // What was found counts only if there were steps to find it.
    return spend(0) ? found : fail(Fault.TOO_LONG);
  }

  private searched(a: Value, b: Value, c: Value, d: Value, count: i32): Value | null {
    const value = this.value;
    switch (this.fn) {
      case Fn.CONTAINS:
        return value.setBool(texts.find(a, b, 0) >= 0);
      case Fn.INDEX_OF:
        return texts.indexOf(a, b, count > 2 ? c.integer : 0, value);
      case Fn.LAST_INDEX_OF:
        return texts.lastIndexOf(a, b, c.integer, count == 2, value);
      default:
        return texts.replace(a, b, c, count > 3 ? d.integer : -1, value);
    }
  }

  private make(a: Value, b: Value, c: Value): Value | null {
    const value = this.value;
    switch (this.fn) {
      case Fn.CONDITIONAL_STRING:
        return a.isTrue ? b : c;
      case Fn.EMAIL:
        return parseEmail(a, value);
      case Fn.DNS_NAME:
        return parseName(a, value);
      case Fn.URI:
        return parseUri(a, value);
      case Fn.IP:
        return setAddress(value, a.ptr, a.length);
      default:
        return value.setInteger(0);
    }
  }

  private convert(a: Value): Value | null {
    const value = this.value;
    switch (this.fn) {
      case Fn.STRING_TO_INT:
        return parseInteger(a, value);
      case Fn.DOUBLE_TO_INT:
        return round(a.double, value);
      case Fn.INT_TO_DOUBLE:
        value.double = a.integer as f64;
        return value;
      case Fn.STRING_TO_DOUBLE:
        return parseDouble(a, value);
      case Fn.STRING_TO_BOOL:
        return parseBool(a, value);
      case Fn.STRING_TO_DURATION:
        return durationOf(a, value);
      case Fn.STRING_TO_TIMESTAMP:
        return times.parseTime(value, a.ptr, a.length);
      default:
        return times.setSeconds(value, a.integer, 0);
    }
  }

  private format(a: Value): Value | null {
    const value = this.value;
    switch (this.fn) {
      case Fn.BOOL_TO_STRING:
        return a.isTrue ? value.setText(TRUE.ptr, TRUE.length) : value.setText(FALSE.ptr, FALSE.length);
      case Fn.INT_TO_STRING:
        return formatInteger(a.integer, value);
      case Fn.DOUBLE_TO_STRING:
        return formatDouble(a.double, value);
      case Fn.TIMESTAMP_TO_STRING:
        return formatTime(a, value);
      case Fn.DURATION_TO_STRING:
        return formatDuration(a.integer, value);
      case Fn.IP_TO_STRING:
        return formatAddress(a, value);
      default:
        return value.setText(a.ptr, a.length);
    }
  }

  private field(a: Value, b: Value, count: i32): Value | null {
    const field = this.detail as times.Field;
    if (this.fn == Fn.DURATION_FIELD) return this.value.setInteger(times.fieldOfDuration(a.integer, field));
    const zone = count > 1 ? times.parseZone(b.ptr, b.length) : 0;
    return zone == NO_ZONE ? fail(Fault.CONVERSION) : this.value.setInteger(times.fieldOf(a, zone, field));
  }

  /** What changes the request or the response: true when it did. */
  private act(source: AttributeSource, b: Value, c: Value): Value {
    const response = this.detail != 0;
    if (this.fn == Fn.REWRITE_URL) return this.value.setBool(source.rewriteUrl(b.ptr, b.length));
    if (this.fn == Fn.REMOVE_HEADER) return this.value.setBool(source.removeHeader(response, b.ptr, b.length));
    return this.value.setBool(source.setHeader(response, b.ptr, b.length, c.ptr, c.length));
  }
}

/** The nearest integer, of two the one that is farther from zero. */
function round(double: f64, value: Value): Value | null {
  const whole = Math.floor(Math.abs(double) + 0.5);
  // Half a step below 0.5 the sum above is rounded up to 1.
  const rounded = whole - Math.abs(double) > 0.5 ? whole - 1 : whole;
  // False also for NaN.
  if (!(rounded < MAX_INT)) return fail(Fault.OVERFLOW);
  return value.setInteger(double < 0 ? -(rounded as i64) : (rounded as i64));
}

function durationOf(text: Value, value: Value): Value | null {
  if (text.length > MAX_DURATION) return fail(Fault.CONVERSION);
  const duration = parseDuration(String.UTF8.decodeUnsafe(text.ptr, text.length));
  noteGarbage(8);
  return duration.valid ? value.setInteger(duration.nanoseconds) : fail(Fault.CONVERSION);
}

const scratch: usize = heap.alloc(times.TIME_ROOM);

function formatTime(time: Value, value: Value): Value | null {
  return copyText(value, scratch, times.formatTime(time, scratch));
}

/** `"pattern".matches(text)`: whether the regular expression is anywhere in the text. */
export class MatchesNode extends Node {
  constructor(
    private readonly regex: Regex,
    private readonly text: Node,
  ) {
    super(Kind.BOOL);
  }

  evaluate(source: AttributeSource): Value | null {
    const text = this.text.evaluate(source);
    if (text === null) return null;
    const found = this.regex.search(text.ptr, text.length);
    if (found == Found.FAILED || !spend(text.length + budget.spent)) return fail(Fault.TOO_LONG);
    return this.value.setBool(found == Found.YES);
  }
}
