// MOSN's values with `%VARIABLE%` as Envoy's formats: of headers and of access logs.

/** Variables of MOSN that Envoy has under another name. */
const OPERATORS: Record<string, string> = {
  start_time: "%START_TIME%",
  request_received_duration: "%REQUEST_DURATION%",
  response_received_duration: "%RESPONSE_DURATION%",
  request_finished_duration: "%RESPONSE_TX_DURATION%",
  process_time_duration: "%RESPONSE_TX_DURATION%",
  bytes_sent: "%BYTES_SENT%",
  bytes_received: "%BYTES_RECEIVED%",
  protocol: "%PROTOCOL%",
  downstream_protocol: "%PROTOCOL%",
  response_code: "%RESPONSE_CODE%",
  duration: "%DURATION%",
  response_flag: "%RESPONSE_FLAGS%",
  response_flags: "%RESPONSE_FLAGS%",
  upstream_local_address: "%UPSTREAM_LOCAL_ADDRESS%",
  downstream_local_address: "%DOWNSTREAM_LOCAL_ADDRESS%",
  downstream_remote_address: "%DOWNSTREAM_REMOTE_ADDRESS%",
  upstream_host: "%UPSTREAM_HOST%",
  upstream_transport_failure_reason: "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
  upstream_cluster: "%UPSTREAM_CLUSTER%",
  requested_server_name: "%REQUESTED_SERVER_NAME%",
  route_name: "%ROUTE_NAME%",
  "x-mosn-method": "%REQ(:METHOD)%",
  "x-mosn-host": "%REQ(:AUTHORITY)%",
  "x-mosn-path": "%PATH(NQ)%",
  request_method: "%REQ(:METHOD)%",
  request_path: "%PATH(NQ)%",
  request_uri: "%REQ(:PATH)%",
  listener_port: "%DOWNSTREAM_LOCAL_PORT%",
  connection_id: "%CONNECTION_ID%",
  trace_id: "%TRACE_ID%",
};

function operatorOf(name: string): string | undefined {
  const plain = name.replace(/^Http[12]_/, "");
  if (Object.hasOwn(OPERATORS, plain)) return OPERATORS[plain];
  const header = /^(request|response)_header_([\w-]+)$/.exec(plain);
  if (header) return `%${header[1] === "request" ? "REQ" : "RESP"}(${header[2]})%`;
  return undefined;
}

/** A text of MOSN with variables as a format of Envoy; names that Envoy has not are added to `unknown`, and become `-`. */
export function formatOf(text: string, unknown: string[]): string {
  return text.replace(/%([^%]*)%/g, (_whole, name: string) => {
    const operator = operatorOf(name);
    if (operator === undefined) unknown.push(name);
    return operator ?? "-";
  });
}

/** The value of a header: only a value that is one `%VARIABLE%` as a whole is a variable to MOSN. */
export function headerFormat(value: string): string | undefined {
  const variable = /^%([^%]+)%$/.exec(value);
  return variable ? operatorOf(variable[1]) : value.replaceAll("%", "%%");
}
