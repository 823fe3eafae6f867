// MOSN's access_logs as Envoy's access loggers.
import type { Fields } from "./fields.ts";
import { formatOf } from "./header_values.ts";

const TYPE = "type.googleapis.com/envoy.extensions.access_loggers";
/** MOSN's format where a file has none. */
const DEFAULT_FORMAT =
  "%start_time% %request_received_duration% %response_received_duration% %bytes_sent% %bytes_received% %protocol% " +
  "%response_code% %duration% %response_flag% %upstream_local_address% %downstream_local_address% " +
  "%downstream_remote_address% %upstream_host%";

/** The access loggers of a listener; `calls`: there is a line a request, else only one a connection. */
export function accessLogs(listener: Fields, calls: boolean): object[] {
  return listener.list("access_logs").map((log) => {
    const path = log.text("log_path") ?? "";
    const unknown: string[] = [];
    const format = formatOf(log.text("log_format") || DEFAULT_FORMAT, unknown);
    log.done();
    const log_format = { text_format_source: { inline_string: `${format}\n` } };
    const out = sink(path, log_format);
    if (unknown.length > 0) {
      listener.report.changed(
        log.at("log_format"),
        unknown.map((name) => `%${name}%`).join(", "),
        "Envoy has no such variable; the line has `-` in its place.",
        undefined,
        out,
      );
    }
    if (!calls) {
      listener.report.changed(
        log.path,
        "a line for each call",
        "Envoy's log has a line for each client connection, and knows nothing of the calls in it.",
        "The module's counters count calls, by service and method: docs/counters.md.",
        out,
      );
    }
    return out;
  });
}

function sink(path: string, log_format: object): object {
  if (path === "" || path === "stdout") {
    return {
      name: "envoy.access_loggers.stdout",
      typed_config: { "@type": `${TYPE}.stream.v3.StdoutAccessLog`, log_format },
    };
  }
  if (path === "stderr") {
    return {
      name: "envoy.access_loggers.stderr",
      typed_config: { "@type": `${TYPE}.stream.v3.StderrAccessLog`, log_format },
    };
  }
  return {
    name: "envoy.access_loggers.file",
    typed_config: { "@type": `${TYPE}.file.v3.FileAccessLog`, path, log_format },
  };
}
