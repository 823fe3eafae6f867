// Mirror servers that do not read, and clients that go: what copies hold is bounded, and goes with them.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ConnectStream } from "./kit/connect-stream.ts";
import { callAll, checkAnswers, close, type Mirrored, mirrored, S1, S2, stat } from "./mirror-world.ts";
import { answers, call } from "./proxy-world.ts";

const MIB = 1 << 20;

describe("a mirror server that does not read", () => {
  /** Gets the connection to the only mirror server, and stops its reading. */
  function stopReading(all: Mirrored): ConnectStream {
    callAll(all, 1, {}, 900_001);
    const [stream] = all.shadow.servers[0].streams;
    stream.pause();
    return stream;
  }

  it("holds no client back, and takes bounded memory", async () => {
    const all = await mirrored({
      mirror: { amplification: 2 },
      config: { max_frame_bytes: MIB, max_connection_bytes: 8 * MIB },
    });
    const stream = stopReading(all);
    const content = "x".repeat(50_000);
    callAll(all, 280, { content });
    const { pages } = all.host.vm.memory;
    callAll(all, 400, { content }, 301);
    assert.equal(all.host.vm.memory.pages, pages, "memory grows");
    assert.ok(pages < 512, `${pages} pages of 64 KiB`);
    all.host.advance(600);
    assert.ok(stat(all, "dropped") > 400);
    stream.resume();
    all.host.advance(1000);
    callAll(all, 10, {}, 3001);
    all.host.advance(1000);
    assert.equal(all.host.metrics.gauge("moe.mirror.active"), 0);
    assert.equal(stat(all, "requests"), stat(all, "responses"));
    close(all);
  });

  it("leaves the originals room in the connection's window, however many there are", async () => {
    const shadows = Array.from({ length: 12 }, (_, i) => `10.1.0.${i + 1}:1`);
    const all = await mirrored({ mirror: { broadcast: false, amplification: 6 }, shadows });
    callAll(all, 100);
    for (const server of all.shadow.servers) for (const stream of server.streams) stream.pause();
    // More than the window in all: an original that lacks room would never be answered.
    callAll(all, 350, { content: "x".repeat(60_000) }, 1001);
    close(all);
  });

  it("with a smaller window of the connection drops copies, and holds no original back", async () => {
    for (const times of [2, 8]) {
      const windows = { initialStreamWindow: MIB, initialConnectionWindow: times * MIB };
      const all = await mirrored({
        mirror: { amplification: 4 },
        shadows: Array.from({ length: 6 }, (_, i) => `10.1.0.${i + 1}:1`),
        connect: { switchboard: windows },
      });
      callAll(all, 50);
      for (const server of all.shadow.servers) for (const stream of server.streams) stream.pause();
      callAll(all, 150, { content: "x".repeat(60_000) }, 1001);
      all.host.advance(600);
      assert.ok(stat(all, "dropped") > 0, `${times} times the stream's window: nothing is dropped`);
      close(all);
    }
  });

  it("is left behind when the client goes, or the switchboard drains", async () => {
    const all = await mirrored();
    stopReading(all);
    all.shadow.servers[0].onCall = () => {};
    callAll(all, 100, { content: "x".repeat(30_000) });
    all.client.switchboard.shutdown();
    all.host.advance(8000);
    assert.notEqual(all.client.closed, null);
    close(all);
  });

  it("with frames of the largest size: one fits, the next is dropped", async () => {
    const all = await mirrored({ config: { max_frame_bytes: MIB, max_connection_bytes: 4 * MIB } });
    stopReading(all);
    const content = "y".repeat(1_000_000);
    for (let id = 1; id <= 6; id++) {
      all.client.write(call(id, { content }));
      all.host.advance(100);
      checkAnswers(answers(all.client), 1, id, { content });
    }
    all.host.advance(600);
    assert.ok(stat(all, "dropped") >= 3, `${stat(all, "dropped")} of 6`);
    close(all);
  });
});

describe("clients that go in the middle of it", () => {
  it("leave nothing behind", async () => {
    const all = await mirrored({ mirror: { amplification: 3 }, shadows: [S1, S2] });
    const later: (() => void)[] = [];
    for (const server of all.shadow.servers) server.onCall = (one) => later.push(() => one.reply());
    for (let round = 0; round < 30; round++) {
      const client = all.host.connect();
      for (let id = 1; id <= 20; id++) client.write(call(id));
      all.host.advance(8);
      if (round % 2 === 0) client.rst();
      else client.fin();
      for (const reply of later.splice(0)) reply();
    }
    callAll(all, 10);
    for (const reply of later.splice(0)) reply();
    close(all);
  });
});
