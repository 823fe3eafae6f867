import { Bytes } from "../bytes/bytes";
import { Kind } from "./kind";

/**
 * What a part of an expression came to. Each part owns one and writes it anew in each evaluation; which fields count is
 * settled by its type when the expression is compiled.
 */
export class Value {
  /** BOOL (0 or 1), INT; DURATION: nanoseconds; TIMESTAMP: seconds since 1970; MAP: the attribute, 0: an empty map. */
  integer: i64 = 0;
  /** TIMESTAMP: nanoseconds of the second, 0 to 999999999. */
  nanos: i32 = 0;
  double: f64 = 0;
  /** STRING, and the text of EMAIL, URI and DNS_NAME: borrowed, until the evaluation is over. */
  ptr: usize = 0;
  length: i32 = 0;
  /** IP: the address as a 128-bit number; IPv4 as one that is mapped into IPv6. */
  high: u64 = 0;
  low: u64 = 0;
  /** IP: whether there is one. A text that is no address is Go's nil, which equals only itself. */
  known: bool = false;
  /** Keeps a literal's bytes alive. */
  text: Bytes = Bytes.EMPTY;

  setBool(value: bool): Value {
    this.integer = value ? 1 : 0;
    return this;
  }

  setInteger(value: i64): Value {
    this.integer = value;
    return this;
  }

  setText(ptr: usize, length: i32): Value {
    this.ptr = ptr;
    this.length = length;
    return this;
  }

  /** Makes it a text that lives as long as this object. */
  keepText(text: Bytes): Value {
    this.text = text;
    return this.setText(text.ptr, text.length);
  }

  get isTrue(): bool {
    return this.integer != 0;
  }
}

/** Makes a value what an attribute without a value counts as (MOSN's defaultValues in pkg/cel/ext/types.go). */
export function setDefault(value: Value, kind: Kind): Value {
  value.integer = 0;
  value.nanos = 0;
  value.double = 0;
  value.known = false;
  value.high = 0;
  value.low = 0;
  return value.setText(Bytes.EMPTY.ptr, 0);
}
