// The bounds of docs/limits.md at their edges: what clients and servers can make grow.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as bolt from "./kit/bolt.ts";
import { BoltStatus as Status } from "./kit/bolt.ts";
import type { SwitchboardClient } from "./kit/index.ts";
import { A, answers, call, world, type World } from "./proxy-world.ts";

const MIB = 1 << 20;
const BUSY = Status.SERVER_THREADPOOL_BUSY;
const toCluster = (action: object): object => ({
  router: { virtual_hosts: [{ domains: ["*"], routers: [{ route: { cluster_name: "upstream", ...action } }] }] },
});
const logged = ({ host }: World, text: string): boolean => host.log.lines.some((line) => line.text.includes(text));
const refused = ({ host }: World): number => host.metrics.counter("moe.refused_connections");

/** Calls with these ids, in writes of a thousand. */
function writeCalls(client: SwitchboardClient, count: number, options: bolt.RequestOptions = {}): void {
  for (let id = 0; id < count; id += 1000) {
    const ids = Array.from({ length: Math.min(1000, count - id) }, (_, i) => id + i);
    client.write(Buffer.concat(ids.map((one) => call(one, options))));
  }
}

/** A connection to the first server, for tests that write as that server. */
async function connected(options: object = {}): Promise<World> {
  const all = await world([A], options);
  all.client.write(call(0));
  all.host.advance(20);
  assert.equal(answers(all.client).length, 1);
  return all;
}

describe("requests under way", () => {
  it("65,535 on one connection, 131,072 in a worker and equal parts of 65,536 more: one more is overflow", async () => {
    const { host, cluster, client } = await world();
    cluster.servers[0].onCall = () => {};
    // Each may have as many as are free, or its equal part of 65,536 more, and one more is refused.
    const clients = [client, host.connect(), host.connect(), host.connect()];
    for (const [i, most] of [65_535, 32_768, 16_384, 16_384].entries()) {
      writeCalls(clients[i], most);
      host.advance(100);
      assert.equal(answers(clients[i]).length, 0);
      clients[i].write(call(65_535));
      host.advance(100);
      assert.deepEqual(
        answers(clients[i]).map(({ id, status }) => [id, status]),
        [[65_535, BUSY]],
      );
    }
    assert.equal(cluster.calls.length, 131_071);
    assert.equal(host.metrics.gauge("moe.bolt.active"), 131_071);
    // Those who come later have theirs all the same.
    for (let i = 5; i <= 20; i++) {
      const late = host.connect();
      writeCalls(late, 1000);
      host.advance(100);
      assert.equal(answers(late).length, 0);
    }
    assert.equal(cluster.calls.length, 131_071 + 16_000);
    // Room is there again when one is over.
    cluster.calls[0].reply();
    clients[0].write(call(5));
    host.advance(20);
    host.close();
  });

  it("copies for retries: a request without room for one is sent once", async () => {
    const config = {
      max_frame_bytes: 65_536,
      max_connection_bytes: 65_536,
      ...toCluster({ retry_policy: { retry_on: true, num_retries: 1 } }),
    };
    const all = await connected({ config });
    const { host, client, cluster } = all;
    const size = call(1, { content: Buffer.alloc(30_000) }).length;
    cluster.servers[0].onCall = () => {};
    for (let id = 1; id <= 2; id++) client.write(call(id, { content: Buffer.alloc(30_000) }));
    // Exactly what is left, and a byte more than that.
    const left = 65_536 - 2 * size - (size - 30_000);
    client.write(call(3, { content: Buffer.alloc(left) }));
    client.write(call(4, { content: Buffer.alloc(1) }));
    host.advance(40);
    const before = cluster.calls.length;
    for (const one of cluster.calls.slice(-4)) one.reply({ status: Status.SERVER_THREADPOOL_BUSY });
    host.advance(40);
    assert.deepEqual(
      cluster.calls.slice(before).map(({ frame }) => frame.content.length),
      [30_000, 30_000, left],
    );
    assert.deepEqual(
      answers(client).map(({ id, status }) => [id, status]),
      [[4, BUSY]],
    );
    host.close();
  });

  it("requests of servers that wait for a client: 1,024", async () => {
    const all = await connected();
    const { host, client, cluster } = all;
    const [stream] = cluster.servers[0].streams;
    const replies: bolt.BoltFrame[] = [];
    stream.onData = (bytes) => replies.push(...bolt.parseFrames(bytes).frames);
    stream.write(Buffer.concat(Array.from({ length: 1025 }, (_, id) => call(id))));
    host.advance(40);
    const asked = answers(client);
    assert.equal(asked.length, 1024);
    assert.deepEqual(
      replies.map(({ id, status }) => [id, status]),
      [[1024, BUSY]],
    );
    client.write(bolt.response(asked[0].id));
    stream.write(call(2000));
    host.advance(40);
    assert.equal(answers(client).length, 1);
    host.close();
  });
});

describe("a client that is held back", () => {
  it("no more is read from 2 MiB for a server that does not read, and again from 512 KiB on", async () => {
    const { host, cluster, client } = await connected();
    const [stream] = cluster.servers[0].streams;
    stream.pause();
    const content = Buffer.alloc(16_384);
    let taken = 0;
    for (let id = 1; client.connection.unread.length === 0; id++) {
      assert.ok(id < 1000, "everything is read");
      client.write(call(id, { content }));
      host.advance(8);
      taken = id;
    }
    // Windows and buffers on the way take some; in memory are 2 MiB, and no more than 4 of them.
    assert.ok(taken * content.length > 2 * MIB, `held back at ${taken * content.length} bytes`);
    const { pages } = host.vm.memory;
    assert.ok(pages * 65_536 <= 16 * MIB, `${pages} pages of 64 KiB`);
    stream.resume();
    host.advance(200);
    assert.equal(answers(client).length, taken);
    assert.equal(client.connection.unread.length, 0);
    host.close();
  });
});

describe("a server that asks and does not read the answers", () => {
  for (const [what, frame] of [
    ["requests", call(7, { class: "c" })],
    ["heartbeats", bolt.heartbeat(7)],
  ] as const) {
    it(`${what}: is given up at 4 MiB of them, and the client lives on`, async () => {
      const all = await connected();
      const { host, client, cluster } = all;
      const stuck = () => host.metrics.counter("moe.stuck_servers");
      const [stream] = cluster.servers[0].streams;
      // So many requests of servers wait for the client that each further one is answered here.
      stream.write(Buffer.concat(Array.from({ length: 1024 }, (_, id) => call(id))));
      const many = Buffer.concat(Array.from({ length: 1000 }, () => frame));
      // One that reads them may ask for ever.
      for (let i = 0; i < 100; i++) {
        stream.write(many);
        host.advance(8);
      }
      assert.equal(stuck(), 0);
      client.take();
      stream.pause();
      for (let i = 0; i < 300; i++) {
        stream.write(many);
        host.advance(8);
      }
      host.advance(600);
      assert.equal(stuck(), 1);
      assert.ok(stream.closed && logged(all, "sends requests, and reads no answers"));
      assert.ok(host.vm.memory.pages <= 512, `${host.vm.memory.pages} pages of 64 KiB`);
      client.take();
      client.write(call(9));
      host.advance(20);
      assert.deepEqual(
        answers(client).map(({ id, status }) => [id, status]),
        [[9, 0]],
      );
      host.close();
    });
  }
});

describe("frames that are refused", () => {
  it("leave no memory behind, also those that nobody answers", async () => {
    const { host, client } = await connected();
    const bad = Buffer.from(call(3, { type: 2 }));
    // The first key is longer than the header block.
    bad.writeUInt32BE(0x7fffffff, 22 + bad.readUInt16BE(14));
    const many = Buffer.concat(Array.from({ length: 2000 }, () => bad));
    const send = (times: number): void => {
      for (let i = 0; i < times; i++) client.write(many);
      host.advance(20);
    };
    send(5);
    const { pages } = host.vm.memory;
    send(50);
    host.advance(600);
    assert.equal(host.metrics.counter("moe.bolt.decode_errors"), 110_000);
    assert.ok(host.vm.memory.pages <= pages, `${host.vm.memory.pages} pages, before ${pages}`);
    host.close();
  });
});

describe("clusters that exist and are named by clients", () => {
  it("leave no memory behind, however they alternate", async () => {
    const config = { ...toCluster({ cluster_name: undefined, cluster_header: "to" }), allowed_clusters: ["cluster-*"] };
    const { host, client } = await world([A], { config });
    const batch = Buffer.concat(
      Array.from({ length: 200 }, (_, i) => call(i, { headers: [["to", `cluster-${i}`]], class: "c" })),
    );
    const send = (times: number): void => {
      for (let i = 0; i < times; i++) {
        client.write(batch);
        host.advance(8);
        client.take();
      }
    };
    send(20);
    const { pages } = host.vm.memory;
    send(130);
    assert.ok(host.vm.memory.pages <= pages, `${host.vm.memory.pages} pages, before ${pages}`);
    host.close();
  });
});

describe("log lines that peers can cause", () => {
  it("five in a second, and how many were left out", async () => {
    const all = await world();
    const { host } = all;
    const bad = (count: number): void => {
      for (let i = 0; i < count; i++) host.connect().write(Buffer.from("GET / HTTP/1.1\r\n"));
    };
    const lines = () => host.log.lines.filter(({ text }) => text.includes("no known protocol"));
    host.advance(1000);
    bad(5);
    assert.equal(lines().length, 5);
    bad(100);
    assert.equal(lines().length, 5);
    host.advance(1000);
    bad(1);
    assert.equal(lines().length, 6);
    assert.match(lines()[5].text, /\(100 similar lines left out\)$/);
    host.advance(1000);
    assert.equal(refused(all), 106);
    host.close();
  });
});
