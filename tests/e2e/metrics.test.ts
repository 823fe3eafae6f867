// What filters count, in a real Envoy: names, labels in Prometheus, and the trailers of gRPC.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Bootstrap } from "../../scripts/lib/bootstrap.ts";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import { request } from "../host/kit/bolt.ts";
import { startHttpEnvoy } from "./kit/http_envoy.ts";
import { Http2Client, HttpServer } from "./kit/http_peers.ts";
import { suiteScope } from "./kit/scope.ts";
import { callOf, Stage } from "./kit/stage.ts";
import { WAIT_MS, waitUntil } from "./kit/wait.ts";

/** What makes labels of names, as in docs/counters.md. */
const TAGS = [
  {
    tag_name: "moe_listener",
    regex: "^wasmcustom\\.moe\\.filter\\.dubbo_stream(\\.listener\\.(.+?))\\.(?:subset|service)\\.",
  },
  { tag_name: "moe_subset", regex: "^wasmcustom\\.moe\\.filter\\.dubbo_stream\\..*(\\.subset\\.(.+?))\\.service\\." },
  { tag_name: "moe_service", regex: "^wasmcustom\\.moe.*?(\\.service\\.(.+?))\\.method\\." },
  { tag_name: "moe_method", regex: "^wasmcustom\\.moe.*?(\\.method\\.(.+?))\\.[a-z_]+$" },
];

/** Waits until the counters below a prefix are these. */
async function untilCounted(envoy: EnvoyProcess, prefix: string, expected: Record<string, number>): Promise<void> {
  let seen = "nothing";
  const counted = async () => {
    const values = await Promise.all(Object.keys(expected).map((name) => envoy.stat(`wasmcustom.${prefix}${name}`)));
    seen = values.join(", ");
    return seen === Object.values(expected).join(", ");
  };
  await waitUntil(counted, WAIT_MS, () => `${prefix}: ${seen}`);
}

describe("counters of filters", () => {
  const scope = suiteScope();

  it("dubbo_stream: the plugin's name and the pod's label, and labels in Prometheus", async () => {
    const change = (bootstrap: Bootstrap) => {
      const metadata = { LABELS: { "app.kubernetes.io/version": "v2" } };
      Object.assign(bootstrap, { node: { id: "moe", cluster: "moe", metadata }, stats_config: { stats_tags: TAGS } });
    };
    const filter = { type: "dubbo_stream", config: { protocols: ["bolt"], subset: "app.kubernetes.io/version" } };
    const stage = await Stage.start(scope, { clusters: { plain: {} }, config: { stream_filters: [filter] }, change });
    const [client] = await stage.connect(scope);
    await client.write(request(1, callOf("plain", "hello")));
    await client.answer(1);
    await client.write(request(2, callOf("nowhere", "hello")));
    await client.answer(2);
    const prefix = "moe.filter.dubbo_stream.listener.moe.subset.v2.service.test";
    await untilCounted(stage.envoy, `${prefix}.plain:1.0.method.hello.`, { request_total: 1, response_succ_total: 1 });
    await untilCounted(stage.envoy, `${prefix}.nowhere:1.0.method.hello.`, {
      request_total: 1,
      response_fail_total: 1,
    });
    const text = await stage.envoy.admin("/stats/prometheus?filter=moe");
    const labels = 'moe_service="test.plain:1.0",moe_method="hello"} 1';
    for (const line of [
      `moe_filter_dubbo_stream_response_succ_total{moe_listener="moe",moe_subset="v2",${labels}`,
      `moe_ok{${labels}`,
    ]) {
      assert.ok(text.includes(line), `${line} is not in\n${text}`);
    }
  });

  it("grpc_metric: the status in the trailers, or of an answer of Envoy's or a filter's own", async () => {
    const server = await HttpServer.start(scope, "grpc", true);
    server.answer = ({ body }) => ({
      headers: { "content-type": "application/grpc" },
      body,
      trailers: { "grpc-status": String(body.length - 5) },
    });
    const abort = { headers: [{ name: "abort", value: "yes" }], abort: { status: 503, percentage: 100 } };
    const filters = [
      { type: "fault", config: abort },
      { type: "grpc_metric", config: {} },
    ];
    const routes = [
      { match: { prefix: "/pkg.None" }, direct_response: { status: 404 } },
      { match: { prefix: "/" }, route: { cluster: "grpc" } },
    ];
    const listeners = [{ name: "grpc", config: { stream_filters: filters }, routes }];
    const clusters = { grpc: { ports: [server.port], http2: true } };
    const envoy = await startHttpEnvoy(scope, { listeners, clusters });
    const client = await Http2Client.connect(scope, envoy.ports.get("grpc") ?? 0);
    assert.equal((await client.grpc("/pkg.S/M", "")).status, 0);
    assert.equal((await client.grpc("/pkg.S/M", "")).status, 0);
    assert.equal((await client.grpc("/pkg.S/M", "12345")).status, 5);
    assert.equal((await client.grpc("/pkg.S/M", "", { abort: "yes" })).status, 14);
    assert.equal((await client.grpc("/pkg.None/M", "")).status, 12);
    await client.request({ path: "/pkg.S/M" });
    const prefix = "moe.filter.grpc_metric.service.pkg";
    const counts = { request_total: 4, response_succ_total: 2, response_fail_total: 2 };
    await untilCounted(envoy, `${prefix}.S.method.M.`, counts);
    await untilCounted(envoy, `${prefix}.None.method.M.`, { request_total: 1, response_fail_total: 1 });
  });
});
