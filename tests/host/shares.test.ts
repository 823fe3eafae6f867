// What is bounded for all peers is shared among them: one that takes all it can get leaves something to the next.
import assert from "node:assert/strict";
import { it } from "node:test";
import * as bolt from "./kit/bolt.ts";
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
