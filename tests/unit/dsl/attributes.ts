// A request for specs of expressions, without a host.
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { Attribute, AttributeSource } from "../../../assembly/dsl/attributes";

/** 2021-03-04T05:06:07.008Z */
export const REQUEST_TIME: i64 = 1614834367008000000;
const DURATION: i64 = 1500000000;

/** The attributes that the results of tests/unit/dsl/vectors.ts were made with. Effects are noted. */
export class TestAttributes extends AttributeSource {
  readonly texts: Map<i32, Bytes> = new Map<i32, Bytes>();
  readonly numbers: Map<i32, i64> = new Map<i32, i64>();
  readonly maps: Map<i32, Map<string, Bytes>> = new Map<i32, Map<string, Bytes>>();
  /** What expressions did to the request, in order. */
  effects: string[] = [];
  /** What effects answer. */
  answer: bool = true;
  /** How often something was asked for. */
  calls: i32 = 0;

  constructor() {
    super();
    this.give(Attribute.REQUEST_HOST, "test.local");
    this.give(Attribute.REQUEST_PATH, "/url/a");
    this.give(Attribute.REQUEST_URL_PATH, "/url/a?k1=v1&k2=v2");
    this.give(Attribute.REQUEST_METHOD, "GET");
    this.give(Attribute.ORIGIN_IP, "10.0.0.1");
    this.give(Attribute.DESTINATION_IP, "10.0.0.2");
    this.give(Attribute.CONTEXT_PROTOCOL, "http");
    this.numbers.set(Attribute.REQUEST_SIZE, 11);
    this.numbers.set(Attribute.REQUEST_TOTAL_SIZE, 120);
    this.numbers.set(Attribute.REQUEST_TIME, REQUEST_TIME);
    this.numbers.set(Attribute.RESPONSE_CODE, 200);
    this.numbers.set(Attribute.RESPONSE_SIZE, 12);
    this.numbers.set(Attribute.RESPONSE_TOTAL_SIZE, 34);
    this.numbers.set(Attribute.RESPONSE_DURATION, DURATION);
    this.numbers.set(Attribute.RESPONSE_TIME, REQUEST_TIME + DURATION);
    this.numbers.set(Attribute.DESTINATION_PORT, 80);
    this.entry(Attribute.REQUEST_HEADERS, "dsl", "dsl");
    this.entry(Attribute.REQUEST_HEADERS, "times", "10");
    this.entry(Attribute.REQUEST_HEADERS, "empty", "");
    this.entry(Attribute.REQUEST_HEADERS, "app", "test_app");
    this.entry(Attribute.RESPONSE_HEADERS, "server", "moe");
    this.entry(Attribute.REQUEST_QUERY_PARAMS, "k1", "v1");
    this.entry(Attribute.REQUEST_QUERY_PARAMS, "k2", "v2");
  }

  /** Gives an attribute a text. */
  give(attribute: Attribute, text: string): void {
    this.texts.set(attribute, Bytes.of(text));
  }

  /** Gives a map a key. */
  entry(attribute: Attribute, key: string, value: string): void {
    if (!this.maps.has(attribute)) this.maps.set(attribute, new Map<string, Bytes>());
    this.maps.get(attribute).set(key, Bytes.of(value));
  }

  text(attribute: Attribute, out: View): bool {
    this.calls++;
    if (!this.texts.has(attribute)) return false;
    const text = this.texts.get(attribute);
    out.set(text.ptr, text.length);
    return true;
  }

  number(attribute: Attribute): bool {
    this.calls++;
    if (!this.numbers.has(attribute)) return false;
    this.integer = this.numbers.get(attribute);
    return true;
  }

  has(attribute: Attribute): bool {
    this.calls++;
    return this.maps.has(attribute);
  }

  find(attribute: Attribute, key: usize, length: i32, out: View): bool {
    this.calls++;
    if (!this.maps.has(attribute)) return false;
    const map = this.maps.get(attribute);
    const name = String.UTF8.decodeUnsafe(key, length);
    if (!map.has(name)) return false;
    const value = map.get(name);
    out.set(value.ptr, value.length);
    return true;
  }

  rewriteUrl(path: usize, length: i32): bool {
    this.effects.push("path " + String.UTF8.decodeUnsafe(path, length));
    return this.answer;
  }

  setHeader(response: bool, key: usize, keyLength: i32, value: usize, valueLength: i32): bool {
    const header = String.UTF8.decodeUnsafe(key, keyLength) + ": " + String.UTF8.decodeUnsafe(value, valueLength);
    this.effects.push((response ? "response " : "request ") + header);
    return this.answer;
  }

  removeHeader(response: bool, key: usize, length: i32): bool {
    this.effects.push((response ? "response -" : "request -") + String.UTF8.decodeUnsafe(key, length));
    return this.answer;
  }
}
