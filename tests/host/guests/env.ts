/* eslint-disable @typescript-eslint/ban-ts-comment */
// @ts-nocheck AssemblyScript, compiled by the test
// The host functions that the guests use; the file's name is the name of the imported module.

export declare function proxy_log(level: u32, text: usize, size: usize): u32;
export declare function proxy_get_log_level(level: usize): u32;
export declare function proxy_set_tick_period_milliseconds(period: u32): u32;
export declare function proxy_get_current_time_nanoseconds(time: usize): u32;
export declare function proxy_set_effective_context(id: u32): u32;
export declare function proxy_continue_stream(type: u32): u32;
export declare function proxy_close_stream(type: u32): u32;
export declare function proxy_get_buffer_bytes(type: u32, start: u32, length: u32, data: usize, size: usize): u32;
export declare function proxy_set_buffer_bytes(type: u32, start: u32, length: u32, data: usize, size: u32): u32;
export declare function proxy_get_property(path: usize, pathSize: u32, data: usize, size: usize): u32;
export declare function proxy_define_metric(type: u32, name: usize, nameSize: u32, id: usize): u32;
export declare function proxy_increment_metric(id: u32, offset: i64): u32;
export declare function proxy_get_shared_data(key: usize, keySize: u32, data: usize, size: usize, cas: usize): u32;
export declare function proxy_set_shared_data(key: usize, keySize: u32, data: usize, size: u32, cas: u32): u32;
export declare function proxy_register_shared_queue(name: usize, nameSize: u32, token: usize): u32;
export declare function proxy_resolve_shared_queue(
  vmId: usize,
  vmIdSize: u32,
  name: usize,
  nameSize: u32,
  token: usize,
): u32;
export declare function proxy_enqueue_shared_queue(token: u32, data: usize, size: u32): u32;
export declare function proxy_dequeue_shared_queue(token: u32, data: usize, size: usize): u32;
export declare function proxy_get_header_map_value(map: u32, key: usize, keySize: u32, data: usize, size: usize): u32;
export declare function proxy_replace_header_map_value(
  map: u32,
  key: usize,
  keySize: u32,
  value: usize,
  valueSize: u32,
): u32;
export declare function proxy_remove_header_map_value(map: u32, key: usize, keySize: u32): u32;
export declare function proxy_send_local_response(
  status: u32,
  details: usize,
  detailsSize: u32,
  body: usize,
  bodySize: u32,
  pairs: usize,
  pairsSize: u32,
  grpc: u32,
): u32;
export declare function proxy_call_foreign_function(
  name: usize,
  nameSize: u32,
  argument: usize,
  argumentSize: u32,
  data: usize,
  size: usize,
): u32;
export declare function proxy_http_call(
  cluster: usize,
  clusterSize: u32,
  headers: usize,
  headersSize: u32,
  body: usize,
  bodySize: u32,
  trailers: usize,
  trailersSize: u32,
  timeout: u32,
  id: usize,
): u32;
export declare function proxy_grpc_call(
  target: usize,
  targetSize: u32,
  service: usize,
  serviceSize: u32,
  method: usize,
  methodSize: u32,
  metadata: usize,
  metadataSize: u32,
  message: usize,
  messageSize: u32,
  timeout: u32,
  id: usize,
): u32;
export declare function proxy_grpc_stream(a: u32, b: u32, c: u32, d: u32, e: u32, f: u32, g: u32, h: u32, i: u32): u32;
