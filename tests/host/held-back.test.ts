// The release module in the host emulator: clients that are held back, and connections that have to end.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as bolt from "./kit/bolt.ts";
import type { ConnectStream } from "./kit/connect-stream.ts";
import { A, answers, B, call, world, type World } from "./proxy-world.ts";

const MIB = 1 << 20;
const BODY = 50_000;
const NO_RETRIES = {
  router: {
    virtual_hosts: [
      { name: "v", domains: ["*"], routers: [{ route: { cluster_name: "c", retry_policy: { num_retries: 0 } } }] },
    ],
  },
};

/** Opens connections to all servers and stops the first one's reading. */
function stopReading({ host, cluster, client }: World): ConnectStream {
  for (let id = 1; cluster.servers.some(({ streams }) => streams.length === 0); id++) {
    client.write(call(900_000 + id));
    host.advance(20);
  }
  const [stream] = cluster.servers[0].streams;
  stream.pause();
  answers(client);
  return stream;
}

function flood({ client }: World, calls: number): void {
  for (let id = 1; id <= calls; id++) client.write(call(id, { content: Buffer.alloc(BODY, id) }));
}

/** Ids of the flood as the servers have seen them. */
function executed({ cluster }: World): number[] {
  return cluster.calls.filter(({ frame }) => frame.content.length === BODY).map(({ frame }) => frame.content[0]);
}

describe("a client that is held back", () => {
  for (const limit of [65_536, 262_144, 3 * MIB]) {
    it(`by a server that reads in small steps, read buffer ${limit}: all is answered, memory is bounded`, async () => {
      const one = await world([A], {}, { bufferLimit: limit });
      const { host, client } = one;
      const stream = stopReading(one);
      const calls = 250;
      flood(one, calls);
      const seen: bolt.BoltFrame[] = [];
      for (let step = 0; seen.length < calls; step++) {
        assert.ok(step < 500, `${seen.length} of ${calls} answers`);
        stream.resume();
        stream.pause();
        host.advance(8);
        seen.push(...answers(client));
      }
      assert.equal(new Set(seen.map(({ id }) => id)).size, calls);
      // Memory grows by doubling.
      const { pages } = host.vm.memory;
      if (limit < MIB) assert.ok(pages <= 256, `${pages} pages of 64 KiB`);
      host.close();
    });
  }

  it("with a read buffer that is too large for the windows: refused once its memory is full", async () => {
    const one = await world([A], { config: { max_connection_bytes: 16 * MIB } }, { bufferLimit: 3 * MIB });
    const { host, client } = one;
    const stream = stopReading(one);
    flood(one, 2000);
    for (let step = 0; client.closed === null; step++) {
      assert.ok(step < 1000, "still open");
      stream.resume();
      stream.pause();
      host.advance(8);
    }
    assert.ok(host.vm.memory.pages <= 2048, `${host.vm.memory.pages} pages of 64 KiB`);
    assert.ok(host.log.lines.some(({ text }) => text.includes("per_connection_buffer_limit_bytes")));
    host.close();
  });

  it("by a server whose connection breaks: the calls behind it come to a new one", async () => {
    const one = await world([A], { config: NO_RETRIES });
    const { host, cluster, client } = one;
    const stream = stopReading(one);
    const calls = 100;
    flood(one, calls);
    host.advance(100);
    assert.equal(answers(client).length, 0);
    stream.reset();
    host.advance(200);
    const all = answers(client);
    assert.equal(all.length, calls);
    assert.ok(cluster.servers[0].streams.length > 1);
    assert.ok(all.some(({ status }) => status === 0) && all.some(({ status }) => status !== 0));
    host.close();
  });

  it("by a server that takes nothing for 15 s: it is given up, and the others are served again", async () => {
    const one = await world([A, B], { config: NO_RETRIES });
    const { host, cluster, client } = one;
    stopReading(one);
    const calls = 200;
    flood(one, calls);
    host.advance(10_000);
    const early = answers(client);
    assert.ok(early.length < calls && early.every(({ status }) => status === 0));
    host.advance(10_000);
    const all = [...early, ...answers(client)];
    assert.equal(new Set(all.map(({ id }) => id)).size, calls);
    assert.equal(all.length, calls);
    assert.ok(all.some(({ status }) => status !== 0));
    assert.ok(cluster.servers[0].streams.length > 1, "a new connection is tried");
    assert.equal(host.metrics.counter("moe.stuck_servers"), 1);
    assert.ok(host.log.lines.some(({ text }) => text.includes("takes no bytes")));
    host.close();
  });

  it("by a server that takes little, but something: it is not given up", async () => {
    const one = await world([A], { config: NO_RETRIES });
    const { host, client } = one;
    const stream = stopReading(one);
    const calls = 200;
    flood(one, calls);
    const seen: bolt.BoltFrame[] = [];
    for (let step = 0; seen.length < calls; step++) {
      assert.ok(step < 100, `${seen.length} of ${calls} answers`);
      host.advance(10_000);
      stream.resume();
      host.advance(8);
      stream.pause();
      seen.push(...answers(client));
    }
    assert.ok(seen.every(({ status }) => status === 0));
    assert.equal(host.metrics.counter("moe.stuck_servers"), 0);
    host.close();
  });

  it("by a server that then talks nonsense: what it has not got is executed elsewhere, and only there", async () => {
    const one = await world([A, B]);
    const { host, cluster, client } = one;
    const stream = stopReading(one);
    const calls = 120;
    flood(one, calls);
    host.advance(100);
    stream.write(Buffer.from("nonsense"));
    host.advance(8);
    stream.resume();
    host.advance(500);
    assert.equal(answers(client).length, calls);
    const ids = executed(one);
    assert.equal(new Set(ids).size, ids.length, "no call was executed twice");
    assert.ok(cluster.servers[1].calls.length > calls / 2);
    host.close();
  });
});

describe("a client that does not read what the proxy itself answers", () => {
  it("is slowed, and gets everything in the end", async () => {
    const { host, client } = await world();
    client.pause();
    const count = 400_000;
    const beats = Buffer.concat(Array.from({ length: count }, (_, i) => bolt.heartbeat(i + 1)));
    for (let at = 0; at < beats.length; at += MIB) client.write(beats.subarray(at, at + MIB));
    host.advance(400);
    assert.ok(client.connection.unread.length > MIB, "it is not read");
    client.resume();
    host.advance(30_000);
    assert.equal(answers(client).length, count);
    assert.equal(host.vm.tickPeriod(), 0);
    host.close();
  });

  it("is closed after 32 MiB of them", async () => {
    const body = "x".repeat(1000);
    const routers = [{ direct_response: { status: 500, body } }];
    const config = { router: { virtual_hosts: [{ name: "v", domains: ["*"], routers }] } };
    const { host, client } = await world([A], { config });
    const calls = Buffer.concat(Array.from({ length: 1000 }, (_, id) => call(id)));
    client.pause();
    const refused = () => host.metrics.counter("moe.refused_connections");
    for (let round = 0; refused() === 0; round++) {
      assert.ok(round < 100, "not refused");
      client.write(calls);
      host.advance(1000);
    }
    assert.ok(host.metrics.counter("moe.bolt.local_replies") * body.length > 26 * MIB, "it was not refused too soon");
    host.advance(10_000);
    // What has been written for it goes first.
    client.resume();
    host.advance(1000);
    assert.equal(client.closed, "local");
    assert.equal(host.metrics.counter("moe.refused_connections"), 1);
    assert.ok(host.log.lines.some(({ text }) => text.includes("none of a server")));
    host.close();
  });

  it("is not slowed while it reads what servers answer", async () => {
    const { host, client } = await world();
    const beats = Buffer.concat(Array.from({ length: 50_000 }, (_, i) => bolt.heartbeat(i + 10)));
    for (let round = 0; round < 5; round++) {
      client.write(Buffer.concat([call(round), beats]));
      host.advance(20);
      assert.equal(answers(client).length, 50_001);
    }
    host.close();
  });
});

describe("a draining connection", () => {
  it("waits for the rest of a request, answers it, and closes when nothing more comes", async () => {
    const { host, client } = await world();
    client.write(call(1));
    host.advance(20);
    const second = call(2, { content: Buffer.alloc(BODY) });
    client.write(second.subarray(0, 100));
    client.switchboard.shutdown();
    host.advance(10_000);
    assert.equal(client.closed, null);
    client.write(second.subarray(100));
    host.advance(20);
    assert.equal(answers(client).length, 2);
    host.advance(2000);
    assert.equal(client.closed, "local");
    host.close();
  });

  it("is not closed between two calls", async () => {
    const { host, client } = await world();
    client.write(call(0));
    host.advance(20);
    client.switchboard.shutdown();
    for (let id = 1; id <= 20; id++) {
      host.advance(400);
      client.write(call(id));
    }
    host.advance(20);
    assert.equal(client.closed, null);
    assert.equal(answers(client).length, 21);
    host.close();
  });

  it("carries bytes of no known protocol on", async () => {
    const { host, client } = await world([A], { config: { fallback: "cluster:raw" } });
    let stream: ConnectStream | undefined;
    host.onConnect = (opened) => {
      stream = opened;
      opened.accept({ host: A });
    };
    client.write(Buffer.from("GET / HTTP/1.1\r\n"));
    host.advance(20);
    client.switchboard.shutdown();
    host.advance(10_000);
    stream?.write(Buffer.from("HTTP/1.1 200 OK\r\n"));
    host.advance(20);
    assert.equal(client.take().toString(), "HTTP/1.1 200 OK\r\n");
    stream?.end();
    host.advance(2000);
    assert.equal(client.closed, "local");
    host.close();
  });
});
