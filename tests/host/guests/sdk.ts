/* eslint-disable @typescript-eslint/ban-ts-comment */
// @ts-nocheck AssemblyScript, compiled by the test
import * as host from "./env";

export const DOWNSTREAM: u32 = 2;
export const UPSTREAM: u32 = 3;
const PLUGIN_CONFIGURATION: u32 = 7;
const slots = memory.data(16);

export function log(text: string): void {
  const bytes = String.UTF8.encode(text);
  host.proxy_log(2, changetype<usize>(bytes), bytes.byteLength);
}

/** The bytes of a buffer, as text: the tests send ASCII. */
export function bufferText(type: u32): string {
  if (host.proxy_get_buffer_bytes(type, 0, i32.MAX_VALUE, slots, slots + 4) != 0) return "";
  return String.UTF8.decodeUnsafe(load<u32>(slots), load<u32>(slots + 4));
}

export function configuration(): string {
  return bufferText(PLUGIN_CONFIGURATION);
}

/** Replaces a whole buffer; returns the host's result. */
export function replace(type: u32, text: string): u32 {
  const bytes = String.UTF8.encode(text);
  return host.proxy_set_buffer_bytes(type, 0, i32.MAX_VALUE, changetype<usize>(bytes), bytes.byteLength);
}

/** A property as text, or the host's result in brackets. */
export function property(path: string): string {
  const bytes = String.UTF8.encode(path);
  const result = host.proxy_get_property(changetype<usize>(bytes), bytes.byteLength, slots, slots + 4);
  if (result != 0) return "[" + result.toString() + "]";
  return String.UTF8.decodeUnsafe(load<u32>(slots), load<u32>(slots + 4));
}

/** Defines a counter and adds one to it; returns its id. */
export function count(name: string): u32 {
  const bytes = String.UTF8.encode(name);
  host.proxy_define_metric(0, changetype<usize>(bytes), bytes.byteLength, slots);
  const id = load<u32>(slots);
  host.proxy_increment_metric(id, 1);
  return id;
}

/** Milliseconds since 1970. */
export function now(): i64 {
  host.proxy_get_current_time_nanoseconds(slots);
  return load<i64>(slots) / 1000000;
}

/** Appends to a shared value with compare-and-swap; `stale` uses a wrong CAS. Returns the host's result. */
export function append(key: string, text: string, stale: bool): u32 {
  const name = String.UTF8.encode(key);
  const found = host.proxy_get_shared_data(changetype<usize>(name), name.byteLength, slots, slots + 4, slots + 8);
  const old = found == 0 ? String.UTF8.decodeUnsafe(load<u32>(slots), load<u32>(slots + 4)) : "";
  const cas = found == 0 ? load<u32>(slots + 8) + (stale ? 1 : 0) : 0;
  const value = String.UTF8.encode(old + text);
  return host.proxy_set_shared_data(
    changetype<usize>(name),
    name.byteLength,
    changetype<usize>(value),
    value.byteLength,
    cas,
  );
}

/** Registers a shared queue of this VM's; returns the host's result. */
export function register(queue: string): u32 {
  const name = String.UTF8.encode(queue);
  return host.proxy_register_shared_queue(changetype<usize>(name), name.byteLength, slots);
}

/** Puts a text into a queue of a VM id ("": the own one); returns the host's result. */
export function enqueue(vm: string, queue: string, text: string): u32 {
  const owner = String.UTF8.encode(vm);
  const name = String.UTF8.encode(queue);
  const result = host.proxy_resolve_shared_queue(
    changetype<usize>(owner),
    owner.byteLength,
    changetype<usize>(name),
    name.byteLength,
    slots,
  );
  if (result != 0) return result;
  const data = String.UTF8.encode(text);
  return host.proxy_enqueue_shared_queue(load<u32>(slots), changetype<usize>(data), data.byteLength);
}

/** The next text of a queue, or the host's result in brackets. */
export function dequeue(token: u32): string {
  const result = host.proxy_dequeue_shared_queue(token, slots, slots + 4);
  if (result != 0) return "[" + result.toString() + "]";
  return String.UTF8.decodeUnsafe(load<u32>(slots), load<u32>(slots + 4));
}

/** What a foreign function answers, or the host's result in brackets. */
export function foreign(name: string, argument: string): string {
  const called = String.UTF8.encode(name);
  const bytes = String.UTF8.encode(argument);
  const result = host.proxy_call_foreign_function(
    changetype<usize>(called),
    called.byteLength,
    changetype<usize>(bytes),
    bytes.byteLength,
    slots,
    slots + 4,
  );
  if (result != 0) return "[" + result.toString() + "]";
  return String.UTF8.decodeUnsafe(load<u32>(slots), load<u32>(slots + 4));
}
