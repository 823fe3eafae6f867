// The bounds of docs/limits.md at their edges: names, clusters, hosts, connections and copies.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as bolt from "./kit/bolt.ts";
import { BoltStatus as Status } from "./kit/bolt.ts";
import { BoltCluster } from "./kit/bolt-cluster.ts";
import type { ConnectStream } from "./kit/connect-stream.ts";
import { A, answers, call, CLASS, world, type World } from "./proxy-world.ts";

const OTHER = "moe.service.other.method.other.requests";

const routed = (action: object, more: object = {}): object => ({
  router: {
    virtual_hosts: [{ domains: ["*"], routers: [{ route: { cluster_name: "upstream", ...action }, ...more }] }],
  },
});
const addresses = (count: number): string[] => Array.from({ length: count }, (_, i) => `10.1.${i >> 8}.${i & 255}:1`);
const open = (streams: ConnectStream[]): number => streams.filter(({ closed }) => !closed).length;
const openOf = (cluster: BoltCluster): number => cluster.servers.reduce((sum, { streams }) => sum + open(streams), 0);

/** Sends calls, eight milliseconds each, and returns their statuses. */
function callAll({ host, client }: World, frames: Buffer[]): number[] {
  const statuses: number[] = [];
  for (const frame of frames) {
    client.write(frame);
    host.advance(8);
    statuses.push(...answers(client).map(({ status }) => status));
  }
  return statuses;
}

describe("names in metrics", () => {
  const calls = (services: string[], method = "m"): Buffer =>
    Buffer.concat(
      services.map((service, id) =>
        call(id, {
          headers: [
            ["service", service],
            ["sofa_head_method_name", method],
          ],
        }),
      ),
    );
  const counted = ({ host }: World): string[] => {
    host.advance(1000);
    return host.metrics.names().filter((name) => name.startsWith("moe.service.") && name.endsWith(".requests"));
  };

  it("512 pairs of service and method have their own, the rest counts as other", async () => {
    const all = await world();
    const services = Array.from({ length: 513 }, (_, i) => `s${i}`);
    all.client.write(calls(services));
    all.host.advance(100);
    all.client.write(calls(services));
    assert.equal(counted(all).length, 513);
    assert.equal(all.host.metrics.counter("moe.service.s511.method.m.requests"), 2);
    assert.equal(all.host.metrics.counter("moe.service.other.method.other.requests"), 2);
    all.host.close();
  });

  it("methods that a server answers have their own beside 512 that are made up", async () => {
    const all = await world();
    all.client.write(calls(Array.from({ length: 2000 }, (_, i) => `made-up-${i}`)));
    for (let i = 0; i < 5; i++) {
      all.host.advance(100);
      all.client.write(calls(["real"]));
    }
    assert.equal(counted(all).length, 514);
    // Three answers are what it takes.
    assert.equal(all.host.metrics.counter("moe.service.real.method.m.requests"), 2);
    assert.equal(all.host.metrics.counter(OTHER), 2000 - 512 + 3);
    all.host.close();
  });

  it("200 bytes of each are kept, and only visible ASCII", async () => {
    const all = await world();
    const hostile = [
      "a\nb\r\tc\0d",
      'quote"back\\slash{}',
      "\u{1f600} é",
      "a.b..c.method.x",
      "x".repeat(200),
      `${"x".repeat(200)}y`,
      `${"z".repeat(30_000)}`,
      "",
    ];
    all.client.write(calls(hostile));
    const names = counted(all);
    for (const name of names)
      assert.match(name, /^moe\.service\.[\x21-\x7e]{1,200}\.method\.[\x21-\x7e]{1,200}\.requests$/);
    const cut = "x".repeat(200);
    const kept = ["a_b__c_d", 'quote"back\\slash{}', "_______", "a.b..c.method.x", cut, CLASS];
    // One of 30,000 bytes is too long to be remembered; without a service the class counts.
    const expected = [...kept.map((name) => `moe.service.${name}.method.m.requests`), OTHER];
    assert.deepEqual(names, expected.sort());
    assert.equal(all.host.metrics.counter(`moe.service.${cut}.method.m.requests`), 2);
    all.host.close();
  });

  it("256 clusters have their own; of 4,096 that have hosts none is forgotten, and one more is no route", async () => {
    const config = { ...routed({ cluster_name: undefined, cluster_header: "to" }), allowed_clusters: ["c*"] };
    const all = await world([A], { config });
    const to = (i: number): Buffer => call(i, { headers: [["to", `c${i}`]] });
    const statuses = callAll(
      all,
      Array.from({ length: 4097 }, (_, i) => to(i)),
    );
    assert.equal(statuses.length, 4097);
    assert.ok(statuses.slice(0, 4096).every((status) => status === Status.SUCCESS));
    assert.notEqual(statuses[4096], Status.SUCCESS);
    assert.deepEqual(callAll(all, [to(0), to(4095), to(5000)]), [0, 0, statuses[4096]]);
    all.host.advance(1000);
    const own = all.host.metrics.names().filter((name) => /^moe\.cluster\..*\.ok$/.test(name));
    assert.equal(own.length, 257);
    assert.equal(all.host.metrics.counter("moe.cluster.other.ok"), 4096 - 256 + 1);
    const [server] = all.cluster.servers;
    assert.ok(open(server.streams) <= 257, `${open(server.streams)} connections of one client`);
    all.host.close();
  });
});

describe("hosts of a cluster", () => {
  it("one client connection uses 16 of them", async () => {
    const all = await world(addresses(40));
    callAll(
      all,
      Array.from({ length: 400 }, (_, i) => call(i)),
    );
    const before = all.cluster.servers.map(({ calls }) => calls.length);
    const statuses = callAll(
      all,
      Array.from({ length: 160 }, (_, i) => call(i)),
    );
    assert.ok(statuses.every((status) => status === 0));
    const used = all.cluster.servers.filter(({ calls }, i) => calls.length > before[i]);
    assert.equal(used.length, 16);
    all.host.close();
  });

  it("with consistent hashing 128 connections, to hosts as they are needed", async () => {
    const config = {
      clusters: { upstream: { lb_type: "LB_MAGLEV" } },
      ...routed({ hash_policy: [{ header: { key: "uid" } }] }),
    };
    const all = await world(addresses(150), { config });
    const some = (count: number): Buffer[] =>
      Array.from({ length: count }, (_, i) => call(i, { headers: [["uid", `user-${i}`]] }));
    assert.ok(callAll(all, some(1500)).every((status) => status === 0));
    assert.equal(openOf(all.cluster), 128);
    assert.ok(all.cluster.servers.every(({ calls }) => calls.length > 0));
    all.host.close();
  });

  it("1,024 are remembered: then none are looked for any more", async () => {
    const all = await world(addresses(1030), {
      config: { clusters: { upstream: { lb_type: "LB_MAGLEV" } } },
    });
    const unpinned = (): number => all.client.switchboard.opened.filter(({ pin }) => pin === null).length;
    for (let i = 0; i < 300; i++) {
      callAll(
        all,
        Array.from({ length: 4 }, (_, id) => call(id)),
      );
    }
    assert.equal(unpinned(), 1024);
    all.host.advance(60_000);
    assert.ok(callAll(all, [call(1), call(2)]).every((status) => status === 0));
    assert.equal(unpinned(), 1024);
    all.host.close();
  });

  it("to each `connections` of a client connection", async () => {
    const all = await world([A], { config: { clusters: { upstream: { connections: 3 } } } });
    const [server] = all.cluster.servers;
    callAll(all, [call(1)]);
    server.onCall = () => {};
    callAll(
      all,
      Array.from({ length: 20 }, (_, i) => call(i)),
    );
    assert.equal(open(server.streams), 3);
    all.host.close();
  });
});

describe("copies for a mirror cluster", () => {
  async function mirrored(mirror: object, shadows: string[]): Promise<World & { shadow: BoltCluster }> {
    const config = {
      stream_filters: [{ type: "mirror", config: mirror }],
      ...routed({}, { request_mirror_policies: { cluster: "shadow", percent: 100 } }),
    };
    const all = await world([A], { config });
    const shadow = new BoltCluster(...shadows);
    all.host.onConnect = (stream) => (stream.cluster === "shadow" ? shadow : all.cluster).connect(stream);
    return { ...all, shadow };
  }

  it("8,192 of one client connection wait for answers, one more is dropped", async () => {
    const all = await mirrored({ amplification: 1 }, [A]);
    all.shadow.servers[0].onCall = () => {};
    const batch = (count: number): Buffer => Buffer.concat(Array.from({ length: count }, (_, i) => call(i)));
    let answered = 0;
    for (let sent = 0; sent < 8192; sent += 64) {
      all.client.write(batch(64));
      all.host.advance(8);
      answered += answers(all.client).length;
    }
    all.host.advance(600);
    assert.deepEqual([answered, all.host.metrics.gauge("moe.mirror.active")], [8192, 8192]);
    assert.equal(all.host.metrics.counter("moe.mirror.dropped"), 0);
    callAll(all, [call(1)]);
    all.host.advance(600);
    assert.equal(all.host.metrics.counter("moe.mirror.dropped"), 1);
    all.shadow.calls[0].reply();
    callAll(all, [call(2)]);
    all.host.advance(600);
    assert.equal(all.host.metrics.counter("moe.mirror.dropped"), 1);
    all.host.close();
  });

  for (const [mirror, hosts] of [
    [{ amplification: 1 }, 4],
    [{ broadcast: true }, 8],
  ] as const) {
    it(`go to ${hosts} hosts, on 8 connections at most, with ${JSON.stringify(mirror)}`, async () => {
      const all = await mirrored(mirror, addresses(12));
      const some = Array.from({ length: 100 }, (_, i) => call(i));
      callAll(all, some);
      const before = all.shadow.servers.map(({ calls }) => calls.length);
      callAll(all, some);
      const used = all.shadow.servers.filter(({ calls }, i) => calls.length > before[i]);
      assert.equal(used.length, hosts);
      assert.ok(openOf(all.shadow) <= 8, `${openOf(all.shadow)} connections`);
      all.host.close();
    });
  }
});

describe("requests that flow control holds back", () => {
  it("max_queued of them; one more is refused", async () => {
    const rules = [{ resource: "com.example.Hello:1.0", threshold: 10, controlBehavior: 1, maxQueueingTimeMs: 10_000 }];
    const config = { app_name: "limits", global_switch: true, max_queued: 2, rules };
    const { host, client } = await world([A], { config: { stream_filters: [{ type: "flowControlFilter", config }] } });
    client.write(Buffer.concat([1, 2, 3, 4].map((id) => call(id))));
    host.advance(20);
    const early = answers(client).map(({ id, status }) => [id, status]);
    assert.deepEqual(early.sort(), [
      [1, 0],
      [4, Status.SERVER_THREADPOOL_BUSY],
    ]);
    host.advance(1000);
    assert.deepEqual(
      answers(client).map(({ id, status }: bolt.BoltFrame) => [id, status]),
      [
        [2, 0],
        [3, 0],
      ],
    );
    host.close();
  });
});
