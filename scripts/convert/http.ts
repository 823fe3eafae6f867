// The HTTP connection manager of a listener.
import { accessLogs } from "./access_log.ts";
import { envoyDuration, type Fields } from "./fields.ts";
import { httpRouterChanges, httpVirtualHosts } from "./http_routes.ts";
import type { ListenerContext, Spoken } from "./listeners.ts";
import { namesOfClusters, type Router } from "./routers.ts";
import { streamFilters } from "./stream_filters.ts";

type Out = Record<string, unknown>;

const FILTERS = "type.googleapis.com/envoy.extensions.filters";

/** The HTTP filter that runs MOSN's stream filters: the module's root `http`, in a VM of its own. */
function moduleFilter(name: string, filters: object[], module: string): object {
  return {
    name: "moe",
    typed_config: {
      "@type": `${FILTERS}.http.wasm.v3.Wasm`,
      config: {
        name,
        root_id: "http",
        failure_policy: "FAIL_RELOAD",
        allow_on_headers_stop_iteration: true,
        vm_config: { vm_id: "moe-http", runtime: "envoy.wasm.runtime.v8", code: { local: { filename: module } } },
        configuration: {
          "@type": "type.googleapis.com/google.protobuf.Struct",
          value: { allow_on_headers_stop_iteration: true, stream_filters: filters },
        },
      },
    },
  };
}

/** The network filter that serves HTTP/1, HTTP/2 or both. */
export function httpConnectionManager(
  name: string,
  listener: Fields,
  router: Router,
  spoken: Spoken,
  { known, module }: ListenerContext,
): object {
  const filters = streamFilters(listener, true);
  const routes: Out = { name, virtual_hosts: httpVirtualHosts(router.hosts, { copies: filters.copies }) };
  if (router.fields) httpRouterChanges(router.fields, routes);
  // A route to a cluster that is not there is answered with 503, as in MOSN; Envoy would not start for it.
  if (namesOfClusters(router.hosts).some((cluster) => !known.has(cluster))) routes.validate_clusters = false;
  const out: Out = {
    "@type": `${FILTERS}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: name,
    codec_type: spoken.http1 && spoken.http2 ? "AUTO" : spoken.http2 ? "HTTP2" : "HTTP1",
    route_config: routes,
    http_filters: [
      ...filters.envoy,
      ...(filters.module.length > 0 ? [moduleFilter(name, filters.module, module)] : []),
      {
        name: "envoy.filters.http.router",
        typed_config: { "@type": `${FILTERS}.http.router.v3.Router`, suppress_envoy_headers: true },
      },
    ],
  };
  const logs = accessLogs(listener, true);
  if (logs.length > 0) out.access_log = logs;
  const idle = listener.seconds("connection_idle_timeout");
  if (idle !== undefined) out.common_http_protocol_options = { idle_timeout: envoyDuration(idle) };
  return { name: "envoy.filters.network.http_connection_manager", typed_config: out };
}
