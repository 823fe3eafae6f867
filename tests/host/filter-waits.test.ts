// Filters that wait on RPC: only their own request is held, and whatever happens meanwhile leaves nothing behind.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { calls, close, exchange, order, request, type Script, start, toUpstream } from "./filter-world.ts";
import type * as bolt from "./kit/bolt.ts";
import { BoltStatus as Status } from "./kit/bolt.ts";
import { A, answers, B } from "./proxy-world.ts";

const PHASES = ["BEFORE_ROUTE", "AFTER_ROUTE", "AFTER_CHOOSE_HOST", "BEFORE_SEND"] as const;

const ids = (frames: bolt.BoltFrame[]): number[] => frames.map(({ id }) => id);
const good = (frames: bolt.BoltFrame[]): boolean =>
  frames.length > 0 && frames.every(({ status }) => status === Status.SUCCESS);

describe("a filter that waits", () => {
  for (const phase of PHASES) {
    it(`in ${phase} holds no neighbour on the same connection`, async () => {
      const all = await start({ filters: [{ only: "slow", [phase]: ["wait:500"] }] });
      const fast = [2, 3, 4].map((id) => request(id, "fast"));
      assert.deepEqual(ids(exchange(all, Buffer.concat([request(1, "slow"), ...fast]))), [2, 3, 4]);
      assert.deepEqual(ids(exchange(all, Buffer.concat([request(5, "fast"), request(6, "slow")]))), [5]);
      all.host.advance(400);
      assert.deepEqual(ids(answers(all.client)), []);
      all.host.advance(48);
      assert.deepEqual(ids(answers(all.client)), [1]);
      all.host.advance(48);
      assert.deepEqual(ids(answers(all.client)), [6]);
      close(all);
    });

    it(`in ${phase}, and its client goes: nothing is left`, async () => {
      const all = await start({ filters: [{ [phase]: ["wait:500"] }, {}] });
      const many = Array.from({ length: 50 }, (_, id) => request(id, "m"));
      assert.deepEqual(exchange(all, Buffer.concat(many)), []);
      calls(all);
      all.client.rst();
      all.host.advance(1000);
      // The logs of both filters, and nobody resumes.
      assert.deepEqual(order(all).split(" "), Array.from({ length: 50 }, () => ["aL", "bL"]).flat());
      close(all);
    });

    it(`in ${phase}: the next request on the same objects is a new one`, async () => {
      const all = await start({ filters: [{ [phase]: ["set:h:old wait:20 ", ""] }, {}] });
      for (let id = 1; id <= 3; id++) assert.ok(good(exchange(all, request(id, "m"), 100)));
      const turns = order(all).split(" aL bL").slice(0, 3);
      assert.equal(turns[1].trim(), turns[0]);
      assert.equal(turns[2].trim(), turns[0]);
      close(all);
    });
  }

  it("in several filters, one after the other, and in one again and again", async () => {
    const slow: Script = { AFTER_ROUTE: ["wait:20"], resume: ["wait:20", "wait:20", ""] };
    const all = await start({ filters: [slow, slow] });
    assert.deepEqual(exchange(all, request(1, "m"), 100), []);
    assert.ok(good(exchange(all, Buffer.alloc(0), 100)));
    assert.equal(order(all), "a0 b0 a1 aR aR aR b1 bR bR bR a2 b2 aS bS aL bL");
    close(all);
  });

  it("answers after the wait, or ends the request", async () => {
    const filters: Script[] = [
      { only: "deny", BEFORE_ROUTE: ["wait:20"], resume: ["hijack:403:no stop"] },
      { only: "end", AFTER_ROUTE: ["wait:20"], resume: ["termination"] },
      { only: "swap", BEFORE_SEND: ["wait:20"], resume: ["hijack:503:busy stop"] },
      { only: "drop", BEFORE_SEND: ["wait:20"], resume: ["termination"] },
    ];
    const all = await start({ filters });
    const requests = ["deny", "end", "swap", "drop", "pass"].map((method, id) => request(id, method));
    const got = exchange(all, Buffer.concat(requests), 100).sort((a, b) => a.id - b.id);
    assert.deepEqual(
      got.map(({ id, status }) => [id, status]),
      [
        [0, Status.SERVER_EXCEPTION],
        [2, Status.SERVER_THREADPOOL_BUSY],
        [4, Status.SUCCESS],
      ],
    );
    close(all);
  });

  it("and asks for another route or host after it", async () => {
    const match = { headers: [{ name: "to", value: "second" }] };
    const routers = [{ match, route: { cluster_name: "second" } }, toUpstream()];
    const filters: Script[] = [
      {
        AFTER_ROUTE: ["set:to:second wait:20", ""],
        AFTER_CHOOSE_HOST: ["wait:20", ""],
        resume: ["rematch", "rechoose"],
      },
    ];
    const all = await start({ filters, routers });
    assert.ok(good(exchange(all, request(1, "m"), 100)));
    assert.equal(order(all), "a0 a1 aR a1 a2 aR a2 aS aL");
    assert.deepEqual(
      all.cluster.calls.map(({ stream }) => stream.cluster),
      ["second"],
    );
    close(all);
  });

  it("and those after it learn where the client is", async () => {
    const all = await start({ filters: [{ blind: true, BEFORE_ROUTE: ["wait:20"] }, { BEFORE_ROUTE: ["source"] }] });
    assert.ok(good(exchange(all, request(1, "m"), 100)));
    assert.match(calls(all)[1], /^127\.0\.0\.1:\d+$/);
    close(all);
  });

  it("on a local reply", async () => {
    const all = await start({ filters: [{ AFTER_ROUTE: ["hijack:403:no stop"], BEFORE_SEND: ["wait:100"] }] });
    assert.deepEqual(exchange(all, request(1, "m")), []);
    const [answer] = exchange(all, Buffer.alloc(0), 100);
    assert.equal(answer.status, Status.SERVER_EXCEPTION);
    assert.match(answer.raw.toString("latin1"), /no/);
    close(all);
  });

  it("3,000 times at once: each is answered, and again", async () => {
    const all = await start({ filters: [{ BEFORE_ROUTE: ["wait:100"] }, { BEFORE_SEND: ["wait:100"] }] });
    let pages = 0;
    for (let round = 0; round < 3; round++) {
      const many = Array.from({ length: 3000 }, (_, i) => request(round * 3000 + i, "m"));
      assert.deepEqual(exchange(all, Buffer.concat(many), 50), []);
      all.host.advance(1000);
      const got = answers(all.client);
      assert.ok(good(got));
      assert.equal(new Set(ids(got)).size, 3000);
      if (round === 1) ({ pages } = all.host.vm.memory);
      all.host.log.lines.length = 0;
    }
    assert.ok(all.host.vm.memory.pages <= pages, "memory grows");
    close(all);
  });
});

describe("timeouts and tries of a request that is held", () => {
  it("the timeout starts when the request is sent", async () => {
    for (const phase of ["AFTER_ROUTE", "AFTER_CHOOSE_HOST"]) {
      const all = await start({ filters: [{ [phase]: ["wait:2000"] }], routers: [toUpstream({ timeout: "1s" })] });
      all.cluster.servers[0].onCall = () => {};
      assert.deepEqual(exchange(all, request(1, "m"), 2900), []);
      assert.equal(exchange(all, Buffer.alloc(0), 200)[0].status, Status.TIMEOUT);
      close(all);
    }
  });

  it("a response that is held has come in time", async () => {
    const retry = { retry_on: true, num_retries: 3, retry_timeout: "300ms" };
    const routers = [toUpstream({ timeout: "1s", retry_policy: retry })];
    const all = await start({ filters: [{ BEFORE_SEND: ["wait:2000"] }], routers });
    assert.deepEqual(exchange(all, request(1, "m"), 1900), []);
    const [answer] = exchange(all, Buffer.alloc(0), 200);
    assert.equal(answer.status, Status.SUCCESS);
    assert.equal(all.cluster.calls.length, 1, "one try");
    close(all);
  });

  for (const [wait, tries] of [
    [300, 2],
    [1200, 1],
  ]) {
    it(`an error that is held for ${wait} of 1000 ms: ${tries} tries in all`, async () => {
      const routers = [toUpstream({ timeout: "1s", retry_policy: { retry_on: true, num_retries: 1 } })];
      const all = await start({ filters: [{ BEFORE_SEND: [`wait:${wait}`, ""] }], routers });
      all.cluster.servers[0].onCall = (one) => {
        // The second try is never answered: the whole timeout ends it.
        if (all.cluster.calls.length === 1) one.reply({ status: Status.SERVER_THREADPOOL_BUSY });
      };
      const [answer] = exchange(all, request(1, "m"), 1500);
      assert.equal(answer.status, tries === 2 ? Status.TIMEOUT : Status.SERVER_THREADPOOL_BUSY);
      assert.equal(all.cluster.calls.length, tries);
      close(all);
    });
  }

  it("the server goes before the request is sent: it goes elsewhere", async () => {
    const all = await start({ filters: [{ only: "slow", AFTER_CHOOSE_HOST: ["wait:200", ""] }], hosts: [A, B] });
    for (let id = 0; id < 8; id++) assert.ok(good(exchange(all, request(id, "fast"))));
    for (let id = 0; id < 6; id++) all.client.write(request(100 + id, "slow"));
    const [dead] = all.cluster.servers;
    const served = dead.calls.length;
    dead.state = "refuse";
    for (const stream of dead.streams) stream.end();
    const got = exchange(all, Buffer.alloc(0), 500);
    assert.equal(got.length, 6);
    assert.ok(good(got));
    assert.equal(dead.calls.length, served);
    close(all);
  });

  it("the server goes when its response is held: it is delivered", async () => {
    const all = await start({ filters: [{ BEFORE_SEND: ["wait:200"] }] });
    all.client.write(request(1, "m", [], { content: "x".repeat(1000) }));
    all.host.advance(40);
    assert.equal(all.cluster.calls.length, 1);
    for (const stream of all.cluster.servers[0].streams) stream.reset();
    const [answer] = exchange(all, Buffer.alloc(0), 300);
    assert.equal(answer.status, Status.SUCCESS);
    assert.equal(answer.content.toString(), `${A} ${"x".repeat(1000)}`);
    close(all);
  });

  it("a late answer of an earlier try is not taken for one", async () => {
    const retry = { retry_on: true, num_retries: 1, retry_timeout: "100ms" };
    const routers = [toUpstream({ timeout: "3s", retry_policy: retry })];
    const all = await start({ filters: [{ BEFORE_SEND: ["wait:300", ""] }], routers });
    all.cluster.servers[0].onCall = (one) => {
      if (all.cluster.calls.length === 2) all.cluster.calls.forEach((each, i) => each.reply({ content: `try ${i}` }));
      else assert.equal(one.frame.kind, "request");
    };
    const got = exchange(all, request(1, "m"), 1000);
    assert.deepEqual(
      got.map(({ content }) => content.toString()),
      ["try 1"],
    );
    close(all);
  });
});

describe("memory of messages that are held", () => {
  it("is bounded: what does not fit is answered at once", async () => {
    const config = { max_connection_bytes: 65_536, max_frame_bytes: 32_768 };
    for (const phase of ["AFTER_ROUTE", "BEFORE_SEND"]) {
      const all = await start({ filters: [{ [phase]: ["wait:300", ""] }], config });
      // Three times, so that what was counted is given back.
      for (let round = 0; round < 3; round++) {
        const many = Array.from({ length: 6 }, (_, id) => request(id, "m", [], { content: Buffer.alloc(20_000, "x") }));
        const refused = exchange(all, Buffer.concat(many), 100);
        assert.deepEqual(
          refused.map(({ status }) => status),
          Array.from({ length: 3 }, () => Status.SERVER_THREADPOOL_BUSY),
          phase,
        );
        const rest = exchange(all, Buffer.alloc(0), 400);
        assert.equal(rest.length, 3);
        assert.ok(good(rest));
      }
      close(all);
    }
  });
});

describe("a connection's share of memory for messages that are held", () => {
  it("shrinks as the memory of the worker fills", async () => {
    const MIB = 1 << 20;
    const half = request(1, "m", [], { content: Buffer.alloc(16 * MIB - 1000) }).subarray(0, 16 * MIB - 2000);
    const held: number[] = [];
    for (const hogs of [0, 37]) {
      const all = await start({ filters: [{ AFTER_ROUTE: ["wait:300", ""] }] });
      for (let i = 0; i < hogs; i++) all.host.connect().write(half);
      for (let id = 0; id < 25; id++) {
        all.client.write(request(id, "m", [], { content: Buffer.alloc(2 * MIB, "x") }));
        all.host.advance(4);
      }
      all.host.advance(3000);
      const got = answers(all.client);
      assert.equal(got.length, 25);
      held.push(got.filter(({ status }) => status === 0).length);
      assert.ok(got.every(({ status }) => status === 0 || status === Status.SERVER_THREADPOOL_BUSY));
      all.host.close();
    }
    assert.equal(held[0], 25);
    assert.ok(held[1] >= 4 && held[1] <= 12, `${held[1]} of 2 MiB, with 48 MiB left`);
  });
});

describe("a connection that has to close", () => {
  it("waits for requests that are held", async () => {
    const all = await start({ filters: [{ AFTER_ROUTE: ["wait:1000"] }] });
    exchange(all, Buffer.concat([request(1, "m"), Buffer.from("garbage garbage garbage")]), 500);
    assert.equal(all.client.closed, null);
    all.host.advance(1000);
    assert.ok(good(answers(all.client)));
    all.host.advance(100);
    assert.equal(all.client.closed, "local");
    close(all);
  });
});
