/* eslint-disable @typescript-eslint/ban-ts-comment, @typescript-eslint/no-unused-vars */
// @ts-nocheck AssemblyScript, compiled by the test
// An HTTP filter that does what its configuration says and logs what it sees, to compare the emulator with Envoy.
//
//   rh=1 rb=1,0 rt=0 sh=0 sb=1,0 st=0     answers: request headers, data and last data, trailers; the same for responses
//   then=0                                the answer to data once that below has been done
//   tick=100:c0                           what to do 100 ms after the last callback, once: see `act`
//   @rb:ACTION @rb.:ACTION                what to do in a callback, the second only at the end of the stream; several
//                                         are done in order
//
// Actions: c0, c1 continue the request, the response; x close the stream; l403 a local response; h+NAME=VALUE set a
// header; h-NAME remove one; h?NAME log one; b=TEXT replace the body; b? log it; p?PATH log a property, p#PATH one that is an integer; r clear the
// route cache; q=CLUSTER/PATH, g=CLUSTER/METHOD a callout by HTTP, by gRPC, of 400 ms at most: its callbacks are hc, gm (a
// message), gc (gRPC's end); a?NAME log a header of its answer, a?body the body.
import * as host from "./env";
import { configuration, log, property } from "./sdk";

const slots = memory.data(16);
let words: string[] = [];
let stream: u32 = 0;
let ticked = false;

export function proxy_abi_version_0_2_1(): void {}
export function malloc(size: usize): usize {
  return heap.alloc(size);
}

export function proxy_on_context_create(id: u32, root: u32): void {
  if (root != 0) log("create");
}

export function proxy_on_configure(root: u32, size: u32): u32 {
  words = configuration().split(" ");
  return 1;
}

/** The value of "KEY=VALUE" in the configuration. */
function option(key: string): string {
  for (let i = 0; i < words.length; i++) if (words[i].startsWith(key + "=")) return words[i].substring(key.length + 1);
  return "";
}

/** Buffer and header map of a callback: those of the request or of the response. */
function side(name: string): u32 {
  return name.startsWith("s") ? 1 : 0;
}

function callback(id: u32, name: string, detail: string, end: bool): u32 {
  stream = id;
  log(name + detail);
  for (let i = 0; i < words.length; i++) {
    if (words[i].startsWith("@" + name + ":")) act(side(name), words[i].substring(name.length + 2));
    if (end && words[i].startsWith("@" + name + ".:")) act(side(name), words[i].substring(name.length + 3));
  }
  const tick = option("tick");
  if (tick != "" && !ticked) host.proxy_set_tick_period_milliseconds(<u32>parseInt(tick.split(":")[0]));
  const then = option("then");
  if (ticked && then != "" && name.endsWith("b")) return <u32>parseInt(then);
  const answers = option(name).split(",");
  const answer = end && answers.length > 1 ? answers[1] : answers[0];
  return answer == "" ? 0 : <u32>parseInt(answer);
}

export function proxy_on_tick(root: u32): void {
  host.proxy_set_tick_period_milliseconds(0);
  ticked = true;
  host.proxy_set_effective_context(stream);
  const actions = option("tick").split(":").slice(1).join(":").split("/");
  for (let i = 0; i < actions.length; i++) act(0, actions[i]);
}

function act(to: u32, action: string): void {
  const rest = action.substring(2);
  if (action == "x") host.proxy_close_stream(to);
  else if (action == "r") clearRoute();
  else if (action.startsWith("c")) log("continue " + host.proxy_continue_stream(action == "c0" ? 0 : 1).toString());
  else if (action.startsWith("l")) localResponse(<u32>parseInt(action.substring(1)));
  else if (action.startsWith("h+")) setHeader(to, rest);
  else if (action.startsWith("h-")) removeHeader(to, rest);
  else if (action.startsWith("h?")) log(rest + "=" + header(to, rest));
  else if (action.startsWith("b=")) log("body " + setBody(to, rest).toString());
  else if (action == "b?") log("body=" + body(to));
  else if (action.startsWith("p#")) log(rest + "=" + integer(rest.replaceAll("/", "\0")));
  else if (action.startsWith("q=")) callHttp(rest.split("/")[0], rest.split("/")[1]);
  else if (action.startsWith("g=")) callGrpc(rest.split("/")[0], rest.split("/")[1]);
  else if (action == "a?body") log("answer=" + body(4));
  else if (action.startsWith("a?")) log(rest + "=" + header(3, rest));
  else if (action.startsWith("p?")) log(rest + "=" + property(rest.replaceAll("/", "\0")));
}

/** A property of 8 bytes. */
function integer(path: string): string {
  const bytes = String.UTF8.encode(path);
  const result = host.proxy_get_property(changetype<usize>(bytes), bytes.byteLength, slots, slots + 4);
  return result != 0 ? "[" + result.toString() + "]" : load<i64>(load<u32>(slots)).toString();
}

function clearRoute(): void {
  const name = String.UTF8.encode("clear_route_cache");
  host.proxy_call_foreign_function(changetype<usize>(name), name.byteLength, 0, 0, slots, slots + 4);
}

const TIMEOUT_MS: u32 = 400;

/** The bytes of a map of headers: a count, the lengths, then the texts, each with a zero behind. */
function pairs(entries: string[]): ArrayBuffer {
  const lengths = new Uint32Array(entries.length + 1);
  lengths[0] = entries.length >> 1;
  for (let i = 0; i < entries.length; i++) lengths[i + 1] = String.UTF8.byteLength(entries[i]);
  const texts = String.UTF8.encode(entries.length > 0 ? entries.join("\0") + "\0" : "");
  const bytes = new ArrayBuffer(lengths.byteLength + texts.byteLength);
  memory.copy(changetype<usize>(bytes), lengths.dataStart, lengths.byteLength);
  memory.copy(changetype<usize>(bytes) + lengths.byteLength, changetype<usize>(texts), texts.byteLength);
  return bytes;
}

function callHttp(to: string, path: string): void {
  const cluster = String.UTF8.encode(to);
  const head = pairs([":method", "GET", ":path", "/" + path, ":authority", "outside"]);
  const none = pairs([]);
  const result = host.proxy_http_call(
    changetype<usize>(cluster),
    cluster.byteLength,
    changetype<usize>(head),
    head.byteLength,
    0,
    0,
    changetype<usize>(none),
    none.byteLength,
    TIMEOUT_MS,
    slots,
  );
  log("call " + result.toString());
}

function callGrpc(to: string, name: string): void {
  const cluster = String.UTF8.encode(to);
  const service = String.UTF8.encode("grpc.health.v1.Health");
  const method = String.UTF8.encode(name);
  const none = pairs([]);
  const result = host.proxy_grpc_call(
    changetype<usize>(cluster),
    cluster.byteLength,
    changetype<usize>(service),
    service.byteLength,
    changetype<usize>(method),
    method.byteLength,
    changetype<usize>(none),
    none.byteLength,
    0,
    0,
    TIMEOUT_MS,
    slots,
  );
  log("call " + result.toString());
}

/** A callback of the root's that is about the last stream. */
function answered(name: string, detail: string): void {
  host.proxy_set_effective_context(stream);
  callback(stream, name, detail, true);
}

export function proxy_on_http_call_response(root: u32, call: u32, headers: u32, size: u32, trailers: u32): void {
  answered("hc", headers == 0 ? " reset" : "");
}

export function proxy_on_grpc_receive(root: u32, call: u32, size: u32): void {
  answered("gm", " " + size.toString());
}

export function proxy_on_grpc_close(root: u32, call: u32, status: u32): void {
  answered("gc", " " + status.toString());
}

function localResponse(status: u32): void {
  const text = String.UTF8.encode("from the filter");
  const at = changetype<usize>(text);
  host.proxy_send_local_response(status, at, text.byteLength, at, text.byteLength, 0, 0, u32.MAX_VALUE);
}

/** Header maps: 0 of the request, 2 of the response. */
function setHeader(to: u32, pair: string): void {
  const name = String.UTF8.encode(pair.split("=")[0]);
  const value = String.UTF8.encode(pair.split("=")[1]);
  const result = host.proxy_replace_header_map_value(
    2 * to,
    changetype<usize>(name),
    name.byteLength,
    changetype<usize>(value),
    value.byteLength,
  );
  log("set " + result.toString());
}

function removeHeader(to: u32, key: string): void {
  const name = String.UTF8.encode(key);
  log("remove " + host.proxy_remove_header_map_value(2 * to, changetype<usize>(name), name.byteLength).toString());
}

function header(to: u32, key: string): string {
  const name = String.UTF8.encode(key);
  const at = changetype<usize>(name);
  const result = host.proxy_get_header_map_value(2 * to, at, name.byteLength, slots, slots + 4);
  if (result != 0) return "[" + result.toString() + "]";
  return String.UTF8.decodeUnsafe(load<u32>(slots), load<u32>(slots + 4));
}

function body(to: u32): string {
  const result = host.proxy_get_buffer_bytes(to, 0, i32.MAX_VALUE, slots, slots + 4);
  if (result != 0) return "[" + result.toString() + "]";
  return String.UTF8.decodeUnsafe(load<u32>(slots), load<u32>(slots + 4));
}

function setBody(to: u32, text: string): u32 {
  const bytes = String.UTF8.encode(text);
  return host.proxy_set_buffer_bytes(to, 0, i32.MAX_VALUE, changetype<usize>(bytes), bytes.byteLength);
}

function ended(end: u32): string {
  return end != 0 ? " end" : "";
}

export function proxy_on_request_headers(id: u32, count: u32, end: u32): u32 {
  return callback(id, "rh", ended(end), end != 0);
}

export function proxy_on_request_body(id: u32, size: u32, end: u32): u32 {
  return callback(id, "rb", " " + size.toString() + ended(end), end != 0);
}

export function proxy_on_request_trailers(id: u32, count: u32): u32 {
  return callback(id, "rt", "", true);
}

export function proxy_on_response_headers(id: u32, count: u32, end: u32): u32 {
  return callback(id, "sh", " " + header(1, ":status") + ended(end), end != 0);
}

export function proxy_on_response_body(id: u32, size: u32, end: u32): u32 {
  return callback(id, "sb", " " + size.toString() + ended(end), end != 0);
}

export function proxy_on_response_trailers(id: u32, count: u32): u32 {
  return callback(id, "st", "", true);
}

export function proxy_on_log(id: u32): void {
  callback(id, "log", "", true);
}

export function proxy_on_done(id: u32): u32 {
  log("done");
  return 1;
}

export function proxy_on_delete(id: u32): void {
  log("delete");
}
