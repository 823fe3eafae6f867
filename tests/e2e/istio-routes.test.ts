// Istio's resources, translated by scripts/istio_routes, on a real Envoy as in a sidecar: each field does what it says.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { stringify } from "yaml";
import { DEFAULTS } from "../../scripts/istio_routes/options.ts";
import { lineOf } from "../../scripts/istio_routes/report.ts";
import { translate } from "../../scripts/istio_routes/translate.ts";
import { type BoltFrame, BoltStatus, type Headers, response } from "../host/kit/bolt.ts";
import { makeCalls, meet, reasonOf, servedBy, tally } from "./kit/calls.ts";
import { throughTcpProxy } from "./kit/istio.ts";
import { suiteScope } from "./kit/scope.ts";
import { callOf, Stage } from "./kit/stage.ts";
import { WAIT_MS, waitUntil } from "./kit/wait.ts";

const SERVICES = ["orders", "keyed", "limited", "frail"];
const host = (name: string) => `${name}.shop.svc.cluster.local`;
const cluster = (name: string, subset = "") => `outbound|12200|${subset}|${host(name)}`;

const resource = (kind: string, name: string, spec: object, annotations = {}) => ({
  apiVersion: kind === "Service" ? "v1" : "networking.istio.io/v1",
  kind,
  metadata: { name, namespace: "shop", annotations },
  spec,
});
const to = (subset: string, weight?: number) => ({ destination: { host: "orders", subset }, weight });
const when = (mode: string, more: object) => ({
  match: [{ headers: { mode: { exact: mode } } }],
  route: [to("v1")],
  ...more,
});
const ALL = { value: 100 };

const HTTP = [
  when("canary", { route: [to("v2")] }),
  { match: [{ method: { prefix: "find" } }], route: [to("v2")] },
  { match: [{ uri: { exact: "/test.orders:1.0/byPath" } }], route: [to("v2")] },
  when("late", { timeout: "200ms" }),
  when("again", { route: [to("v2")], retries: { attempts: 2, retryOn: "503" } }),
  when("slow", { fault: { delay: { fixedDelay: "300ms", percentage: ALL } } }),
  when("broken", { fault: { abort: { httpStatus: 503, percentage: ALL } } }),
  when("copied", { mirror: { host: "orders", subset: "v2" } }),
  when("marked", {
    headers: { request: { set: { seen: "yes" }, remove: ["secret"] }, response: { set: { by: "mesh" } } },
  }),
  when("closed", { directResponse: { status: 503, body: { string: "closed for today" } }, route: undefined }),
  { route: [to("v1", 80), to("v2", 20)] },
];

const policy = (name: string, trafficPolicy: object) =>
  resource("DestinationRule", name, { host: name, trafficPolicy });
const RESOURCES = [
  ...SERVICES.map((name) =>
    resource(
      "Service",
      name,
      { clusterIP: "None", ports: [{ name: "tcp-bolt", port: 12200 }] },
      { "moe.mosn.io/services": `test.${name}:*` },
    ),
  ),
  resource("VirtualService", "orders", { hosts: ["orders"], http: HTTP }),
  resource("DestinationRule", "orders", {
    host: "orders",
    subsets: ["v1", "v2"].map((name) => ({ name, labels: { version: name } })),
  }),
  policy("keyed", { loadBalancer: { consistentHash: { httpHeaderName: "uid" } } }),
  policy("limited", { connectionPool: { http: { http2MaxRequests: 2 } } }),
  policy("frail", { outlierDetection: { consecutive5xxErrors: 5, interval: "0.2s", baseEjectionTime: "600s" } }),
];

function pluginConfig(): object {
  const text = RESOURCES.map((one) => stringify(one, { aliasDuplicateObjects: false })).join("---\n");
  const options = { ...DEFAULTS, namespace: "shop", url: "oci://r/m:1" };
  const { plugins, report } = translate([{ file: "in.yaml", text }], options);
  assert.deepEqual(report.errors.map(lineOf), []);
  return plugins[0].spec.pluginConfig;
}

describe("Istio's routes, translated", () => {
  const scope = suiteScope();
  let stage: Stage;
  let id = 0;

  before(async () => {
    stage = await Stage.start(scope, {
      clusters: {
        [cluster("orders", "v1")]: { servers: ["v1"] },
        [cluster("orders", "v2")]: { servers: ["v2"] },
        [cluster("keyed")]: { servers: ["k1", "k2", "k3"] },
        [cluster("limited")]: { servers: ["limited"] },
        [cluster("frail")]: { servers: ["good", "bad"] },
      },
      config: pluginConfig(),
      change: (bootstrap, listener) => throughTcpProxy(bootstrap, listener),
    });
  });

  const call = async (mode: string, method?: string, ...headers: Headers): Promise<BoltFrame> => {
    const [client] = await stage.connect(scope);
    return client.call(++id, callOf("orders", method, ["mode", mode], ...headers));
  };

  it("weights", async (t) => {
    const [client] = await stage.connect(t);
    const counts = tally(await makeCalls(client, 500, callOf("orders")));
    assert.ok(Math.abs(counts.v1 - 400) <= 10 && counts.v1 + counts.v2 === 500, JSON.stringify(counts));
  });

  it("matches on headers, method and path", async () => {
    assert.equal(servedBy(await call("canary")), "v2");
    assert.equal(servedBy(await call("any", "findAll")), "v2");
    assert.equal(servedBy(await call("any", "byPath")), "v2");
  });

  it("timeout", async (t) => {
    stage.server("v1").handler = () => undefined;
    t.after(() => (stage.server("v1").handler = (frame) => stage.server("v1").echo(frame)));
    const [client] = await stage.connect(t);
    // A frame without a timeout of its own.
    const { status } = await client.call(++id, { ...callOf("orders", undefined, ["mode", "late"]), timeout: 0 });
    assert.equal(status, BoltStatus.TIMEOUT);
  });

  it("retries", async (t) => {
    const server = stage.server("v2");
    t.after(() => (server.handler = (frame) => server.echo(frame)));
    let tries = 0;
    server.handler = (frame) =>
      ++tries < 3 ? response(frame.id, { status: BoltStatus.SERVER_THREADPOOL_BUSY }) : server.echo(frame);
    assert.equal((await call("again")).status, BoltStatus.SUCCESS);
    assert.equal(tries, 3);
  });

  it("fault: delay and abort", async () => {
    const start = Date.now();
    assert.equal(servedBy(await call("slow")), "v1");
    assert.ok(Date.now() - start >= 290, "it was held");
    assert.match(reasonOf(await call("broken")), /fault filter abort/);
  });

  it("mirror", async () => {
    const earlier = stage.server("v2").requests;
    assert.equal(servedBy(await call("copied")), "v1");
    await stage.server("v2").waitForRequests(earlier + 1);
  });

  it("headers of requests and responses", async () => {
    const answer = await call("marked", undefined, ["secret", "x"]);
    const { headers } = stage.server("v1").arrivals.at(-1)?.frame ?? { headers: [] };
    assert.equal(headers.find(([name]) => name === "seen")?.[1], "yes");
    assert.ok(!headers.some(([name]) => name === "secret"));
    assert.ok(answer.headers.some(([name, value]) => name === "by" && value === "mesh"));
  });

  it("a direct response", async () => {
    const { status, content } = await call("closed");
    assert.notEqual(status, BoltStatus.SUCCESS);
    assert.match(content.toString("latin1"), /closed for today/);
  });

  it("consistent hash", async (t) => {
    const [client] = await stage.connect(t);
    let other = 0;
    await meet(client, ["k1", "k2", "k3"], () => callOf("keyed", undefined, ["uid", `warm${other++}`]));
    for (const uid of ["a", "b", "c", "d"]) {
      const counts = tally(await makeCalls(client, 20, callOf("keyed", undefined, ["uid", uid]), { from: (id += 20) }));
      assert.equal(Object.keys(counts).length, 1, `${uid}: ${JSON.stringify(counts)}`);
    }
  });

  it("limits", async (t) => {
    const server = stage.server("limited");
    server.handler = () => undefined;
    const [client] = await stage.connect(t);
    for (const held of [1, 2]) client.call(held, callOf("limited")).catch(() => "closed by the end of the test");
    await server.waitForRequests(2);
    assert.match(reasonOf(await client.call(3, callOf("limited"))), /too many requests to the cluster/);
  });

  it("outlier detection", async (t) => {
    const bad = stage.server("bad");
    bad.handler = (frame) => response(frame.id, { status: BoltStatus.SERVER_THREADPOOL_BUSY });
    const [client] = await stage.connect(t);
    const ejected = () => stage.envoy.stat("wasmcustom.moe.filter.fault_tolerance.ejected");
    let from = 0;
    const busy = async () => {
      await makeCalls(client, 40, callOf("frail"), { from: (from += 40) });
      return (await ejected()) === 1;
    };
    await waitUntil(busy, WAIT_MS, () => "no host was ejected");
    assert.deepEqual(tally(await makeCalls(client, 40, callOf("frail"), { from: from + 40 })), { good: 40 });
  });
});
