// Dubbo through the release module: what clients and servers see of calls, routes by header, changes, and errors.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { answers, message, routes, to, world } from "./dubbo-world.ts";
import * as dubbo from "./kit/dubbo.ts";
import { A, B } from "./proxy-world.ts";

const IDS = [0n, 1n, 0xffffffffn, 1n << 63n, -1n, 0x6e0afef98c4551b7n];

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

  it("a client whose version reads no attachments of results gets none", async () => {
    const { host, servers, client } = await world(
      routes({
        route: {
          cluster_name: "upstream",
          response_headers_to_add: [{ header: { key: "served-by", value: "moe" }, append: false }],
        },
      }),
    );
    const plain = dubbo.encode(1, "ok");
    servers.onRequest = ({ frame, stream }) => stream.write(dubbo.frame(2, 20, frame.id, plain));
    const request = (version: string) =>
      dubbo.frame(0xc2, 0, 1n, dubbo.encode(version, "com.example.Hello", "1.0", "hi", "", {}));
    for (const version of ["2.6.2", "2.0.1", "2.8.4", "1.0.0"]) {
      client.write(request(version));
      assert.deepEqual(answers(client)[0].body, plain, version);
    }
    host.advance(1000);
    assert.equal(host.metrics.counter("moe.dubbo.lost_changes"), 4);
    for (const version of ["2.0.2", "2.0.99"]) {
      client.write(request(version));
      assert.deepEqual(dubbo.decode(answers(client)[0].body, 3), [4, "ok", { "served-by": "moe" }], version);
    }
    host.close();
  });

  it("another serialization goes where every request goes, and back", async () => {
    const { host, servers, client } = await world(
      routes(to("service", { service: "com.example.Hello" }), { route: { cluster_name: "rest" } }),
    );
    const kryo = 8;
    const body = Buffer.from("000000064e322e302e320000000850782e48656c6c6f", "hex");
    servers.onRequest = ({ frame, stream }) =>
      stream.write(dubbo.frame(kryo, 20, frame.id, Buffer.from("00000001af", "hex")));
    client.write(dubbo.frame(0xc0 | kryo, 0, 8n, body));
    assert.equal(servers.seen[0].stream.cluster, "rest");
    assert.deepEqual(servers.seen[0].frame.body, body);
    const [answer] = answers(client);
    assert.deepEqual([answer.id, answer.serialization], [8n, kryo]);
    host.close();
  });

  it("what servers go by decides: the attachment path, the last value of a key, the method of a generic call", async () => {
    const { host, servers, client } = await world(
      routes(
        { match: { variables: [{ name: "x-mosn-rpc-generic", value: "true" }] }, route: { cluster_name: "generic" } },
        to("secret", { service: "com.example.Secret" }),
        to("blocked", { user: "blocked" }),
        { route: { cluster_name: "rest" } },
      ),
    );
    const call = (bytes: Buffer): string | undefined => {
      const before = servers.seen.length;
      client.write(bytes);
      return servers.seen[before]?.stream.cluster;
    };
    assert.equal(call(dubbo.request(1n)), "rest");
    assert.equal(call(dubbo.request(2n, { attachments: { path: "com.example.Secret" } })), "secret");
    assert.equal(call(withAttachments(3n, ["user", "x", "user", "blocked"])), "blocked");
    assert.equal(call(withAttachments(4n, ["user", "blocked", "user", "x"])), "rest");
    const types = "Ljava/lang/String;[Ljava/lang/String;[Ljava/lang/Object;";
    assert.equal(call(dubbo.request(5n, { method: "$invoke", types, args: ["pay", [], []] })), "generic");
    host.advance(1000);
    assert.equal(host.metrics.counter("moe.service.com.example.Hello.method.pay.requests"), 1);
    assert.equal(host.metrics.counter("moe.service.com.example.Secret.method.hi.requests"), 1);
    host.close();
  });

  it("calls that servers would read differently are refused, alone, and counted", async () => {
    const { host, servers, client } = await world();
    const path = Buffer.from("0470617468", "hex");
    const names = ["2.0.2", "com.example.Hello", "1.0", "hi"];
    const bad = [
      withAttachments(1n, ["path", "com.example.Hello", "path", "com.example.Secret"]),
      withAttachments(1n, ["group", "a", "group", "b"]),
      withAttachments(1n, ["version", "1.0", "version", "2.0"]),
      dubbo.frame(
        0xc2,
        0,
        1n,
        Buffer.concat([dubbo.encode("2.0.2"), Buffer.from("01c1a1", "hex"), dubbo.encode("1", "m", "")]),
      ),
      dubbo.frame(0xc2, 0, 1n, Buffer.concat([dubbo.encode(...names, ""), Buffer.from("4804706174c1a801515a", "hex")])),
      dubbo.frame(
        0xc2,
        0,
        1n,
        Buffer.concat([dubbo.encode(...names, ""), Buffer.from("48", "hex"), path, Buffer.from("915a", "hex")]),
      ),
      dubbo.frame(
        0xc2,
        0,
        1n,
        Buffer.concat([dubbo.encode(...names, "Ljava/util/Map;", { path: "Q" }), Buffer.from("5190", "hex")]),
      ),
    ];
    for (const bytes of bad) {
      client.write(Buffer.concat([bytes, dubbo.request(2n)]));
      const [answer, good] = answers(client);
      assert.deepEqual([answer.id, answer.status], [1n, 40]);
      assert.match(String(message(answer)), /ambiguous/);
      assert.deepEqual([good.id, good.status], [2n, 20]);
    }
    assert.equal(servers.seen.length, bad.length);
    host.advance(1000);
    const count = (name: string) => host.metrics.counter(`moe.dubbo.${name}`);
    assert.deepEqual([count("ambiguous"), count("decode_errors")], [bad.length, bad.length]);
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
  it("bombs and garbage in a body pass as they came, at once: only the names in front are needed", async () => {
    const { host, servers, client } = await world(
      routes(to("named", { service: "com.example.Hello" }), { route: { cluster_name: "rest" } }),
    );
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
      const bad = dubbo.frame(0xc2, 0, id, Buffer.concat([start, bomb]));
      client.write(Buffer.concat([bad, dubbo.request(id + 100n)]));
      host.advance(10);
      assert.deepEqual(servers.seen[2 * i].frame.body, bad.subarray(16));
      assert.equal(servers.seen[2 * i].stream.cluster, "named");
      const ids = answers(client).map((answer) => answer.id);
      assert.deepEqual(ids, [id, id + 100n]);
    }
    host.close();
  });

  it("bodies that are no calls pass as they came", async () => {
    const { host, servers, client } = await world(
      routes(to("named", { service: ".*" }), { route: { cluster_name: "rest" } }),
    );
    const bodies = [
      dubbo.encode("hello"),
      dubbo.encode({ $class: "a.World", $: { name: "w" } }),
      dubbo.encode(7),
      Buffer.alloc(0),
    ];
    for (const [i, body] of bodies.entries()) {
      client.write(dubbo.frame(0xc2, 0, BigInt(i), body));
      assert.equal(servers.seen[i].stream.cluster, "rest");
      assert.deepEqual(servers.seen[i].frame.body, body);
      assert.equal(answers(client)[0].status, 20);
    }
    host.close();
  });
});

/** A request without arguments, with these keys and values as its attachments. */
function withAttachments(id: bigint, words: string[]): Buffer {
  const head = dubbo.encode("2.0.2", "com.example.Hello", "1.0", "hi", "");
  const pairs = words.map((word) => Buffer.concat([Buffer.from([word.length]), Buffer.from(word)]));
  return dubbo.frame(0xc2, 0, id, Buffer.concat([head, Buffer.from("H"), ...pairs, Buffer.from("Z")]));
}
