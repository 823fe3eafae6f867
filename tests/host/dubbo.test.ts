// Dubbo through the release module: what clients and servers see of calls, routes by header, changes, and errors.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ConnectStream } from "./kit/connect-stream.ts";
import * as dubbo from "./kit/dubbo.ts";
import { Host, type SwitchboardClient } from "./kit/index.ts";
import { A, B, module } from "./proxy-world.ts";

const IDS = [0n, 1n, 0xffffffffn, 1n << 63n, -1n, 0x6e0afef98c4551b7n];

interface Seen {
  frame: dubbo.DubboFrame;
  stream: ConnectStream;
  reply: (value: unknown) => void;
}

/** Hosts that answer every request with its argument, unless told otherwise. */
class Servers {
  readonly seen: Seen[] = [];
  readonly streams: ConnectStream[] = [];
  onRequest: (call: Seen) => void = (call) => call.reply("ok");
  private opened = 0;

  constructor(private readonly addresses: string[]) {}

  readonly connect = (stream: ConnectStream): void => {
    const pin = stream.headers["x-moe-pin"];
    const address = pin ? Buffer.from(pin, "base64").toString() : this.addresses[this.opened++ % this.addresses.length];
    this.streams.push(stream);
    stream.accept({ host: address, pin: Buffer.from(address).toString("base64") });
    let rest = Buffer.alloc(0);
    stream.onData = (bytes) => {
      const parsed = dubbo.parseFrames(Buffer.concat([rest, bytes]));
      rest = Buffer.from(parsed.rest);
      for (const frame of parsed.frames) {
        const reply = (value: unknown) => stream.write(dubbo.response(frame.id, value));
        this.seen.push({ frame, stream, reply });
        if (frame.kind === "request") this.onRequest(this.seen[this.seen.length - 1]);
      }
    };
  };
}

async function world(router?: object, addresses = [A]) {
  const config = { protocols: ["bolt", "dubbo"], ...(router ? { router: { virtual_hosts: [router] } } : {}) };
  const host = await Host.start({ module, config });
  const servers = new Servers(addresses);
  host.onConnect = servers.connect;
  return { host, servers, client: host.connect() };
}

const routes = (...routers: object[]) => ({ name: "all", domains: ["*"], routers });
const to = (cluster: string, headers: Record<string, string> = {}) => ({
  match: { headers: Object.entries(headers).map(([name, value]) => ({ name, value })) },
  route: { cluster_name: cluster },
});

function answers(client: SwitchboardClient): dubbo.DubboFrame[] {
  const { frames, rest } = dubbo.parseFrames(client.take());
  assert.equal(rest.length, 0, "half a frame reached the client");
  return frames;
}

/** The message of an error. */
const message = (frame: dubbo.DubboFrame): unknown => dubbo.decode(frame.body, 1)[0];

describe("calls", () => {
  it("ids of 64 bits come back; the bytes of both frames are what was sent", async () => {
    const { host, servers, client } = await world();
    for (const id of IDS) {
      client.write(dubbo.request(id, { args: [`call ${id}`] }));
      const [answer] = answers(client);
      assert.deepEqual(answer.raw, dubbo.response(id, "ok"));
      const sent = servers.seen.at(-1);
      assert.ok(sent);
      assert.deepEqual(dubbo.request(sent.frame.id, { args: [`call ${id}`] }), sent.frame.raw);
    }
    host.close();
  });

  it("one-way calls get no answer, and wait for none", async () => {
    const { host, servers, client } = await world();
    client.write(dubbo.request(7n, { oneway: true, attachments: { return: "false" } }));
    assert.equal(servers.seen[0].frame.kind, "oneway");
    host.advance(61_000);
    assert.equal(answers(client).length, 0);
    host.close();
  });

  it("an exception is a success: it is not tried again", async () => {
    const policy = { retry_policy: { retry_on: true, num_retries: 3 } };
    const { host, servers, client } = await world(routes({ route: { cluster_name: "upstream", ...policy } }));
    const body = dubbo.encode(3, { $class: "java.lang.RuntimeException", $: { detailMessage: "no" } }, {});
    servers.onRequest = ({ frame, stream }) => stream.write(dubbo.frame(2, 20, frame.id, body));
    client.write(dubbo.request(9n));
    assert.deepEqual(answers(client)[0].raw, dubbo.frame(2, 20, 9n, body));
    assert.equal(servers.seen.length, 1);
    servers.onRequest = ({ frame, stream }) => stream.write(dubbo.frame(2, 100, frame.id, dubbo.encode("full")));
    client.write(dubbo.request(10n));
    host.advance(50);
    assert.equal(servers.seen.length, 5, "a full pool is");
    assert.equal(answers(client)[0].status, 100);
    host.close();
  });

  it("an exception is a success: it ejects no host, and is counted as one", async () => {
    const { host, servers, client } = await world(undefined, [A, B]);
    const exceptions = [0, 3].map((kind) => dubbo.encode(kind, { $class: "java.lang.Error", $: {} }, {}));
    servers.onRequest = ({ frame, stream }) =>
      stream.write(dubbo.frame(2, 20, frame.id, exceptions[servers.seen.length % 2]));
    for (let id = 0n; id < 200n; id++) {
      client.write(dubbo.request(id));
      assert.equal(answers(client)[0].status, 20);
    }
    const shares = servers.streams.map((stream) => servers.seen.filter((call) => call.stream === stream).length);
    assert.deepEqual(
      shares.filter((share) => share > 95),
      shares.filter((share) => share > 0),
      `${shares}`,
    );
    host.advance(1000);
    const count = (name: string) => host.metrics.counter(`moe.cluster.upstream.${name}`);
    assert.deepEqual([count("ok"), count("errors")], [200, 0]);
    host.close();
  });

  it("the timeout attachment is the call's timeout", async () => {
    const { host, servers, client } = await world();
    servers.onRequest = () => {};
    client.write(dubbo.request(3n, { attachments: { timeout: "300" } }));
    host.advance(250);
    assert.equal(answers(client).length, 0);
    host.advance(100);
    const [answer] = answers(client);
    assert.deepEqual([answer.id, answer.status, message(answer)], [3n, 30, "timeout"]);
    host.close();
  });
});

describe("routes", () => {
  it("by service, method, version, group and attachments", async () => {
    const { host, servers, client } = await world(
      routes(
        to("tagged", { "dubbo.tag": "gray" }),
        to("grouped", { group: "g", version: "2.0" }),
        to("method", { service: "com.example.Hello", method: "special" }),
        to("service", { service: "com.example.Hello" }),
        { direct_response: { status: 404, body: "unknown" } },
      ),
    );
    const call = (options: dubbo.RequestOptions): string | undefined => {
      const before = servers.seen.length;
      client.write(dubbo.request(1n, options));
      return servers.seen[before]?.stream.cluster;
    };
    assert.equal(call({}), "service");
    assert.equal(call({ method: "special" }), "method");
    assert.equal(call({ attachments: { "dubbo.tag": "gray" } }), "tagged");
    assert.equal(call({ attachments: { group: "g" }, version: "2.0" }), "grouped");
    assert.equal(answers(client).length, 4);
    assert.equal(call({ service: "other", args: [[{ $class: "x.Y", $: { a: 1 } }]] }), undefined);
    const [answer] = answers(client);
    assert.deepEqual([answer.status, message(answer)], [60, "unknown"]);
    host.close();
  });

  it("changed headers are on the wire, both ways; arguments keep their bytes", async () => {
    const add = (key: string, value: string) => ({ header: { key, value }, append: false });
    const { host, servers, client } = await world(
      routes({
        route: {
          cluster_name: "upstream",
          request_headers_to_add: [add("service", "com.example.Other"), add("version", "9"), add("x", "ü😀")],
          request_headers_to_remove: ["secret"],
          response_headers_to_add: [add("served-by", "moe")],
        },
      }),
    );
    const person = { $class: "com.example.Person", $: { name: "n", tags: ["a", "b"] } };
    const args = [[person, person], Buffer.alloc(3000, 7)];
    client.write(
      dubbo.request(5n, { types: "Ljava/util/List;[B", args, attachments: { secret: "s", count: 3, list: [1] } }),
    );
    const { frame } = servers.seen[0];
    const read = dubbo.invocation(frame.body, 2);
    assert.deepEqual([read.service, read.version, read.method], ["com.example.Other", "9", "hi"]);
    const { path, interface: name, version, x, secret, count, list } = read.attachments;
    assert.deepEqual([path, name, version, x], ["com.example.Other", "com.example.Other", "9", "ü😀"]);
    assert.deepEqual([secret, count, list], [undefined, 3, [1]]);
    assert.ok(frame.body.includes(dubbo.encode(...args)), "the arguments' bytes");
    const [answer] = answers(client);
    assert.deepEqual(dubbo.decode(answer.body, 3), [4, "ok", { dubbo: "2.0.2", "served-by": "moe" }]);
    host.close();
  });

  it("another serialization goes where every request goes, and back", async () => {
    const { host, servers, client } = await world(
      routes(to("service", { service: "com.example.Hello" }), { route: { cluster_name: "rest" } }),
    );
    const body = Buffer.from("000000064e322e302e320000000850782e48656c6c6f", "hex");
    servers.onRequest = ({ frame, stream }) =>
      stream.write(dubbo.frame(23, 20, frame.id, Buffer.from("00000001af", "hex")));
    client.write(dubbo.frame(0xc0 | 23, 0, 8n, body));
    assert.equal(servers.seen[0].stream.cluster, "rest");
    assert.deepEqual(servers.seen[0].frame.body, body);
    const [answer] = answers(client);
    assert.deepEqual([answer.id, answer.serialization], [8n, 23]);
    host.close();
  });
});

describe("events", () => {
  it("heartbeats are answered in their serialization", async () => {
    const { host, servers, client } = await world();
    client.write(dubbo.heartbeat(11n));
    assert.deepEqual(answers(client)[0].raw, dubbo.heartbeatAck(11n));
    const json = Buffer.from("00000001af", "hex");
    client.write(dubbo.frame(0xe0 | 23, 0, 12n, json));
    assert.deepEqual(answers(client)[0].raw, dubbo.frame(0x20 | 23, 20, 12n, json));
    client.write(dubbo.request(1n));
    servers.streams[0].write(dubbo.heartbeat(13n));
    host.advance(10);
    assert.deepEqual(servers.seen.at(-1)?.frame.raw, dubbo.heartbeatAck(13n));
    host.close();
  });

  it("READONLY retires the server connection: what waits there is answered, new calls go elsewhere", async () => {
    const { host, servers, client } = await world(undefined, [A, B]);
    servers.onRequest = () => {};
    client.write(dubbo.request(1n));
    const old = servers.seen[0];
    old.stream.write(dubbo.readOnly(77n));
    host.advance(10);
    for (let id = 2n; id < 8n; id++) client.write(dubbo.request(id));
    host.advance(10);
    assert.equal(servers.seen.length, 7);
    for (const call of servers.seen.slice(1)) assert.notEqual(call.stream, old.stream);
    for (const call of servers.seen) call.reply("late but well");
    host.advance(10);
    const all = answers(client);
    assert.deepEqual(
      all.map((frame) => frame.kind),
      Array(7).fill("response"),
    );
    assert.deepEqual(all.map((frame) => frame.id).sort(), [1n, 2n, 3n, 4n, 5n, 6n, 7n]);
    assert.ok(old.stream.closed);
    host.close();
  });
});

describe("bad frames", () => {
  it("bombs and garbage in a body are answered at once, and the connection lives on", async () => {
    const { host, servers, client } = await world();
    const start = dubbo.encode("2.0.2", "com.example.Hello", "1.0", "hi", "Ljava/lang/Object;");
    const bombs = [
      Buffer.alloc(1_000_000, 0x79), // a list in a list in a list …
      Buffer.from("58497fffffff", "hex"), // 2 G values
      Buffer.from("53ffff", "hex"), // 65,535 characters
      Buffer.from("519049", "hex"), // a reference to nothing
      Buffer.from("40", "hex"), // no value
    ];
    for (const [i, bomb] of bombs.entries()) {
      const id = BigInt(i) + (1n << 40n);
      client.write(Buffer.concat([dubbo.frame(0xc2, 0, id, Buffer.concat([start, bomb])), dubbo.request(id + 100n)]));
      const [bad, good] = answers(client);
      assert.deepEqual([bad.id, bad.status], [id, 70]);
      assert.match(String(message(bad)), /header/i);
      assert.equal(good.id, id + 100n);
    }
    assert.equal(servers.seen.length, bombs.length);
    host.close();
  });
});
