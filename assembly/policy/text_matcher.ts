// Envoy's StringMatcher (type/matcher/v3/string.proto).
import { Bytes } from "../bytes/bytes";
import { ObjectReader } from "../config/object";
import { oneOf, protoFields } from "../config/proto_fields";
import { equalsFold } from "../router/fold";
import { Found } from "../regex/budget";
import { Regex } from "../regex/regex";
import { Verdict, verdictOf } from "./verdict";

const enum TextKind {
  EXACT = 0,
  PREFIX = 1,
  SUFFIX = 2,
  CONTAINS = 3,
  REGEX = 4,
  SEGMENTS = 5,
}

const KINDS: string[] = ["exact", "prefix", "suffix", "contains", "safe_regex"];

/** Compares a text with one of the configuration. Asking allocates nothing. */
export class TextMatcher {
  private constructor(
    private readonly kind: TextKind,
    private readonly text: Bytes,
    private readonly regex: Regex | null,
    private readonly folds: bool,
  ) {}

  /** @param folds whether the case of ASCII letters does not count */
  static exact(text: string, folds: bool = false): TextMatcher {
    return new TextMatcher(TextKind.EXACT, Bytes.of(text), null, folds);
  }

  /** @param folds as of `exact` */
  static prefix(text: string, folds: bool = false): TextMatcher {
    return new TextMatcher(TextKind.PREFIX, Bytes.of(text), null, folds);
  }

  /** A path that begins with these whole segments. */
  static segments(text: string, folds: bool): TextMatcher {
    return new TextMatcher(TextKind.SEGMENTS, Bytes.of(text), null, folds);
  }

  static suffix(text: string): TextMatcher {
    return new TextMatcher(TextKind.SUFFIX, Bytes.of(text), null, false);
  }

  static contains(text: string): TextMatcher {
    return new TextMatcher(TextKind.CONTAINS, Bytes.of(text), null, false);
  }

  /** Reads `safe_regex`, an object: the whole text has to match, as everywhere in Envoy. */
  static regex(from: ObjectReader): TextMatcher {
    protoFields(from);
    const pattern = from.required("regex");
    from.object("google_re2");
    from.finish();
    const compiled = Regex.compile("^(?:" + pattern + ")$");
    if (compiled.regex === null) from.fail("regex", compiled.error);
    return new TextMatcher(TextKind.REGEX, Bytes.EMPTY, compiled.regex, false);
  }

  /** Reads a StringMatcher. */
  static read(from: ObjectReader): TextMatcher {
    protoFields(from);
    const kind = KINDS.indexOf(oneOf(from, KINDS));
    const folds = from.bool("ignore_case", false);
    let text = "";
    for (let i = 0; i < TextKind.REGEX; i++) {
      const given = i == kind && i != TextKind.EXACT ? from.required(KINDS[i]) : from.string(KINDS[i]);
      if (i == kind) text = given;
    }
    const regex = kind == TextKind.REGEX ? TextMatcher.regex(from.object("safe_regex")) : null;
    from.finish();
    if (regex !== null) return regex;
    return new TextMatcher(max(kind, 0) as TextKind, Bytes.of(text), null, folds);
  }

  /** UNKNOWN for an expression that would take too long. */
  matches(ptr: usize, length: i32): Verdict {
    const regex = this.regex;
    if (regex !== null) {
      const found = regex.search(ptr, length);
      return found == Found.FAILED ? Verdict.UNKNOWN : verdictOf(found == Found.YES);
    }
    const size = this.text.length;
    if (size > length || this.kind == TextKind.REGEX) return Verdict.NO;
    switch (this.kind) {
      case TextKind.EXACT:
        return verdictOf(size == length && this.isAt(ptr));
      case TextKind.SEGMENTS:
        return verdictOf((size == length || load<u8>(ptr + (size as usize)) == 0x2f) && this.isAt(ptr));
      case TextKind.PREFIX:
        return verdictOf(this.isAt(ptr));
      case TextKind.SUFFIX:
        return verdictOf(this.isAt(ptr + ((length - size) as usize)));
      default:
        for (let i = 0; i <= length - size; i++) if (this.isAt(ptr + (i as usize))) return Verdict.YES;
        return Verdict.NO;
    }
  }

  /** Whether the text is there; there is room for it. */
  private isAt(ptr: usize): bool {
    const text = this.text;
    if (text.length == 0) return true;
    if (this.folds) return equalsFold(text.ptr, text.length, ptr, text.length);
    return load<u8>(text.ptr) == load<u8>(ptr) && memory.compare(text.ptr, ptr, text.length as usize) == 0;
  }
}
