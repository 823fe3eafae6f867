// Clients and servers that want others to suffer: what they hold, and how much they send at once, is their own loss. The
// good client's calls are all answered, and Envoy lives (no module traps: `startEnvoy` looks for that).
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import { BoltStatus, request, response } from "../host/kit/bolt.ts";
import * as dubbo from "../host/kit/dubbo.ts";
import { RawBoltClient } from "./kit/client.ts";
import { startEnvoy } from "./kit/envoy.ts";
import { Neighbour } from "./kit/neighbour.ts";
import { type Scope, suiteScope } from "./kit/scope.ts";
import { RawBoltServer } from "./kit/server.ts";
import { waitUntil } from "./kit/wait.ts";

const MIB = 1 << 20;
/** For very many MiB on a loaded machine. */
const LONG_MS = 120_000;
/** As many connections with halves of 14 MiB as have more than a worker's memory. */
const HOGS = 50;
const HALF = 14 * MIB;

describe("hostile peers", () => {
  const scope = suiteScope();
  let server: RawBoltServer;
  let envoy: EnvoyProcess;

  before(async () => {
    server = await RawBoltServer.start({ record: false });
    scope.after(() => server.close());
    const clusters = { upstream: { hosts: [server.port] } };
    envoy = await startEnvoy(scope, { config: { frame_timeout_ms: 600_000 }, clusters });
  });

  const counter = (name: string) => envoy.stat(`wasmcustom.moe.${name}`);

  /** So many clients. */
  async function connect(t: Scope, count: number): Promise<RawBoltClient[]> {
    const clients = await Promise.all(Array.from({ length: count }, () => RawBoltClient.connect(envoy.port)));
    t.after(() => clients.forEach((client) => client.close()));
    return clients;
  }

  /** Closes clients, and waits until the module has done with them. */
  async function close(clients: RawBoltClient[]): Promise<void> {
    for (const client of clients) client.close();
    await waitUntil(
      async () => (await counter("bolt.active")) === 0,
      LONG_MS,
      () => "requests under way",
    );
  }

  it("silent half frames beyond a worker's memory: those who hold most are closed, no call of others is refused", async (t) => {
    const neighbour = await Neighbour.start(envoy.port, "good");
    const hogs = await connect(t, HOGS);
    const half = request(1, { content: Buffer.alloc(HALF + MIB) }).subarray(0, HALF);
    for (const hog of hogs) await Promise.race([hog.write(half), hog.waitForClose(LONG_MS)]);
    await waitUntil(
      async () => (await counter("memory_shortages")) > 0,
      LONG_MS,
      () => "memory is not short",
    );
    const before = neighbour.calls;
    await waitUntil(
      () => neighbour.calls > before + 100,
      LONG_MS,
      () => `${neighbour.calls} calls`,
    );
    await neighbour.stop();
    const closed = hogs.filter(({ state }) => state !== "open").length;
    assert.ok(closed > 0 && closed < HOGS - 25, `${closed} closed`);
    await close(hogs);
  });

  it("millions of pairs in a frame, beside half frames of others", async (t) => {
    const neighbour = await Neighbour.start(envoy.port, "good");
    const hogs = await connect(t, 30);
    const half = request(1, { content: Buffer.alloc(HALF + MIB) }).subarray(0, HALF);
    for (const hog of hogs) await Promise.race([hog.write(half), hog.waitForClose(LONG_MS)]);
    const names = ["2.0.2", "com.example.Hello", "1.0", "hi", ""].map((text) => dubbo.encode(text));
    const pairs = Buffer.concat([Buffer.from("H"), Buffer.alloc(16 * MIB - 200), Buffer.from("Z")]);
    const frame = dubbo.frame(0xc2, 0, 7n, Buffer.concat([...names, pairs]));
    const attackers = await connect(t, 3);
    for (const one of attackers) {
      await Promise.race([one.write(frame), one.waitForClose(LONG_MS)]);
      await waitUntil(
        () => one.bytesRead > 0 || one.state !== "open",
        LONG_MS,
        () => "no answer",
      );
    }
    await neighbour.stop();
    await close([...hogs, ...attackers]);
  });

  it("half answers of a server beyond a worker's memory: the largest are left out, no call of others is refused", async (t) => {
    const neighbour = await Neighbour.start(envoy.port, "good");
    const rest = response(0, { content: Buffer.alloc(HALF + MIB) });
    server.handler = (frame, connection) => {
      if (frame.content.toString() !== "half") return server.echo(frame);
      const head = Buffer.from(rest.subarray(0, 64));
      head.writeUInt32BE(frame.id, 5);
      connection.write(head);
      connection.write(rest.subarray(64, HALF));
      return undefined;
    };
    const before = await counter("memory_shortages");
    const hogs = await connect(t, HOGS);
    for (const hog of hogs) await hog.write(request(1, { content: "half" }));
    await waitUntil(
      async () => (await counter("memory_shortages")) > before,
      LONG_MS,
      () => "memory is not short",
    );
    await waitUntil(
      () => hogs.some(({ frames }) => frames.length > 0),
      LONG_MS,
      () => "no half answer is left out",
    );
    await neighbour.stop();
    for (const { frames, state } of hogs) {
      assert.equal(state, "open");
      assert.ok(frames.every(({ status }) => status !== BoltStatus.SUCCESS));
    }
    await close(hogs);
  });

  it("16 MiB of tiny calls at once: another one's calls are answered before the last of them", async (t) => {
    server.handler = (frame) => server.echo(frame);
    const neighbour = await Neighbour.start(envoy.port, "good");
    const [burst] = await connect(t, 1);
    const count = 100_000;
    const calls = Buffer.concat(Array.from({ length: count }, (_, id) => request(id, { content: "" })));
    const before = neighbour.calls;
    void burst.write(calls);
    await burst.waitForFrames(count, LONG_MS);
    const during = neighbour.calls - before;
    assert.ok(during >= 2, `${during} calls of the neighbour while ${count} were answered`);
    // A slow server has more of them open than one connection's share: the rest of the burst is refused, nothing else.
    const allowed: number[] = [BoltStatus.SUCCESS, BoltStatus.SERVER_THREADPOOL_BUSY];
    assert.deepEqual(
      [...new Set(burst.frames.map(({ status }) => status))].filter((status) => !allowed.includes(status)),
      [],
    );
    await neighbour.stop();
  });
});
