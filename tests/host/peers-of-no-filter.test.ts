// What comes to no filter is asked about all the same: heartbeats and bytes of no known protocol, by filters that need no
// message; and what a listener does not serve.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { boltStatus } from "../vectors/bolt.ts";
import * as bolt from "./kit/bolt.ts";
import * as dubbo from "./kit/dubbo.ts";
import { Host, LoadError } from "./kit/index.ts";
import { startHttp } from "./http-world.ts";
import { A, answers, call, module, world } from "./proxy-world.ts";

const ipAccess = (config: object): object => ({ stream_filters: [{ type: "ip_access", config }] });
const DENY = ipAccess({ ips: [{ action: "deny", addrs: ["10.66.0.0/16"] }] });
const from = (address: string) => ({ properties: { "source/address": address } });
const DENIED = "10.66.0.1:4000";
const OTHER = "10.0.0.1:4000";

describe("ip_access", () => {
  for (const [name, heartbeat] of [
    ["Bolt", bolt.heartbeat(7)],
    ["Bolt v2", bolt.heartbeat(7, 2)],
    ["Dubbo", dubbo.heartbeat(7n)],
  ] as const) {
    it(`${name}: a heartbeat of a client that it denies is not answered, and the connection closes`, async () => {
      for (const [address, answered] of [
        [DENIED, false],
        [OTHER, true],
      ] as const) {
        const { host, client } = await world([A], { config: DENY }, from(address));
        client.write(Buffer.concat([heartbeat, heartbeat]));
        host.advance(100);
        assert.equal(client.take().length > 0, answered);
        assert.equal(client.closed, answered ? null : "local");
        assert.equal(host.metrics.counter("moe.refused_connections"), answered ? 0 : 1);
        host.close();
      }
    });
  }

  it("requests are still answered one by one with why they may not pass", async () => {
    const { host, client } = await world([A], { config: DENY }, from(DENIED));
    client.write(Buffer.concat([call(1), call(2)]));
    host.advance(100);
    assert.deepEqual(
      answers(client).map(({ status }) => status),
      [boltStatus(403), boltStatus(403)],
    );
    assert.equal(client.closed, null);
    host.close();
  });

  for (const [name, bytes, waits] of [
    ["bytes of no protocol", Buffer.from("SSH-2.0-x\r\n"), false],
    ["too few of them to tell, after detect_timeout_ms", Buffer.from([0xda]), true],
  ] as const) {
    it(`${name} of a client that it denies do not come to the fallback`, async () => {
      for (const [address, passes] of [
        [DENIED, false],
        [OTHER, true],
      ] as const) {
        const config = { ...DENY, fallback: "cluster:raw", detect_timeout_ms: 500 };
        const { host, client } = await world([A], { config }, from(address));
        host.onConnect = () => {};
        client.write(bytes);
        host.advance(waits ? 1200 : 100);
        const asked = client.switchboard.opened.map(({ cluster }) => cluster);
        assert.deepEqual(asked, passes ? ["raw"] : []);
        assert.equal(client.closed, passes ? null : "local");
        if (!passes) assert.equal(host.metrics.counter("moe.refused_connections"), 1);
        host.close();
      }
    });
  }

  it("an address that cannot be read is denied where there are lists, and counted", async () => {
    for (const [config, closed] of [
      [DENY, "local"],
      [ipAccess({ default_action: "deny" }), "local"],
      [ipAccess({}), null],
    ] as const) {
      const { host, client } = await world([A], { config }, from("somewhere"));
      client.write(bolt.heartbeat(1));
      host.advance(1000);
      assert.equal(client.closed, closed);
      assert.equal(host.metrics.counter("moe.filter.ip_access.failures"), config === DENY ? 1 : 0);
      host.close();
    }
  });
});

describe("protocols", () => {
  it("[bolt] serves no Bolt v2, neither first nor later", async () => {
    for (const first of [true, false]) {
      const { host, cluster, client } = await world([A], { config: { protocols: ["bolt"] } });
      if (!first) {
        client.write(call(1));
        assert.equal(answers(client).length, 1);
      }
      client.write(call(2, { version: 2 }));
      host.advance(1000);
      assert.equal(client.take().length, 0);
      assert.equal(client.closed, "local");
      assert.equal(cluster.calls.length, first ? 0 : 1);
      host.close();
    }
  });

  it("[boltv2] serves no Bolt v1 behind v2, and half a frame of it is enough", async () => {
    const { host, cluster, client } = await world([A], { config: { protocols: ["boltv2"] } });
    client.write(call(1, { version: 2 }));
    assert.equal(answers(client).length, 1);
    client.write(call(2).subarray(0, 5));
    host.advance(1000);
    assert.equal(client.closed, "local");
    assert.equal(cluster.calls.length, 1);
    host.close();
  });

  it("[bolt, boltv2] serves both on one connection", async () => {
    const { host, client } = await world([A], { config: { protocols: ["bolt", "boltv2"] } });
    client.write(Buffer.concat([call(1), call(2, { version: 2 }), call(3)]));
    assert.deepEqual(
      answers(client).map(({ id }) => id),
      [1, 2, 3],
    );
    host.close();
  });
});

describe("per_filter_config for a filter that does not run", () => {
  const CONFIGS: Record<string, object> = { ip_access: { default_action: "deny" }, fault: {} };
  const refusal = async (types: string[], onHost: boolean): Promise<string> => {
    const configs = { per_filter_config: CONFIGS };
    const routers = [{ route: { cluster_name: "a" }, ...(onHost ? {} : configs) }];
    const router = { virtual_hosts: [{ domains: ["*"], routers, ...(onHost ? configs : {}) }] };
    const started = Host.start({ module, config: { router, stream_filters: types.map((type) => ({ type })) } });
    return started.then(
      (host) => (host.close(), ""),
      (error: unknown) => (error instanceof LoadError ? error.message : String(error)),
    );
  };
  for (const onHost of [true, false]) {
    it(`is refused: of a ${onHost ? "virtual host" : "route"}`, async () => {
      const owner = onHost ? "virtual_hosts[0]" : "virtual_hosts[0].routers[0]";
      for (const [listed, lacks] of [
        [[], "ip_access"],
        [["fault"], "ip_access"],
        [["ip_access"], "fault"],
      ] as const) {
        const text = await refusal([...listed], onHost);
        assert.ok(
          text.includes(`router.${owner}.per_filter_config.${lacks}: the filter is not in stream_filters`),
          text,
        );
      }
      assert.equal(await refusal(["fault", "ip_access"], onHost), "");
    });
  }
});

describe("HTTP: headers x-moe-* of a client", () => {
  const LABEL = {
    type: "header_to_metadata",
    config: { request_rules: [{ header: "zone", on_header_present: { key: "zone" }, remove: true }] },
  };
  const OWN = { "x-moe-zone": "mine", "X-Moe-Other": "x", "x-moe-cluster": "admin", "x-moerse": "stays" };
  /** Those that the server got. */
  const got = async (
    filters: object[],
    headers: Record<string, string>,
    metadata?: Record<string, Record<string, string>>,
  ) => {
    const host = await startHttp(filters);
    if (metadata) host.routes = () => ({ metadata });
    let names: (string | null)[] = [];
    host.onRequest = (request) => {
      names = ["x-moe-zone", "x-moe-other", "x-moe-cluster", "x-moerse"].map((name) => request.headers.get(name));
      request.respond({ status: 200 });
    };
    assert.equal(host.request({ headers }).status, 200);
    host.close();
    return names;
  };

  it("go where filters set labels, whether they set one or not", async () => {
    assert.deepEqual(await got([LABEL], OWN), [null, null, null, "stays"]);
    assert.deepEqual(await got([LABEL], { ...OWN, zone: "a" }), ["a", null, null, "stays"]);
    const byRoute = { moe: { header_to_metadata: JSON.stringify(LABEL.config) } };
    const none = { type: "header_to_metadata", config: {} };
    assert.deepEqual(await got([none], OWN), [null, null, null, "stays"]);
    assert.deepEqual(await got([none], { ...OWN, zone: "b" }, byRoute), ["b", null, null, "stays"]);
    assert.deepEqual(await got([{ type: "fault", config: {} }, LABEL], OWN), [null, null, null, "stays"]);
  });

  it("go where a filter reads headers", async () => {
    const byHeader = {
      type: "ip_access",
      config: { header: "from", ips: [{ action: "deny", addrs: ["10.66.0.0/16"] }] },
    };
    assert.deepEqual(await got([byHeader], OWN), [null, null, null, "stays"]);
  });

  it("leave a request that has none as it is", async () => {
    assert.deepEqual(await got([LABEL], { "x-moerse": "stays" }), [null, null, null, "stays"]);
  });
});

describe("HTTP: payload_limit and upgrades", () => {
  const LIMIT = { type: "payload_limit", config: { max_entity_size: 10 } };
  const upgrade = { connection: "upgrade", upgrade: "websocket" };
  for (const [name, headers, status] of [
    ["that declares no body passes", {}, null],
    ["that declares a body within the limit passes", { "content-length": "10" }, null],
    ["that declares a larger one is refused", { "content-length": "11" }, 413],
    ["whose length is no number is refused", { "content-length": "1e9" }, 413],
    ["with a body of unknown length is refused", { "transfer-encoding": "chunked" }, 413],
  ] as const) {
    it(`an upgrade ${name}`, async () => {
      const host = await startHttp([LIMIT]);
      let came = 0;
      host.onRequest = () => came++;
      const exchange = host.request({ open: true, headers: { ...upgrade, ...headers } });
      assert.deepEqual([exchange.status, came], [status, status === null ? 1 : 0]);
      if (!("content-length" in headers)) host.close();
    });
  }

  it("a route without a limit takes any", async () => {
    const host = await startHttp([LIMIT]);
    host.routes = () => ({ metadata: { moe: { payload_limit: '{"max_entity_size": 0}' } } });
    let came = 0;
    host.onRequest = () => came++;
    host.request({ open: true, headers: { ...upgrade, "transfer-encoding": "chunked" } });
    assert.equal(came, 1);
    host.close();
  });
});
