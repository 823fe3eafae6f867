// Tars and dubbo-thrift through the release module, and all protocols on one port.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as bolt from "./kit/bolt.ts";
import * as dubbo from "./kit/dubbo.ts";
import type { ConnectStream } from "./kit/connect-stream.ts";
import { Host, type HostOptions } from "./kit/index.ts";
import { A, B, call, module } from "./proxy-world.ts";

const hex = (text: string) => Buffer.from(text, "hex");

/** A field of Jce: an integer in the fewest bytes. */
function int(tag: number, value: number): Buffer {
  const head = (type: number) => (tag << 4) | type;
  if (value === 0) return Buffer.of(head(12));
  if (value >= -128 && value < 128) return Buffer.of(head(0), value & 0xff);
  const bytes = Buffer.alloc(5, head(2));
  bytes.writeInt32BE(value, 1);
  return bytes;
}

const text = (tag: number, value: string) =>
  Buffer.concat([Buffer.of((tag << 4) | 6, value.length), Buffer.from(value)]);
const bytes = (tag: number, value: string) =>
  Buffer.concat([Buffer.of((tag << 4) | 13, 0), int(0, value.length), Buffer.from(value)]);
const emptyMap = (tag: number) => Buffer.of((tag << 4) | 8, 12);

function framed(...fields: Buffer[]): Buffer {
  const frame = Buffer.concat([Buffer.alloc(4), ...fields]);
  frame.writeUInt32BE(frame.length);
  return frame;
}

function tarsRequest(id: number, options: { func?: string; oneway?: boolean; timeout?: number } = {}): Buffer {
  const { func = "echo", oneway = false, timeout = 0 } = options;
  const head = [int(1, 1), int(2, oneway ? 1 : 0), int(3, 0), int(4, id)];
  const rest = [text(5, "App.Obj"), text(6, func), bytes(7, `call ${id}`), int(8, timeout), emptyMap(9), emptyMap(10)];
  return framed(...head, ...rest);
}

const tarsResponse = (id: Buffer, content: string, ret = 0, desc = "") =>
  framed(
    int(1, 1),
    int(2, 0),
    id,
    int(4, 0),
    int(5, ret),
    bytes(6, content),
    emptyMap(7),
    ...(desc ? [text(8, desc)] : []),
  );

/** An id in four bytes: what the module writes where the server did. */
function wideId(id: number): Buffer {
  const field = Buffer.of(0x32, 0, 0, 0, 0);
  field.writeUInt32BE(id, 1);
  return field;
}

/** Hosts that keep what they get, frame by frame. */
class Servers {
  readonly streams: ConnectStream[] = [];
  readonly frames: Buffer[] = [];
  onFrame: (frame: Buffer, stream: ConnectStream) => void = () => {};
  private rest = Buffer.alloc(0);

  /** @param lengthOf length of the frame at the front of what has come */
  constructor(private readonly lengthOf: (bytes: Buffer) => number) {}

  readonly connect = (stream: ConnectStream): void => {
    this.streams.push(stream);
    stream.accept({ host: A, pin: Buffer.from(A).toString("base64") });
    stream.onData = (data) => {
      this.rest = Buffer.concat([this.rest, data]);
      while (this.rest.length >= 4 && this.rest.length >= this.lengthOf(this.rest)) {
        const frame = this.rest.subarray(0, this.lengthOf(this.rest));
        this.rest = this.rest.subarray(frame.length);
        this.frames.push(frame);
        this.onFrame(frame, stream);
      }
    };
  };
}

async function tars(options: Partial<HostOptions> = {}) {
  const servers = new Servers((data) => data.readUInt32BE(0));
  // The id is the fourth field, behind a version and two zeros; it came in five bytes.
  servers.onFrame = (frame, stream) =>
    stream.write(tarsResponse(int(3, frame.readInt32BE(9)), frame.toString("latin1")));
  const host = await Host.start({ module, ...options });
  host.onConnect = servers.connect;
  return { host, servers, client: host.connect() };
}

describe("tars", () => {
  it("ids grow and shrink between client and server, the rest stays", async () => {
    const { host, servers, client } = await tars();
    for (const id of [1, 0x7f, 0x80, 70_000, -1, -2_000_000_000]) {
      client.write(tarsRequest(id));
      const sent = servers.frames.at(-1) ?? Buffer.alloc(0);
      assert.equal(sent[8], 0x42, "an id of four bytes");
      assert.deepEqual(
        sent,
        framed(hex("10012c3c42"), sent.subarray(9, 13), tarsRequest(id).subarray(8 + int(4, id).length)),
      );
      assert.deepEqual(client.take(), tarsResponse(wideId(id >>> 0), sent.toString("latin1")));
    }
    host.close();
  });

  it("iTimeout, no route and one-way calls", async () => {
    const router = {
      virtual_hosts: [
        {
          name: "all",
          domains: ["*"],
          routers: [
            {
              match: { headers: [{ name: "method", value: "none" }] },
              direct_response: { status: 404, body: "no such" },
            },
            { match: { headers: [{ name: "service", value: "App.Obj" }] }, route: { cluster_name: "tars" } },
          ],
        },
      ],
    };
    const { host, servers, client } = await tars({ config: { router } });
    servers.onFrame = () => {};
    client.write(tarsRequest(7, { func: "none" }));
    assert.deepEqual(client.take(), tarsResponse(int(3, 7), "", -4, "no such"));
    client.write(tarsRequest(8, { func: "none", oneway: true }));
    client.write(tarsRequest(9, { timeout: 200 }));
    assert.equal(client.take().length, 0);
    host.advance(250);
    assert.deepEqual(client.take(), tarsResponse(int(3, 9), "", -7, "timeout"));
    client.write(tarsRequest(10, { oneway: true }));
    host.advance(61_000);
    assert.equal(client.take().length, 0);
    assert.equal(servers.frames.length, 2);
    host.close();
  });

  it("a push reaches the client, _reconnect_ retires the connection", async () => {
    const { host, servers, client } = await tars();
    client.write(tarsRequest(1));
    client.take();
    const push = tarsResponse(int(3, 0), "news");
    servers.streams[0].write(push);
    host.advance(20);
    assert.deepEqual(client.take(), push);
    servers.streams[0].write(tarsResponse(int(3, 0), "", 0, "_reconnect_"));
    host.advance(20);
    assert.equal(client.take().length, 0);
    const answer = servers.onFrame;
    servers.onFrame = (frame, stream) => {
      assert.notEqual(stream, servers.streams[0]);
      answer(frame, stream);
    };
    client.write(tarsRequest(2));
    assert.notEqual(client.take().length, 0);
    host.close();
  });
});

const THRIFT_CALL = "00000029dabc00000029001801000000037376630000000000000007800100010000000470696e670000000300";

describe("dubbo-thrift", () => {
  it("a call, a one-way call, and a reply as MOSN's to one that is not answered", async () => {
    const servers = new Servers((data) => data.readUInt32BE(0) + 4);
    const host = await Host.start({ module, config: { clusters: {} } });
    host.onConnect = servers.connect;
    const client = host.connect();
    servers.onFrame = (frame, stream) => {
      const answer = Buffer.from(frame);
      answer[31] = 2; // REPLY
      if (frame[31] === 1) stream.write(answer);
    };
    client.write(hex(THRIFT_CALL));
    assert.equal(client.take().toString("hex"), THRIFT_CALL.replace("80010001", "80010002"));
    assert.notEqual(servers.frames[0].toString("hex"), THRIFT_CALL, "an id of the module's");
    servers.onFrame = () => {};
    client.write(hex(THRIFT_CALL.replace("80010001", "80010004")));
    client.write(hex(THRIFT_CALL));
    assert.equal(servers.frames.length, 3);
    host.advance(60_100);
    const exception = "0b000100000007" + Buffer.from("timeout").toString("hex") + "0800020000000600";
    const length = (0x29 - 1 + exception.length / 2).toString(16).padStart(8, "0");
    const head = `${length}dabc${length}` + THRIFT_CALL.slice(20, -2).replace("80010001", "80010003");
    assert.equal(client.take().toString("hex"), head + exception);
    host.close();
  });
});

describe("one port", () => {
  it("each connection's first bytes tell its protocol, and what tells none goes to the fallback", async () => {
    const all: Record<string, Buffer> = {
      bolt: call(1),
      boltv2: bolt.request(1, { version: 2, class: "c" }),
      dubbo: dubbo.request(1n),
      "dubbo-thrift": hex(THRIFT_CALL),
      tars: tarsRequest(1),
      x_example: hex("7801000000000700000000"),
    };
    const raw: Record<string, Buffer> = {
      http1: Buffer.from("GET / HTTP/1.1\r\nhost: a\r\n\r\n"),
      http2: Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
      tls: hex("1603010200010001fc0303"),
      redis: Buffer.from("*1\r\n$4\r\nPING\r\n"),
    };
    const config = { protocols: Object.keys(all), fallback: "cluster:raw" };
    const host = await Host.start({ module, config });
    const streams: ConnectStream[] = [];
    let got = Buffer.alloc(0);
    host.onConnect = (stream) => {
      streams.push(stream);
      stream.accept({ host: B });
      stream.onData = (data) => (got = Buffer.concat([got, data]));
    };
    for (const [name, first] of [...Object.entries(all), ...Object.entries(raw)]) {
      for (const cut of [first.length, 1]) {
        const before = host.metrics.counter(`moe.${name}.requests`);
        got = Buffer.alloc(0);
        const client = host.connect();
        for (let at = 0; at < first.length; at += cut) client.write(first.subarray(at, at + cut));
        host.advance(200);
        assert.equal(streams.at(-1)?.cluster, name in raw ? "raw" : "upstream", name);
        assert.equal(got.length, first.length + (name === "tars" ? 3 : 0), name);
        if (name in raw) assert.deepEqual(got, first);
        else assert.equal(host.metrics.counter(`moe.${name}.requests`) - before, 1, name);
        assert.equal(client.closed, null, name);
        client.fin();
      }
    }
    host.close();
  });
});
