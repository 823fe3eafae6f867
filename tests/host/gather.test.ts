// The release module in the host emulator: servers' frames that come in pieces, and the memory they take meanwhile.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { dice } from "../e2e/kit/random.ts";
import * as bolt from "./kit/bolt.ts";
import { A, answers, B, call, world } from "./proxy-world.ts";

const MIB = 1 << 20;
const PAGE = 65_536;

describe("answers in pieces", () => {
  it("come whole and in order, wherever they are cut", async () => {
    const { host, cluster, client } = await world();
    const roll = dice(20261121);
    cluster.servers[0].onCall = () => {};
    let id = 0;
    for (let round = 0; round < 60; round++) {
      const contents = Array.from({ length: 1 + (roll() % 5) }, () => Buffer.alloc(roll() % 40_000, ++id));
      for (let i = 0; i < contents.length; i++) client.write(call(id - contents.length + 1 + i));
      host.advance(20);
      const calls = cluster.calls.slice(-contents.length);
      const all = Buffer.concat(calls.map(({ frame }, i) => bolt.response(frame.id, { content: contents[i] })));
      for (let at = 0; at < all.length;) {
        // Some pieces end within the next frame's header, some are that header byte by byte.
        const n = roll() % 3 === 0 ? 1 + (roll() % 3) : 1 + (roll() % 30_000);
        calls[0].stream.write(all.subarray(at, at + n));
        host.advance(1);
        at += n;
      }
      host.advance(10);
      const got = answers(client);
      assert.deepEqual(
        got.map((one) => [one.id, one.content.length]),
        contents.map(({ length }, i) => [id - contents.length + 1 + i, length]),
      );
      assert.ok(got.every(({ content }, i) => content.equals(contents[i])));
    }
    host.close();
  });

  it("take hardly more memory than they have bytes", async () => {
    const { host, cluster, client } = await world();
    cluster.servers[0].onCall = () => {};
    const clients = [client, ...Array.from({ length: 7 }, () => host.connect())];
    clients.forEach((one, i) => one.write(call(i + 1)));
    host.advance(50);
    const before = host.vm.memory.pages * PAGE;
    const answer = 3 * MIB;
    const { calls } = cluster;
    assert.equal(calls.length, clients.length);
    const frames = calls.map(({ frame }) =>
      bolt.response(frame.id, { content: Buffer.alloc(answer, frame.id & 0xff) }),
    );
    // All but the last bytes of all of them are gathered at once.
    for (let at = 0; at < answer; at += MIB / 4) {
      calls.forEach(({ stream }, i) => stream.write(frames[i].subarray(at, at + MIB / 4)));
      host.advance(20);
    }
    calls.forEach(({ stream }, i) => stream.write(frames[i].subarray(answer)));
    host.advance(100);
    for (const one of clients)
      assert.deepEqual(
        answers(one).map(({ content }) => content.length),
        [answer],
      );
    const grown = host.vm.memory.pages * PAGE - before;
    // One more while it is written to the client, and an eighth that the module takes at a time.
    const most = (clients.length + 1) * answer * 1.2 + 4 * MIB;
    assert.ok(grown <= most, `${grown} bytes, at most ${most}`);
    host.close();
  });

  it("beyond max_connection_bytes fail alone; the server's connection goes on", async () => {
    const config = { max_frame_bytes: MIB, max_connection_bytes: MIB, clusters: { upstream: { connections: 2 } } };
    const { host, cluster, client } = await world([A, B], { config });
    for (const server of cluster.servers) server.onCall = () => {};
    for (let id = 1; id <= 4; id++) {
      client.write(call(id));
      host.advance(20);
    }
    const streams = new Set(cluster.calls.map(({ stream }) => stream));
    assert.ok(streams.size > 1, "one server connection only");
    const [first, second] = [...streams].map((stream) => cluster.calls.find((one) => one.stream === stream));
    assert.ok(first && second);
    const content = Buffer.alloc(900_000, "x");
    const frames = [first, second].map(({ frame }) => bolt.response(frame.id, { content }));
    for (let at = 0; at < 800_000; at += 100_000) {
      first.stream.write(frames[0].subarray(at, at + 100_000));
      second.stream.write(frames[1].subarray(at, at + 100_000));
      host.advance(20);
    }
    const [refused, ...others] = answers(client);
    assert.equal(others.length, 0);
    assert.notEqual(refused.status, 0);
    first.stream.write(frames[0].subarray(800_000));
    second.stream.write(frames[1].subarray(800_000));
    for (const { reply, frame } of cluster.calls) if (frame !== first.frame && frame !== second.frame) reply();
    host.advance(1000);
    const rest = answers(client);
    assert.deepEqual([refused, ...rest].map(({ id }) => id).sort(), [1, 2, 3, 4]);
    assert.ok(rest.every(({ status }) => status === 0));
    assert.equal(rest.filter((one) => one.content.equals(content)).length, 1);
    assert.equal(host.metrics.gauge("moe.bolt.active"), 0);
    assert.ok(host.log.lines.some(({ text }) => text.includes("no memory for the rest of the frame")));
    host.close();
  });

  for (const [whole, minutes] of [
    [true, 5],
    [false, 8],
  ] as const) {
    it(`that break off, for ${minutes} minutes without heartbeats: ${whole ? "may go on" : "the connection is given up"}`, async () => {
      const router = {
        virtual_hosts: [{ domains: ["*"], routers: [{ route: { cluster_name: "upstream", timeout: "-1s" } }] }],
      };
      const { host, cluster, client } = await world([A], { config: { router } });
      const [server] = cluster.servers;
      server.alive = false;
      server.onCall = () => {};
      client.write(call(1));
      host.advance(20);
      const [{ frame, stream }] = cluster.calls;
      const answer = bolt.response(frame.id, { content: Buffer.alloc(100_000, "x") });
      stream.write(answer.subarray(0, 50_000));
      host.advance(minutes * 60_000);
      assert.ok(server.heartbeats > 6);
      stream.write(answer.subarray(50_000));
      host.advance(100);
      assert.deepEqual(
        answers(client).map(({ status }) => status === 0),
        [whole],
      );
      host.close();
    });
  }
});
