// Names and numbers of proxy-wasm ABI 0.2.1 (proxy-wasm/spec and proxy-wasm-cpp-host), as Envoy implements them.

/** Answers of host calls. */
export enum Result {
  Ok = 0,
  NotFound = 1,
  BadArgument = 2,
  SerializationFailure = 3,
  ParseFailure = 4,
  BadExpression = 5,
  InvalidMemoryAccess = 6,
  Empty = 7,
  CasMismatch = 8,
  ResultMismatch = 9,
  InternalFailure = 10,
  BrokenConnection = 11,
  Unimplemented = 12,
}

/** First argument of the buffer calls. */
export enum BufferType {
  HttpRequestBody = 0,
  HttpResponseBody = 1,
  NetworkDownstreamData = 2,
  NetworkUpstreamData = 3,
  HttpCallResponseBody = 4,
  GrpcReceiveBuffer = 5,
  VmConfiguration = 6,
  PluginConfiguration = 7,
  CallData = 8,
}

/** Argument of `proxy_continue_stream` and `proxy_close_stream`. */
export enum StreamType {
  Request = 0,
  Response = 1,
  Downstream = 2,
  Upstream = 3,
}

/** What a network filter callback answers. */
export enum FilterStatus {
  Continue = 0,
  StopIteration = 1,
}

/** First argument of the header map calls. */
export enum HeaderMapType {
  RequestHeaders = 0,
  RequestTrailers = 1,
  ResponseHeaders = 2,
  ResponseTrailers = 3,
  GrpcReceiveInitialMetadata = 4,
  GrpcReceiveTrailingMetadata = 5,
  HttpCallResponseHeaders = 6,
  HttpCallResponseTrailers = 7,
}

/** What a callback for HTTP headers answers; 2 is taken for Continue. */
export enum HeadersStatus {
  Continue = 0,
  StopIteration = 1,
  StopAllIterationAndBuffer = 3,
  StopAllIterationAndWatermark = 4,
}

/** What a callback for a piece of a body answers. */
export enum DataStatus {
  Continue = 0,
  StopIterationAndBuffer = 1,
  StopIterationAndWatermark = 2,
  StopIterationNoBuffer = 3,
}

export enum TrailersStatus {
  Continue = 0,
  StopIteration = 1,
}

/** Argument of `proxy_on_downstream_connection_close`: who closed. */
export enum CloseType {
  Unknown = 0,
  Local = 1,
  Remote = 2,
}

export enum MetricType {
  Counter = 0,
  Gauge = 1,
  Histogram = 2,
}

export enum LogLevel {
  trace = 0,
  debug = 1,
  info = 2,
  warn = 3,
  error = 4,
  critical = 5,
}

const words = (count: number): string => `${"i".repeat(count)}:i`;

/** Type of every function that Envoy offers in `env`: i = i32, I = i64, parameters:results. */
export const ENV_SIGNATURES: Readonly<Record<string, string>> = {
  proxy_log: words(3),
  proxy_get_log_level: words(1),
  proxy_get_status: words(3),
  proxy_set_property: words(4),
  proxy_get_property: words(4),
  proxy_send_local_response: words(8),
  proxy_get_shared_data: words(5),
  proxy_set_shared_data: words(5),
  proxy_register_shared_queue: words(3),
  proxy_resolve_shared_queue: words(5),
  proxy_dequeue_shared_queue: words(3),
  proxy_enqueue_shared_queue: words(3),
  proxy_get_header_map_value: words(5),
  proxy_add_header_map_value: words(5),
  proxy_replace_header_map_value: words(5),
  proxy_remove_header_map_value: words(3),
  proxy_get_header_map_pairs: words(3),
  proxy_set_header_map_pairs: words(3),
  proxy_get_header_map_size: words(2),
  proxy_get_buffer_status: words(3),
  proxy_get_buffer_bytes: words(5),
  proxy_set_buffer_bytes: words(5),
  proxy_http_call: words(10),
  proxy_grpc_call: words(12),
  proxy_grpc_stream: words(9),
  proxy_grpc_close: words(1),
  proxy_grpc_cancel: words(1),
  proxy_grpc_send: words(4),
  proxy_set_tick_period_milliseconds: words(1),
  proxy_get_current_time_nanoseconds: words(1),
  proxy_define_metric: words(4),
  proxy_increment_metric: "iI:i",
  proxy_record_metric: "iI:i",
  proxy_get_metric: words(2),
  proxy_set_effective_context: words(1),
  proxy_done: words(0),
  proxy_call_foreign_function: words(6),
  proxy_continue_stream: words(1),
  proxy_close_stream: words(1),
};

/** The part of WASI that the kit offers; Envoy has more, none of it useful to a filter. */
export const WASI_SIGNATURES: Readonly<Record<string, string>> = {
  fd_write: words(4),
  clock_time_get: "iIi:i",
  environ_sizes_get: words(2),
  environ_get: words(2),
  args_sizes_get: words(2),
  args_get: words(2),
  random_get: words(2),
  proc_exit: "i:",
};

/** Exports the host looks for. Envoy refuses a module that has one of these with another type. */
export const EXPORT_SIGNATURES: Readonly<Record<string, string>> = {
  _initialize: ":",
  _start: ":",
  malloc: words(1),
  proxy_on_memory_allocate: words(1),
  proxy_on_context_create: "ii:",
  proxy_on_vm_start: words(2),
  proxy_on_configure: words(2),
  proxy_on_tick: "i:",
  proxy_on_queue_ready: "ii:",
  proxy_on_new_connection: words(1),
  proxy_on_downstream_data: words(3),
  proxy_on_upstream_data: words(3),
  proxy_on_downstream_connection_close: "ii:",
  proxy_on_upstream_connection_close: "ii:",
  proxy_on_done: words(1),
  proxy_on_log: "i:",
  proxy_on_delete: "i:",
  proxy_on_request_headers: words(3),
  proxy_on_request_body: words(3),
  proxy_on_request_trailers: words(2),
  proxy_on_response_headers: words(3),
  proxy_on_response_body: words(3),
  proxy_on_response_trailers: words(2),
  proxy_on_http_call_response: "iiiii:",
  proxy_on_grpc_receive_initial_metadata: "iii:",
  proxy_on_grpc_receive: "iii:",
  proxy_on_grpc_receive_trailing_metadata: "iii:",
  proxy_on_grpc_close: "iii:",
  proxy_on_foreign_function: "iii:",
};
