// The bounds of docs/limits.md at their edges: the memory of a worker.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as bolt from "./kit/bolt.ts";
import { keepRequests, startHttp } from "./http-world.ts";
import { answers, call, world } from "./proxy-world.ts";

const MIB = 1 << 20;
const BUSY = bolt.BoltStatus.SERVER_THREADPOOL_BUSY;
const outcome = (frames: bolt.BoltFrame[]): number[][] => frames.map(({ id, status }) => [id, status]);

describe("memory of all buffers of a worker", () => {
  it("from 640 MiB on large frames, requests and large answers are refused, from 704 MiB on smaller frames", async () => {
    const { host, cluster, client } = await world();
    const refused = () => host.metrics.counter("moe.refused_connections");
    const large = Buffer.from(call(1, { content: Buffer.alloc(16 * MIB - 1000) })).subarray(0, 15 * MIB);
    const small = call(1, { content: Buffer.alloc(100_000) }).subarray(0, 60_000);
    cluster.servers[0].onCall = () => {};
    client.write(call(1));
    host.advance(20);
    const [stream] = cluster.servers[0].streams;
    let fillers = 0;
    for (; refused() === 0; fillers++) {
      assert.ok(fillers < 100, "no large frame is refused");
      host.connect().write(large);
      host.advance(100);
    }
    // What was gathered for the last one is free again, and there is room for what is small.
    assert.ok(fillers * 16 >= 600 / 2, `refused after ${fillers} frames of 16 MiB`);
    assert.ok(host.log.lines.some(({ text }) => text.endsWith("out of buffer memory")));
    client.write(call(2));
    host.advance(20);
    assert.equal(answers(client).length, 0);
    for (let full = false, i = 0; !full; i++) {
      assert.ok(i < 1000, "requests are not refused");
      host.connect().write(small);
      if (i % 8 !== 0) continue;
      client.write(call(3, { type: i % 16 === 0 ? 1 : 2 }));
      host.advance(20);
      full = outcome(answers(client)).some(([id, status]) => id === 3 && status === BUSY);
    }
    assert.equal(refused(), 1, "small frames are gathered");
    // An answer of which much has to be gathered is left out, and its request answered with overflow.
    const answer = bolt.response(cluster.calls[0].frame.id, { content: Buffer.alloc(200_000) });
    for (let at = 0; at < answer.length; at += 50_000) stream.write(answer.subarray(at, at + 50_000));
    host.advance(600);
    assert.deepEqual(outcome(answers(client)), [[1, BUSY]]);
    assert.equal(stream.closed, false);
    assert.equal(host.metrics.counter("moe.server_garbage"), 1);
    for (let i = 0; refused() === 1; i++) {
      assert.ok(i < 4000, "small frames are not refused");
      host.connect().write(small);
      if (i % 50 === 0) host.advance(150);
    }
    // Envoy's bound of a VM.
    assert.ok(host.vm.memory.pages <= 16_384, `${host.vm.memory.pages} pages of 64 KiB`);
    host.close();
  });

  it("from 64 MiB on idle connections keep next to nothing", async () => {
    const { host } = await world();
    const content = Buffer.alloc(60_000, "x");
    for (let i = 0; i < 1300; i++) {
      const client = host.connect();
      client.write(call(1, { content }));
      host.advance(8);
      assert.equal(answers(client).length, 1);
    }
    assert.ok(host.vm.memory.pages <= 2048, `${host.vm.memory.pages} pages of 64 KiB`);
    host.close();
  });
});

describe("bodies of HTTP that filters look at", () => {
  const filters = [
    { type: "payload_limit", config: { max_entity_size: 4 * MIB } },
    {
      type: "fault",
      config: { delay: { fixed_delay: "60s", percentage: 100 }, headers: [{ name: "slow", value: "1" }] },
    },
  ];
  const body = Buffer.alloc(MIB - 1024, "x");

  it("are not kept for those that have gone on", async () => {
    const host = await startHttp(filters);
    const servers = keepRequests(host);
    for (let i = 0; i < 100; i++) host.request({ method: "POST", body });
    assert.equal(servers.length, 100);
    assert.ok(host.vm.memory.pages <= 256, `${host.vm.memory.pages} pages of 64 KiB`);
    host.close();
  });

  it("from 640 MiB on are answered with 503", async () => {
    const host = await startHttp(filters);
    const servers = keepRequests(host);
    for (let i = 0; ; i++) {
      assert.ok(i < 1000, "none is refused");
      const exchange = host.request({ method: "POST", body, headers: { slow: "1" } });
      if (exchange.status === null) continue;
      assert.deepEqual([exchange.status, exchange.body.toString()], [503, "out of buffer memory"]);
      assert.ok(i >= 320, `refused after ${i} bodies of 1 MiB`);
      break;
    }
    assert.equal(servers.length, 0);
    // What filters look at without a body, or is small, passes.
    host.request({ method: "POST", body: "small" });
    assert.equal(servers.length, 1);
    host.close();
  });
});
