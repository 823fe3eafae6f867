// The release module in the host emulator: flow control, memory, and the number of host calls.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as bolt from "./kit/bolt.ts";
import type { CallbackRecord } from "./kit/index.ts";
import { answers, call, world, type World } from "./proxy-world.ts";

const MIB = 1 << 20;
const bytes = (length: number): Buffer => Buffer.from(new Uint8Array(length).map((_, i) => i * 31));

describe("flow control", () => {
  for (const size of [0, 1, 65_535, 65_536, MIB, 12 * MIB]) {
    it(`a first call of ${size} bytes in one write, answered with as many`, async () => {
      const { host, cluster, client } = await world();
      const content = bytes(size);
      cluster.servers[0].onCall = (one) => one.reply({ content: one.frame.content });
      client.write(call(1, { content }));
      host.advance(200);
      const [answer] = answers(client);
      assert.deepEqual([answer.id, answer.status], [1, 0]);
      assert.equal(Buffer.compare(cluster.calls[0].frame.content, content), 0);
      assert.equal(Buffer.compare(answer.content, content), 0);
      host.close();
    });
  }

  it("a server that stops reading stops the client, and everything is answered in the end", async () => {
    const { host, cluster, client } = await world();
    client.write(call(0));
    host.advance(20);
    const [stream] = cluster.servers[0].streams;
    stream.pause();
    const calls = 200;
    for (let id = 1; id <= calls; id++) client.write(call(id, { content: bytes(100_000) }));
    host.advance(1000);
    const { pages } = host.vm.memory;
    assert.ok(client.connection.unread.length > 10 * MIB, "most of it stays in the kernel");
    assert.ok(pages < 256, `${pages} pages of 64 KiB`);
    stream.resume();
    host.advance(5000);
    assert.equal(answers(client).length, calls + 1);
    assert.equal(client.connection.unread.length, 0);
    host.close();
  });

  it("a client that stops reading stops its servers", async () => {
    const { host, cluster, client } = await world();
    cluster.servers[0].onCall = (one) => one.reply({ content: bytes(100_000) });
    client.pause();
    for (let id = 1; id <= 200; id++) client.write(call(id));
    host.advance(1000);
    const waiting = cluster.servers[0].streams.reduce((sum, stream) => sum + stream.queue.length, 0);
    assert.ok(waiting > 10 * MIB, "the servers' bytes wait with them");
    client.resume();
    host.advance(1000);
    assert.equal(answers(client).length, 200);
    host.close();
  });

  it("small windows of the switchboard are kept", async () => {
    const options = { initialStreamWindow: 70_000, initialConnectionWindow: 80_000 };
    const { host, cluster, client } = await world(undefined, {}, { switchboard: options });
    for (let id = 1; id <= 50; id++) client.write(call(id, { content: bytes(30_000) }));
    host.advance(2000);
    assert.equal(cluster.calls.length, 50);
    assert.equal(answers(client).length, 50);
    host.close();
  });
});

describe("memory", () => {
  it("3,000 calls outstanding on one connection", async () => {
    const { host, cluster, client } = await world();
    cluster.servers[0].onCall = () => {};
    for (let id = 0; id < 3000; id += 100)
      client.write(Buffer.concat(Array.from({ length: 100 }, (_, i) => call(id + i))));
    host.advance(100);
    assert.equal(cluster.calls.length, 3000);
    for (const one of cluster.calls) one.reply();
    host.advance(100);
    assert.equal(answers(client).length, 3000);
    host.close();
  });

  it("returns when connections end: no growth over 10,000 of them", async () => {
    const { host, cluster } = await world();
    const some = (count: number): void => {
      for (let i = 0; i < count; i++) {
        const client = host.connect();
        client.write(Buffer.concat([call(1), call(2), bolt.heartbeat(3), call(4).subarray(0, 30)]));
        host.advance(8);
        assert.equal(answers(client).length, 3);
        if (i % 2 === 0) client.fin();
        else client.rst();
      }
    };
    some(1000);
    const { pages } = host.vm.memory;
    some(9000);
    assert.equal(host.vm.memory.pages, pages);
    assert.equal(cluster.calls.length, 20_000);
    host.close();
  });
});

describe("host calls", () => {
  /** The callbacks of an action that made host calls, as "name: call x n, …". */
  const summary = (records: CallbackRecord[]): string[] =>
    records.map(({ callback, calls }) => {
      const list = Object.entries(calls).map(([name, count]) => `${name.replace("proxy_", "")} x${count}`);
      return `${callback.replace("proxy_on_", "")}: ${list.sort().join(", ")}`;
    });

  /** A connection that has found its hosts and has requests in flight now and then, as under load. */
  async function warm(): Promise<World> {
    const all = await world();
    for (let id = 0; id < 10; id++) all.client.write(call(id));
    all.host.advance(20);
    for (let id = 0; id < 10; id++) all.client.write(call(id));
    answers(all.client);
    all.cluster.servers[0].onCall = () => {};
    return all;
  }

  it("of a request and its response on a warm connection", async () => {
    const { host, cluster, client } = await warm();
    const request = host.trace(() => client.write(call(1)));
    const response = host.trace(() => cluster.calls.at(-1)?.reply());
    assert.deepEqual(summary(request), [
      "downstream_data: clock_time_get x1, continue_stream x1, get_buffer_bytes x1, set_buffer_bytes x1",
    ]);
    assert.deepEqual(summary(response), ["upstream_data: get_buffer_bytes x1, set_buffer_bytes x1"]);
    host.close();
  });

  it("do not grow with the number of frames in a callback", async () => {
    const { host, client } = await warm();
    const one = host.trace(() => client.write(call(1)));
    const many = host.trace(() => client.write(Buffer.concat(Array.from({ length: 50 }, (_, i) => call(i)))));
    assert.deepEqual(many, one);
    host.close();
  });

  it("log nothing below the level", async () => {
    const { host, client } = await world();
    client.write(call(1));
    host.advance(1000);
    assert.equal(host.log.belowLevel, 0);
    host.close();
  });
});
