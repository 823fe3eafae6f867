// Timeouts that callers, routes and filters choose: which one counts, what caps them, what they say of servers, and how
// often a request may be tried again for them.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { close, type Script, start, toUpstream } from "./filter-world.ts";
import * as bolt from "./kit/bolt.ts";
import * as dubbo from "./kit/dubbo.ts";
import { keepRequests, startHttp } from "./http-world.ts";
import { Host } from "./kit/index.ts";
import { A, answers, B, call, module, world, type World } from "./proxy-world.ts";

const SERVICE: bolt.Headers[number] = ["service", "com.example.Hello:1.0"];
const HOUR = 3_600_000;

/** When a call that nobody answers ends, ms, as far as 16 ms of a tick can tell; null: not within `most`. */
function endOf({ host, client }: World, frame: Buffer, most: number, step = 10): number | null {
  const before = host.clock.nowMs;
  client.write(frame);
  while (host.clock.nowMs - before < most) {
    host.advance(step);
    if (answers(client).length > 0) return host.clock.nowMs - before;
  }
  return null;
}

async function silent(action: object, config: object = {}, filters: Script[] = []): Promise<World> {
  const all = await start({ filters, routers: [toUpstream(action)], config });
  for (const server of all.cluster.servers) server.onCall = () => {};
  return all;
}

const near = (got: number | null, expected: number, what: string, slack = 60) =>
  assert.ok(got !== null && got >= expected - 10 && got <= expected + slack, `${what}: ${got} ms, not ${expected}`);

describe("the timeout of a request", () => {
  const header = (name: string, value: string): bolt.RequestOptions => ({ headers: [SERVICE, [name, value]] });

  it("is that of a filter's variable, or the frame's, or a header's, or the route's", async () => {
    const variable = (value: string): Script[] => [{ BEFORE_ROUTE: [`variable:proxy_global_timeout:${value}`] }];
    const cases: [string, number, bolt.RequestOptions, object, Script[]][] = [
      ["route", 300, {}, { timeout: "300ms" }, []],
      ["header", 200, header("x-mosn-global-timeout", "200"), { timeout: "1s" }, []],
      ["frame", 400, { ...header("x-mosn-global-timeout", "200"), timeout: 400 }, { timeout: "1s" }, []],
      [
        "variable",
        100,
        { ...header("x-mosn-global-timeout", "200"), timeout: 400 },
        { timeout: "1s" },
        variable("100"),
      ],
      ["a variable that is no number", 400, { timeout: 400 }, { timeout: "1s" }, variable("soon")],
    ];
    for (const [what, expected, options, action, filters] of cases) {
      const all = await silent(action, {}, filters);
      near(endOf(all, call(1, options), 3000), expected, what);
      close(all);
    }
  });

  it("is 60 s where nothing is said, and where a header or variable says 0, as in MOSN", async () => {
    const cases: [bolt.RequestOptions, object, Script[]][] = [
      [{}, {}, []],
      [{}, { timeout: "0s" }, []],
      [header("x-mosn-global-timeout", "0"), { timeout: "1s" }, []],
      [{}, { timeout: "1s" }, [{ BEFORE_ROUTE: ["variable:proxy_global_timeout:0"] }]],
    ];
    for (const [i, [options, action, filters]] of cases.entries()) {
      const all = await silent(action, {}, filters);
      near(endOf(all, call(1, options), 70_000, 100), 60_000, `case ${i}`, 200);
      close(all);
    }
  });

  it("is ten minutes at most, max_request_timeout, or the route's where that is longer", async () => {
    const far = { timeout: 0x7fffffff };
    const cases: [number, bolt.RequestOptions, object, object, Script[]][] = [
      [600_000, far, {}, {}, []],
      [2000, far, { timeout: "1s" }, { max_request_timeout: "2s" }, []],
      [2000, header("x-mosn-global-timeout", "99999999999999999999"), {}, { max_request_timeout: "2s" }, []],
      [3000, far, { timeout: "3s" }, { max_request_timeout: "2s" }, []],
      [
        2000,
        {},
        { timeout: "1s" },
        { max_request_timeout: "2s" },
        [{ BEFORE_ROUTE: ["variable:proxy_global_timeout:-1"] }],
      ],
    ];
    for (const [i, [expected, options, action, config, filters]] of cases.entries()) {
      const own = i === 2 ? { timeout: "1s", ...action } : action;
      const all = await silent(own, config, filters);
      near(endOf(all, call(1, options), expected * 2, 200), expected, `case ${i}`, 700);
      close(all);
    }
  });

  it("is none only where the route wants none", async () => {
    const all = await silent({ timeout: "-1s" });
    assert.equal(endOf(all, call(1, { timeout: 0x7fffffff }), HOUR, 60_000), null);
    all.client.fin();
    close(all);
  });

  it("of a server's request to the client is capped, too", async () => {
    const all = await world([A], { config: { max_request_timeout: "60s" } });
    all.client.write(call(1));
    all.host.advance(20);
    answers(all.client);
    all.cluster.servers[0].streams[0].write(bolt.request(77, { timeout: 0x7fffffff, content: "push" }));
    all.host.advance(20);
    const [push] = answers(all.client);
    all.host.advance(61_000);
    all.client.write(bolt.response(push.id, { content: "late" }));
    all.host.advance(20);
    assert.equal(all.client.closed, null);
    all.client.fin();
    all.host.advance(1000);
    all.host.close();
  });

  it("of Dubbo's attachments is capped", async () => {
    const host = await Host.start({ module, config: { max_request_timeout: "70s" } });
    host.onConnect = (stream) => stream.accept({ host: A, pin: Buffer.from(A).toString("base64") });
    const client = host.connect();
    client.write(dubbo.request(1n, { attachments: { timeout: String(24 * HOUR) } }));
    host.advance(69_000);
    assert.equal(client.take().length, 0);
    host.advance(2000);
    assert.equal(dubbo.parseFrames(client.take()).frames[0].status, 30);
    client.fin();
    host.advance(1000);
    host.close();
  });
});

/** A pair of hosts that never answer; the tries that one call makes. */
async function tries(
  retry_policy: object,
  frame: Buffer,
  config: object = {},
  filters: Script[] = [],
  timeout = "20s",
) {
  const action = { timeout, retry_policy: { retry_on: true, num_retries: 100, ...retry_policy } };
  const all = await start({ filters, routers: [toUpstream(action)], config, hosts: [A, B] });
  for (const server of all.cluster.servers) server.onCall = () => {};
  all.client.write(frame);
  all.host.advance(5000);
  const made = all.cluster.calls.length;
  const overflow = all.host.metrics.counter("moe.bolt.retry_overflow");
  all.client.fin();
  close(all);
  return { made, overflow };
}

describe("a call that times out", () => {
  const BREAKER = { resource: "com.example.Hello:1.0", strategy: 2, threshold: 10, statIntervalMs: 10_000 };
  const FILTERS = [
    { type: "fault_tolerance", config: { enabled: true, timeWindow: 1000, fewHostsExceptionRate: 0.9 } },
    {
      type: "flowControlFilter",
      config: { app_name: "a", global_switch: true, circuit_breaker_rules: [{ ...BREAKER, retryTimeoutMs: 60_000 }] },
    },
  ];

  /** Calls of which those to one of three hosts time out; whether that ejects the host, and opens the breaker. */
  async function judged(action: object, options: bolt.RequestOptions, ms: number, config: object = {}) {
    const routers = [{ route: { cluster_name: "upstream", ...action } }];
    const router = { virtual_hosts: [{ domains: ["*"], routers }] };
    const all = await world([A, B, "10.0.0.3:8080"], { config: { stream_filters: FILTERS, router, ...config } });
    for (let id = 1; id <= 30; id++) all.client.write(call(id));
    all.host.advance(1700);
    answers(all.client);
    all.cluster.servers[1].onCall = () => {};
    for (let id = 1; id <= 60; id++) all.client.write(call(id, options));
    all.host.advance(ms + 40);
    const timedOut = answers(all.client).filter(({ status }) => status === bolt.BoltStatus.TIMEOUT).length;
    assert.ok(timedOut >= 10, `${timedOut} timed out`);
    all.client.write(call(99));
    all.host.advance(1700);
    const open = answers(all.client)[0]?.status === bolt.BoltStatus.SERVER_THREADPOOL_BUSY;
    const ejected = all.host.metrics.counter("moe.filter.fault_tolerance.ejections") === 1;
    // A window without other hosts' calls has nothing to compare with.
    if (ms < 1000 || !open) assert.equal(open, ejected);
    all.client.fin();
    all.host.advance(1000);
    all.host.close();
    return open;
  }

  it("counts against the server from the route's timeout on, from min_counted_timeout, or from 1 s", async () => {
    const none = { retry_policy: { num_retries: 0 } };
    const route = (timeout: string) => ({ timeout, ...none });
    const tried = { timeout: "5s", retry_policy: { retry_on: true, num_retries: 0 } };
    const header = (name: string, value: string): bolt.RequestOptions => ({ headers: [SERVICE, [name, value]] });
    const cases: [boolean, object, bolt.RequestOptions, number, object?][] = [
      [true, route("20ms"), {}, 20],
      [false, route("20ms"), { timeout: 10 }, 10],
      [true, route("20ms"), { timeout: 20 }, 20],
      [false, route("5s"), { timeout: 1 }, 1],
      [false, route("5s"), { timeout: 4000 }, 4000],
      [false, route("5s"), header("x-mosn-global-timeout", "1"), 1],
      [false, none, { timeout: 999 }, 999],
      [true, none, { timeout: 1000 }, 1000],
      [false, route("5s"), { timeout: 19 }, 19, { min_counted_timeout: "20ms" }],
      [true, route("5s"), { timeout: 20 }, 20, { min_counted_timeout: "20ms" }],
      [false, tried, header("x-mosn-try-timeout", "1"), 1],
      [true, { ...tried, retry_policy: { ...tried.retry_policy, retry_timeout: "20ms" } }, {}, 20],
    ];
    for (const [i, [counts, action, options, ms, config]] of cases.entries()) {
      assert.equal(await judged(action, options, ms, config), counts, `case ${i}`);
    }
  });

  it("on HTTP by a timeout of the caller's own, of less than a second, says nothing of the server", async () => {
    const rule = { ...BREAKER, resource: "/", retryTimeoutMs: 60_000 };
    const config = { app_name: "a", global_switch: true, limit_key_type: "PATH", circuit_breaker_rules: [rule] };
    const cases: [boolean, Record<string, string>, number][] = [
      [true, {}, 1],
      [false, { "x-envoy-upstream-rq-timeout-ms": "1" }, 1],
      [false, { "grpc-timeout": "999m" }, 999],
      [true, { "x-envoy-upstream-rq-timeout-ms": "1000" }, 1000],
    ];
    for (const [counts, headers, ms] of cases) {
      const host = await startHttp([{ type: "flowControlFilter", config }]);
      const kept = keepRequests(host);
      for (let i = 0; i < 10; i++) host.request({ headers });
      host.advance(ms);
      for (const request of kept) request.expire();
      const before = kept.length;
      host.request();
      assert.equal(kept.length === before, counts, JSON.stringify(headers));
      host.close();
    }
  });

  it("and so does DEADLINE_EXCEEDED of a gRPC server", async () => {
    const rule = { ...BREAKER, resource: "/", retryTimeoutMs: 60_000 };
    const config = { app_name: "a", global_switch: true, limit_key_type: "PATH", circuit_breaker_rules: [rule] };
    for (const own of [true, false]) {
      const host = await startHttp([{ type: "flowControlFilter", config }]);
      const kept = keepRequests(host);
      const headers = { "content-type": "application/grpc", ...(own ? { "grpc-timeout": "1m" } : {}) };
      for (let i = 0; i < 10; i++) host.request({ headers });
      host.advance(1);
      const answer = { "content-type": "application/grpc" };
      for (const request of kept) request.respond({ headers: answer, trailers: { "grpc-status": "4" } });
      const before = kept.length;
      host.request();
      assert.equal(kept.length > before, own);
      host.close();
    }
  });
});

describe("the budget of tries", () => {
  const short: bolt.RequestOptions = { headers: [SERVICE, ["x-mosn-try-timeout", "1"]] };

  it("x-mosn-try-timeout: 1 makes four requests of one, not 101", async () => {
    assert.deepEqual(await tries({}, call(1, short)), { made: 4, overflow: 1 });
  });

  it("what the route or a filter wants is in it where the cluster has one", async () => {
    const variable = [{ BEFORE_ROUTE: ["variable:proxy_try_timeout:1"] }];
    for (const [retry_budget, result] of [
      [undefined, { made: 101, overflow: 0 }],
      [{}, { made: 4, overflow: 1 }],
    ] as const) {
      const config = { clusters: { upstream: { retry_budget } } };
      assert.deepEqual(await tries({ retry_timeout: "1ms" }, call(1), config), result);
      assert.deepEqual(await tries({}, call(1), config, variable), result);
    }
  });

  it("is that of the cluster's retry_budget", async () => {
    const budget = (retry_budget: object) => ({ clusters: { upstream: { retry_budget } } });
    for (const min of [0, 1, 10]) {
      const config = budget({ min_retry_concurrency: min, budget_percent: 0 });
      assert.deepEqual(await tries({}, call(1, short), config), { made: 1 + min, overflow: 1 });
    }
    // A fifth of fifty.
    const many = Buffer.concat(Array.from({ length: 50 }, (_, i) => call(i, short)));
    assert.equal((await tries({}, many, budget({ min_retry_concurrency: 0 }))).made, 60);
    const half = budget({ budget_percent: 50, min_retry_concurrency: 0 });
    assert.equal((await tries({}, many, half)).made, 75);
  });

  it("an answer gives its try back: all further tries after answers are made, one after the other", async () => {
    const action = { retry_policy: { retry_on: true, num_retries: 10, status_codes: [503] } };
    const config = { clusters: { upstream: { retry_budget: {} } } };
    const all = await start({ filters: [], routers: [toUpstream(action)], hosts: [A, B], config });
    for (const server of all.cluster.servers) {
      server.onCall = (one) => one.reply({ status: bolt.BoltStatus.SERVER_THREADPOOL_BUSY });
    }
    all.client.write(call(1));
    all.host.advance(500);
    assert.equal(answers(all.client).length, 1);
    assert.equal(all.cluster.calls.length, 11);
    assert.equal(all.host.metrics.counter("moe.bolt.retry_overflow"), 0);
    close(all);
  });

  it("what was not sent is not in it: no call is lost when a host is down", async () => {
    const config = { clusters: { upstream: { retry_budget: { min_retry_concurrency: 0, budget_percent: 0 } } } };
    const all = await start({ filters: [], config, hosts: [A, B] });
    const [a] = all.cluster.servers;
    a.state = "refuse";
    all.client.write(Buffer.concat(Array.from({ length: 50 }, (_, i) => call(i + 1))));
    all.host.advance(500);
    assert.deepEqual(new Set(answers(all.client).map(({ status }) => status)), new Set([0]));
    close(all);
  });

  it("proxy_disable_retry: none is made", async () => {
    const variable = [{ BEFORE_ROUTE: ["variable:proxy_disable_retry:true"] }];
    assert.deepEqual(await tries({ retry_timeout: "1ms" }, call(1), {}, variable), { made: 1, overflow: 0 });
    const not = [{ BEFORE_ROUTE: ["variable:proxy_disable_retry:false"] }];
    assert.equal((await tries({ retry_timeout: "1ms" }, call(1), {}, not)).made, 101);
  });

  it("its configuration is checked", async () => {
    for (const [config, error] of [
      [{ clusters: { a: { retry_budget: { budget_percent: 101 } } } }, /clusters\.a\.retry_budget\.budget_percent/],
      [{ clusters: { a: { retry_budget: { percent: 1 } } } }, /clusters\.a\.retry_budget: unknown field/],
      [{ max_request_timeout: "0s" }, /max_request_timeout/],
      [{ min_counted_timeout: 5 }, /min_counted_timeout/],
    ] as const) {
      await assert.rejects(Host.start({ module, config }), error);
    }
  });
});
