// The rows of tests/vectors on filters alone, without a proxy. The other hosts: tests/host and tests/e2e.
import { Bytes } from "../../../assembly/bytes/bytes";
import { ConfigErrors } from "../../../assembly/config/errors";
import { parseJson } from "../../../assembly/config/json";
import { JsonValue } from "../../../assembly/config/value";
import { ProxyConfig } from "../../../assembly/proxy/config";
import { Phase, ResponseFlag } from "../../../assembly/stream/phase";
import { filters } from "../../../filters/network/filters";
import { TestRequest } from "../router/request";
import { TestHandler } from "../stream/test_handler";

// tests/vectors/fixture.js
@external("vectors", "size")
declare function vectorsSize(): i32;


@external("vectors", "read")
declare function readVectors(at: usize): i32;


@external("vectors", "ran")
declare function ran(filter: i32): void;

/** All rows, filter by filter, and the place of each one's filter. */
const rows: JsonValue[] = [];
const filterOf: i32[] = [];
let names: string[] = [];
/** Tests run in the order in which they were described: the row that is next. */
let next = 0;

function readRows(): void {
  const size = vectorsSize();
  const text = new StaticArray<u8>(size);
  readVectors(changetype<usize>(text));
  const errors = new ConfigErrors();
  const all = parseJson(changetype<usize>(text), size, errors);
  assert(all !== null, errors.message);
  names = (all as JsonValue).members.keys();
  for (let i = 0; i < names.length; i++) {
    const items = (all as JsonValue).members.get(names[i]).items;
    for (let j = 0; j < items.length; j++) {
      rows.push(items[j]);
      filterOf.push(i);
    }
  }
}

function field(object: JsonValue, name: string): JsonValue | null {
  return object.members.has(name) ? object.members.get(name) : null;
}

function integer(object: JsonValue, name: string, fallback: i32): i32 {
  const value = field(object, name);
  return value === null ? fallback : (value.number as i32);
}

function text(object: JsonValue, name: string): string {
  const value = field(object, name);
  return value === null ? "" : value.text;
}

/** The proxy's configuration with the row's filter, and with the row's route. */
function configOf(row: JsonValue, filter: string): string {
  const route = field(row, "route_config");
  const own = (field(row, "config") as JsonValue).toJson();
  const routed = route === null ? "{}" : `{"${filter}":${route.toJson()}}`;
  return `{"stream_filters":[{"type":"${filter}","config":${own}}],"router":{"virtual_hosts":[{"domains":["*"],
    "routers":[{"route":{"cluster_name":"upstream"},"per_filter_config":${routed}}]}]}}`;
}

/** Pairs [key, value], one "key: value" a line. */
function pairs(value: JsonValue | null): string {
  const lines: string[] = [];
  if (value === null) return "";
  for (let i = 0; i < value.items.length; i++) {
    lines.push(value.items[i].items[0].text + ": " + value.items[i].items[1].text);
  }
  return lines.join("\n");
}

function members(value: JsonValue): string {
  const keys = value.members.keys();
  keys.sort();
  const lines: string[] = [];
  for (let i = 0; i < keys.length; i++) lines.push(keys[i] + ": " + value.members.get(keys[i]).text);
  return lines.join("\n");
}

function requestOf(row: JsonValue): TestHandler {
  const handler = new TestHandler();
  const request = field(row, "request");
  handler.cluster = Bytes.of("upstream");
  handler.source = Bytes.of("127.0.0.1:40000");
  if (request === null) return handler;
  const headers = field(request, "headers");
  if (headers !== null) {
    for (let i = 0; i < headers.items.length; i++) {
      handler.header(headers.items[i].items[0].text, headers.items[i].items[1].text);
    }
  }
  const source = field(request, "source_address");
  if (source !== null) handler.source = Bytes.of(source.text);
  const method = field(request, "method");
  if (method !== null) handler.with("x-mosn-method", method.text);
  const body = field(request, "body");
  if (body !== null) return handler.withBytes(body.text);
  return handler.withBody(integer(request, "body_length", 0));
}

function flagOf(name: string): u32 {
  if (name == "DELAY_INJECTED") return ResponseFlag.DELAY_INJECTED;
  if (name == "FAULT_INJECTED") return ResponseFlag.FAULT_INJECTED;
  if (name == "RATE_LIMITED") return ResponseFlag.RATE_LIMITED;
  if (name == "REQ_ENTITY_TOO_LARGE") return ResponseFlag.REQ_ENTITY_TOO_LARGE;
  assert(false, "unknown flag " + name);
  return 0;
}

function flagsOf(value: JsonValue): u32 {
  let flags: u32 = 0;
  for (let i = 0; i < value.items.length; i++) flags |= flagOf(value.items[i].text);
  return flags;
}

/** The message without line and column. */
function withoutPlace(message: string): string {
  const from = message.indexOf(" (line ");
  return from < 0 ? message : message.substring(0, from) + message.substring(message.indexOf(")", from) + 1);
}

function runRow(): void {
  const row = rows[next];
  const filter = filterOf[next];
  next++;
  const expected = field(row, "expect") as JsonValue;
  const bytes = Bytes.of(configOf(row, names[filter]));
  const errors = new ConfigErrors();
  const config = ProxyConfig.parse(bytes.ptr, bytes.length, errors, ["bolt"], filters);
  const refused = field(expected, "refused");
  if (refused !== null) {
    const message = withoutPlace(errors.message);
    expect(message.startsWith(refused.text + ": ")).toBe(true, message);
    expect(message.includes(text(expected, "message"))).toBe(true, message);
  } else {
    expect(errors.message).toBe("");
    if (config !== null) checkRun(config, row, expected);
  }
  ran(filter);
}

function checkRun(config: ProxyConfig, row: JsonValue, expected: JsonValue): void {
  const handler = requestOf(row);
  const before = handler.headerText;
  const chain = config.chains.take();
  for (let phase = Phase.BEFORE_ROUTE; phase <= Phase.AFTER_CHOOSE_HOST && !handler.answered; phase++) {
    if (phase == Phase.AFTER_ROUTE) handler.route = config.router.match(new TestRequest());
    handler.run(chain, phase);
  }
  const passed = field(expected, "passed") !== null;
  expect(handler.answered).toBe(!passed, handler.answer);
  if (!passed) expect(handler.responseCode).toBe(integer(expected, "code", -1));
  const headers = field(expected, "headers");
  expect(handler.headerText).toBe(headers === null ? before : pairs(headers));
  const labels = field(expected, "labels");
  expect(handler.labelText).toBe(labels === null ? "" : members(labels));
  expect(handler.waited).toBe(integer(expected, "delay_ms", 0));
  const flags = field(expected, "flags");
  if (flags !== null) expect(handler.flags).toBe(flagsOf(flags));
}

readRows();

describe("tests/vectors", () => {
  for (let i = 0; i < rows.length; i++) test(names[filterOf[i]] + ": " + text(rows[i], "name"), runRow);
});
