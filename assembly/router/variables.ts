import { suggestion } from "../config/suggest";

/** Variables that requests have here, beside those with a prefix below. */
const NAMES: string[] = [
  "protocol",
  "downstream_protocol",
  "downstream_remote_address",
  "downstream_local_address",
  "upstream_cluster",
  "upstream_host",
  "x-mosn-host",
  "x-mosn-path",
  "x-mosn-method",
  "x-mosn-rpc-service",
  "x-mosn-rpc-method",
  "x-mosn-rpc-generic",
];

const PREFIXES: string[] = ["request_header_", "response_header_"];

/** MOSN's other variables (docs/reference/mosn.md#variables): refused, not taken for text. */
const MISSING: string[] = [
  "start_time",
  "request_received_duration",
  "response_received_duration",
  "request_finished_duration",
  "process_time_duration",
  "bytes_sent",
  "bytes_received",
  "response_code",
  "duration",
  "response_flag",
  "response_flags",
  "upstream_local_address",
  "upstream_transport_failure_reason",
  "proxy_try_timeout",
  "proxy_global_timeout",
  "proxy_hijack_status",
  "proxy_gzip_switch",
  "proxy_direct_response",
  "proxy_disable_retry",
  "x-mosn-direction",
  "x-mosn-scheme",
  "x-mosn-path-original",
  "x-mosn-querystring",
  "x-mosn-status",
  "authority",
  "x-mosn-req-raw-data",
  "x-mosn-resp-raw-data",
  "x-mosn-router-meta",
  "stream_id",
  "connection_id",
  "listener_name",
  "listener_type",
  "listener_port",
  "upstream_connection_id",
  "upstream_protocol",
  "trace_id",
  "listener_match_fallback_ip",
  "upstream_index",
];

const MISSING_PREFIXES: string[] = ["Http1_", "Http2_"];

/**
 * Makes variables known that a filter sets on requests (`StreamHandler.setVariable`): those whose names begin so. Routes may then
 * ask for them in `variables`, `cluster_variable` and values of headers; before a filter has set one it has no value. To
 * be called while the module is loaded.
 */
export function declareVariables(prefix: string): void {
  if (!PREFIXES.includes(prefix)) PREFIXES.push(prefix);
}

/** Whether requests have the variable `name`. */
export function hasVariable(name: string): bool {
  return NAMES.includes(name) || startsWithAny(name, PREFIXES);
}

/** Whether `name` is a variable of MOSN's, had here or not. */
export function isVariable(name: string): bool {
  return hasVariable(name) || MISSING.includes(name) || startsWithAny(name, MISSING_PREFIXES);
}

/** Why a variable is refused. */
export function unknownVariable(name: string): string {
  const like = suggestion(name, NAMES);
  return `unknown variable "${name}"; allowed: ${NAMES.join(", ")}, ${PREFIXES.join("NAME, ")}NAME${like}`;
}

function startsWithAny(name: string, prefixes: string[]): bool {
  for (let i = 0; i < prefixes.length; i++) {
    if (name.length > prefixes[i].length && name.startsWith(prefixes[i])) return true;
  }
  return false;
}
