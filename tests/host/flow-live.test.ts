// The filter flowControlFilter in the host emulator: with live_rules open connections go by the newest configuration.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BUSY, close, filter, isolate, limit, next, RESOURCE, send, start, statuses } from "./flow-world.ts";
import { startHttp } from "./http-world.ts";
import { Result } from "./kit/abi.ts";
import { BoltStatus as Status } from "./kit/bolt.ts";
import { LoadError } from "./kit/index.ts";

const LIVE = { live_rules: true };
const live = (...rules: object[]): object => Object.assign({}, LIVE, ...rules) as object;
const OK = Status.SUCCESS;
/** After so long with a newer configuration a new connection shows that the one before is back. */
const SETTLED_MS = 10_000;

type Started = Awaited<ReturnType<typeof start>>;

/** Has the server keep its calls; `reply` answers those so far. */
function hold({ cluster }: Started): { calls: number; reply: () => void } {
  const [server] = cluster.servers;
  let kept: { reply: () => void }[] = [];
  const held = {
    calls: 0,
    reply: () => {
      for (const one of kept) one.reply();
      kept = [];
    },
  };
  server.onCall = (one) => {
    held.calls++;
    kept.push(one);
  };
  return held;
}

/** Another second: its windows are empty. */
const nextSecond = ({ host }: Started): void => host.advance(2000 - (host.clock.nowMs % 1000));

describe("an update of rules", () => {
  for (const workers of [1, 2]) {
    it(`${workers} workers: is for the next request of open connections`, async () => {
      const all = await start(workers, live(limit(50)));
      assert.equal(send(all, all.clients, 40).passed, 40);
      // What has passed counts on.
      all.host.update(filter(live(limit(45))));
      assert.equal(send(all, all.clients, 40).passed, 5);
      const fresh = Array.from({ length: workers }, (_, worker) => all.host.connect({ worker }));
      nextSecond(all);
      assert.equal(send(all, [...all.clients, ...fresh], 60).passed, 45);
      all.host.update(filter(live(limit(3))));
      nextSecond(all);
      assert.equal(send(all, [...all.clients, ...fresh], 60).passed, 3);
      assert.equal(counter(all, "passed"), 40 + 5 + 45 + 3);
      for (const client of fresh) client.fin();
      close(all);
    });
  }

  it("is not, unless both configurations say so, for the same application", async () => {
    const cases: [object, object][] = [
      [limit(50), live(limit(2))],
      [live(limit(50)), limit(2)],
      [live(limit(50)), live(limit(2), { app_name: "another" })],
    ];
    for (const [before, after] of cases) {
      const all = await start(1, before);
      all.host.update(filter(after));
      assert.equal(send(all, all.clients, 60).passed, 50);
      close(all);
    }
  });

  it("can switch the rules off, and on", async () => {
    const all = await start(1, live(limit(5)));
    all.host.update(filter(live(limit(5), { global_switch: false })));
    assert.equal(send(all, all.clients, 20).passed, 20);
    all.host.update(filter(live(limit(4))));
    assert.equal(send(all, all.clients, 20).passed, 4);
    close(all);
  });

  it("that is refused changes nothing", async () => {
    const all = await start(1, live(limit(5)));
    assert.throws(() => all.host.update(filter(live(limit(-1)))), LoadError);
    assert.equal(send(all, all.clients, 20).passed, 5);
    close(all);
  });

  it("leaves each filter of a chain its own successor", async () => {
    const rules = (first: number, second: number) => {
      const { stream_filters: filters, router } = filter(live(limit(first)));
      const [{ stream_filters: others }] = [filter(live({ rules: [{ resource: "x", threshold: second }] }))];
      return { stream_filters: [...filters, ...others], router };
    };
    const all = await start(1, limit(1));
    all.host.update(rules(50, 50));
    const client = all.host.connect();
    all.host.update(rules(7, 4));
    assert.equal(send(all, [client], 20).passed, 7);
    for (let i = 0; i < 20; i++) client.write(next({ headers: [["service", "x"]] }));
    all.host.advance(8);
    assert.equal(statuses(client).filter((status) => status === OK).length, 4);
    client.fin();
    close(all);
  });

  it("brings breakers to connections that had none", async () => {
    const rule = { resource: RESOURCE, strategy: 2, threshold: 5, statIntervalMs: 10_000, retryTimeoutMs: 60_000 };
    const all = await start(1, live(limit(100)));
    all.host.update(filter(live({ circuit_breaker_rules: [rule] })));
    const [server] = all.cluster.servers;
    server.onCall = (one) => one.reply({ status: Status.SERVER_EXCEPTION });
    for (let i = 0; i < 5; i++) all.client.write(next());
    all.host.advance(10);
    statuses(all.client);
    assert.equal(send(all, all.clients, 4).blocked, 4);
    close(all);
  });
});

describe("requests under way over an update", () => {
  it("give their places back", async () => {
    const all = await start(2, live(isolate(RESOURCE, 2)));
    const held = hold(all);
    for (const client of all.clients) client.write(next());
    all.host.update(filter(live(isolate(RESOURCE, 3))));
    for (const client of all.clients) client.write(Buffer.concat([next(), next()]));
    all.host.advance(20);
    assert.equal(held.calls, 3);
    held.reply();
    all.host.advance(20);
    assert.deepEqual(all.clients.flatMap(statuses).sort(), [OK, OK, OK, BUSY, BUSY, BUSY].sort());
    // As many as before, not one more or less.
    for (let i = 0; i < 8; i++) all.clients[i % 2].write(next());
    all.host.advance(20);
    assert.equal(held.calls, 6);
    held.reply();
    all.host.advance(20);
    all.clients.map(statuses);
    close(all);
  });

  it("also to a configuration that ended meanwhile; what it counted goes with the last of them", async () => {
    const first = filter(live(limit(1000)));
    const all = await start(1, live(limit(1000)));
    const { host } = all;
    const held = hold(all);
    host.update(filter(live(isolate(".*", 2))));
    for (let i = 0; i < 3; i++) all.client.write(next());
    host.advance(20);
    assert.equal(held.calls, 2);
    assert.deepEqual(statuses(all.client), [BUSY]);
    // Nothing else is of it: it ends.
    host.update(first);
    assert.equal(host.vm.roots.length, 1);
    for (let i = 0; i < 3; i++) all.client.write(next());
    host.advance(20);
    assert.equal(held.calls, 5);
    // The same rules again count those that it let in.
    host.update(filter(live(isolate(".*", 2), { report_only: false })));
    const blocked = host.connect();
    all.client.write(next());
    host.advance(20);
    assert.deepEqual(statuses(all.client), [BUSY]);
    held.reply();
    host.advance(20);
    assert.equal(statuses(all.client).length, 5);
    all.client.write(Buffer.concat([next(), next(), next()]));
    host.advance(20);
    assert.deepEqual(statuses(all.client), [BUSY]);
    held.reply();
    host.advance(20);
    blocked.fin();
    // Its root has looked for what dead workers left in gauges.
    host.advance(4000);
    close(all);
  });

  it("leave nothing in shared data, where they end after their configuration", async () => {
    const off = live(limit(1000), { global_switch: false });
    const all = await start(1, off);
    const { host } = all;
    const values = new Map<string, number>();
    const set = host.shared.set.bind(host.shared);
    host.shared.set = (key, data, cas) => {
      const result = set(key, data, cas);
      if (result === Result.Ok) values.set(key, data.length);
      return result;
    };
    const full = (): number => [...values.values()].filter((length) => length > 0).length;
    const held = hold(all);
    host.update(filter(live(isolate(".*", 2))));
    for (let i = 0; i < 2; i++) all.client.write(next());
    host.update(filter(off));
    assert.equal(host.vm.roots.length, 1);
    // The resource's record, and the list of the workers, which stays.
    assert.equal(full(), 2);
    held.reply();
    host.advance(20);
    assert.deepEqual(statuses(all.client), [OK, OK]);
    assert.equal(full(), 1);
    host.advance(4000);
    close(all);
  });

  it("wait on; in a queue of several configurations' connections those behind one that leaves move up", async () => {
    const queue = (threshold: number) => limit(threshold, { controlBehavior: 1, maxQueueingTimeMs: 5000 });
    const all = await start(1, live(queue(2)));
    const { host, client } = all;
    for (let i = 0; i < 3; i++) client.write(next());
    host.advance(8);
    assert.deepEqual(statuses(client), [OK]);
    host.update(filter(live(queue(10))));
    host.advance(1200);
    assert.deepEqual(statuses(client), [OK, OK]);
    // A new connection's go before two of the old one, and leave.
    host.advance(1000);
    const fresh = host.connect();
    for (let i = 0; i < 6; i++) fresh.write(next());
    for (let i = 0; i < 2; i++) client.write(next());
    host.advance(250);
    assert.equal(statuses(fresh).length, 3);
    fresh.rst();
    host.advance(80);
    assert.deepEqual(statuses(client), [OK]);
    host.advance(100);
    assert.deepEqual(statuses(client), [OK]);
    close(all);
  });
});

describe("the rules before", () => {
  it("are back where the newest configuration ends", async () => {
    const all = await start(1, live(limit(50)));
    const { host } = all;
    host.update(filter(live(limit(20))));
    const second = host.connect();
    host.update(filter(live(limit(10))));
    assert.equal(send(all, [all.client, second], 60).passed, 10);
    nextSecond(all);
    // The second again, which is still there; the third has nothing and ends.
    host.update(filter(live(limit(20))));
    assert.equal(host.vm.roots.length, 2);
    assert.equal(send(all, [all.client, second], 60).passed, 20);
    second.fin();
    close(all);
  });

  it("are back with the first connection that gets them, once the workers have settled", async () => {
    const all = await start(1, live(limit(50)));
    const { host } = all;
    host.update(filter(live(limit(10))));
    const second = host.connect();
    assert.equal(send(all, [all.client, second], 60).passed, 10);
    host.update(filter(live(limit(50))));
    const early = host.connect();
    nextSecond(all);
    assert.equal(send(all, [all.client, second, early], 60).passed, 10);
    host.advance(SETTLED_MS);
    const third = host.connect();
    nextSecond(all);
    assert.equal(send(all, [all.client, second, third], 60).passed, 50);
    for (const client of [second, early, third]) client.fin();
    close(all);
  });
});

const onHttp = (more: object) => [
  { type: "flowControlFilter", config: { app_name: "test", global_switch: true, ...more } },
];

describe("on HTTP", () => {
  it("how busy a worker is is measured on, whichever configuration with rules on it ends", async () => {
    const rules = (triggerCount: number) => onHttp({ system_rules: [{ metricType: 0, triggerCount }] });
    const host = await startHttp(rules(3));
    const end = host.vm.keep(host.vm.root);
    host.update({ stream_filters: rules(4) });
    const measured = (): number => {
      const count = (): number => host.metrics.histogram("moe.filter.flowControlFilter.cpu_usage_permille").length;
      const before = count();
      host.advance(5000);
      return count() - before;
    };
    host.advance(5000);
    const once = measured();
    assert.ok(once >= 5 && once <= 10, `${once}`);
    end();
    host.advance(1000);
    const still = measured();
    assert.ok(still >= 5 && still <= 10, `${still}`);
    // Without such rules it is not.
    host.update({ stream_filters: onHttp({ rules: [{ resource: "/http", threshold: 1 }] }) });
    assert.equal(measured(), 0);
    assert.equal(host.metrics.gauge("moe.filter.flowControlFilter.load_permille"), 0);
    host.close();
  });

  it("a worker lives as long as requests of one of its configurations hold places", async () => {
    const path = "/http";
    const rules = (threshold: number) => onHttp({ isolation_rules: [{ resource: path, threshold }] });
    const host = await startHttp(rules(5), { workers: 2 });
    const [, second] = host.workers;
    const end = second.keep(second.root);
    host.advance(5000);
    assert.equal(second.tickPeriod(), 0);
    const held: { respond: () => void }[] = [];
    host.onRequest = (request) => held.push(request);
    host.update({ stream_filters: rules(4) });
    for (let i = 0; i < 3; i++) host.request({ path, worker: 1 });
    host.advance(30_000);
    const [passed, blocked] = [host.request({ path }), host.request({ path })];
    assert.equal(blocked.status, 509);
    for (const request of held) request.respond();
    assert.equal(passed.status, 200);
    end();
    host.close();
  });

  it("streams of connections that were there go by the newest, and those under way give their places back", async () => {
    const host = await startHttp(onHttp(live(limit(50))));
    const { vm } = host;
    const root = vm.root;
    const end = vm.keep(root);
    const held: { respond: () => void }[] = [];
    host.onRequest = (request) => held.push(request);
    const one = (threshold: number) => live({ isolation_rules: [{ resource: "/http", threshold }] });
    host.update({ stream_filters: onHttp(one(1)) });
    const path = "/http";
    const first = host.request({ path, root });
    assert.equal(host.request({ path, root }).status, 509);
    host.update({ stream_filters: onHttp(one(2)) });
    const second = host.request({ path });
    assert.deepEqual([host.request({ path, root }).status, host.request({ path }).status], [509, 509]);
    for (const request of held.splice(0)) request.respond();
    assert.deepEqual([first.status, second.status], [200, 200]);
    const more = [host.request({ path, root }), host.request({ path, root }), host.request({ path, root })];
    for (const request of held.splice(0)) request.respond();
    assert.deepEqual(
      more.map(({ status }) => status),
      [200, 200, 509],
    );
    end();
    host.advance(2000);
    assert.equal(vm.roots.length, 1);
    assert.equal(host.metrics.gauge("moe.filter.flowControlFilter.concurrency"), 0);
    assert.equal(host.metrics.gauge("moe.filter.flowControlFilter.app.test.resource./http.concurrency"), 0);
    host.close();
  });
});

/** A counter of the resource, as Envoy has it once the module has told it. */
function counter({ host }: Started, name: string): number {
  host.advance(1000);
  return host.metrics.counter(`moe.filter.flowControlFilter.app.test.resource.${RESOURCE}.${name}`);
}
