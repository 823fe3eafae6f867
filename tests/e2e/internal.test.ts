// As in Istio's sidecars: the module before a tcp_proxy, and the switchboard of istio/switchboard.yaml on an internal listener.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Bootstrap, type Listener, pluginConfig } from "../../scripts/lib/bootstrap.ts";
import { BoltStatus } from "../host/kit/bolt.ts";
import { makeCalls, tally } from "./kit/calls.ts";
import { RawBoltClient } from "./kit/client.ts";
import { CONCURRENCIES, startEnvoy, untilStat } from "./kit/envoy.ts";
import { OWN_CLUSTER, throughTcpProxy } from "./kit/istio.ts";
import { RawBoltServer } from "./kit/server.ts";
import { callOf, serviceIs, Stage } from "./kit/stage.ts";

const outbound = (bootstrap: Bootstrap, listener: Listener) => throughTcpProxy(bootstrap, listener);
const inbound = (bootstrap: Bootstrap, listener: Listener) => throughTcpProxy(bootstrap, listener, "SIDECAR_INBOUND");

for (const concurrency of CONCURRENCIES) {
  describe(`the module before a tcp_proxy, --concurrency ${concurrency}`, () => {
    it("calls are routed one by one, and none goes where the tcp_proxy would", async (t) => {
      const weights = [80, 20].map((weight) => ({ cluster: { name: `v${weight}`, weight } }));
      const stage = await Stage.start(t, {
        concurrency,
        change: outbound,
        clusters: { v80: {}, v20: {}, [OWN_CLUSTER]: {} },
        routers: [{ match: { headers: [serviceIs("any")] }, route: { weighted_clusters: weights } }],
      });
      const clients = await stage.connect(t, 4);
      const answers = await Promise.all(clients.map((client) => makeCalls(client, 500, callOf("any"))));
      const counts = tally(answers.flat());
      assert.deepEqual(counts, stage.got("v80", "v20"));
      assert.ok(Math.abs(counts.v80 - 1600) <= 40, JSON.stringify(counts));
      assert.equal(await stage.envoy.stat(`cluster.${OWN_CLUSTER}.upstream_cx_total`), 0);
      assert.equal(await stage.envoy.stat("cluster.moe-switchboard.upstream_cx_total"), 4);
    });

    it("what was not sent is tried on another host, large calls pass, a lost server is told", async (t) => {
      const stage = await Stage.start(t, { concurrency, change: outbound, clusters: { two: { servers: ["a", "b"] } } });
      stage.server("a").refuse();
      const [client] = await stage.connect(t);
      assert.deepEqual(tally(await makeCalls(client, 50, callOf("two"))), { b: 50 });
      const large = await client.call(1000, { ...callOf("two"), content: Buffer.alloc(3 << 20, 7) });
      assert.equal(large.content.length, 3 << 20);
      stage.server("b").handler = (_, connection) => void connection.reset();
      assert.notEqual((await client.call(1001, callOf("two"))).status, BoltStatus.SUCCESS);
      assert.equal(client.state, "open");
    });
  });
}

const PROXY_PROTOCOL = {
  name: "envoy.filters.listener.proxy_protocol",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol",
  },
};

it("calls of a server's clients reach it at the address that they came to", async (t) => {
  const router = { virtual_hosts: [{ domains: ["*"], routers: [{ route: { cluster_name: "moe-inbound" } }] }] };
  const server = await RawBoltServer.start({ name: "own" });
  t.after(() => server.close());
  const envoy = await startEnvoy(t, {
    config: { router },
    clusters: {},
    change: (bootstrap, listener) => {
      inbound(bootstrap, listener);
      // In place of Istio's capture of traffic: clients say where they wanted to go.
      listener.listener_filters = [PROXY_PROTOCOL];
    },
  });
  const client = await RawBoltClient.connect(envoy.port);
  t.after(() => client.close());
  await client.write(Buffer.from(`PROXY TCP4 10.0.0.9 127.0.0.1 40000 ${server.port}\r\n`));
  assert.deepEqual(tally(await makeCalls(client, 50, callOf("any"))), { own: 50 });
  assert.equal(await envoy.stat("cluster.moe-inbound.upstream_cx_total"), server.connections.length);
});

it("a route by the address that clients connect to", async (t) => {
  const stage = await Stage.start(t, {
    clusters: { here: {}, elsewhere: {} },
    change: (bootstrap, listener) => {
      outbound(bootstrap, listener);
      const { value } = pluginConfig(listener).configuration as { value: { router: { virtual_hosts: object[] } } };
      const route = (address: string, cluster_name: string) => ({
        match: { variables: [{ name: "downstream_local_address", regex: address }] },
        route: { cluster_name },
      });
      value.router.virtual_hosts = [
        { domains: ["*"], routers: [route("^10[.]", "elsewhere"), route("^127[.]0[.]0[.]1:[0-9]+$", "here")] },
      ];
    },
  });
  const [client] = await stage.connect(t);
  assert.deepEqual(tally(await makeCalls(client, 10, callOf("any"))), { here: 10 });
});

it("without the switchboard clients are closed, a line and a counter tell why, and nothing reaches a server", async (t) => {
  const stage = await Stage.start(t, {
    clusters: { here: {}, [OWN_CLUSTER]: {} },
    change: (bootstrap, listener) => {
      outbound(bootstrap, listener);
      const { static_resources } = bootstrap;
      static_resources.clusters = static_resources.clusters.filter(({ name }) => name !== "moe-switchboard");
    },
  });
  const [client] = await stage.connect(t);
  client.call(1, callOf("here")).catch(() => "closed");
  await client.waitForClose();
  await untilStat(stage.envoy, "wasmcustom.moe.no_switchboard", 1);
  const told = stage.envoy.log.filter((line) =>
    line.includes("no switchboard answers at the cluster of `switchboard`"),
  );
  assert.equal(told.length, 1);
  assert.deepEqual(stage.got("here", OWN_CLUSTER), { here: 0, [OWN_CLUSTER]: 0 });
  assert.equal(stage.server(OWN_CLUSTER).connections.length, 0);
});

it("as a WasmPlugin of Istio it is refused without a switchboard, so that no server gets HTTP/2", async (t) => {
  const change = (_: Bootstrap, listener: Listener) => {
    pluginConfig(listener).name = "extensions.istio.io/trafficextension/shop.orders";
  };
  await assert.rejects(startEnvoy(t, { change }), /switchboard: must be given in a WasmPlugin/);
  const router = { virtual_hosts: [{ domains: ["*"], routers: [{ route: { cluster_name: "hello" } }] }] };
  await startEnvoy(t, { change, config: { switchboard: "", router } });
});
