// The bounds of docs/limits.md at their edges: the memory of a worker.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as bolt from "./kit/bolt.ts";
import { keepRequests, startHttp } from "./http-world.ts";
import type { SwitchboardClient } from "./kit/index.ts";
import { A, answers, B, call, world } from "./proxy-world.ts";

const MIB = 1 << 20;
const BUSY = bolt.BoltStatus.SERVER_THREADPOOL_BUSY;
const outcome = (frames: bolt.BoltFrame[]): number[][] => frames.map(({ id, status }) => [id, status]);

describe("memory of all buffers of a worker", () => {
  it("from 640 MiB on the connection that holds most is given up: no call of others is refused", async () => {
    const { host, cluster, client } = await world();
    const refused = () => host.metrics.counter("moe.refused_connections");
    const half = Buffer.from(call(1, { content: Buffer.alloc(16 * MIB - 1000) }));
    const hogs: SwitchboardClient[] = [];
    let calls = 0;
    const served = (): void => {
      client.write(call(++calls));
      client.write(call(++calls, { content: Buffer.alloc(60_000) }));
      host.advance(20);
      assert.deepEqual(outcome(answers(client)), [
        [calls - 1, 0],
        [calls, 0],
      ]);
    };
    // Each holds more than the one before.
    for (let i = 0; i < 100; i++) {
      hogs.push(host.connect());
      hogs[i].write(half.subarray(0, 12 * MIB + i * 30_000));
      served();
    }
    host.advance(600);
    const closed = hogs.map((one) => one.closed !== null);
    assert.equal(refused(), closed.filter(Boolean).length);
    assert.equal(host.metrics.counter("moe.memory_shortages"), refused());
    assert.ok(refused() >= 55 && refused() <= 65, `${refused()} given up`);
    // The first ones hold least, and stay.
    assert.ok(closed.slice(0, 30).every((one) => !one));
    assert.ok(host.log.lines.some(({ text }) => text.endsWith("out of buffer memory")));
    assert.equal(cluster.calls.length, calls);
    // Envoy's bound of a VM.
    assert.ok(host.vm.memory.pages <= 16_384, `${host.vm.memory.pages} pages of 64 KiB`);
    // One of them goes on, and is served.
    hogs[0].write(half.subarray(12 * MIB));
    host.advance(2000);
    assert.deepEqual(outcome(answers(hogs[0])), [[1, 0]]);
    host.close();
  });

  it("from 640 MiB on also very many that hold little each are given up", async () => {
    const { host, client } = await world();
    const half = call(1, { content: Buffer.alloc(100_000) }).subarray(0, 50_000);
    const hogs: SwitchboardClient[] = [];
    for (let i = 0; i < 14_000; i++) {
      hogs.push(host.connect());
      hogs[i].write(half);
      if (i % 1000 !== 0) continue;
      client.write(call(i));
      host.advance(20);
      assert.deepEqual(outcome(answers(client)), [[i, 0]]);
    }
    host.advance(600);
    assert.ok(host.metrics.counter("moe.memory_shortages") > 0);
    assert.ok(host.vm.memory.pages <= 16_384, `${host.vm.memory.pages} pages of 64 KiB`);
    host.close();
  });

  it("from 640 MiB on the largest answer that is not whole is left out, and no call of others is refused", async () => {
    const { host, cluster, client } = await world([A, B]);
    const [bad, good] = cluster.servers;
    bad.onCall = () => {};
    const answer = bolt.response(0, { content: Buffer.alloc(16 * MIB - 1000) });
    const hogs: SwitchboardClient[] = [];
    for (let i = 0; i < 90; i++) {
      hogs.push(host.connect());
      // One of two calls goes to each server.
      hogs[i].write(Buffer.concat([call(1), call(2)]));
      host.advance(20);
      const mine = bad.calls.at(-1);
      assert.ok(mine);
      const stream = mine.stream;
      answer.writeUInt32BE(mine.frame.id, 5);
      for (let at = 0; at < 14 * MIB; at += MIB) stream.write(answer.subarray(at, at + MIB));
      host.advance(20);
      if (i % 10 !== 0) continue;
      const before = good.calls.length;
      for (let id = 10; id < 14; id++) client.write(call(id));
      host.advance(20);
      assert.ok(good.calls.length > before);
      assert.ok(answers(client).every(({ status }) => status === 0));
    }
    host.advance(600);
    const got = hogs.flatMap((one) => answers(one)).filter(({ status }) => status !== 0);
    assert.ok(got.length >= 40 && got.every(({ status }) => status === BUSY), `${got.length} left out`);
    assert.equal(host.metrics.counter("moe.memory_shortages"), got.length);
    assert.ok(hogs.every((one) => one.closed === null));
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

  it("from 640 MiB on the stream that holds most is given up, and no request of others is refused", async () => {
    const host = await startHttp(filters);
    const servers = keepRequests(host);
    const from = (id: number) => ({ properties: { "connection/id": id } });
    const hogs = Array.from({ length: 800 }, (_, i) => {
      const one = host.request({ method: "POST", body, headers: { slow: "1" }, ...from(1 + (i % 4)) });
      host.request({ method: "POST", body: "small", ...from(1000 + i) });
      host.request({ method: "POST", body, ...from(2000 + i) });
      return one;
    });
    assert.equal(servers.length, 1600, "those of others have gone on");
    const gone = hogs.filter(({ closed }) => closed === "reset").length;
    assert.ok(gone > 0 && gone <= 300, `${gone} given up`);
    assert.equal(hogs.filter(({ closed }) => closed === null).length, 800 - gone);
    host.advance(1000);
    assert.equal(host.metrics.counter("moe.http.memory_shortages"), gone);
    assert.ok(host.vm.memory.pages <= 16_384, `${host.vm.memory.pages} pages of 64 KiB`);
    host.close();
  });

  it("from 640 MiB on also of very many small ones those that hold most are given up", async () => {
    const host = await startHttp(filters);
    const servers = keepRequests(host);
    const value = "v".repeat(90_000);
    const from = (id: number) => ({ properties: { "connection/id": id } });
    // Four connections with very many streams that wait, beside one with a single one.
    const first = host.request({ headers: { slow: "1" }, ...from(99) });
    const hogs = Array.from({ length: 8000 }, (_, i) =>
      host.request({ headers: { slow: "1", value }, ...from(i % 4) }),
    );
    for (let i = 0; i < 100; i++) host.request({ method: "POST", body: "small", ...from(1000 + i) });
    assert.equal(servers.length, 100);
    const gone = hogs.filter(({ closed }) => closed === "reset").length;
    assert.ok(gone > 0 && gone < 3000, `${gone} given up`);
    assert.equal(first.closed, null);
    for (const one of hogs) if (one.closed === null) one.cancel();
    host.advance(1000);
    assert.equal(host.metrics.gauge("moe.http.active"), 101);
    host.close();
  });
});
