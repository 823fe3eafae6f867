// Host functions. Those that @solo-io/proxy-runtime declares soundly come from there; it lacks or misdeclares the rest.
export {
  proxy_log,
  proxy_set_tick_period_milliseconds,
  proxy_get_current_time_nanoseconds,
  proxy_get_property,
  proxy_set_property,
  proxy_continue_stream,
  proxy_close_stream,
  proxy_get_buffer_bytes,
  proxy_define_metric,
  proxy_increment_metric,
  proxy_record_metric,
  proxy_set_effective_context,
  proxy_send_local_response,
  proxy_get_header_map_pairs,
  proxy_add_header_map_value,
  proxy_replace_header_map_value,
  proxy_remove_header_map_value,
  proxy_call_foreign_function,
  proxy_http_call,
  proxy_grpc_cancel,
  proxy_get_status,
  proxy_get_shared_data,
  proxy_set_shared_data,
} from "@solo-io/proxy-runtime/assembly/imports";

/** Replaces `length` bytes from `start` of a buffer. */
// @ts-ignore: decorator
@external("env", "proxy_set_buffer_bytes")
export declare function proxy_set_buffer_bytes(type: i32, start: u32, length: u32, data: usize, size: usize): u32;

/** Writes the host's log level for wasm to `level`. */
// @ts-ignore: decorator
@external("env", "proxy_get_log_level")
export declare function proxy_get_log_level(level: usize): u32;

/** Writes the time of a WASI clock (0 real, 1 monotonic), ns, to `time`. */
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "clock_time_get")
export declare function clock_time_get(clock: u32, precision: u64, time: usize): u32;

/** Fills a range with bytes that nobody can guess: Envoy's are from its TLS library. 0: done. */
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "random_get")
export declare function random_get(ptr: usize, length: usize): u32;

/** Begins a gRPC call of one message; the runtime's own declaration lacks the initial metadata. */
// @ts-ignore: decorator
@external("env", "proxy_grpc_call")
export declare function proxy_grpc_call(
  target: usize,
  targetSize: usize,
  service: usize,
  serviceSize: usize,
  method: usize,
  methodSize: usize,
  metadata: usize,
  metadataSize: usize,
  message: usize,
  messageSize: usize,
  timeout: u32,
  id: usize,
): u32;
