/** Variables of MOSN's that a route may read (mosn-semantics.md §1.6). */
const NAMES: string[] = [
  "start_time",
  "request_received_duration",
  "response_received_duration",
  "request_finished_duration",
  "process_time_duration",
  "bytes_sent",
  "bytes_received",
  "protocol",
  "response_code",
  "duration",
  "response_flag",
  "response_flags",
  "upstream_local_address",
  "downstream_local_address",
  "downstream_remote_address",
  "upstream_host",
  "upstream_transport_failure_reason",
  "upstream_cluster",
  "proxy_try_timeout",
  "proxy_global_timeout",
  "proxy_hijack_status",
  "proxy_gzip_switch",
  "proxy_direct_response",
  "proxy_disable_retry",
  "x-mosn-direction",
  "x-mosn-scheme",
  "x-mosn-host",
  "x-mosn-path",
  "x-mosn-path-original",
  "x-mosn-querystring",
  "x-mosn-method",
  "x-mosn-status",
  "authority",
  "x-mosn-rpc-service",
  "x-mosn-rpc-method",
  "x-mosn-req-raw-data",
  "x-mosn-resp-raw-data",
  "x-mosn-router-meta",
  "stream_id",
  "connection_id",
  "listener_name",
  "listener_type",
  "listener_port",
  "upstream_connection_id",
  "downstream_protocol",
  "upstream_protocol",
  "trace_id",
  "listener_match_fallback_ip",
  "upstream_index",
];

const PREFIXES: string[] = ["request_header_", "response_header_"];

/** Whether routes may name the variable `name`. */
export function knownVariable(name: string): bool {
  if (NAMES.includes(name)) return true;
  for (let i = 0; i < PREFIXES.length; i++) {
    if (name.length > PREFIXES[i].length && name.startsWith(PREFIXES[i])) return true;
  }
  return false;
}
