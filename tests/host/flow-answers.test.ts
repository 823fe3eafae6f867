// The filter flowControlFilter in the host emulator: configurations, what names a resource, what is told, what stays.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BUSY, close, filter, isolate, limit, next, RESOURCE, start, statuses } from "./flow-world.ts";
import { startHttp } from "./http-world.ts";
import { Result } from "./kit/abi.ts";
import { BoltStatus as Status } from "./kit/bolt.ts";
import { BoltCluster } from "./kit/bolt-cluster.ts";
import { Host, LoadError } from "./kit/index.ts";
import { A, answers, module } from "./proxy-world.ts";

describe("rules that go", () => {
  it("leave nothing in shared data but their keys, once the last plugin that has them ends", async () => {
    const host = await Host.start({ module, config: filter({ ...limit(3), ...isolate(".*", 5) }), workers: 2 });
    const values = new Map<string, number>();
    const set = host.shared.set.bind(host.shared);
    host.shared.set = (key, data, cas) => {
      const result = set(key, data, cas);
      if (result === Result.Ok) values.set(Buffer.from(key, "latin1").toString("hex"), data.length);
      return result;
    };
    const cluster = new BoltCluster(A);
    host.onConnect = cluster.connect;
    const clients = [0, 1].map((worker) => host.connect({ worker }));
    for (let i = 0; i < 8; i++) clients[i % 2].write(next({ headers: [["service", `s${i}`]] }));
    for (const client of clients) client.write(next());
    host.advance(100);
    for (const client of clients) client.fin();
    host.advance(2000);
    const full = (): number => [...values.values()].filter((length) => length > 0).length;
    assert.equal(full(), 10);
    for (const vm of host.workers) vm.call("proxy_on_done", vm.roots[0], vm.roots[0].id);
    // The list of the workers stays.
    assert.equal(full(), 1);
    assert.equal(values.size, 10);
    host.close();
  });
});

describe("configuration", () => {
  it("what is not valid is refused whole, with its path", async () => {
    const rules = {
      rules: [
        { resource: "a", threshold: 1 },
        { resource: "b", threshold: -1 },
      ],
    };
    const loading = Host.start({ module, config: filter(rules) });
    await assert.rejects(loading, (error: unknown) => {
      return error instanceof LoadError && error.message.includes("stream_filters[0].config.rules[1].threshold");
    });
  });

  it("on HTTP the path is the resource, and the answer is MOSN's status", async () => {
    const rules = [{ resource: "/http", threshold: 1 }];
    const host = await startHttp([{ type: "flowControlFilter", config: { global_switch: true, rules } }]);
    assert.equal(host.request({ path: "/http" }).status, 200);
    const blocked = host.request({ path: "/http" });
    assert.deepEqual([blocked.status, blocked.body], [509, "current request is limited: flow rule of /http"]);
    assert.equal(blocked.stream.state.details, "flow_control{flow,/http}");
    assert.equal(host.request({ path: "/other" }).status, 200);
    host.advance(2000);
    // Without `app_name` the counts are those of the plugin of this name.
    const name = "moe.filter.flowControlFilter.app.moe.resource./http.";
    assert.equal(host.metrics.counter(name + "passed"), 1);
    assert.equal(host.metrics.counter(name + "blocked_flow"), 1);
    host.close();
  });

  it("on HTTP the resource is the path that came, whatever filters before make of it", async () => {
    const rewrite = { type: "dsl", config: { before_router_by_dsl: 'ctx.rewrite_request_url("/rewritten")' } };
    const rules = [
      { resource: "/came", threshold: 0 },
      { resource: "/rewritten", threshold: 1000 },
    ];
    const host = await startHttp([rewrite, { type: "flowControlFilter", config: { global_switch: true, rules } }]);
    assert.equal(host.request({ path: "/came?a=b" }).status, 509);
    host.close();
  });

  it("an expression names the resource, on RPC and on HTTP", async () => {
    const dsl = { limit_key_type: "DSL", limit_key_dsl: 'request.headers["tenant"] + "/" + request.headers["kind"]' };
    const rules = [{ resource: "a/x", threshold: 1 }];
    const all = await start(1, { ...dsl, rules });
    const send = (tenant: string): number => {
      const headers: [string, string][] = [
        ["service", "any"],
        ["tenant", tenant],
        ["kind", "x"],
      ];
      all.client.write(next({ headers }));
      all.host.advance(8);
      return statuses(all.client)[0];
    };
    assert.deepEqual([send("a"), send("a"), send("b")], [Status.SUCCESS, BUSY, Status.SUCCESS]);
    close(all);
    const config = { global_switch: true, ...dsl, rules };
    const host = await startHttp([{ type: "flowControlFilter", config }]);
    const request = (tenant: string): number | null =>
      host.request({
        headers: [
          ["tenant", tenant],
          ["kind", "x"],
        ],
      }).status;
    assert.deepEqual([request("a"), request("a"), request("b")], [200, 509, 200]);
    host.close();
  });
});

describe("what is told of a blocked request", () => {
  it("on RPC: the resource and the kind of rule in the answer, and in the connection's filter state once", async () => {
    const all = await start(1, limit(1));
    const states: string[] = [];
    all.host.foreign.set("set_envoy_filter_state", (bytes) => {
      states.push(bytes.toString("latin1"));
      return Buffer.alloc(0);
    });
    for (let i = 0; i < 3; i++) all.client.write(next());
    all.host.advance(8);
    const blocked = answers(all.client).filter(({ status }) => status === BUSY);
    assert.equal(blocked.length, 2);
    for (const { content } of blocked) {
      assert.ok(content.includes(`current request is limited: flow rule of ${RESOURCE}`), content.toString("latin1"));
    }
    assert.equal(states.length, 1);
    assert.match(states[0], /envoy\.string.*flow_control\{flow,com\.example\.Hello:1\.0\}/s);
    close(all);
  });

  it("the text is the operator's, and a resource's name cannot break a line", async () => {
    const action = { body: "%RESOURCE%: %RULE%, %RULE%!" };
    const all = await start(1, { action, limit_key_type: "HEADER", limit_key_header: "tenant", ...isolate(".*") });
    const [server] = all.cluster.servers;
    server.onCall = () => {};
    const headers: [string, string][] = [
      ["service", "a"],
      ["tenant", "x\r\ny z"],
    ];
    for (let i = 0; i < 2; i++) all.client.write(next({ headers }));
    all.host.advance(8);
    const [{ content }] = answers(all.client);
    assert.ok(content.includes("x__y_z: isolation rule, isolation rule!"), content.toString("latin1"));
    all.client.rst();
    close(all);
  });

  it("by resource: what passed and was blocked, response times, requests at the same time", async () => {
    const all = await start(1, { ...limit(2), ...isolate("com.example.Hello:1.0", 2) });
    const [server] = all.cluster.servers;
    const held: { reply: () => void }[] = [];
    server.onCall = (one) => held.push(one);
    for (let i = 0; i < 3; i++) all.client.write(next());
    all.host.advance(700);
    const name = `moe.filter.flowControlFilter.app.test.resource.${RESOURCE}.`;
    assert.equal(Number(all.host.metrics.gauge(name + "concurrency")), 2);
    for (const one of held) one.reply();
    all.host.advance(1000);
    assert.equal(Number(all.host.metrics.gauge(name + "concurrency")), 0);
    assert.equal(all.host.metrics.counter(name + "passed"), 2);
    assert.equal(all.host.metrics.counter(name + "blocked_flow"), 1);
    const times = all.host.metrics.histogram(name + "rt");
    assert.equal(times.length, 2);
    for (const time of times) assert.ok(time >= 696 && time <= 710, `${times}`);
    server.onCall = (one) => one.reply();
    statuses(all.client);
    close(all);
  });
});
