// The schemas of the whole configuration of each root, as assembly/proxy/config.ts and assembly/http/config.ts read it.
import { clusterDefinitions, clusters, sharedKeepalive } from "./clusters.ts";
import { filterDefinitions, type RootName, streamFilters } from "./filters.ts";
import * as part from "./parts.ts";
import type { Schema } from "./parts.ts";
import { routerDefinitions } from "./router.ts";

const PROTOCOLS = ["bolt", "boltv2", "dubbo", "dubbo-thrift", "tars", "x_example"];
const KIB = 1024;
const MIB = 1024 * KIB;
/** Draft 7, because editors know it best; the filters' schemas have no keyword that it has not. */
const DRAFT = "http://json-schema.org/draft-07/schema#";

const fileOf = (title: string, schema: Schema, definitions: Record<string, Schema>): Schema => ({
  $schema: DRAFT,
  title,
  ...schema,
  definitions,
});

const proxy = (): Schema =>
  part.object("Configuration of the root proxy of moe-wasm (docs/configuration.md).", {
    protocols: part.list(
      "The protocols to recognise by a connection's first bytes, in this order; all by default.",
      part.choice("A protocol.", PROTOCOLS),
      { minItems: 1, uniqueItems: true },
    ),
    fallback: part.text('What becomes of connections that speak none of them: "close" or "cluster:NAME".', {
      pattern: "^(close|cluster:[!-~]{1,255})$",
      default: "close",
    }),
    allowed_clusters: part.list(
      "Clusters that requests may name beside those of the configuration.",
      part.text('A name, or its beginning or end beside one "*".', {
        minLength: 1,
        maxLength: 255,
        pattern: "^(?![*]$)[!-)+-~]*[*]?[!-)+-~]*$",
      }),
      { maxItems: 256, default: [] },
    ),
    router: part.ref("router"),
    clusters,
    stream_filters: streamFilters("proxy"),
    max_frame_bytes: part.integer("Largest frame.", KIB, 64 * MIB, 16 * MIB),
    max_connection_bytes: part.integer(
      "Most memory for one client connection; not less than max_frame_bytes.",
      64 * KIB,
      512 * MIB,
      64 * MIB,
    ),
    detect_timeout_ms: part.integer(
      "How long a connection's first bytes may take to tell its protocol.",
      1,
      600000,
      10000,
    ),
    frame_timeout_ms: part.integer(
      "How long the rest of a frame may take, milliseconds; 0: any time.",
      0,
      600000,
      60000,
    ),
    keepalive: sharedKeepalive,
    exceptions_are_errors: part.flag("Whether a response with an exception counts as an error in the counters."),
    goaway: part.flag("Whether clients are told to go away when their connection is to close, in protocols that can."),
    max_request_timeout: part.duration("Longest timeout that a request may choose for itself", "1ms", "24h", "10m"),
    min_counted_timeout: part.duration(
      "Shortest timeout of a caller's own that counts against a server, by default the route's",
      "0",
      "24h",
    ),
    strict_changes: part.flag("Whether a message is refused when its frame cannot carry the changes made to it."),
    switchboard: part.text(
      "The cluster with the switchboard, where a tcp_proxy stands behind the filter; empty: the switchboard itself does.",
      { pattern: "^[!-~]{0,255}$", default: "" },
    ),
    drain_check_ms: part.integer("How often a connection asks whether it drains; 0: never.", 0, 600000, 10000),
  });

const http = (): Schema =>
  part.object("Configuration of the root http of moe-wasm (docs/filters-on-http.md).", {
    stream_filters: streamFilters("http"),
    allow_on_headers_stop_iteration: {
      description: "Envoy's setting of the plugin of that name; by default the first request with a body tells.",
      type: "boolean",
    },
    strict_changes: part.flag("Whether a message is refused when changes of its headers or body are lost."),
    min_counted_timeout: part.duration(
      "Shortest timeout of a caller's own that counts against a server",
      "0",
      "24h",
      "1s",
    ),
  });

/** The schema of a root's configuration. */
export function schemaOfRoot(root: RootName): Schema {
  const filters = filterDefinitions(root);
  if (root === "http") return fileOf("http", http(), filters);
  return fileOf("proxy", proxy(), { ...routerDefinitions, ...clusterDefinitions, ...filters });
}
