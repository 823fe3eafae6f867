// The release module in the host emulator: what goes wrong, and what the client and its neighbours see of it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as bolt from "./kit/bolt.ts";
import { BoltStatus as Status } from "./kit/bolt.ts";
import { Host, LoadError } from "./kit/index.ts";
import { A, answers, B, call, module, world } from "./proxy-world.ts";

/** Id and status of each answer. */
const statuses = (frames: bolt.BoltFrame[]): number[][] => frames.map(({ id, status }) => [id, status]);

describe("connections to servers", () => {
  it("refused: an error with the reason, and the client's connection lives on", async () => {
    const { host, cluster, client } = await world();
    cluster.servers[0].state = "refuse";
    client.write(Buffer.concat([call(1), call(2)]));
    host.advance(100);
    const got = answers(client);
    assert.deepEqual(
      got.map(({ id }) => id),
      [1, 2],
    );
    for (const { status, raw } of got) {
      assert.notEqual(status, Status.SUCCESS);
      assert.match(raw.toString("latin1"), /remote connection failure/, "the reason is readable");
    }
    cluster.servers[0].state = "up";
    host.advance(15_000);
    client.write(call(3));
    host.advance(100);
    assert.deepEqual(statuses(answers(client)), [[3, 0]]);
    host.close();
  });

  it("to a cluster that Envoy does not have: its name is in the answer, in the log and in a counter", async () => {
    const { host, client } = await world([A]);
    host.onConnect = (stream) => stream.refuseUnknown();
    client.write(Buffer.concat([call(1), call(2)]));
    client.write(call(3, { type: 2 }));
    host.advance(10_000);
    const got = answers(client);
    assert.deepEqual(statuses(got), [
      [1, Status.NO_PROCESSOR],
      [2, Status.NO_PROCESSOR],
    ]);
    for (const { raw } of got) assert.match(raw.toString("latin1"), /no such cluster: upstream/);
    assert.ok((host.metrics.counter("moe.cluster.upstream.unknown") ?? 0) > 0);
    assert.ok(host.log.lines.some(({ text }) => text === 'moe-wasm: Envoy has no cluster "upstream"'));
    host.close();
  });

  it("to the cluster of the fallback, which Envoy does not have: told in the same way", async () => {
    const { host } = await world([A], { config: { protocols: ["bolt"], fallback: "cluster:raw" } });
    host.onConnect = (stream) => stream.refuseUnknown();
    const client = host.connect();
    client.write(Buffer.from("GET / HTTP/1.1\r\n\r\n"));
    host.advance(20_000);
    assert.notEqual(client.closed, null);
    assert.equal(host.metrics.counter("moe.cluster.raw.unknown"), 1);
    assert.ok(host.log.lines.some(({ text }) => text === 'moe-wasm: Envoy has no cluster "raw"'));
    host.close();
  });

  for (const state of ["refuse", "hang"] as const) {
    it(`${state}: another host gets the call, once`, async () => {
      const { host, cluster, client } = await world([A, B]);
      cluster.servers[0].state = state;
      client.write(call(1));
      host.advance(6000);
      assert.deepEqual(statuses(answers(client)), [[1, 0]]);
      assert.deepEqual(
        cluster.servers.map((server) => server.calls.length),
        [0, 1],
      );
      host.advance(1000);
      assert.equal(host.metrics.counter("moe.bolt.retries"), 1);
      host.close();
    });
  }

  it("that go away get no new calls for ten seconds, also from clients that were not told; a single one still does", async () => {
    const { host, cluster, client } = await world([A, B]);
    for (let id = 1; id <= 8; id++) {
      client.write(call(id));
      host.advance(20);
    }
    const [leaving, staying] = cluster.servers;
    assert.ok(leaving.calls.length > 0 && staying.calls.length > 0);
    const goAway = Buffer.from(call(99));
    goAway.writeUInt16BE(100, 2);
    leaving.streams[0].write(goAway);
    host.advance(20);
    const before = leaving.calls.length;
    const other = host.connect();
    for (let id = 1; id <= 8; id++) {
      client.write(call(id));
      other.write(call(id));
      host.advance(20);
    }
    assert.equal(leaving.calls.length, before);
    assert.ok([...answers(client), ...answers(other)].every(({ status }) => status === Status.SUCCESS));
    staying.state = "refuse";
    for (const stream of staying.streams) stream.end();
    host.advance(11_000);
    client.write(call(9));
    host.advance(1000);
    assert.deepEqual(statuses(answers(client)), [[9, 0]]);
    assert.equal(leaving.calls.length, before + 1);
    host.close();
  });

  it("lost with calls on them: each gets an error, none is executed twice, the next call finds a new one", async () => {
    const { host, cluster, client } = await world();
    cluster.servers[0].onCall = () => {};
    client.write(Buffer.concat([call(1), call(2), call(3)]));
    host.advance(20);
    assert.equal(cluster.calls.length, 3);
    for (const end of ["end", "reset"] as const) {
      const before: number = cluster.calls.length;
      cluster.servers[0].streams.at(-1)?.[end]();
      host.advance(20);
      const got = answers(client);
      assert.equal(got.length, 3);
      assert.ok(got.every(({ status }) => status !== Status.SUCCESS));
      assert.equal(cluster.calls.length, before);
      client.write(Buffer.concat([call(1), call(2), call(3)]));
      host.advance(20);
      assert.equal(cluster.calls.length, before + 3);
    }
    assert.equal(client.closed, null);
    host.close();
  });

  it("that talk nonsense are given up, their calls answered with an error", async () => {
    const { host, cluster, client } = await world();
    cluster.servers[0].onCall = ({ stream }) => stream.write(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"));
    client.write(call(1));
    host.advance(200);
    const [answer] = answers(client);
    assert.equal(answer.id, 1);
    assert.notEqual(answer.status, Status.SUCCESS);
    assert.equal(host.metrics.counter("moe.server_garbage"), 1);
    assert.equal(client.closed, null);
    host.close();
  });

  it("idle get heartbeats, silent ones are closed after six misses", async () => {
    const { host, cluster, client } = await world();
    const [server] = cluster.servers;
    client.write(call(1));
    host.advance(31_000);
    assert.equal(server.heartbeats, 1);
    server.alive = false;
    host.advance(7 * 17_000);
    assert.equal(server.heartbeats, 7);
    assert.equal(server.streams[0].closed, true);
    host.close();
  });
});

describe("timeouts", () => {
  it("answer with TIMEOUT at the frame's own time; what comes later is dropped", async () => {
    const { host, cluster, client } = await world();
    cluster.servers[0].onCall = () => {};
    client.write(Buffer.concat([call(1, { timeout: 300 }), call(2)]));
    host.advance(296);
    assert.equal(client.received().length, 0);
    host.advance(40);
    assert.deepEqual(statuses(answers(client)), [[1, Status.TIMEOUT]]);
    for (const one of cluster.calls) one.reply();
    host.advance(20);
    assert.deepEqual(statuses(answers(client)), [[2, 0]]);
    host.advance(1000);
    const { metrics } = host;
    assert.deepEqual([metrics.counter("moe.bolt.timeouts"), metrics.counter("moe.bolt.late_responses")], [1, 1]);
    host.close();
  });

  it("come after 60 s by default", async () => {
    const { host, cluster, client } = await world();
    cluster.servers[0].onCall = () => {};
    client.write(call(1));
    host.advance(59_900);
    assert.equal(client.received().length, 0);
    host.advance(200);
    assert.deepEqual(statuses(answers(client)), [[1, Status.TIMEOUT]]);
    host.close();
  });

  it("of 3,000 calls on 1,000 connections in one tick are all answered", async () => {
    const { host, cluster } = await world();
    cluster.servers[0].onCall = () => {};
    const clients = Array.from({ length: 1000 }, () => host.connect());
    for (const client of clients) client.write(Buffer.concat([1, 2, 3].map((id) => call(id, { timeout: 500 }))));
    host.advance(480);
    assert.ok(clients.every((client) => client.received().length === 0));
    host.advance(1000);
    const timeout = [1, 2, 3].map((id) => [id, Status.TIMEOUT]);
    for (const client of clients) assert.deepEqual(statuses(answers(client)), timeout);
    host.close();
  });
});

describe("bad clients", () => {
  it("without a known protocol are closed, counted, and logged at a limited rate; neighbours notice nothing", async () => {
    const { host, client } = await world();
    const bad = Array.from({ length: 300 }, () => host.connect());
    for (const one of bad) one.write(Buffer.from("GET / HTTP/1.1\r\n\r\n"));
    client.write(call(1));
    host.advance(200);
    assert.ok(bad.every((one) => one.closed === "local"));
    assert.deepEqual(statuses(answers(client)), [[1, 0]]);
    assert.equal(host.metrics.counter("moe.refused_connections"), 300);
    const lines = host.log.text();
    assert.ok(lines.length > 0 && lines.length < 20, `${lines.length} log lines`);
    assert.match(lines[0], /127\.0\.0\.1:4\d+.*protocol/);
    host.close();
  });

  it("that break off in the middle of their calls get those answered, then the close", async () => {
    const { host, cluster, client } = await world();
    cluster.servers[0].onCall = () => {};
    client.write(Buffer.concat([call(1), Buffer.alloc(64, 0xff)]));
    host.advance(100);
    assert.equal(client.closed, null);
    cluster.calls[0].reply();
    host.advance(100);
    assert.deepEqual(statuses(answers(client)), [[1, 0]]);
    assert.equal(client.closed, "local");
    host.close();
  });

  it("with a wrong checksum get an error for that call; the connection goes on", async () => {
    const { host, cluster, client } = await world();
    const broken = call(1, { version: 2, crc: true });
    broken[broken.length - 1] ^= 1;
    client.write(Buffer.concat([broken, call(2, { version: 2, crc: true })]));
    host.advance(100);
    const got = answers(client);
    assert.deepEqual(got.map(({ id, status }) => [id, status === 0]).sort(), [
      [1, false],
      [2, true],
    ]);
    assert.equal(cluster.calls.length, 1);
    host.close();
  });

  it("with a frame beyond 16 MiB get an error for it at once, and may go on after it", async () => {
    const { host, cluster, client } = await world();
    const large = call(1, { content: Buffer.alloc((16 << 20) + 1) });
    client.write(large.subarray(0, 200));
    host.advance(20);
    const [answer] = answers(client);
    assert.equal(answer.id, 1);
    assert.notEqual(answer.status, 0);
    client.write(large.subarray(200));
    client.write(call(2));
    host.advance(20);
    assert.deepEqual(statuses(answers(client)), [[2, 0]]);
    assert.equal(cluster.calls.length, 1);
    host.close();
  });

  it("that leave in the middle of everything leave nothing behind", async () => {
    const { host, cluster, client } = await world();
    cluster.servers[0].onCall = () => {};
    client.write(Buffer.concat([call(1), call(2).subarray(0, 10)]));
    client.rst();
    host.advance(70_000);
    assert.equal(host.metrics.gauge("moe.bolt.active"), 0);
    assert.equal(host.vm.tickPeriod(), 0, "no ticks when nothing is left to do");
    host.close();
  });
});

describe("the switchboard", () => {
  it("drains: open streams serve on, no stream is opened after GOAWAY, then the connection closes", async () => {
    const { host, cluster, client } = await world();
    client.write(call(1));
    host.advance(20);
    answers(client);
    cluster.servers[0].onCall = () => {};
    client.write(call(2));
    client.switchboard.shutdown();
    host.advance(1000);
    const { connects } = cluster;
    assert.equal(client.closed, null, "a call is pending");
    client.write(call(3));
    host.advance(20);
    for (const one of cluster.calls.slice(1)) one.reply();
    host.advance(20);
    assert.deepEqual(statuses(answers(client)), [
      [2, 0],
      [3, 0],
    ]);
    host.advance(2000);
    assert.equal(client.closed, "local");
    assert.equal(cluster.connects, connects);
    host.close();
  });

  it("refuses a stream unsent: the call is tried again", async () => {
    const { host, cluster, client } = await world();
    let refused = 0;
    host.onConnect = (stream) => (refused++ === 0 ? stream.reset(7) : cluster.connect(stream));
    client.write(call(1));
    host.advance(100);
    assert.deepEqual(statuses(answers(client)), [[1, 0]]);
    host.close();
  });
});

describe("configuration", () => {
  for (const [config, path] of [
    ['{"protocols": ["bolt"], "no_such": 1}', /no_such/],
    ['{"max_frame_bytes": "many"}', /max_frame_bytes/],
    ['{"protocols": ["bolt"', /line|column|position|expected/i],
    [`${"[".repeat(5000)}`, /./],
  ] as const) {
    it(`refused with its path: ${config.slice(0, 40)}`, async () => {
      await assert.rejects(Host.start({ module, config }), (error: LoadError) => {
        assert.ok(error instanceof LoadError);
        assert.match(error.logs.join("\n"), path);
        return true;
      });
    });
  }
});
