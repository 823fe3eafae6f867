/* eslint-disable @typescript-eslint/ban-ts-comment, @typescript-eslint/no-unused-vars */
// @ts-nocheck AssemblyScript, compiled by the benchmark
// An HTTP filter that is told of everything and does nothing: what Envoy's way into a module and back costs.

export function proxy_abi_version_0_2_1(): void {}
export function malloc(size: usize): usize {
  return heap.alloc(size);
}

export function proxy_on_context_create(id: u32, root: u32): void {}
export function proxy_on_request_headers(id: u32, count: u32, end: u32): u32 {
  return 0;
}
export function proxy_on_request_body(id: u32, size: u32, end: u32): u32 {
  return 0;
}
export function proxy_on_request_trailers(id: u32, count: u32): u32 {
  return 0;
}
export function proxy_on_response_headers(id: u32, count: u32, end: u32): u32 {
  return 0;
}
export function proxy_on_response_body(id: u32, size: u32, end: u32): u32 {
  return 0;
}
export function proxy_on_response_trailers(id: u32, count: u32): u32 {
  return 0;
}
export function proxy_on_done(id: u32): u32 {
  return 1;
}
export function proxy_on_log(id: u32): void {}
export function proxy_on_delete(id: u32): void {}
