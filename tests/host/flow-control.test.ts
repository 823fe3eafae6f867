// The filter flowControlFilter in the host emulator: workers that share counts, queues, breakers.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BUSY, close, isolate, limit, next, RESOURCE, send, start, statuses } from "./flow-world.ts";
import { BoltStatus as Status } from "./kit/bolt.ts";
import { answers } from "./proxy-world.ts";

const idOf = (frame: Buffer): number => frame.readUInt32BE(5);

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

  for (const controlBehavior of [0, 1]) {
    it(`0.5 a second is one every two seconds, of all workers, controlBehavior ${controlBehavior}`, async () => {
      const all = await start(2, limit(0.5, { controlBehavior }));
      let passed = 0;
      for (let i = 0; i < 300; i++) {
        passed += send(all, all.clients, 2).passed;
        all.host.advance(92);
      }
      assert.equal(passed, 15);
      close(all);
    });
  }

  it("a warm-up whose threshold is below its cold factor lets requests pass, and gets warm", async () => {
    const all = await start(1, limit(2, { tokenCalculateStrategy: 1, warmUpPeriodSec: 10 }));
    const pass = (seconds: number): number => {
      let passed = 0;
      for (let i = 0; i < seconds * 10; i++) {
        passed += send(all, all.clients, 1).passed;
        all.host.advance(92);
      }
      return passed;
    };
    const cold = pass(6);
    assert.ok(cold >= 4 && cold <= 6, `${cold}`);
    pass(60);
    const warm = pass(10);
    assert.ok(warm >= 19 && warm <= 20, `${warm}`);
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
    for (let i = 0; i < 12; i++) all.clients[i % 2].write(next());
    all.host.advance(20);
    assert.equal(server.calls.length - warm, 5);
    assert.equal(all.clients.flatMap(statuses).filter((status) => status === BUSY).length, 7);
    // A worker's client goes, with those that it has: their places come back.
    all.clients[1].rst();
    all.host.advance(100);
    all.clients[0].write(Buffer.concat([next(), next(), next()]));
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
    for (let i = 0; i < 3; i++) all.clients[1].write(next());
    all.host.advance(20);
    assert.equal(held.length, 3);
    // It has nothing to do but to wait for its answers: its tick says that it lives.
    all.host.advance(30_000);
    const blocked = (): number => {
      for (let i = 0; i < 3; i++) all.clients[0].write(next());
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
    const first = idOf(next()) + 1;
    for (let i = 0; i < 8; i++) client.write(next());
    client.write(next({ headers: [["service", "other"]] }));
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
    all.clients[0].write(next());
    for (let i = 0; i < 5; i++) all.clients[1].write(next());
    all.host.advance(8);
    assert.deepEqual(statuses(all.clients[0]), [Status.SUCCESS]);
    all.clients[0].write(next());
    all.host.advance(8);
    assert.deepEqual(statuses(all.clients[0]), [BUSY]);
    all.clients[1].rst();
    all.host.advance(8);
    all.clients[0].write(next());
    all.host.advance(600);
    assert.deepEqual(statuses(all.clients[0]), [Status.SUCCESS]);
    close(all);
  });
});

describe("queues, when one leaves", () => {
  it("those behind move up: the next goes at its time, and so on", async () => {
    const all = await start(1, limit(10, { controlBehavior: 1, maxQueueingTimeMs: 2000 }));
    const { host, client } = all;
    const other = host.connect();
    client.write(next());
    host.advance(8);
    assert.deepEqual(statuses(client), [Status.SUCCESS]);
    for (let i = 0; i < 3; i++) other.write(next());
    for (let i = 0; i < 4; i++) client.write(next());
    // Ahead of the four are three of a client that leaves, after the first of them was served.
    host.advance(150);
    other.rst();
    const since = host.clock.nowMs - 150;
    const times: number[] = [];
    for (let ms = 0; ms < 1000; ms += 4) {
      host.advance(4);
      for (const status of statuses(client)) {
        assert.equal(status, Status.SUCCESS);
        times.push(host.clock.nowMs - since);
      }
    }
    assert.equal(times.length, 4);
    times.forEach((time, i) => assert.ok(Math.abs(time - (i + 2) * 100) <= 24, `${times}`));
    // The queue is shorter by those that left.
    client.write(next());
    host.advance(8);
    assert.deepEqual(statuses(client), [Status.SUCCESS]);
    close(all);
  });
});

describe("breakers", () => {
  it("open for all workers by errors, and close by a probe", async () => {
    const rule = { resource: RESOURCE, strategy: 2, threshold: 5, statIntervalMs: 10_000, retryTimeoutMs: 1000 };
    const all = await start(2, { circuit_breaker_rules: [rule] });
    const [server] = all.cluster.servers;
    server.onCall = (one) => one.reply({ status: Status.SERVER_EXCEPTION });
    for (let i = 0; i < 5; i++) all.clients[i % 2].write(next());
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
