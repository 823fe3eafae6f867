// Numbers of the proxy-wasm ABI 0.2.1 (proxy-wasm/spec abi-versions/v0.2.1), with the names it gives them.

/** What a host call returns. */
export const enum Result {
  OK = 0,
  NOT_FOUND = 1,
  BAD_ARGUMENT = 2,
  SERIALIZATION_FAILURE = 3,
  PARSE_FAILURE = 4,
  INVALID_MEMORY_ACCESS = 6,
  EMPTY = 7,
  CAS_MISMATCH = 8,
  INTERNAL_FAILURE = 10,
}

/** What a stream callback answers. */
export const enum Action {
  CONTINUE = 0,
  STOP_ITERATION = 1,
}

/** What a callback for HTTP headers answers (Envoy's FilterHeadersStatus). */
export const enum HeadersStatus {
  CONTINUE = 0,
  /**
   * Headers stay here, and bodies are told of, where the plugin has `allow_on_headers_stop_iteration`; elsewhere Envoy
   * takes it for STOP_ALL_AND_WATERMARK.
   */
  STOP_ITERATION = 1,
  /** Nothing comes until the stream continues; a body above the buffer limit is an error. */
  STOP_ALL_AND_BUFFER = 3,
  /** Nothing comes until the stream continues; at the buffer limit the sender has to wait. */
  STOP_ALL_AND_WATERMARK = 4,
}

/** What a callback for a piece of an HTTP body answers (Envoy's FilterDataStatus). */
export const enum DataStatus {
  CONTINUE = 0,
  /** Envoy gathers the body; above the buffer limit that is an error. */
  STOP_AND_BUFFER = 1,
}

export const enum HeaderMapType {
  REQUEST_HEADERS = 0,
  REQUEST_TRAILERS = 1,
  RESPONSE_HEADERS = 2,
  RESPONSE_TRAILERS = 3,
  HTTP_CALL_RESPONSE_HEADERS = 6,
  HTTP_CALL_RESPONSE_TRAILERS = 7,
}

export const enum BufferType {
  HTTP_REQUEST_BODY = 0,
  HTTP_RESPONSE_BODY = 1,
  DOWNSTREAM_DATA = 2,
  UPSTREAM_DATA = 3,
  HTTP_CALL_RESPONSE_BODY = 4,
  GRPC_CALL_MESSAGE = 5,
  VM_CONFIGURATION = 6,
  PLUGIN_CONFIGURATION = 7,
}

export const enum StreamType {
  HTTP_REQUEST = 0,
  HTTP_RESPONSE = 1,
  DOWNSTREAM = 2,
  UPSTREAM = 3,
}

/** Who closed a connection. */
export const enum CloseType {
  UNKNOWN = 0,
  LOCAL = 1,
  REMOTE = 2,
}

export const enum MetricType {
  COUNTER = 0,
  GAUGE = 1,
  HISTOGRAM = 2,
}

export const enum LogLevel {
  TRACE = 0,
  DEBUG = 1,
  INFO = 2,
  WARN = 3,
  ERROR = 4,
  CRITICAL = 5,
}
