// Frames whose rest does not come, of clients and of servers; and clients that send very much at once.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as bolt from "./kit/bolt.ts";
import { A, answers, call, world } from "./proxy-world.ts";

const MIB = 1 << 20;
const SECOND = 1000;

describe("a frame of a client whose rest does not come", () => {
  const frame = call(1, { content: Buffer.alloc(4 * MIB) });
  const timeouts = (host: { metrics: { counter(name: string): number } }) => host.metrics.counter("moe.frame_timeouts");

  for (const [config, least] of [
    [{}, 60],
    [{ frame_timeout_ms: 5000 }, 5],
  ] as const) {
    it(`is given up after ${least} s and one for each 16,000 bytes, with its connection: ${JSON.stringify(config)}`, async () => {
      const { host, client } = await world([A], { config });
      const other = host.connect();
      client.write(frame.subarray(0, 160_000));
      host.advance((least + 9) * SECOND);
      assert.equal(client.closed, null);
      host.advance(3 * SECOND);
      assert.equal(timeouts(host), 1);
      assert.equal(host.metrics.counter("moe.refused_connections"), 1);
      assert.ok(host.log.lines.some(({ text }) => text.endsWith("the rest of a frame does not come")));
      host.advance(6 * SECOND);
      assert.equal(client.closed, "local");
      other.write(call(2));
      host.advance(20);
      assert.equal(answers(other).length, 1);
      host.close();
    });
  }

  it("is given up also if a byte comes each second", async () => {
    const { host, client } = await world();
    client.write(frame.subarray(0, 1000));
    for (let i = 0; i < 58; i++) {
      client.write(frame.subarray(1000 + i, 1001 + i));
      host.advance(SECOND);
    }
    assert.equal(client.closed, null);
    for (let i = 58; i < 70 && client.closed === null; i++) {
      client.write(frame.subarray(1000 + i, 1001 + i));
      host.advance(SECOND);
    }
    assert.equal(timeouts(host), 1);
    host.close();
  });

  it("may take as long as it likes while it comes at 16 KB a second, and with frame_timeout_ms 0", async () => {
    const slow = await world();
    for (let at = 0; at < frame.length; at += 20_000) {
      slow.client.write(frame.subarray(at, at + 20_000));
      slow.host.advance(SECOND);
    }
    assert.equal(answers(slow.client).length, 1);
    slow.host.close();
    const { host, client } = await world([A], { config: { frame_timeout_ms: 0 } });
    client.write(frame.subarray(0, 1000));
    host.advance(3600 * SECOND);
    client.write(frame.subarray(1000));
    host.advance(SECOND);
    assert.equal(answers(client).length, 1);
    host.close();
  });

  it("is waited for anew with each frame: whole ones in between count", async () => {
    const { host, client } = await world();
    let rest = Buffer.alloc(0);
    for (let id = 1; id <= 8; id++) {
      const bytes = Buffer.concat([rest, call(id), call(100 + id).subarray(0, 50)]);
      rest = Buffer.from(call(100 + id).subarray(50));
      client.write(bytes);
      host.advance(40 * SECOND);
    }
    client.write(rest);
    host.advance(20);
    assert.equal(answers(client).length, 16);
    assert.equal(timeouts(host), 0);
    host.close();
  });
});

describe("an answer whose rest does not come", () => {
  const routed = (timeout: string) => ({
    router: { virtual_hosts: [{ domains: ["*"], routers: [{ route: { cluster_name: "upstream", timeout } }] }] },
  });

  it("goes with its request: the memory is free, and the server's next answer is found", async () => {
    const { host, cluster, client } = await world([A], { config: routed("2s") });
    cluster.servers[0].onCall = () => {};
    const size = 12 * MIB;
    let pages = 0;
    for (let round = 1; round <= 20; round++) {
      client.write(call(round));
      host.advance(20);
      const { frame, stream } = cluster.calls[round - 1];
      const answer = bolt.response(frame.id, { content: Buffer.alloc(size) });
      for (let at = 0; at < 10 * MIB; at += MIB) stream.write(answer.subarray(at, at + MIB));
      host.advance(4 * SECOND);
      assert.equal(answers(client).length, 1);
      // Its rest comes after all: nobody gets it.
      stream.write(answer.subarray(10 * MIB));
      host.advance(100);
      assert.equal(answers(client).length, 0);
      if (round === 3) pages = host.vm.memory.pages;
    }
    assert.ok(host.vm.memory.pages <= pages, `${host.vm.memory.pages} pages, before ${pages}`);
    const last = cluster.calls.length;
    client.write(call(99));
    host.advance(20);
    cluster.calls[last].reply();
    host.advance(20);
    assert.deepEqual(
      answers(client).map(({ id, status }) => [id, status]),
      [[99, 0]],
    );
    assert.equal(new Set(cluster.calls.map(({ stream }) => stream)).size, 1);
    host.close();
  });

  it("of a server's own request: the server connection is given up", async () => {
    const { host, cluster, client } = await world();
    client.write(call(1));
    host.advance(20);
    assert.equal(answers(client).length, 1);
    const [stream] = cluster.servers[0].streams;
    stream.write(call(7, { content: Buffer.alloc(100_000) }).subarray(0, 50_000));
    host.advance(63 * SECOND);
    assert.equal(stream.closed, false);
    host.advance(3 * SECOND);
    assert.equal(stream.closed, true);
    assert.equal(host.metrics.counter("moe.frame_timeouts"), 1);
    assert.equal(client.closed, null);
    host.close();
  });
});

describe("a client that sends very many calls at once", () => {
  it("has about a thousand of them sent, then some in each tick: another one's call is answered before the rest", async () => {
    const { host, cluster, client } = await world();
    const other = host.connect();
    other.write(call(1));
    host.advance(20);
    answers(other);
    const seen: number[] = [];
    cluster.servers[0].onCall = ({ frame, reply }) => {
      seen.push(frame.content.length);
      reply();
    };
    const count = 20_000;
    client.write(Buffer.concat(Array.from({ length: count }, (_, id) => call(id, { content: "" }))));
    assert.ok(seen.length <= 1100, `${seen.length} calls at once`);
    other.write(call(2, { content: "x" }));
    host.advance(8);
    assert.equal(answers(other).length, 1);
    assert.ok(seen.indexOf(1) < 3000, `behind ${seen.indexOf(1)} calls`);
    host.advance(1000);
    const got = answers(client).map(({ id }) => id);
    assert.deepEqual(
      got,
      Array.from({ length: count }, (_, id) => id),
    );
    host.close();
  });

  it("and has sent a part of the next one, and a heartbeat: all is answered in its turn", async () => {
    const { host, client } = await world();
    const count = 5000;
    const calls = Array.from({ length: count }, (_, id) => call(id));
    const last = call(count, { content: Buffer.alloc(200_000) });
    client.write(Buffer.concat([...calls, bolt.heartbeat(7), last.subarray(0, 100_000)]));
    client.write(last.subarray(100_000));
    host.advance(2000);
    const got = answers(client);
    assert.equal(got.length, count + 2);
    assert.equal(got.filter(({ status }) => status === 0).length, count + 2);
    host.close();
  });

  it("and half-closes, or is refused: nothing is left behind", async () => {
    const { host, client } = await world();
    client.write(Buffer.concat(Array.from({ length: 5000 }, (_, id) => call(id))));
    client.fin();
    const second = host.connect();
    const nonsense = Buffer.from("nonsense");
    second.write(Buffer.concat([...Array.from({ length: 5000 }, (_, id) => call(id)), nonsense]));
    host.advance(10_000);
    assert.equal(answers(second).length, 5000);
    assert.equal(second.closed, "local");
    assert.equal(host.metrics.gauge("moe.bolt.active"), 0);
    host.close();
  });
});
