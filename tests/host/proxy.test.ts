// The release module in the host emulator: what a Bolt client and its servers see.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import * as bolt from "./kit/bolt.ts";
import { type ConnectStream, Host } from "./kit/index.ts";
import { A, answers, B, call, CLASS, module, world } from "./proxy-world.ts";

describe("calls", () => {
  it("reach the server as they were sent, but for the id, and come back with the client's", async () => {
    const { host, cluster, client } = await world();
    client.write(call(0xfffffff0));
    host.advance(8);
    const [seen] = cluster.calls;
    assert.equal(cluster.calls.length, 1);
    assert.deepEqual(seen.frame.headers, [["service", "com.example.Hello:1.0"]]);
    assert.deepEqual([seen.frame.class, seen.frame.content.toString()], [CLASS, "call 4294967280"]);
    const [answer] = answers(client);
    assert.deepEqual([answer.id, answer.status, answer.content.toString()], [0xfffffff0, 0, `${A} call 4294967280`]);
    assert.equal(seen.stream.cluster, "upstream");
    host.close();
  });

  it("arrive once in any cut of the client's bytes, of the server's, of the switchboard's", async () => {
    const request = call(7, { version: 2, crc: true });
    for (let cut = 1; cut < request.length; cut++) {
      const { host, cluster, client } = await world([A], {}, { switchboard: { writeUnit: (cut % 9) + 1 } });
      cluster.servers[0].onCall = ({ frame, stream }) => {
        const response = bolt.response(frame.id, { version: 2, crc: true, content: "fine" });
        stream.write(response.subarray(0, cut % response.length));
        stream.write(response.subarray(cut % response.length));
      };
      client.write(request.subarray(0, cut));
      client.write(request.subarray(cut));
      host.advance(8);
      assert.deepEqual(
        answers(client).map(({ id, crc, content }) => [id, crc, content.toString()]),
        [[7, "good", "fine"]],
        `cut at ${cut}`,
      );
      assert.equal(cluster.calls.length, 1);
      host.close();
    }
  });

  it("byte by byte", async () => {
    const { host, cluster, client } = await world([A], {}, { switchboard: { writeUnit: 1 } });
    for (const byte of call(9)) client.write(Buffer.from([byte]));
    host.advance(8);
    assert.deepEqual([cluster.calls.length, answers(client).map((answer) => answer.id)], [1, [9]]);
    host.close();
  });

  it("glued in one write, answered in reverse, both versions on one connection", async () => {
    const { host, cluster, client } = await world();
    cluster.servers[0].onCall = () => {};
    const frames = Array.from({ length: 100 }, (_, i) => call(i, i % 2 === 0 ? {} : { version: 2, crc: i % 4 === 1 }));
    client.write(Buffer.concat(frames));
    host.advance(8);
    for (const one of [...cluster.calls].reverse()) one.reply({ content: one.frame.content });
    host.advance(8);
    const got = answers(client);
    const expected = Array.from({ length: 100 }, (_, i) => [99 - i, `call ${99 - i}`, (99 - i) % 2 === 0 ? 1 : 2]);
    assert.deepEqual(
      got.map((answer) => [answer.id, answer.content.toString(), answer.version]),
      expected,
    );
    assert.ok(cluster.calls.every(({ frame }) => frame.crc !== "bad") && got.every((answer) => answer.crc !== "bad"));
    host.close();
  });

  it("one way: once to the server, nothing back", async () => {
    const { host, cluster, client } = await world();
    for (let id = 1; id <= 3; id++) client.write(call(id, { type: 2 }));
    host.advance(100);
    assert.deepEqual(
      cluster.calls.map(({ frame }) => [frame.kind, frame.content.toString()]),
      [1, 2, 3].map((id) => ["oneway", `call ${id}`]),
    );
    assert.equal(client.received().length, 0);
    host.close();
  });

  it("heartbeats are answered here, through the ping pump, without an upstream", async () => {
    const { host, cluster, client } = await world();
    client.write(Buffer.concat([bolt.heartbeat(1), bolt.heartbeat(2, 2)]));
    assert.deepEqual(
      answers(client).map(({ kind, id, version }) => [kind, id, version]),
      [
        ["heartbeatAck", 1, 1],
        ["heartbeatAck", 2, 2],
      ],
    );
    assert.deepEqual([client.switchboard.pings, cluster.connects], [1, 0]);
    client.write(bolt.heartbeat(3));
    assert.deepEqual([answers(client).length, client.switchboard.pings], [1, 2]);
    host.close();
  });

  it("of several clients in several workers stay apart", async () => {
    const { host, cluster } = await world([A, B], { workers: 2, mainThread: true });
    const clients = Array.from({ length: 20 }, (_, i) => host.connect({ worker: i % 2 }));
    for (let round = 0; round < 5; round++) {
      clients.forEach((client, i) => client.write(call(1, { content: `${i} ${round}` })));
      host.advance(8);
      clients.forEach((client, i) => {
        assert.deepEqual(
          answers(client).map(({ id, content }) => [id, content.toString().split(" ").slice(1).join(" ")]),
          [[1, `${i} ${round}`]],
        );
      });
    }
    assert.equal(cluster.calls.length, 100);
    for (const server of cluster.servers) assert.ok(server.calls.length > 20, "per-request balancing over both hosts");
    host.advance(1000);
    assert.equal(host.metrics.counter("moe.bolt.requests"), 100);
    assert.equal(host.metrics.gauge("moe.bolt.active"), 0);
    host.close();
  });

  it("from a server go to the client that owns the connection, and its answer back", async () => {
    const { host, cluster, client } = await world();
    client.write(call(1));
    host.advance(8);
    answers(client);
    const [{ stream }] = cluster.calls;
    const before = stream.received.length;
    stream.write(bolt.request(77, { content: "push" }));
    host.advance(8);
    const [push] = answers(client);
    assert.deepEqual([push.kind, push.content.toString()], ["request", "push"]);
    client.write(bolt.response(push.id, { content: "got it" }));
    host.advance(8);
    const [answer] = bolt.parseFrames(stream.received.subarray(before)).frames;
    assert.deepEqual([answer.kind, answer.id, answer.content.toString()], ["response", 77, "got it"]);
    host.close();
  });
});

describe("recorded sessions", () => {
  const folder = new URL("../frames/", import.meta.url);
  const names = readdirSync(folder).filter((name) => /^(bolt|sofa)-.*\.c2s\.bin$/.test(name));
  assert.ok(names.length > 10, "the recorded frames are there");

  /** A server that answers each request with the recorded response of the same id. */
  function replay(recorded: bolt.BoltFrame[]): (stream: ConnectStream) => void {
    return (stream) => {
      stream.accept({ host: A });
      let rest = Buffer.alloc(0);
      let turn = 0;
      const responses = recorded.filter((frame) => frame.kind === "response");
      stream.onData = (bytes) => {
        const parsed = bolt.parseFrames(Buffer.concat([rest, bytes]));
        rest = Buffer.from(parsed.rest);
        for (const frame of parsed.frames) {
          if (frame.kind !== "request" || responses.length === 0) continue;
          const response = Buffer.from(responses[turn++ % responses.length].raw);
          stream.write(withId(response, frame.id));
        }
      };
    };
  }

  for (const name of names) {
    it(name.replace(".c2s.bin", ""), async () => {
      const sent = readFileSync(new URL(name, folder));
      const back = name.replace("c2s", "s2c");
      const recorded = readdirSync(folder).includes(back)
        ? bolt.parseFrames(readFileSync(new URL(back, folder))).frames
        : [];
      const requests = bolt.parseFrames(sent).frames;
      const cuts =
        sent.length < 1000 ? Array.from({ length: sent.length }, (_, i) => i) : [0, 1, 2, 20, sent.length - 1];
      const host = await Host.start({ module });
      host.onConnect = replay(recorded);
      for (const cut of cuts) {
        const client = host.connect();
        client.write(sent.subarray(0, cut));
        client.write(sent.subarray(cut));
        host.advance(20);
        const got = answers(client);
        const expected = requests.filter(
          (frame) => frame.kind !== "oneway" && (frame.kind !== "request" || recorded.length > 0),
        );
        assert.deepEqual(
          got.map((frame) => frame.id).sort(),
          expected.map((frame) => frame.id).sort(),
          `cut at ${cut}`,
        );
        const contents = (frames: bolt.BoltFrame[]): string[] =>
          frames
            .filter((frame) => frame.kind === "response")
            .map((frame) => `${frame.status} ${frame.content.toString("hex")}`);
        for (const content of contents(got)) assert.ok(contents(recorded).includes(content), "content unchanged");
        client.fin();
      }
      host.close();
    });
  }
});

/** A response with another id; a CRC, where there is one, made good again. */
function withId(frame: Buffer, id: number): Buffer {
  const [parsed] = bolt.parseFrames(frame).frames;
  frame.writeUInt32BE(id, parsed.version === 1 ? 5 : 6);
  if (parsed.crc === "none") return frame;
  const { status, headers, content, codec } = parsed;
  return bolt.response(id, { version: 2, crc: true, status, headers, content, codec, class: parsed.class });
}
