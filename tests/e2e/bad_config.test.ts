// Configuration that the module refuses: Envoy does not start, and its log names the field and says what is allowed.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pluginConfig } from "../../scripts/lib/bootstrap.ts";
import { EnvoyFailed } from "../../scripts/lib/envoy_process.ts";
import { CONCURRENCIES, startEnvoy } from "./kit/envoy.ts";

const routes = (...routers: object[]) => ({ router: { virtual_hosts: [{ name: "v", domains: ["*"], routers }] } });

/** Each: what is wrong, the configuration (an object, or JSON text), what the log says. */
const REFUSED: [name: string, config: object | string, message: RegExp][] = [
  ["an unknown field", { protocol: ["bolt"] }, /^configuration: unknown field "protocol"; allowed: protocols, /],
  [
    "an unknown field deep inside",
    routes({ route: { cluster: "c" } }),
    /^router\.virtual_hosts\[0\]\.routers\[0\]\.route: unknown field "cluster"; allowed: cluster_name, /,
  ],
  [
    "a text for a number",
    { max_frame_bytes: "many" },
    /^max_frame_bytes: expected an integer from 1024 to 67108864, got "many"/,
  ],
  ["a number out of range", { detect_timeout_ms: 0 }, /^detect_timeout_ms: .*1 to 600000.*0/],
  ["an unknown protocol", { protocols: ["bolt", "http"] }, /^protocols\[1\]: unknown protocol "http"; allowed: bolt, /],
  ["an unknown word", { fallback: "open" }, /^fallback: expected "close" or "cluster:NAME"/],
  [
    "an unknown lb_type",
    { clusters: { c: { lb_type: "LB_BEST" } } },
    /^clusters\.c\.lb_type: .*LB_ROUNDROBIN.*"LB_BEST"/,
  ],
  [
    "two limits that contradict each other",
    { max_frame_bytes: 1 << 24, max_connection_bytes: 1 << 20 },
    /^max_connection_bytes: must not be less than max_frame_bytes, which is 16777216/,
  ],
  [
    "two names of a limit that contradict each other",
    { clusters: { c: { max_requests: 1, circuit_breakers: [{ max_requests: 2 }] } } },
    /^clusters\.c\.circuit_breakers\[0\]\.max_requests: contradicts clusters\.c\.max_requests, which is 1/,
  ],
  [
    "a route to nowhere",
    routes({ route: {} }),
    /routers\[0\]: expected one of a cluster in route, direct_response, redirect/,
  ],
  [
    "a route to two clusters",
    routes({ route: { cluster_name: "a", cluster_header: "b" } }),
    /routers\[0\]\.route: expected one of cluster_name, weighted_clusters, cluster_variable, cluster_header/,
  ],
  [
    "weights without weight",
    routes({ route: { weighted_clusters: [{ cluster: { name: "a", weight: 0 } }] } }),
    /routers\[0\]\.route\.weighted_clusters: expected weights that sum up to 1 to/,
  ],
  [
    "a regular expression that is none",
    routes({ match: { regex: "a(b" }, route: { cluster_name: "a" } }),
    /routers\[0\]\.match\.regex: /,
  ],
  ["a missing field", routes({ route: { cluster_name: "c", request_headers_to_add: [{}] } }), /header\.key: /],
  ["a stream filter", { stream_filters: [{ type: "no-such-filter" }] }, /^stream_filters/],
  ["broken JSON", '{\n  "protocols": ["bolt",]\n}', /line 2, column 24/],
  ["a field twice", '{"fallback": "close", "fallback": "close"}', /fallback.*duplicate|duplicate.*fallback/],
];

for (const concurrency of CONCURRENCIES) {
  describe(`bad configuration, --concurrency ${concurrency}`, { concurrency: 2 }, () => {
    for (const [name, config, message] of REFUSED) {
      it(name, async (t) => {
        const text = { "@type": "type.googleapis.com/google.protobuf.StringValue", value: config };
        const start = startEnvoy(t, {
          concurrency,
          clusters: { upstream: { hosts: [1] } },
          config: typeof config === "string" ? null : config,
          change: (_, listener) => {
            if (typeof config === "string") pluginConfig(listener).configuration = text;
          },
        });
        await assert.rejects(start, (error: Error) => {
          assert.ok(error instanceof EnvoyFailed);
          const refusal = /moe-wasm: configuration refused: (.*)$/m.exec(error.message)?.[1];
          assert.match(refusal ?? error.message, message);
          return true;
        });
      });
    }

    it("several mistakes at once: a line each", async (t) => {
      const config = { protocol: ["bolt"], max_frame_bytes: "many", stream_filters: [{ type: "faults" }] };
      const start = startEnvoy(t, { concurrency, clusters: { upstream: { hosts: [1] } }, config });
      await assert.rejects(start, (error: Error) => {
        assert.ok(error instanceof EnvoyFailed);
        const lines = [...error.message.matchAll(/moe-wasm: configuration refused: (.*)$/gm)].map(([, line]) => line);
        assert.equal(lines.length, 3, error.message);
        assert.match(lines[0], /^stream_filters\[0\]\.type: unknown filter type "faults"; .*; did you mean "fault"\?$/);
        assert.match(lines[1], /^max_frame_bytes: expected an integer/);
        assert.match(lines[2], /^configuration: unknown field "protocol"; .*; did you mean "protocols"\?$/);
        return true;
      });
    });
  });
}
