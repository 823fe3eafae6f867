// What is bounded for all peers is shared among them: one that takes all it can get leaves something to the next.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BUSY, close, limit, next, start, statuses } from "./flow-world.ts";
import { startHttp } from "./http-world.ts";
import * as bolt from "./kit/bolt.ts";
import { BoltStatus as Status } from "./kit/bolt.ts";
import { A, answers, B, call, world } from "./proxy-world.ts";

it("requests of servers to a client: one server has 1,024 at most, the next half of what is free", async () => {
  const { host, cluster, client } = await world([A, B]);
  for (let id = 1; id <= 8; id++) client.write(call(id));
  host.advance(100);
  assert.equal(answers(client).length, 8);
  const got = cluster.servers.map(({ streams: [stream] }) => {
    for (let id = 0; id < 1100; id++) stream.write(bolt.request(id, { content: "push" }));
    host.advance(100);
    return answers(client).length;
  });
  assert.deepEqual(got, [1024, 512]);
  client.fin();
  host.advance(1000);
  host.close();
});

it("log lines: a noisy client has five in a second, and another one has some in the same second", async () => {
  const { host } = await world();
  host.advance(1000 - (host.clock.nowMs % 1000));
  const line = (address: string): number => host.log.lines.filter(({ text }) => text.includes(address)).length;
  for (let i = 0; i < 50; i++) {
    host.connect({ properties: { "source/address": `10.9.9.9:${1000 + i}` } }).write(Buffer.from("no protocol"));
  }
  host.connect({ properties: { "source/address": "10.8.8.8:1" } }).write(Buffer.from("no protocol"));
  assert.deepEqual([line("10.9.9.9:"), line("10.8.8.8:")], [5, 1]);
  host.close();
});

describe("requests that flow control holds back", () => {
  const queue = { controlBehavior: 1, maxQueueingTimeMs: 10_000 };

  it("a client alone has all places; another one gets its latest, until both have as many", async () => {
    const all = await start(1, { max_queued: 4, ...limit(10, queue) });
    const { host, client } = all;
    const other = host.connect();
    for (let i = 0; i < 6; i++) client.write(next());
    host.advance(8);
    assert.deepEqual(statuses(client), [Status.SUCCESS, BUSY]);
    for (let i = 0; i < 3; i++) other.write(next());
    host.advance(8);
    assert.deepEqual(statuses(client), [BUSY, BUSY]);
    assert.deepEqual(statuses(other), [BUSY]);
    host.advance(380);
    assert.deepEqual(statuses(client), [Status.SUCCESS, Status.SUCCESS]);
    // Those that gave up their places gave back their times, too.
    host.advance(30);
    assert.deepEqual(statuses(other), [Status.SUCCESS, Status.SUCCESS]);
    close({ host, clients: [client, other] });
  });

  it("on HTTP as well: connections are told apart by Envoy's number, not by the address that headers may name", async () => {
    const rules = [{ resource: "/http", threshold: 10, ...queue }];
    const config = { global_switch: true, max_queued: 2, rules };
    const host = await startHttp([{ type: "flowControlFilter", config }]);
    let address = 0;
    const request = (connection: number) =>
      host.request({
        path: "/http",
        properties: { "connection/id": connection, "source/address": `10.0.0.${++address}:0` },
      });
    const first = [1, 1, 1, 1].map(request);
    assert.deepEqual(
      first.map(({ status }) => status),
      [200, null, null, 509],
    );
    const second = [2, 2].map(request);
    host.advance(20);
    assert.deepEqual(
      [...first, ...second].map(({ status }) => status),
      [200, null, 509, 509, null, 509],
    );
    host.advance(300);
    assert.deepEqual([first[1].status, second[0].status], [200, 200]);
    host.close();
  });
});
