// Filters that call out, by HTTP and gRPC, on RPC and HTTP: only their own request waits, and nothing is left behind.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { calls, close as closeRpc, exchange, request, start as startRpc, toUpstream } from "./filter-world.ts";
import { close as closeHttp, lines, start as startHttp } from "./http-script.ts";
import { BoltStatus as Status } from "./kit/bolt.ts";
import type { Callout, Host, HttpExchange, SwitchboardClient } from "./kit/index.ts";
import { answers } from "./proxy-world.ts";

const PHASES = ["BEFORE_ROUTE", "AFTER_ROUTE", "AFTER_CHOOSE_HOST", "BEFORE_SEND"] as const;
const DECIDE = ["answer decide"];

/** Keeps the callouts of a host; returns those that have come. */
function keep(host: Host): Callout[] {
  const kept: Callout[] = [];
  host.callouts.onCallout = (callout) => kept.push(callout);
  return kept;
}

/** No callout is under way, in the module's table and in Envoy's. */
function assertNone(host: Host): void {
  host.advance(1000);
  assert.equal(host.metrics.gauge("moe.callouts.active"), 0, "callouts in the table");
  assert.equal(host.vm.callouts.size, 0, "callouts in Envoy");
}

describe("a filter that calls out", () => {
  for (const phase of PHASES) {
    for (const kind of ["http", "grpc"] as const) {
      it(`by ${kind} in ${phase} on RPC: the answer decides, neighbours go on`, async () => {
        const filters = [{ only: "ask", [phase]: [`${kind}:auth:/check`], resume: DECIDE }];
        const all = await startRpc({ filters });
        const asked = keep(all.host);
        const frames = [request(1, "ask"), request(2, "fast"), request(3, "ask"), request(4, "fast")];
        assert.deepEqual(
          exchange(all, Buffer.concat(frames)).map(({ id }) => id),
          [2, 4],
        );
        assert.deepEqual(
          asked.map(({ cluster }) => cluster),
          ["auth", "auth"],
        );
        asked[1].respond();
        if (kind === "http") asked[0].respond({ status: 401 });
        else asked[0].close(7, "no");
        const got = exchange(all, Buffer.alloc(0)).map(({ id, status }) => [id, status]);
        got.sort(([a], [b]) => a - b); // a local reply needs no server
        assert.deepEqual(got, [
          [1, Status.SERVER_EXCEPTION],
          [3, Status.SUCCESS],
        ]);
        assertNone(all.host);
        closeRpc(all);
      });

      it(`by ${kind} in ${phase} on HTTP: the answer decides, neighbours go on`, async () => {
        const host = await startHttp([{ [phase]: [`${kind}:auth:/check`], resume: DECIDE }]);
        const asked = keep(host);
        const [denied, allowed] = [host.request({ method: "POST", body: "one" }), host.request({})];
        host.advance(50);
        assert.deepEqual([denied.closed, allowed.closed], [null, null]);
        asked[1].respond();
        assert.deepEqual([denied.closed, allowed.status], [null, 200], "in the callback of its own answer");
        if (kind === "http") asked[0].respond({ status: 401 });
        else asked[0].close(7, "no");
        assert.equal(denied.status, 403);
        assertNone(host);
        closeHttp(host);
      });
    }
  }

  it("sees status, headers, body and trailers, and what it sent has arrived", async () => {
    const host = await startHttp([{ BEFORE_ROUTE: ["http:auth:/check?a=1"], resume: ["answer"] }]);
    const [asked] = [keep(host)];
    const exchange = host.request({});
    assert.deepEqual(asked[0].sent.headers.entries, [
      [":method", "GET"],
      [":path", "/check?a=1"],
      [":authority", "outside"],
    ]);
    asked[0].respond({ status: 418, headers: { "x-answer": "h" }, body: "tea", trailers: { "x-answer": "t" } });
    assert.ok(lines(host).includes("outcome=1 status=418 header=h body=tea trailer=t"));
    assert.equal(exchange.status, 200);
    assertNone(host);
    closeHttp(host);
  });

  it("by gRPC sends a message, and reads the one that it gets", async () => {
    const script = { BEFORE_ROUTE: ["grpc:auth:Check"], resume: ["answer health decide:closed"] };
    const host = await startHttp([script], { types: ["script_request"] });
    const asked = keep(host);
    const answers = [Buffer.from([8, 1]), Buffer.from([8, 2]), Buffer.alloc(0), Buffer.from([8])];
    for (const body of answers) {
      const exchange = host.request({ method: "POST", body: "the.Service" });
      const one = asked[asked.length - 1];
      assert.deepEqual([one.sent.service, one.sent.method], ["grpc.health.v1.Health", "Check"]);
      assert.deepEqual(one.body, Buffer.concat([Buffer.from([0x0a, 11]), Buffer.from("the.Service")]));
      one.respond({ body });
      assert.equal(exchange.status, 200);
    }
    const told = lines(host).filter((line) => line.startsWith("health="));
    assert.deepEqual(told, ["health=1", "health=2", "health=0", "health=unreadable"]);
    assertNone(host);
    closeHttp(host);
  });

  it("by gRPC to a cluster with a long name goes to that one", async () => {
    for (const length of [1, 123, 124, 125, 126, 127, 128, 300, 16_400]) {
      const name = "c".repeat(length);
      const host = await startHttp([{ BEFORE_ROUTE: [`grpc:${name}:/check`], resume: DECIDE }]);
      const asked = keep(host);
      host.request({});
      assert.equal(asked[0].cluster, name);
      asked[0].respond();
      assertNone(host);
      closeHttp(host);
    }
  });

  const failures: [name: string, kind: string, expected: string, act: (callout: Callout) => void][] = [
    ["a timeout", "http", "outcome=2 status=504 header=? body=upstream request timeout trailer=?", () => {}],
    ["no connection", "http", "outcome=3 status=503 header=? body=no trailer=?", (one) => one.answerLocally(503, "no")],
    ["a response that breaks off", "http", "outcome=4 status=0 header=? body= trailer=?", (one) => one.fail()],
    [
      "too large an answer",
      "http",
      "outcome=4 status=200 header=? body= trailer=?",
      (one) => one.respond({ body: Buffer.alloc((1 << 20) + 1) }),
    ],
    [
      "a timeout of gRPC",
      "grpc",
      "outcome=2 status=14 header=? body=upstream request timeout{response_timeout} trailer=?",
      () => {},
    ],
    ["no connection of gRPC", "grpc", "outcome=3 status=14 header=? body=no trailer=?", (one) => one.close(14, "no")],
    ["an error of gRPC", "grpc", "outcome=4 status=7 header=? body=denied trailer=?", (one) => one.close(7, "denied")],
    ["a server's deadline", "grpc", "outcome=2 status=4 header=? body= trailer=?", (one) => one.close(4)],
  ];
  for (const [name, kind, expected, act] of failures) {
    it(`${name}: the filter chooses`, async () => {
      for (const [choice, status] of [
        ["open", 200],
        ["closed", 403],
      ] as const) {
        const resume = [`answer decide:${choice}`];
        // Without an answer that allows, an answer denies.
        const host = await startHttp([{ AFTER_ROUTE: [`${kind}:auth:/check`], resume }]);
        host.callouts.onCallout = act;
        const exchange = host.request({});
        host.advance(400);
        assert.ok(lines(host).includes(expected));
        assert.equal(exchange.status, status);
        assertNone(host);
        assert.equal(host.metrics.counter("moe.callouts.failed"), 1);
        closeHttp(host);
      }
    });
  }

  for (const kind of ["http", "grpc"]) {
    it(`by ${kind} to no such cluster, or one without a healthy host, decides at once`, async () => {
      const all = await startRpc({ filters: [{ BEFORE_ROUTE: [`${kind}:lost:/check`], resume: DECIDE }] });
      all.host.callouts.clusters = new Set(["known"]);
      const [answer] = exchange(all, request(1, "m"));
      assert.equal(answer.status, Status.SERVER_EXCEPTION);
      assert.match(answer.raw.toString("latin1"), /undecided/);
      all.host.callouts.clusters = null;
      all.host.callouts.unhealthy.add("lost");
      assert.equal(exchange(all, request(2, "m"))[0].status, Status.SERVER_EXCEPTION);
      assertNone(all.host);
      closeRpc(all);
    });

    it(`by ${kind}, and its client goes: the late answer is dropped`, async () => {
      for (const phase of PHASES) {
        const script = { [phase]: [`${kind}:auth:/check`], resume: DECIDE };
        const all = await startRpc({ filters: [script] });
        const asked = keep(all.host);
        exchange(all, Buffer.concat([1, 2, 3].map((id) => request(id, "m"))));
        assert.equal(asked.length, 3);
        calls(all);
        all.client.rst();
        assert.equal(all.host.vm.callouts.size, kind === "grpc" ? 0 : 3, "gRPC calls are taken back");
        for (const one of asked) one.respond();
        assert.deepEqual(
          calls(all).filter((text) => text.startsWith("aR")),
          [],
        );
        assertNone(all.host);
        closeRpc(all);

        const host = await startHttp([script]);
        const held = keep(host);
        const exchanges = [host.request({}), host.request({})];
        lines(host);
        for (const one of exchanges) one.cancel();
        for (const one of held) one.respond();
        assert.deepEqual(
          lines(host).filter((text) => text.startsWith("aR")),
          [],
        );
        assertNone(host);
        closeHttp(host);
      }
    });
  }

  it("sends what nobody waits for, in any phase, and the request goes on", async () => {
    for (const phase of [...PHASES, "ACCESS_LOG"]) {
      const all = await startRpc({ filters: [{ [phase]: ["notify:log:/line"] }] });
      const told = keep(all.host);
      assert.equal(exchange(all, request(1, "m"))[0].status, Status.SUCCESS);
      assert.deepEqual(
        told.map(({ path }) => path),
        ["/line"],
      );
      all.client.fin();
      told[0].respond();
      assertNone(all.host);
      closeRpc(all);
    }
  });

  it("several times in a row, and in several filters", async () => {
    const script = { AFTER_ROUTE: ["http:auth:/1"], resume: ["grpc:auth:/2", "wait:20", "decide:open", ""] };
    const host = await startHttp([script, script]);
    host.callouts.onCallout = (one) => one.respond();
    const exchange = host.request({});
    host.advance(100);
    assert.equal(exchange.status, 200);
    assertNone(host);
    closeHttp(host);
  });

  it("a timeout of the request does not run while it waits, and a held response has come in time", async () => {
    const filters = [{ BEFORE_SEND: ["http:auth:/check"], resume: DECIDE }];
    const all = await startRpc({ filters, routers: [toUpstream({ timeout: "100ms" })] });
    const asked = keep(all.host);
    assert.deepEqual(exchange(all, request(1, "m"), 200), []);
    asked[0].respond();
    assert.equal(exchange(all, Buffer.alloc(0))[0].status, Status.SUCCESS);
    assertNone(all.host);
    closeRpc(all);
  });

  it("200 requests on one connection, every third held: neighbours are not, each gets its own answer", async () => {
    const all = await startRpc({ filters: [{ only: "ask", BEFORE_ROUTE: ["http:auth:/check"], resume: DECIDE }] });
    const asked = keep(all.host);
    const ids = Array.from({ length: 200 }, (_, id) => id);
    const held = ids.filter((id) => id % 3 === 0);
    const got = exchange(all, Buffer.concat(ids.map((id) => request(id, id % 3 === 0 ? "ask" : "fast"))));
    assert.deepEqual(
      got.map(({ id }) => id),
      ids.filter((id) => id % 3 !== 0),
    );
    asked.forEach((one, i) => one.respond({ status: i % 2 === 0 ? 200 : 403 }));
    all.host.advance(50);
    assert.deepEqual(
      answers(all.client)
        .map(({ id, status }) => [id, status === Status.SUCCESS])
        .sort(([a], [b]) => Number(a) - Number(b)),
      held.map((id, i) => [id, i % 2 === 0]),
    );
    assertNone(all.host);
    closeRpc(all);
  });

  it("more than a client may have under way: the others are not begun, and another client has some of its own", async () => {
    const all = await startRpc({
      filters: [{ blind: true, BEFORE_ROUTE: ["http:auth:/check:60000"], resume: ["decide:open"] }],
    });
    const asked = keep(all.host);
    const many = Array.from({ length: 2052 }, (_, id) => request(id, "m"));
    // What one client sends is dealt with over some ticks.
    const got = exchange(all, Buffer.concat(many), 200);
    assert.deepEqual([asked.length, got.length], [2048, 4]);
    // The next ones have half of what is free each, and then their equal part of 2,048 more.
    const others: SwitchboardClient[] = [];
    for (const most of [1024, 682, 512]) {
      const before = asked.length;
      const next = { ...all, client: all.host.connect() };
      others.push(next.client);
      assert.equal(exchange(next, Buffer.concat(many), 200).length, 2052 - most);
      assert.equal(asked.length - before, most);
    }
    for (const one of asked) one.respond();
    assert.equal(exchange(all, Buffer.alloc(0)).length, 2048);
    assertNone(all.host);
    assert.equal(exchange(all, Buffer.concat(many), 200).length, 4, "all are free again");
    for (const one of asked) one.respond();
    assert.equal(exchange(all, Buffer.alloc(0)).length, 2048);
    for (const one of others) one.fin();
    assertNone(all.host);
    closeRpc(all);
  });

  it("on HTTP: the streams of a connection share what it may have, also those that the client has reset", async () => {
    const host = await startHttp([{ blind: true, BEFORE_ROUTE: ["http:auth:/check"], resume: ["decide:closed"] }]);
    const asked = keep(host);
    const of = (id: number): HttpExchange => host.request({ properties: { "connection/id": id } });
    const hog = Array.from({ length: 2050 }, () => of(1));
    assert.deepEqual([asked.length, hog.filter(({ status }) => status === 403).length], [2048, 2]);
    for (const one of hog) one.cancel();
    assert.equal(of(1).status, 403, "Envoy cannot take callouts back: they still count");
    const good = of(2);
    assert.equal(asked.length, 2049);
    asked[2048].respond();
    assert.equal(good.status, 200);
    for (const one of asked) one.respond();
    const again = of(1);
    asked[2049].respond();
    assert.equal(again.status, 200);
    assertNone(host);
    closeHttp(host);
  });
});

describe("a request held for its body", () => {
  it("whose server answers early while a filter waits: no filter is bypassed", async () => {
    const scripts = [
      { AFTER_ROUTE: ["body"] },
      { AFTER_ROUTE: ["http:auth:/check"], resume: ["answer decide:closed"] },
    ];
    const host = await startHttp(scripts, { allow: false, types: ["script_request"] });
    keep(host);
    let early: (() => void) | undefined;
    host.onRequest = (one) => (early = () => one.respond({ body: "early" }));
    const exchange = host.request({ method: "POST", body: "ab", open: true });
    host.advance(2000);
    exchange.write("c", true);
    assert.ok(early, "the headers have gone to the server");
    early();
    assert.equal(exchange.status, 403);
    host.advance(1000);
    assertNone(host);
    closeHttp(host);
  });
});
