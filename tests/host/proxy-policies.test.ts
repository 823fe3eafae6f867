// The release module in the host emulator: what the configuration makes of a call.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as bolt from "./kit/bolt.ts";
import { BoltStatus as Status } from "./kit/bolt.ts";
import { A, answers, B, call, world, type World } from "./proxy-world.ts";

/** A configuration with these routes for every service, in MOSN's shape. */
const routes = (...routers: object[]): object => ({ router: { virtual_hosts: [{ domains: ["*"], routers }] } });

/** One route to the cluster, with more in its action. */
const routed = (action: object): object => routes({ match: {}, route: { cluster_name: "upstream", ...action } });

/** Runs a call to its end and returns the only answer. */
function result({ host, client }: World, frame: Buffer, ms = 100): bolt.BoltFrame {
  client.write(frame);
  host.advance(ms);
  const got = answers(client);
  assert.equal(got.length, 1);
  return got[0];
}

describe("routes", () => {
  it("lead by header to clusters, and to an error where none matches", async () => {
    const match = (value: string): object => ({ headers: [{ name: "service", value }] });
    const config = routes(
      { match: match("one"), route: { cluster_name: "first" } },
      { match: match("two"), route: { cluster_name: "second" } },
    );
    const all = await world([A], { config });
    const to = (service: string): Buffer => call(1, { headers: [["service", service]] });
    assert.equal(result(all, to("two")).status, 0);
    assert.equal(result(all, to("one")).status, 0);
    assert.deepEqual(
      all.cluster.calls.map(({ stream }) => stream.cluster),
      ["second", "first"],
    );
    assert.notEqual(result(all, to("three")).status, 0);
    assert.equal(all.cluster.calls.length, 2);
    all.host.close();
  });

  it("answer themselves: direct_response", async () => {
    const all = await world([A], {
      config: routes({ match: {}, direct_response: { status: 504, body: "not today" } }),
    });
    const answer = result(all, call(1));
    assert.equal(answer.status, Status.TIMEOUT);
    assert.match(answer.raw.toString("latin1"), /not today/);
    assert.equal(all.cluster.connects, 0);
    all.host.close();
  });

  it("change headers on the way there and back, checksums made good", async () => {
    const config = routed({
      request_headers_to_add: [{ header: { key: "x-added", value: "yes" }, append: true }],
      request_headers_to_remove: ["x-secret"],
      response_headers_to_add: [{ header: { key: "x-back", value: "too" }, append: true }],
    });
    const all = await world([A], { config });
    for (const version of [{}, { version: 2, crc: true }] as const) {
      const headers: bolt.Headers = [
        ["x-secret", "1"],
        ["Keep", "me"],
      ];
      const answer = result(all, call(1, { ...version, headers }));
      const { frame } = all.cluster.calls[all.cluster.calls.length - 1];
      assert.deepEqual(frame.headers, [
        ["Keep", "me"],
        ["x-added", "yes"],
      ]);
      assert.deepEqual(answer.headers, [["x-back", "too"]]);
      const crc = "crc" in version ? "good" : "none";
      assert.deepEqual([frame.crc, answer.crc, frame.content.toString()], [crc, crc, "call 1"]);
    }
    all.host.close();
  });

  it("set the timeout of calls that bring none", async () => {
    const all = await world([A], { config: routed({ timeout: "1s" }) });
    all.cluster.servers[0].onCall = () => {};
    all.client.write(Buffer.concat([call(1), call(2, { timeout: 200 })]));
    all.host.advance(250);
    assert.deepEqual(
      answers(all.client).map(({ id, status }) => [id, status]),
      [[2, Status.TIMEOUT]],
    );
    all.host.advance(700);
    assert.equal(answers(all.client).length, 0);
    all.host.advance(150);
    assert.deepEqual(
      answers(all.client).map(({ id, status }) => [id, status]),
      [[1, Status.TIMEOUT]],
    );
    all.host.close();
  });
});

describe("retries", () => {
  /** A world whose two hosts are known and connected, so that the next call goes to either. */
  async function pair(action: object): Promise<World> {
    const all = await world([A, B], { config: routed(action) });
    for (let id = 0; id < 8; id++) result(all, call(id));
    return all;
  }

  it("of an error answer go to another host, as often as the policy says", async () => {
    const all = await pair({ retry_policy: { retry_on: true, num_retries: 2 } });
    const tries = all.cluster.servers.map(() => 0);
    all.cluster.servers.forEach((server, i) => {
      server.onCall = (one) => {
        tries[i]++;
        one.reply({ status: Status.SERVER_THREADPOOL_BUSY });
      };
    });
    assert.equal(result(all, call(1)).status, Status.SERVER_THREADPOOL_BUSY);
    assert.deepEqual(tries.sort(), [1, 2]);
    all.host.close();
  });

  it("of a try that takes too long", async () => {
    const all = await pair({ timeout: "3s", retry_policy: { retry_on: true, num_retries: 1, retry_timeout: "500ms" } });
    let calls = 0;
    for (const server of all.cluster.servers) {
      const answer = server.onCall;
      server.onCall = (one) => (calls++ === 0 ? undefined : answer(one));
    }
    assert.equal(result(all, call(1), 600).status, 0);
    assert.equal(calls, 2);
    all.host.close();
  });

  it("do not happen to what was sent, without a policy", async () => {
    const all = await pair({});
    const before = all.cluster.calls.length;
    for (const server of all.cluster.servers) server.onCall = ({ stream }) => stream.reset();
    assert.notEqual(result(all, call(1)).status, 0);
    assert.equal(all.cluster.calls.length, before + 1);
    all.host.close();
  });
});

describe("limits", () => {
  it("of requests to a cluster: one more is answered with an error at once", async () => {
    const { host, cluster, client } = await world([A], { config: { clusters: { upstream: { max_requests: 2 } } } });
    cluster.servers[0].onCall = () => {};
    client.write(Buffer.concat([call(1), call(2), call(3)]));
    host.advance(20);
    const [refused] = answers(client);
    assert.deepEqual([refused.id, refused.status === 0], [3, false]);
    for (const one of cluster.calls) one.reply();
    host.advance(20);
    assert.equal(answers(client).length, 2);
    client.write(call(4));
    host.advance(20);
    assert.equal(cluster.calls.length, 3);
    host.close();
  });

  it("of the size of a frame", async () => {
    const all = await world([A], { config: { max_frame_bytes: 1024, max_connection_bytes: 65_536 } });
    assert.notEqual(result(all, call(1, { content: Buffer.alloc(1024) })).status, 0);
    assert.equal(result(all, call(2, { content: Buffer.alloc(500) })).status, 0);
    all.host.close();
  });
});

describe("balancing", () => {
  it("keeps weights within 2 % of 10,000 calls", async () => {
    const weighted = { weighted_clusters: [90, 10].map((weight, i) => ({ cluster: { name: `v${i + 1}`, weight } })) };
    const all = await world([A], { config: routes({ match: {}, route: weighted }) });
    for (let id = 0; id < 10_000; id += 50) {
      all.client.write(Buffer.concat(Array.from({ length: 50 }, (_, i) => call(id + i))));
      all.host.advance(8);
    }
    const first = all.cluster.calls.filter(({ stream }) => stream.cluster === "v1").length;
    assert.equal(answers(all.client).length, 10_000);
    assert.ok(Math.abs(first - 9000) < 200, `${first} of 10,000`);
    all.host.close();
  });

  it("spreads calls evenly over the hosts of a cluster", async () => {
    const { host, client, cluster } = await world(["1.1.1.1:1", "2.2.2.2:2", "3.3.3.3:3"]);
    for (let id = 0; id < 300; id++) {
      client.write(call(id));
      host.advance(8);
    }
    for (const { calls } of cluster.servers) assert.ok(calls.length > 80, `${calls.length} of 300`);
    host.close();
  });
});

describe("consistent hashing", () => {
  const HOSTS = ["10.1.0.1:1", "10.1.0.2:2", "10.1.0.3:3", "10.1.0.4:4"];
  const hashed = (route: object) => ({
    clusters: { upstream: { lb_type: "LB_MAGLEV" } },
    ...routes({ match: {}, route: { cluster_name: "upstream", ...route } }),
  });
  const BY_HEADER = { hash_policy: [{ header: { key: "uid" } }, { cookie: { name: "sid" } }] };

  /** Calls on one connection once all hosts are known there, and how many each host got of them. */
  async function shares(config: object, source: string, headers: [string, string][][]): Promise<number[]> {
    const all = await world(HOSTS, { config }, { properties: { "source/address": source } });
    for (let id = 0; id < 200; id++) {
      all.client.write(call(id, { headers: ["uid", "a"].map((name): [string, string] => [name, `warm${id}`]) }));
      all.host.advance(8);
    }
    const before = all.cluster.servers.map(({ calls }) => calls.length);
    assert.ok(before.every((calls) => calls > 0));
    answers(all.client);
    headers.forEach((some, id) => {
      all.client.write(call(id, { headers: some }));
      all.host.advance(8);
    });
    assert.equal(answers(all.client).length, headers.length);
    all.host.close();
    return all.cluster.servers.map(({ calls }, i) => calls.length - before[i]);
  }

  const same = (header: [string, string], count = 200) => Array.from({ length: count }, () => [header]);
  const used = (counts: number[]) => counts.filter((count) => count > 0).length;

  it("a key stays with one host; without its key a request goes by the client's address", async () => {
    assert.equal(used(await shares(hashed(BY_HEADER), "10.9.9.9:1", same(["uid", "7"]))), 1);
    assert.equal(used(await shares(hashed(BY_HEADER), "10.9.9.9:1", same(["other", "7"]))), 1);
    assert.equal(used(await shares(hashed(BY_HEADER), "10.9.9.9:1", same(["uid", ""]))), 1);
  });

  it("without its key, of a client of the same machine, requests spread", async () => {
    for (const source of ["127.0.0.1:1", "[::1]:1"]) {
      for (const header of [
        ["other", "7"],
        ["uid", ""],
        ["cookie", "sid="],
      ] as [string, string][]) {
        const counts = await shares(hashed(BY_HEADER), source, same(header, 400));
        assert.ok(Math.min(...counts) > 50, `${source} ${header.join()}: ${counts.join()}`);
      }
    }
  });

  it("several policies: a second one tells requests with the same first value apart, unless the first is terminal", async () => {
    const two = (terminal: boolean) => ({
      hash_policy: [{ header: { key: "a" }, terminal }, { header: { key: "b" } }],
    });
    const calls = Array.from({ length: 100 }, (_, i): [string, string][] => [
      ["a", "1"],
      ["b", `${i}`],
    ]);
    assert.equal(used(await shares(hashed(two(false)), "10.9.9.9:1", calls)), 4);
    assert.equal(used(await shares(hashed(two(true)), "10.9.9.9:1", calls)), 1);
  });
});

describe("host_weights", () => {
  it("name hosts by address, however it is spelled", async () => {
    const spellings = [
      ["[2001:db8::1]:80", "[2001:DB8:0:0::0001]:80"],
      ["[::ffff:10.0.0.1]:80", "10.0.0.1:80"],
      ["10.0.0.1:80", "[::ffff:a00:1]:80"],
    ];
    for (const [host, weighted] of spellings) {
      const clusters = { upstream: { lb_type: "LB_WEIGHTED_ROUNDROBIN", host_weights: { [weighted]: 9 } } };
      const all = await world([host, B], { config: { clusters } });
      for (let id = 0; id < 240; id++) {
        all.client.write(call(id));
        all.host.advance(8);
      }
      const [heavy, light] = all.cluster.servers.map(({ calls }) => calls.length);
      assert.ok(heavy > 5 * light, `${weighted}: ${heavy} and ${light}`);
      all.host.close();
    }
  });
});

describe("unstable servers", () => {
  it("one that flaps 5,000 times: every call answered, few resets, no growth", async () => {
    const { host, cluster, client } = await world();
    cluster.servers[0].onCall = ({ stream }) => stream.end();
    const flap = (count: number): void => {
      for (let id = 0; id < count; id++) {
        client.write(call(id));
        host.advance(20);
        assert.equal(answers(client).length, 1);
      }
    };
    flap(1000);
    const { pages } = host.vm.memory;
    flap(4000);
    assert.equal(host.vm.memory.pages, pages);
    assert.ok(client.switchboard.inbound.floods.resets <= 100);
    cluster.servers[0].onCall = (one) => one.reply();
    client.write(call(1));
    host.advance(20);
    assert.equal(answers(client)[0].status, 0);
    host.close();
  });

  it("CONNECTs that are never answered: no flood of resets, none too early", async () => {
    const config = { ...routes({ match: {}, route: { cluster_header: "to" } }), allowed_clusters: ["cluster-*"] };
    const { host, client } = await world([A], { config });
    host.onConnect = () => {};
    for (let round = 0; round < 40; round++) {
      for (let i = 0; i < 20; i++)
        client.write(call(round * 20 + i, { headers: [["to", `cluster-${round * 20 + i}`]] }));
      host.advance(1000);
    }
    host.advance(70_000);
    assert.equal(answers(client).length, 800);
    const { floods } = client.switchboard.inbound;
    assert.equal(floods.earlyResets, 0);
    assert.ok(floods.resets > 0 && floods.resets <= 100 + 10 * 110, `${floods.resets} resets`);
    assert.equal(client.closed, null);
    host.close();
  });

  it("hosts that come and go are learned and left", async () => {
    const { host, cluster, client } = await world([A, B]);
    for (let id = 0; id < 50; id++) {
      cluster.servers[0].state = id % 10 < 5 ? "up" : "refuse";
      if (id % 10 === 5) for (const stream of cluster.servers[0].streams) stream.end();
      client.write(call(id));
      host.advance(50);
      assert.deepEqual(
        answers(client).map(({ status }) => status),
        [0],
      );
    }
    host.close();
  });
});
