// The helpers themselves: a test that stands on a helper which does nothing would prove nothing.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { BoltStatus, request, response } from "../host/kit/bolt.ts";
import { RawBoltClient } from "./kit/client.ts";
import { checkLog } from "./kit/envoy.ts";
import { FrameReader } from "./kit/frame_reader.ts";
import { fullBacklog } from "./kit/full_backlog.ts";
import { RawBoltServer } from "./kit/server.ts";
import { ServerProcess } from "./kit/server_process.ts";

const FRAMES = join(import.meta.dirname, "../frames");

test("a connect to a full backlog gets no answer", async (t) => {
  const backlog = await fullBacklog();
  t.after(() => backlog.close());
  const socket = connect({ port: backlog.port, host: "127.0.0.1" });
  t.after(() => socket.destroy());
  socket.on("error", () => {});
  const outcome = await Promise.race([once(socket, "connect").then(() => "connected"), sleep(500, "nothing")]);
  assert.equal(outcome, "nothing");
});

test("a frozen server answers after its thaw, and tells what it got", async (t) => {
  const server = await ServerProcess.start({ name: "frozen" });
  t.after(() => server.kill());
  const client = await RawBoltClient.connect(server.port);
  t.after(() => client.close());
  server.freeze();
  await client.write(request(1, { content: "late" }));
  await assert.rejects(client.answer(1, 200), /no answer 1/);
  server.thaw();
  assert.equal((await client.answer(1)).content.toString(), "late");
  const [arrival] = await server.arrivals();
  assert.deepEqual([arrival.id, arrival.kind, arrival.content], [1, "request", "late"]);
  await server.kill();
  await client.waitForClose();
});

test("the raw server refuses, resets, and plays any script", async (t) => {
  const server = await RawBoltServer.start({
    handler: (frame) => response(frame.id, { status: BoltStatus.SERVER_THREADPOOL_BUSY }),
  });
  t.after(() => server.close());
  const client = await RawBoltClient.connect(server.port);
  assert.equal((await client.call(5)).status, BoltStatus.SERVER_THREADPOOL_BUSY);

  server.refuse();
  await assert.rejects(RawBoltClient.connect(server.port), /ECONNREFUSED/);
  await server.listen();
  const second = await RawBoltClient.connect(server.port);
  await second.call(6);
  assert.deepEqual(server.ids, [5, 6]);

  server.resetAll();
  await Promise.all([client.waitForClose(), second.waitForClose()]);
  assert.equal(client.state, "reset");
});

test("the frame reader finds the same frames whatever the cuts", () => {
  const recordings = readdirSync(FRAMES).filter((name) => /^(sofa|bolt).*\.bin$/.test(name));
  assert.ok(recordings.length > 20);
  for (const name of recordings) {
    const bytes = readFileSync(join(FRAMES, name));
    const whole = new FrameReader().push(bytes).map((frame) => frame.raw.toString("hex"));
    assert.equal(whole.join(""), bytes.toString("hex"), name);
    for (const size of [1, 7, 4096]) {
      const reader = new FrameReader();
      const found: string[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        found.push(...reader.push(bytes.subarray(at, at + size)).map((frame) => frame.raw.toString("hex")));
      }
      assert.deepEqual(found, whole, `${name} in pieces of ${size}`);
      assert.equal(reader.incomplete, 0, name);
    }
  }
});

test("errors in Envoy's log fail a test, unless they are expected", () => {
  const trap =
    "[2026-01-01][1][error][wasm] [x.cc:1] Function: proxy_on_tick failed: Uncaught RuntimeError: unreachable";
  assert.throws(() => checkLog(["[2026-01-01][1][warning][main] fine", trap], []), /1 errors/);
  checkLog([trap], [/proxy_on_tick failed/]);
});
