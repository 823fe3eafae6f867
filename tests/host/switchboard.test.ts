// Tests of the fake switchboard, with Node's own HTTP/2 client as a second opinion and raw frames for the violations.
import assert from "node:assert/strict";
import { once } from "node:events";
import http2 from "node:http2";
import { Duplex } from "node:stream";
import { before, describe, it } from "node:test";
import {
  encodeFrame,
  encodeSettings,
  ErrorCode,
  Flag,
  FrameReader,
  FrameType,
  PREFACE,
  Setting,
  words,
} from "./kit/http2/frames.ts";
import { HpackDecoder, HpackEncoder } from "./kit/http2/hpack.ts";
import { type Client, compileGuest, type ConnectStream, Host, type SwitchboardOptions } from "./kit/index.ts";

let rules: Uint8Array;
before(async () => {
  rules = await compileGuest("rules");
});

/** A host whose module passes every byte on, so that the client itself talks to the switchboard. */
async function open(options: Partial<SwitchboardOptions> = {}, onConnect?: (stream: ConnectStream) => void) {
  const host = await Host.start({ module: rules });
  if (onConnect !== undefined) host.onConnect = onConnect;
  return { host, client: host.connect({ switchboard: options }) };
}

/** Node's HTTP/2 client on a kit connection. */
function nodeClient(client: Client, settings: http2.Settings = {}): http2.ClientHttp2Session {
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      setImmediate(() => {
        client.write(chunk);
        done();
      });
    },
  });
  // Neither side expects the other to call back at once.
  client.onData = (bytes) => setImmediate(() => socket.push(bytes));
  return http2.connect("http://switchboard", { createConnection: () => socket, settings });
}

async function all(stream: http2.ClientHttp2Stream): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

const CONNECT = { ":method": "CONNECT", ":authority": "upstream", "x-moe-cluster": "upstream", "x-moe-pin": "cGlu" };

function echo(stream: ConnectStream): void {
  stream.accept({ host: "10.0.0.1:8080", pin: stream.pin ?? undefined });
  stream.onData = (bytes) => stream.write(bytes);
}

describe("with Node's HTTP/2 client", () => {
  for (const headerTableSize of [0, 4096]) {
    for (const huffman of ["shorter", "always", "never"] as const) {
      it(`answers CONNECT, header table ${headerTableSize}, huffman ${huffman}`, async () => {
        const { host, client } = await open({ huffman }, echo);
        const session = nodeClient(client, { headerTableSize });
        for (let i = 0; i < 3; i++) {
          const stream = session.request(CONNECT);
          const [headers] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
          assert.deepEqual(
            [headers[":status"], headers["x-moe-host"], headers["x-moe-pin"]],
            [200, "10.0.0.1:8080", "cGlu"],
          );
          stream.end("bye");
          assert.equal((await all(stream)).toString(), "bye");
        }
        host.close();
      });
    }
  }

  it("moves megabytes both ways through small windows", async () => {
    const options = { initialStreamWindow: 70_000, initialConnectionWindow: 100_000 };
    const { host, client } = await open(options, echo);
    const session = nodeClient(client, { initialWindowSize: 30_000 });
    const sent = Buffer.alloc(3 << 20).map((_, i) => i * 7);
    const stream = session.request(CONNECT);
    stream.end(sent);
    assert.equal(Buffer.compare(await all(stream), sent), 0);
    host.close();
  });

  it("refuses with an answer and a reset", async () => {
    const { host, client } = await open({}, (stream) => stream.refuse(503));
    const stream = nodeClient(client).request(CONNECT);
    const closed = new Promise((resolve) => stream.on("close", resolve).on("error", () => {}));
    const [headers] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
    assert.equal(headers[":status"], 503);
    stream.resume();
    await closed;
    assert.equal(stream.rstCode, ErrorCode.CONNECT_ERROR);
    host.close();
  });

  it("drains in two steps: GOAWAY with the next answer, then the last one, then the close", async () => {
    const { host, client } = await open({}, echo);
    const session = nodeClient(client);
    const goaways: number[] = [];
    session.on("goaway", (_code, last) => goaways.push(last));
    session.request(CONNECT).on("error", () => {});
    await once(session, "localSettings");
    client.switchboard.drain();
    const held = session.request(CONNECT).on("error", () => {});
    await once(held, "response");
    assert.deepEqual(goaways, [2 ** 31 - 1]);
    host.advance(5004);
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(goaways, [2 ** 31 - 1, 3]);
    for (const stream of client.switchboard.opened) stream.end();
    host.advance(1004);
    assert.equal(client.closed, "local");
    host.close();
  });
});

describe("with raw frames", () => {
  const encoder = new HpackEncoder("never");
  encoder.setTableSize(0);
  const connect = (id: number): Buffer =>
    encodeFrame(
      FrameType.HEADERS,
      Flag.END_HEADERS,
      id,
      encoder.encode([
        [":method", "CONNECT"],
        [":authority", "upstream"],
      ]),
    );
  const data = (id: number, length: number): Buffer => {
    const frames: Buffer[] = [];
    for (let rest = length; rest > 0; rest -= 16_384) {
      frames.push(encodeFrame(FrameType.DATA, Flag.NONE, id, Buffer.alloc(Math.min(rest, 16_384))));
    }
    return Buffer.concat(frames);
  };
  const hello = Buffer.concat([PREFACE, encodeSettings([[Setting.HEADER_TABLE_SIZE, 0]])]);
  const ack = encodeFrame(FrameType.SETTINGS, Flag.ACK, 0, Buffer.alloc(0));
  const window = (id: number, size: number): Buffer => encodeFrame(FrameType.WINDOW_UPDATE, Flag.NONE, id, words(size));

  const violations: [what: string, bytes: Buffer[], message: RegExp][] = [
    ["no preface", [Buffer.from("GET / HTTP/1.1")], /preface/],
    ["a stream window before the ACK", [hello, connect(1), data(1, 65_536)], /FLOW_CONTROL_ERROR: window of stream 1/],
    [
      "a stream window after the ACK",
      [hello, ack, connect(1), data(1, (1 << 20) + 1)],
      /FLOW_CONTROL_ERROR: window of stream 1/,
    ],
    [
      "the connection window",
      [hello, ack, connect(1), data(1, 1 << 20), connect(3), data(3, 600_000)],
      /connection window/,
    ],
    ["too large a connection window", [hello, window(0, 0x7fffffff)], /FLOW_CONTROL_ERROR/],
    ["an empty WINDOW_UPDATE", [hello, window(0, 0)], /PROTOCOL_ERROR/],
    ["an even stream id", [hello, connect(2)], /PROTOCOL_ERROR/],
    ["DATA on an idle stream", [hello, data(5, 1)], /idle stream 5/],
    ["a frame above 16 KiB", [hello, connect(1), encodeFrame(0, 0, 1, Buffer.alloc(16_385))], /FRAME_SIZE_ERROR/],
    ["a short PING", [hello, encodeFrame(FrameType.PING, 0, 0, Buffer.alloc(7))], /FRAME_SIZE_ERROR/],
    [
      "a broken header block",
      [hello, encodeFrame(FrameType.HEADERS, Flag.END_HEADERS, 1, Buffer.from([0xff, 0xff]))],
      /COMPRESSION/,
    ],
    [
      "a request that is no CONNECT",
      [hello, encodeFrame(FrameType.HEADERS, Flag.END_HEADERS, 1, Buffer.from([0x82]))],
      /CONNECT/,
    ],
    [
      "empty DATA frames",
      [hello, connect(1), ...Array<Buffer>(3).fill(encodeFrame(0, 0, 1, Buffer.alloc(0)))],
      /empty payload/,
    ],
    ["a flood of WINDOW_UPDATEs", [hello, ...Array<Buffer>(6).fill(window(0, 1))], /too many WINDOW_UPDATE/],
  ];
  for (const [what, bytes, message] of violations) {
    it(`faults ${what}`, async () => {
      const hold = (stream: ConnectStream): void => stream.pause();
      const { client } = await open({ initialConnectionWindow: (1 << 20) + 500_000, upstreamBufferLimit: 0 }, hold);
      const write = (): void => bytes.forEach((part) => client.write(part));
      assert.throws(write, { rule: "http2", message });
    });
  }

  /** Frames that the client received. */
  const frames = (client: Client): string[] => {
    const reader = new FrameReader();
    const seen: string[] = [];
    reader.push(client.take());
    for (let frame = reader.next(); frame !== null; frame = reader.next()) {
      seen.push(`${FrameType[frame.type]}${(frame.flags & 1) === 1 ? "!" : ""} ${frame.streamId}`);
    }
    return seen;
  };

  it("greets, acknowledges, pongs, in one dispatch", async () => {
    const { client } = await open();
    client.write(Buffer.concat([hello, encodeFrame(FrameType.PING, 0, 0, Buffer.alloc(8))]));
    assert.deepEqual(frames(client), ["SETTINGS 0", "SETTINGS! 0", "PING! 0", "WINDOW_UPDATE 0"]);
  });

  it("takes frames in any cut", async () => {
    const { client } = await open({ writeUnit: 1 }, echo);
    for (const byte of Buffer.concat([hello, connect(1), ack, data(1, 5)])) client.write(Buffer.from([byte]));
    const greeting = ["SETTINGS 0", "WINDOW_UPDATE 0", "SETTINGS! 0"];
    assert.deepEqual(frames(client), [...greeting, "HEADERS 1", "DATA 1"]);
  });

  it("respects the client's windows and serves what waits when they open", async () => {
    const { client } = await open({}, (stream) => stream.accept());
    client.write(Buffer.concat([hello, connect(1)]));
    const [stream] = client.switchboard.opened;
    stream.write(Buffer.alloc(100_000));
    const sent = (): number => 100_000 - stream.queue.length;
    assert.equal(sent(), 65_535);
    client.write(window(1, 10_000));
    assert.equal(sent(), 65_535, "the connection's window is used up too");
    client.write(window(0, 10_000));
    assert.equal(sent(), 75_535);
  });

  it("holds a paused upstream's window and opens it when the upstream reads on", async () => {
    const { client } = await open({ initialStreamWindow: 65_535, upstreamBufferLimit: 0 }, (stream) => stream.accept());
    client.write(Buffer.concat([hello, ack, connect(1)]));
    const [stream] = client.switchboard.opened;
    stream.pause();
    client.take();
    client.write(data(1, 60_000));
    assert.deepEqual([stream.waiting, stream.received.length, frames(client)], [60_000, 0, []]);
    stream.resume();
    assert.deepEqual([stream.received.length, frames(client)], [60_000, ["WINDOW_UPDATE 1"]]);
  });

  it("refuses streams beyond the limit unsent, ignores those after the last GOAWAY", async () => {
    const { host, client } = await open({ maxConcurrentStreams: 1 }, () => {});
    client.write(Buffer.concat([hello, connect(1), connect(3)]));
    assert.ok(frames(client).includes("RST_STREAM 3"));
    client.switchboard.shutdown();
    host.advance(5004);
    assert.deepEqual(frames(client), ["GOAWAY 0", "GOAWAY 0"]);
    client.write(connect(5));
    assert.deepEqual(frames(client), []);
  });

  it("closes the connection's streams with the client", async () => {
    const resets: (number | null)[] = [];
    const { client } = await open({}, (stream) => (stream.onReset = (code) => resets.push(code)));
    client.write(Buffer.concat([hello, connect(1), connect(3), encodeFrame(FrameType.RST_STREAM, 0, 1, words(8))]));
    client.fin();
    assert.deepEqual(resets, [8, null]);
  });

  it("decodes what Envoy's encoder sends: a table size update, static and Huffman-coded fields", () => {
    const envoy = new HpackEncoder("always");
    envoy.setTableSize(0);
    const block = envoy.encode([
      [":status", "503"],
      ["x-moe-host", "10.0.0.1:8080"],
    ]);
    assert.equal(block[0], 0x20);
    assert.deepEqual(new HpackDecoder().decode(block), [
      [":status", "503"],
      ["x-moe-host", "10.0.0.1:8080"],
    ]);
  });
});
