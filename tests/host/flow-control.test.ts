// The filter flowControlFilter in the host emulator: workers that share counts, queues, breakers, rules that change.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startHttp } from "./http-world.ts";
import { BoltStatus as Status } from "./kit/bolt.ts";
import { Result } from "./kit/abi.ts";
import { BoltCluster } from "./kit/bolt-cluster.ts";
import { Host, LoadError, type SwitchboardClient } from "./kit/index.ts";
import { A, answers, call, module, world, type World } from "./proxy-world.ts";

const RESOURCE = "com.example.Hello:1.0";
const BUSY = Status.SERVER_THREADPOOL_BUSY;

const filter = (rules: object) => ({
  stream_filters: [{ type: "flowControlFilter", config: { app_name: "test", global_switch: true, ...rules } }],
  router: { virtual_hosts: [{ domains: ["*"], routers: [{ route: { cluster_name: "upstream" } }] }] },
});

const limit = (threshold: number, more: object = {}) => ({ rules: [{ resource: RESOURCE, threshold, ...more }] });

const isolate = (resource: string, threshold = 1): object => ({
  isolation_rules: [{ resource, match: "regex", threshold }],
});

let lastId = 0;

/** The status of each answer that a client got since the last time. */
const statuses = (client: SwitchboardClient): number[] => answers(client).map(({ status }) => status);

/** A module with so many workers, and one client of each. */
async function start(workers: number, rules: object): Promise<World & { clients: SwitchboardClient[] }> {
  const all = await world(undefined, { config: filter(rules), workers });
  const clients = [all.client];
  for (let worker = 1; worker < workers; worker++) clients.push(all.host.connect({ worker }));
  // Each worker finds its server.
  for (const client of clients) client.write(call(++lastId, { headers: [["service", "warm"]] }));
  all.host.advance(100);
  for (const client of clients) assert.deepEqual(statuses(client), [Status.SUCCESS]);
  // A second begins: windows are aligned to the clock.
  all.host.advance(1000 - (all.host.clock.nowMs % 1000));
  return { ...all, clients };
}

/** One request of each client after the other, `count` in all; how many pass and how many are blocked. */
function send({ host }: World, clients: SwitchboardClient[], count: number): { passed: number; blocked: number } {
  for (let i = 0; i < count; i++) clients[i % clients.length].write(call(++lastId));
  host.advance(8);
  const all = clients.flatMap(statuses);
  const [passed, blocked] = [Status.SUCCESS, BUSY].map((status) => all.filter((one) => one === status).length);
  assert.equal(passed + blocked, count);
  return { passed, blocked };
}

function close({ host, clients }: { host: Host; clients: SwitchboardClient[] }): void {
  for (const client of clients) if (client.closed === null) client.fin();
  host.advance(2000);
  for (const gauge of ["concurrency", "queued"]) {
    assert.equal(Number(host.metrics.gauge(`moe.filter.flowControlFilter.${gauge}`)), 0, gauge);
  }
  assert.equal(host.vm.tickPeriod(), 0, "ticks");
  host.close();
}

describe("workers that share counts", () => {
  for (const workers of [1, 2, 4]) {
    it(`${workers}: exactly the limit passes, in each window`, async () => {
      const all = await start(workers, limit(100));
      for (let second = 0; second < 3; second++) {
        assert.deepEqual(send(all, all.clients, 160), { passed: 100, blocked: 60 });
        all.host.advance(1000);
      }
      close(all);
    });

    it(`${workers}, leases: never more, and few less`, async () => {
      const all = await start(workers, { ...limit(1000), mode: "lease" });
      const { passed } = send(all, all.clients, 1200);
      assert.ok(passed <= 1000 && passed >= 1000 - workers * 9, `${passed}`);
      close(all);
    });
  }

  it("each for itself, where it is asked for", async () => {
    const all = await start(2, { ...limit(10), mode: "worker" });
    assert.equal(send(all, all.clients, 60).passed, 20);
    close(all);
  });

  it("a burst at a window's border is not passed twice", async () => {
    const all = await start(2, limit(100));
    all.host.advance(900);
    assert.equal(send(all, all.clients, 120).passed, 100);
    all.host.advance(200);
    assert.equal(send(all, all.clients, 120).passed, 0);
    close(all);
  });

  it("writes that lose against another worker are made again; without an end to it requests are refused", async () => {
    const all = await start(2, limit(20));
    const shared = all.host.shared;
    const set = shared.set.bind(shared);
    let lose = 0;
    let turn = 0;
    shared.set = (key, data, cas) => {
      if (lose > 0 && turn++ % (lose + 1) !== lose) return set(key, data, cas === 0 ? 0 : 0xfffffffe);
      return set(key, data, cas);
    };
    send(all, all.clients, 2);
    lose = 3;
    assert.equal(send(all, all.clients, 30).passed, 18);
    lose = 1_000_000;
    all.host.advance(1000);
    assert.equal(send(all, all.clients, 2).blocked, 2);
    lose = 0;
    assert.equal(send(all, all.clients, 30).passed, 20);
    all.host.advance(1000);
    assert.ok(all.host.metrics.counter("moe.filter.flowControlFilter.failures") >= 2);
    close(all);
  });
});

describe("requests at the same time", () => {
  it("are never more than the limit, whoever leaves and how", async () => {
    const all = await start(2, { isolation_rules: [{ resource: RESOURCE, threshold: 5 }] });
    const [server] = all.cluster.servers;
    const warm = server.calls.length;
    server.onCall = () => {};
    for (let i = 0; i < 12; i++) all.clients[i % 2].write(call(++lastId));
    all.host.advance(20);
    assert.equal(server.calls.length - warm, 5);
    assert.equal(all.clients.flatMap(statuses).filter((status) => status === BUSY).length, 7);
    // A worker's client goes, with those that it has: their places come back.
    all.clients[1].rst();
    all.host.advance(100);
    all.clients[0].write(Buffer.concat([call(++lastId), call(++lastId), call(++lastId)]));
    all.host.advance(20);
    assert.equal(statuses(all.clients[0]).length, 1);
    assert.equal(server.calls.length - warm, 7);
    server.onCall = (one) => one.reply();
    for (const one of server.calls.slice(warm)) if (!one.stream.closed) one.reply();
    all.host.advance(100);
    statuses(all.clients[0]);
    for (let i = 0; i < 20; i++) assert.equal(send(all, all.clients.slice(0, 1), 1).passed, 1);
    close(all);
  });
});

describe("a worker whose VM is gone", () => {
  it("gives back what its requests held, after ten seconds; one that lives keeps it however long", async () => {
    const all = await start(2, isolate(RESOURCE, 5));
    const [server] = all.cluster.servers;
    const held: { reply: () => void }[] = [];
    server.onCall = (one) => held.push(one);
    for (let i = 0; i < 3; i++) all.clients[1].write(call(++lastId));
    all.host.advance(20);
    assert.equal(held.length, 3);
    // It has nothing to do but to wait for its answers: its tick says that it lives.
    all.host.advance(30_000);
    const blocked = (): number => {
      for (let i = 0; i < 3; i++) all.clients[0].write(call(++lastId));
      all.host.advance(20);
      return statuses(all.clients[0]).filter((status) => status === BUSY).length;
    };
    assert.equal(blocked(), 1);
    assert.equal(held.length, 5);
    all.host.workers[1].dead = true;
    all.host.advance(8_000);
    assert.equal(blocked(), 3);
    all.host.advance(4_000);
    assert.equal(blocked(), 0);
    assert.equal(held.length, 8);
    assert.equal(blocked(), 3);
    all.host.close();
  });
});

describe("queues", () => {
  const QUEUE = limit(10, { controlBehavior: 1, maxQueueingTimeMs: 500 });

  it("throttled requests wait in order, bounded in time, and hold no others", async () => {
    const all = await start(1, QUEUE);
    const { host, client } = all;
    const first = lastId + 1;
    for (let i = 0; i < 8; i++) client.write(call(++lastId));
    client.write(call(++lastId, { headers: [["service", "other"]] }));
    const early = answers(client);
    assert.deepEqual(
      early.map(({ id }) => id).sort((a, b) => a - b),
      [first, first + 6, first + 7, first + 8],
    );
    const times: number[] = [];
    const order: number[] = [];
    const since = host.clock.nowMs;
    for (let ms = 0; ms < 600; ms += 4) {
      host.advance(4);
      for (const { id } of answers(client)) {
        order.push(id);
        times.push(host.clock.nowMs - since);
      }
    }
    assert.deepEqual(
      order,
      [1, 2, 3, 4, 5].map((i) => first + i),
    );
    times.forEach((time, i) => assert.ok(Math.abs(time - (i + 1) * 100) <= 20, `${times}`));
    close(all);
  });

  it("a client that leaves frees its place", async () => {
    const all = await start(2, QUEUE);
    all.clients[0].write(call(++lastId));
    for (let i = 0; i < 5; i++) all.clients[1].write(call(++lastId));
    all.host.advance(8);
    assert.deepEqual(statuses(all.clients[0]), [Status.SUCCESS]);
    all.clients[0].write(call(++lastId));
    all.host.advance(8);
    assert.deepEqual(statuses(all.clients[0]), [BUSY]);
    all.clients[1].rst();
    all.host.advance(8);
    all.clients[0].write(call(++lastId));
    all.host.advance(600);
    assert.deepEqual(statuses(all.clients[0]), [Status.SUCCESS]);
    close(all);
  });
});

describe("breakers", () => {
  it("open for all workers by errors, and close by a probe", async () => {
    const rule = { resource: RESOURCE, strategy: 2, threshold: 5, statIntervalMs: 10_000, retryTimeoutMs: 1000 };
    const all = await start(2, { circuit_breaker_rules: [rule] });
    const [server] = all.cluster.servers;
    server.onCall = (one) => one.reply({ status: Status.SERVER_EXCEPTION });
    for (let i = 0; i < 5; i++) all.clients[i % 2].write(call(++lastId));
    all.host.advance(10);
    assert.deepEqual(all.clients.flatMap(statuses), new Array(5).fill(Status.SERVER_EXCEPTION));
    assert.equal(send(all, all.clients, 4).blocked, 4);
    all.host.advance(1000);
    server.onCall = (one) => one.reply();
    assert.equal(send(all, all.clients, 1).passed, 1);
    all.host.advance(10);
    assert.equal(send(all, all.clients, 10).passed, 10);
    close(all);
  });
});

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
    for (let i = 0; i < 8; i++) clients[i % 2].write(call(++lastId, { headers: [["service", `s${i}`]] }));
    for (const client of clients) client.write(call(++lastId));
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
    const name = "moe.filter.flowControlFilter.app.unknown.resource./http.";
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
      all.client.write(call(++lastId, { headers }));
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
    for (let i = 0; i < 3; i++) all.client.write(call(++lastId));
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
    for (let i = 0; i < 2; i++) all.client.write(call(++lastId, { headers }));
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
    for (let i = 0; i < 3; i++) all.client.write(call(++lastId));
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
