// Peers that do not read: the other side is slowed, memory stays bounded, and everything is answered in the end.
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { type BoltFrame, BoltStatus, request, response } from "../host/kit/bolt.ts";
import { makeCalls } from "./kit/calls.ts";
import type { RawBoltClient } from "./kit/client.ts";
import { CONCURRENCIES } from "./kit/envoy.ts";
import { watchMemory } from "./kit/rss.ts";
import { suiteScope } from "./kit/scope.ts";
import type { RawBoltServer } from "./kit/server.ts";
import { callOf, Stage } from "./kit/stage.ts";
import { waitUntil, waitUntilStill } from "./kit/wait.ts";

const MIB = 1 << 20;
const BODY = 65536;
/** 64 MiB of bodies: more than the kernel's buffers and Envoy's together take. */
const CALLS = 1024;
/** How much Envoy may grow, bytes: less than what is sent. */
const GROWTH = 60 * MIB;
/** Nothing moves any more when nothing has for so long, milliseconds. */
const QUIET_MS = 400;
const LONG_MS = 60_000;

/** The content of the request with this id, or of its answer. */
function body(id: number): Buffer {
  const content = Buffer.alloc(BODY, `${id}.`);
  content.writeUInt32BE(id, BODY - 4);
  return content;
}

/** Writes requests with bodies without waiting for anything. */
function flood(client: RawBoltClient, cluster: string, from: number, count: number): void {
  for (let id = from; id < from + count; id++)
    void client.write(request(id, { ...callOf(cluster), content: body(id) }));
}

/** Opens the connections to a cluster's hosts, and stops the servers' reading. */
async function stopReading(client: RawBoltClient, server: RawBoltServer, cluster: string, id: number): Promise<void> {
  await client.call(id, callOf(cluster));
  for (const connection of server.open) connection.pause();
}

function goOn(server: RawBoltServer): void {
  for (const connection of server.open) connection.resume();
}

/** Every request of the range was answered once, by a server, with the right content. */
function assertEchoed(client: RawBoltClient, from: number, count: number): void {
  for (let id = from; id < from + count; id++) {
    const answers = client.answers(id);
    assert.equal(answers.length, 1, `answers to ${id}`);
    assert.equal(answers[0].status, BoltStatus.SUCCESS, `status of ${id}`);
    assert.ok(answers[0].content.equals(body(id)), `content of ${id}`);
  }
}

/** Every request of the range came to the server once and whole. */
function assertArrivedOnce(server: RawBoltServer, from: number, count: number): void {
  const frames = server.arrivals.map(({ frame }) => frame).filter(({ content }) => content.length === BODY);
  const ids = frames.map(({ content }) => content.readUInt32BE(BODY - 4)).sort((a, b) => a - b);
  assert.deepEqual(
    ids,
    Array.from({ length: count }, (_, i) => from + i),
  );
  for (const { content } of frames) assert.ok(content.equals(body(content.readUInt32BE(BODY - 4))));
}

const received = (server: RawBoltServer) => server.connections.reduce((sum, { bytesRead }) => sum + bytesRead, 0);

for (const concurrency of CONCURRENCIES) {
  describe(`flow control, ${concurrency} workers`, () => {
    const scope = suiteScope();
    let stage: Promise<Stage> | undefined;
    const start = () =>
      (stage ??= Stage.start(scope, {
        concurrency,
        clusters: {
          slow: {},
          fast: {},
          large: { servers: ["large1", "large2"] },
          unretried: { route: { retry_policy: { num_retries: 0 } } },
        },
      }));
    const setUp = async (t: TestContext, clients = 1) => {
      const running = await start();
      for (const name of ["slow", "fast", "large1", "large2", "unretried"]) running.server(name).arrivals.length = 0;
      return { stage: running, clients: await running.connect(t, clients), growth: watchMemory(t, running.envoy) };
    };

    it("a server that stops reading, then reads slowly: the client is slowed", async (t) => {
      const { stage, clients, growth } = await setUp(t);
      const [client] = clients;
      const server = stage.server("slow");
      await stopReading(client, server, "slow", 100_000);
      flood(client, "slow", 1, CALLS);
      const unsent = await waitUntilStill(() => client.socket.writableLength, QUIET_MS);
      assert.ok(unsent > 16 * MIB, `only ${unsent} bytes were held back`);

      for (let step = 0; step < 20; step++) {
        const before = received(server);
        goOn(server);
        await waitUntil(
          () => received(server) > before + MIB,
          LONG_MS,
          () => `the server got ${received(server)}`,
        );
        for (const connection of server.open) connection.pause();
      }
      goOn(server);
      await client.waitForFrames(CALLS + 1, LONG_MS);
      assertEchoed(client, 1, CALLS);
      assertArrivedOnce(server, 1, CALLS);
      assert.ok(growth() < GROWTH, `Envoy grew by ${growth()} bytes`);
    });

    it("a client that does not read: the servers are slowed", async (t) => {
      const { stage, clients, growth } = await setUp(t);
      const [client] = clients;
      const servers = [stage.server("large1"), stage.server("large2")];
      for (const server of servers) {
        server.handler = (frame: BoltFrame) => response(frame.id, { content: body(frame.content.readUInt32BE()) });
      }
      client.pause();
      const asked = (id: number) => {
        const content = Buffer.alloc(4);
        content.writeUInt32BE(id);
        return request(id, { ...callOf("large"), content });
      };
      for (let id = 1; id <= CALLS; id++) void client.write(asked(id));
      const waiting = () =>
        servers.flatMap(({ open }) => open).reduce((sum, { socket }) => sum + socket.writableLength, 0);
      await waitUntil(
        () => servers[0].requests + servers[1].requests > 0,
        LONG_MS,
        () => "no request came",
      );
      const unsent = await waitUntilStill(waiting, QUIET_MS);
      assert.ok(unsent > 16 * MIB, `only ${unsent} bytes were held back`);

      client.resume();
      await client.waitForFrames(CALLS, LONG_MS);
      assertEchoed(client, 1, CALLS);
      assert.ok(growth() < GROWTH, `Envoy grew by ${growth()} bytes`);
    });

    it("both at once, and neighbours notice nothing", async (t) => {
      const { stage, clients, growth } = await setUp(t, 3);
      const [slow, ...neighbours] = clients;
      const server = stage.server("slow");
      const callAll = (from: number) =>
        Promise.all(neighbours.map((client) => makeCalls(client, 200, { ...callOf("fast"), content: "hi" }, { from })));
      await stopReading(slow, server, "slow", 100_000);
      slow.pause();
      flood(slow, "slow", 1, CALLS);
      await callAll(1);
      const unsent = await waitUntilStill(() => slow.socket.writableLength, QUIET_MS);
      assert.ok(unsent > 16 * MIB, `only ${unsent} bytes were held back`);
      await callAll(1001);

      goOn(server);
      // Requests reach the server until the answers, which the client does not take, fill all buffers.
      await waitUntilStill(() => received(server), QUIET_MS, LONG_MS);
      await callAll(2001);
      slow.resume();
      await slow.waitForFrames(CALLS + 1, LONG_MS);
      assertEchoed(slow, 1, CALLS);
      assertArrivedOnce(server, 1, CALLS);
      for (const { frames } of neighbours) {
        assert.equal(frames.length, 600);
        assert.ok(frames.every(({ status, content }) => status === BoltStatus.SUCCESS && content.toString() === "hi"));
      }
      assert.ok(growth() < GROWTH, `Envoy grew by ${growth()} bytes`);
    });

    it("a fast server beside a slow one on the same connection", async (t) => {
      const { stage, clients } = await setUp(t);
      const [client] = clients;
      const server = stage.server("slow");
      await stopReading(client, server, "slow", 100_000);
      // As long as buffers hold what the slow one does not take, the other one's answers come.
      flood(client, "slow", 1, 24);
      const answers = await makeCalls(client, 200, { ...callOf("fast"), content: "hi" }, { from: 10_000 });
      assert.ok(answers.every(({ content }) => content.toString() === "hi"));
      assert.equal(client.answers(1).length, 0);

      for (let id = 25; id <= CALLS; id += 25) {
        flood(client, "slow", id, Math.min(25, CALLS - id + 1));
        flood(client, "fast", 20_000 + id, 2);
      }
      await waitUntilStill(() => client.socket.writableLength, QUIET_MS);
      goOn(server);
      await client.waitForFrames(CALLS + 1 + 200 + 80, LONG_MS);
      assertEchoed(client, 1, CALLS);
      for (let id = 25; id <= CALLS; id += 25) assertEchoed(client, 20_000 + id, 2);
    });

    for (const cluster of ["slow", "unretried"]) {
      it(`a server that dies while it holds its client back: the client goes on (${cluster})`, async (t) => {
        const { stage, clients } = await setUp(t);
        const [client] = clients;
        const server = stage.server(cluster);
        await stopReading(client, server, cluster, 100_000);
        flood(client, cluster, 1, CALLS);
        await waitUntilStill(() => client.socket.writableLength, QUIET_MS);
        server.resetAll();
        await client.waitForFrames(CALLS + 1, LONG_MS);
        const failed = client.frames.filter(({ status }) => status !== BoltStatus.SUCCESS).length;
        assert.ok(failed > 0 && failed < CALLS, `${failed} of ${CALLS} calls failed`);
        for (let id = 1; id <= CALLS; id++) assert.equal(client.answers(id).length, 1, `answers to ${id}`);
        // What it has read of those that failed, nobody knows; the others came once, over a new connection.
        const ids = server.arrivals.map(({ frame }) => frame.content.toString("latin1", 0, 8));
        assert.equal(new Set(ids).size, ids.length, "no request came twice");
      });
    }
  });
}
