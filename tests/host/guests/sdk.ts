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
