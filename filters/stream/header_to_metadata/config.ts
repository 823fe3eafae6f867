import { Bytes } from "../../../assembly/bytes/bytes";
import { ObjectReader } from "../../../assembly/config/object";
import { FilterConfig } from "../../../assembly/stream/filter";
import { isLabelValue, labelKeyError, MAX_LABELS } from "../../../assembly/stream/labels";

const MAX_RULES: i32 = 64;
/** The labels of a rule, one of which is given. */
const LABELS: string[] = ["on_header_present", "on_header_missing"];

/** A label that a rule sets. */
export class RuleLabel {
  constructor(
    readonly key: Bytes,
    /** Empty: the header's value. */
    readonly value: Bytes,
  ) {}
}

/** One of `request_rules`: one of the two labels is there. */
export class HeaderRule {
  constructor(
    readonly header: Bytes,
    readonly present: RuleLabel | null,
    readonly missing: RuleLabel | null,
    /** Whether the header goes. */
    readonly remove: bool,
  ) {}
}

/** Configuration of `header_to_metadata`. */
export class HeaderToMetadataConfig extends FilterConfig {
  readonly rules: HeaderRule[] = [];

  constructor(from: ObjectReader) {
    super();
    const rules = from.objects("request_rules");
    if (rules.length > MAX_RULES) from.fail("request_rules", `more than ${MAX_RULES} rules`);
    const keys: string[] = [];
    for (let i = 0; i < rules.length; i++) this.rules.push(readRule(rules[i], keys));
    if (keys.length > MAX_LABELS) from.fail("request_rules", `more than ${MAX_LABELS} different keys`);
    from.finish();
  }
}

/** Reads a rule, and adds the key of its label to `keys`. */
function readRule(from: ObjectReader, keys: string[]): HeaderRule {
  const header = from.required("header");
  const present = readLabel(from, "on_header_present", true, keys);
  const missing = readLabel(from, "on_header_missing", false, keys);
  const remove = from.bool("remove", false);
  const given = (present !== null ? 1 : 0) + (missing !== null ? 1 : 0);
  if (given != 1) from.failTogether(LABELS, "expected one of on_header_present, on_header_missing");
  from.finish();
  return new HeaderRule(Bytes.of(header), present, missing, remove);
}

/** Labels travel to Envoy as headers: keys and values that a header cannot have are refused. */
function readLabel(from: ObjectReader, field: string, mayBeEmpty: bool, keys: string[]): RuleLabel | null {
  const label = from.object(field);
  if (!from.has(field)) return null;
  const key = label.required("key");
  const error = key.length > 0 ? labelKeyError(key) : "";
  if (error.length > 0) label.fail("key", error);
  const value = label.bytes("value");
  if (!(mayBeEmpty && value.length == 0) && !isLabelValue(value.ptr, value.length)) {
    label.fail("value", "a label's value must be of 1 to 255 visible ASCII characters");
  }
  label.finish();
  if (!keys.includes(key)) keys.push(key);
  return new RuleLabel(Bytes.of(key), value);
}
