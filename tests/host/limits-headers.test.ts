// The bounds of docs/limits.md at their edges: pairs and changes of the headers of a frame.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ConnectStream } from "./kit/connect-stream.ts";
import * as dubbo from "./kit/dubbo.ts";
import { Host, type SwitchboardClient } from "./kit/index.ts";
import { module } from "./proxy-world.ts";

const PAIRS = 65_536;
/** Headers that a request has beside its attachments. */
const FIELDS = 4;
const MIB = 1 << 20;
const OK = 20;

/** A string of Hessian in one piece. */
function text(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  if (bytes.length < 32) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const head = Buffer.from([0x53, 0, 0]);
  head.writeUInt16BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

/** A request without arguments whose attachments are these bytes of keys and values. */
function request(id: bigint, attachments: Buffer): Buffer {
  const names = ["2.0.2", "com.example.Hello", "1.0", "hi", ""].map(text);
  return dubbo.frame(0xc2, 0, id, Buffer.concat([...names, Buffer.from("H"), attachments, Buffer.from("Z")]));
}

/** As many attachments of two bytes: keys and values are empty. */
const pairs = (count: number): Buffer => Buffer.alloc(2 * count);
/** As many attachments with keys of their own. */
const distinct = (count: number): Buffer =>
  Buffer.concat(
    Array.from({ length: count }, (_, i) => Buffer.concat([text(i.toString(36).padStart(4, "0")), text("")])),
  );

async function world(route: object = {}) {
  const seen: dubbo.DubboFrame[] = [];
  const router = {
    virtual_hosts: [{ domains: ["*"], routers: [{ route: { cluster_name: "upstream", ...route } }] }],
  };
  const host = await Host.start({ module, config: { protocols: ["dubbo"], router } });
  let answer = (id: bigint): Buffer => dubbo.response(id, "ok");
  host.onConnect = (stream: ConnectStream) => {
    stream.accept({ host: "10.0.0.1:1", pin: Buffer.from("10.0.0.1:1").toString("base64") });
    let rest = Buffer.alloc(0);
    stream.onData = (bytes) => {
      const parsed = dubbo.parseFrames(Buffer.concat([rest, bytes]));
      rest = Buffer.from(parsed.rest);
      for (const frame of parsed.frames) {
        seen.push(frame);
        stream.write(answer(frame.id));
      }
    };
  };
  return { host, seen, client: host.connect(), answerWith: (make: typeof answer) => (answer = make) };
}

/** Ids of what the client got, and whether the answer is good. */
function answers(client: SwitchboardClient): [bigint, boolean][] {
  return dubbo.parseFrames(client.take()).frames.map(({ id, status }) => [id, status === OK]);
}

/** Ids of what the client got, sorted. */
const answered = (client: SwitchboardClient): bigint[] =>
  answers(client)
    .map(([id]) => id)
    .sort();

const added = (count: number, name: (i: number) => string): object => ({
  request_headers_to_add: Array.from({ length: count }, (_, i) => ({ header: { key: name(i), value: "v" } })),
});

describe("pairs of the headers of a frame", () => {
  it("of a request: 65,536 pass, whatever is changed; one more is refused alone", async () => {
    for (const route of [{}, { request_headers_to_remove: ["x"] }]) {
      const { host, seen, client } = await world(route);
      client.write(request(1n, pairs(PAIRS - FIELDS - 1)));
      client.write(request(2n, pairs(PAIRS - FIELDS)));
      client.write(request(3n, pairs(PAIRS - FIELDS + 1)));
      client.write(request(4n, pairs(1)));
      host.advance(20);
      const got = answers(client).sort((a, b) => Number(a[0] - b[0]));
      assert.deepEqual(got, [
        [1n, true],
        [2n, true],
        [3n, false],
        [4n, true],
      ]);
      assert.equal(seen.length, 3);
      host.close();
    }
  });

  it("of a request: what changes add beyond them is lost", async () => {
    const { host, seen, client } = await world(added(1, (i) => `k${i}`));
    client.write(request(1n, distinct(PAIRS - FIELDS - 1)));
    client.write(request(2n, distinct(PAIRS - FIELDS)));
    host.advance(20);
    assert.deepEqual(answered(client), [1n, 2n]);
    assert.equal(seen.length, 2);
    host.advance(1000);
    assert.equal(host.metrics.counter("moe.dubbo.lost_changes"), 1);
    host.close();
  });

  it("of a request: those with the same key are one header, the last", async () => {
    const { host, seen, client } = await world(added(1, (i) => `k${i}`));
    client.write(request(1n, pairs(PAIRS - FIELDS)));
    host.advance(20);
    assert.deepEqual(answers(client), [[1n, true]]);
    assert.deepEqual(dubbo.invocation(seen[0].body, 0).attachments, { "": "", k0: "v" });
    host.close();
  });

  it("eight million of them in one frame are refused, and take no memory", async () => {
    const { host, client } = await world(added(40, (i) => `k${i}`));
    client.write(request(1n, pairs(8 * MIB - 100)));
    client.write(request(2n, pairs(1)));
    host.advance(20);
    assert.deepEqual(answers(client), [
      [1n, false],
      [2n, true],
    ]);
    assert.ok(host.vm.memory.pages <= 900, `${host.vm.memory.pages} pages of 64 KiB`);
    host.close();
  });

  it("of a response: more than 65,536 pass as they are, and are no headers to change", async () => {
    const huge = (id: bigint): Buffer =>
      dubbo.frame(
        2,
        OK,
        id,
        Buffer.concat([dubbo.encode(4, "v"), Buffer.from("H"), pairs(PAIRS + 1), Buffer.from("Z")]),
      );
    for (const [route, lost] of [
      [{}, 0],
      [{ response_headers_to_add: [{ header: { key: "k", value: "v" } }] }, 1],
    ] as const) {
      const { host, client, answerWith } = await world(route);
      answerWith(huge);
      client.write(request(1n, pairs(1)));
      host.advance(20);
      assert.deepEqual(answers(client), [[1n, true]]);
      host.advance(1000);
      assert.equal(host.metrics.counter("moe.dubbo.lost_changes"), lost);
      host.close();
    }
  });
});

describe("changes of the headers of a frame", () => {
  it("1 MiB in all pass; what is more is lost, and takes no memory", async () => {
    const { host, seen, client } = await world(added(40, () => "long"));
    // 40 values of S + 2, S + 4, ... bytes.
    const most = Math.floor((MIB - 40 * 41) / 40);
    client.write(request(1n, Buffer.concat([text("long"), text("x".repeat(most))])));
    client.write(request(2n, Buffer.concat([text("long"), text("x".repeat(most + 1))])));
    host.advance(20);
    assert.deepEqual(answered(client), [1n, 2n]);
    assert.equal(seen.length, 2);
    assert.ok(host.vm.memory.pages <= 200, `${host.vm.memory.pages} pages of 64 KiB`);
    host.close();
  });
});

describe("text of Dubbo attachments", () => {
  /** A string in pieces that takes so many bytes. */
  function pieces(size: number): Buffer {
    const parts: Buffer[] = [];
    for (let left = size; left > 0;) {
      const last = left <= 0x8000;
      const n = last ? left - 3 : 0x7000;
      parts.push(Buffer.from([last ? 0x53 : 0x52, n >> 8, n & 0xff]), Buffer.alloc(n, 0x61));
      left -= n + 3;
    }
    return Buffer.concat(parts);
  }

  it("of attachments in pieces 1 MiB is shown, and what is more goes on as it came", async () => {
    const first = pieces(MIB / 2);
    const shown = first.filter((byte) => byte === 0x61).length;
    for (const [more, isShown] of [
      [0, true],
      [1, false],
    ] as const) {
      const { host, seen, client } = await world({
        request_headers_to_add: [{ header: { key: "copy", value: "%request_header_b%" } }],
      });
      const attachments = Buffer.concat([text("a"), first, text("b"), pieces(MIB - shown + more)]);
      client.write(request(1n, attachments));
      host.advance(20);
      assert.deepEqual(answers(client), [[1n, true]]);
      assert.ok(seen[0].body.includes(attachments));
      const copied = seen[0].body.length - attachments.length;
      assert.ok(isShown ? copied > MIB / 4 : copied < 100, `${copied} bytes`);
      host.close();
    }
  });
});
