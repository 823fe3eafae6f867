// Envoy's ValueMatcher (type/matcher/v3/value.proto) on JSON.
import { View } from "../bytes/view";
import { JsonScan } from "../config/json_scan";
import { ObjectReader } from "../config/object";
import { oneOf, protoFields } from "../config/proto_fields";
import { JsonKind } from "../config/value";
import { TextMatcher } from "./text_matcher";
import { Verdict, verdictOf } from "./verdict";

const KINDS: string[] = [
  "null_match",
  "double_match",
  "string_match",
  "bool_match",
  "present_match",
  "list_match",
  "or_match",
];
const DOUBLES: string[] = ["range", "exact"];
const MOST: f64 = 9007199254740991;

const text = new View();

/** What a JSON value must be. Asking allocates nothing but, for lists, the first time. */
export abstract class ValueMatcher {
  /** @param value null: there is none */
  abstract test(value: JsonScan | null): Verdict;

  /** Reads one. */
  static read(from: ObjectReader): ValueMatcher {
    protoFields(from);
    const kind = oneOf(from, KINDS);
    const number = from.object("double_match");
    const truth = from.bool("bool_match", true);
    const presence = from.bool("present_match", true);
    let matcher: ValueMatcher;
    if (kind == "double_match") matcher = readDouble(number);
    else if (kind == "string_match") matcher = new StringValue(TextMatcher.read(from.object(kind)));
    else if (kind == "bool_match") matcher = new BoolValue(truth);
    else if (kind == "present_match") matcher = new PresentValue(presence);
    else if (kind == "list_match") matcher = readList(from.object(kind));
    else if (kind == "or_match") matcher = readAny(from.object(kind));
    else matcher = readNull(from.object("null_match"));
    from.finish();
    return matcher;
  }
}

function readNull(from: ObjectReader): ValueMatcher {
  from.finish();
  return new NullValue();
}

function readDouble(from: ObjectReader): ValueMatcher {
  const kind = oneOf(from, DOUBLES);
  const exact = from.float("exact", 0, -MOST, MOST);
  const range = from.object("range");
  const start = range.float("start", 0, -MOST, MOST);
  const end = range.float("end", 0, -MOST, MOST);
  range.finish();
  from.finish();
  return kind == "exact" ? new NumberValue(exact, exact, true) : new NumberValue(start, end, false);
}

function readList(from: ObjectReader): ValueMatcher {
  protoFields(from);
  const item = ValueMatcher.read(from.object("one_of"));
  from.finish();
  return new ListValue(item);
}

function readAny(from: ObjectReader): ValueMatcher {
  protoFields(from);
  const all: ValueMatcher[] = [];
  const items = from.objects("value_matchers");
  if (items.length == 0) from.fail("value_matchers", "must name at least one");
  for (let i = 0; i < items.length; i++) all.push(ValueMatcher.read(items[i]));
  from.finish();
  return new AnyValue(all);
}

class NullValue extends ValueMatcher {
  test(value: JsonScan | null): Verdict {
    return verdictOf(value !== null && value.kind == JsonKind.NULL);
  }
}

class BoolValue extends ValueMatcher {
  constructor(private readonly wanted: bool) {
    super();
  }

  test(value: JsonScan | null): Verdict {
    return verdictOf(value !== null && value.kind == JsonKind.BOOL && value.isTrue == this.wanted);
  }
}

class PresentValue extends ValueMatcher {
  constructor(private readonly wanted: bool) {
    super();
  }

  test(value: JsonScan | null): Verdict {
    return verdictOf((value !== null) == this.wanted);
  }
}

class NumberValue extends ValueMatcher {
  /** @param closed whether the end is one of the numbers */
  constructor(
    private readonly start: f64,
    private readonly end: f64,
    private readonly closed: bool,
  ) {
    super();
  }

  test(value: JsonScan | null): Verdict {
    if (value === null || value.kind != JsonKind.NUMBER) return Verdict.NO;
    const number = value.number;
    return verdictOf(number >= this.start && (number < this.end || (this.closed && number == this.end)));
  }
}

class StringValue extends ValueMatcher {
  constructor(private readonly matcher: TextMatcher) {
    super();
  }

  test(value: JsonScan | null): Verdict {
    if (value === null || value.kind != JsonKind.STRING) return Verdict.NO;
    value.text(text);
    return this.matcher.matches(text.ptr, text.length);
  }
}

/** A list, one of whose items matches. */
class ListValue extends ValueMatcher {
  private readonly at: JsonScan = new JsonScan();

  constructor(private readonly item: ValueMatcher) {
    super();
  }

  test(value: JsonScan | null): Verdict {
    if (value === null || value.kind != JsonKind.ARRAY) return Verdict.NO;
    const at = this.at;
    at.beginAt(value);
    if (!at.enter()) return Verdict.NO;
    let result = Verdict.NO;
    do {
      const verdict = this.item.test(at);
      if (verdict == Verdict.YES) return verdict;
      if (verdict == Verdict.UNKNOWN) result = verdict;
    } while (at.next());
    return result;
  }
}

class AnyValue extends ValueMatcher {
  constructor(private readonly all: ValueMatcher[]) {
    super();
  }

  test(value: JsonScan | null): Verdict {
    let result = Verdict.NO;
    for (let i = 0, n = this.all.length; i < n; i++) {
      const verdict = unchecked(this.all[i]).test(value);
      if (verdict == Verdict.YES) return verdict;
      if (verdict == Verdict.UNKNOWN) result = verdict;
    }
    return result;
  }
}
