// The filter fault_tolerance in the host emulator: hosts that fail get no requests until they recover.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BoltStatus as Status } from "./kit/bolt.ts";
import type { BoltServer } from "./kit/bolt-cluster.ts";
import { type Host, LoadError, Host as HostOf } from "./kit/index.ts";
import { A, answers, B, call, module, world, type World } from "./proxy-world.ts";

const C = "10.0.0.3:8080";
const WINDOW = 1000;
const RECOVER = 10_000;
/** A tick may come half a second late. */
const LATE = 600;

const RULE = { enabled: true, timeWindow: WINDOW, recoverTime: RECOVER };

async function start(hosts: string[], rule: object = {}, action: object = {}, workers = 1): Promise<World> {
  const routers = [{ route: { cluster_name: "upstream", ...action } }];
  const config = {
    stream_filters: [{ type: "fault_tolerance", config: { ...RULE, ...rule } }],
    router: { virtual_hosts: [{ domains: ["*"], routers }] },
  };
  const all = await world(hosts, { config, workers });
  // All hosts are known, in a window of its own.
  calls(all, 30);
  all.host.advance(WINDOW + LATE);
  return all;
}

const ejected = (host: Host): number => Number(host.metrics.gauge("moe.filter.fault_tolerance.ejected"));
const ejections = (host: Host): number => Number(host.metrics.counter("moe.filter.fault_tolerance.ejections"));

/** Makes calls one after the other; returns how many each server got. */
function calls({ host, client, cluster }: World, count: number, by = client, ms = 8): number[] {
  const before = cluster.servers.map((server) => server.calls.length);
  for (let id = 1; id <= count; id++) {
    by.write(call(id));
    host.advance(ms);
    assert.equal(answers(by).length, 1);
  }
  return cluster.servers.map((server, i) => server.calls.length - before[i]);
}

/** From now on a server answers with an error that is mapped to 503. */
function fail(server: BoltServer): void {
  server.onCall = (one) => one.reply({ status: Status.SERVER_THREADPOOL_BUSY });
}

const mend = (server: BoltServer): void => void (server.onCall = (one) => one.reply());

/** Lets the windows end, and hosts be forgotten. */
function close(all: World): void {
  all.client.fin();
  all.host.advance(RECOVER + 10 * (WINDOW + LATE));
  assert.equal(ejected(all.host), 0);
  assert.equal(all.host.vm.tickPeriod(), 0, "ticks");
  all.host.close();
}

describe("a host that fails", () => {
  it("gets no request of any client until its time is over, and then all of its share", async () => {
    const all = await start([A, B, C]);
    const { host, cluster } = all;
    const [a] = cluster.servers;
    fail(a);
    assert.ok(calls(all, 60)[0] >= 10);
    assert.equal(ejected(host), 0, "before the window ends");
    host.advance(WINDOW + LATE);
    const since = host.clock.nowMs;
    assert.deepEqual([ejected(host), ejections(host)], [1, 1]);
    mend(a);
    const other = host.connect();
    while (host.clock.nowMs - since < RECOVER - WINDOW - LATE) {
      assert.equal(calls(all, 10)[0], 0);
      assert.equal(calls(all, 10, other)[0], 0);
      host.advance(900);
    }
    host.advance(2 * (WINDOW + LATE) + WINDOW);
    host.advance(LATE);
    assert.deepEqual([ejected(host), ejections(host)], [0, 1]);
    assert.ok(calls(all, 30)[0] >= 5, "it gets requests again");
    other.fin();
    close(all);
  });

  it("by timeouts, by resets and by closed connections is ejected, too", async () => {
    const ways: ((server: BoltServer) => void)[] = [
      (server) => (server.onCall = () => {}),
      (server) => (server.onCall = ({ stream }) => stream.reset()),
      (server) => (server.onCall = ({ stream }) => stream.end()),
    ];
    for (const way of ways) {
      const all = await start([A, B, C], {}, { timeout: "20ms", retry_policy: { num_retries: 0 } });
      way(all.cluster.servers[1]);
      calls(all, 60, all.client, 60);
      all.host.advance(WINDOW + LATE);
      assert.equal(ejected(all.host), 1);
      assert.equal(calls(all, 20, all.client, 60)[1], 0);
      close(all);
    }
  });

  it("by errors that are no exceptions, or while it is not enabled, stays", async () => {
    for (const rule of [{ exceptionTypes: [504] }, { enabled: false }, { leastWindowCount: 1000 }]) {
      const all = await start([A, B, C], rule);
      fail(all.cluster.servers[0]);
      calls(all, 60);
      all.host.advance(WINDOW + LATE);
      assert.equal(ejections(all.host), 0);
      assert.ok(calls(all, 30)[0] > 0);
      close(all);
    }
  });
});

describe("bounds", () => {
  it("the last host stays, and so do those beyond maxIpCount and maxIpRatio", async () => {
    const cases: [string[], object, number][] = [
      [[A], { maxIpCount: 5 }, 0],
      [[A, B], { maxIpCount: 5 }, 1],
      [[A, B, C], { maxIpCount: 5, maxIpRatio: 0.3 }, 0],
      [[A, B, C], { maxIpCount: 5, maxIpRatio: 0.34 }, 1],
      [[A, B, C], { maxIpCount: 1 }, 1],
    ];
    for (const [hosts, rule, expected] of cases) {
      const all = await start(hosts, rule);
      for (let round = 0; round < 3; round++) {
        // One after the other would be ejected, were it not for the bound.
        const up = all.cluster.servers[round % hosts.length];
        all.cluster.servers.forEach(mend);
        fail(up);
        calls(all, 60);
        all.host.advance(WINDOW + LATE);
      }
      assert.equal(ejected(all.host), expected, `${hosts.length} hosts, ${JSON.stringify(rule)}`);
      close(all);
    }
  });

  it("where all fail alike none is ejected", async () => {
    const all = await start([A, B, C], { maxIpCount: 3 });
    all.cluster.servers.forEach(fail);
    calls(all, 60);
    all.host.advance(WINDOW + LATE);
    assert.equal(ejections(all.host), 0);
    close(all);
  });

  it("when all others are gone the ejected one is better than none", async () => {
    const all = await start([A, B]);
    const [a, b] = all.cluster.servers;
    fail(a);
    calls(all, 60);
    all.host.advance(WINDOW + LATE);
    assert.equal(calls(all, 10)[0], 0);
    mend(a);
    b.state = "refuse";
    for (const stream of b.streams) if (!stream.closed) stream.end();
    all.host.advance(40);
    const [got] = calls(all, 20, all.client, 40);
    assert.ok(got > 0, "requests reach the ejected host");
    close(all);
  });

  it("each worker judges for itself", async () => {
    const all = await start([A, B, C], {}, {}, 2);
    const other = all.host.connect({ worker: 1 });
    calls(all, 30, other);
    fail(all.cluster.servers[0]);
    calls(all, 60);
    all.host.advance(WINDOW + LATE);
    assert.equal(calls(all, 20)[0], 0);
    assert.ok(calls(all, 30, other)[0] > 0);
    other.fin();
    close(all);
  });
});

describe("load", () => {
  it("hosts that come and go, and a configuration that ends: nothing is left", async () => {
    const all = await start([A, B, C], { maxIpCount: 2 });
    const { host, cluster } = all;
    for (let round = 0; round < 60; round++) {
      cluster.servers.forEach((server, i) => ((round >> 2) % 3 === i ? fail(server) : mend(server)));
      calls(all, 40);
      host.advance(400);
    }
    assert.ok(ejections(host) > 2, `${ejections(host)} ejections`);
    assert.ok(ejected(host) <= 2);
    const { pages } = host.vm.memory;
    for (let round = 0; round < 60; round++) {
      cluster.servers.forEach((server, i) => ((round >> 2) % 3 === i ? fail(server) : mend(server)));
      calls(all, 40);
      host.advance(400);
    }
    assert.equal(host.vm.memory.pages, pages);
    close(all);
  });

  it("on the root http it is refused, and the message says what to use there", async () => {
    const config = { stream_filters: [{ type: "fault_tolerance" }] };
    const loading = HostOf.start({ module, root: "http", config } as never);
    await assert.rejects(
      loading,
      (error: unknown) => error instanceof LoadError && error.message.includes("outlier_detection"),
    );
  });
});
