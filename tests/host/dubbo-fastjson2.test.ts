// Dubbo in fastjson2 through the release module: routes, changes, errors and timeouts, with what a real consumer sent.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { answers, routes, world } from "./dubbo-world.ts";

describe("fastjson2", () => {
  const recorded = (name: string): Buffer =>
    readFileSync(new URL(`../frames/dubbo3-fastjson2-${name}.bin`, import.meta.url));

  it("gives routes names and attachments; changes are on the wire, both ways", async () => {
    const add = (key: string, value: string) => ({ header: { key, value }, append: false });
    const { host, servers, client } = await world(
      routes(
        {
          match: {
            headers: [
              { name: "service", value: "interop.api.HelloService" },
              { name: "tenant", value: "t1" },
            ],
          },
          route: {
            cluster_name: "tenant",
            request_headers_to_add: [add("x", "ü")],
            request_headers_to_remove: ["dubbo.tag"],
            response_headers_to_add: [add("served-by", "moe")],
          },
        },
        { direct_response: { status: 404, body: "unknown" } },
      ),
    );
    const answer = recorded("att.s2c");
    servers.onRequest = ({ frame, stream }) => {
      const copy = Buffer.from(answer);
      copy.writeBigUInt64BE(frame.id, 4);
      stream.write(copy);
    };
    const bytes = recorded("att.c2s");
    client.write(bytes);
    const [seen] = servers.seen;
    assert.equal(seen.stream.cluster, "tenant");
    // The last value of the body: its length, '{', …, '}'.
    const map = (body: Buffer, at: number): Buffer => {
      assert.equal(body.readUInt32BE(at), body.length - at - 4);
      return body.subarray(at + 4);
    };
    const before = bytes.subarray(16);
    const at = before.lastIndexOf(0xa6) - 4;
    const tag = Buffer.concat([
      Buffer.from([0x52]),
      Buffer.from("dubbo.tag"),
      Buffer.from([0x4d]),
      Buffer.from("gray"),
    ]);
    const without = map(before, at);
    const cut = without.indexOf(tag);
    assert.ok(cut > 0);
    // The version, which is a field as well, comes last.
    const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
    const rest = text(without.subarray(0, cut)) + text(without.subarray(cut + tag.length, -1));
    const version = "PversionN0.0.0";
    assert.ok(rest.includes(version));
    const x = text(Buffer.from("4a787a02c3bc", "hex"));
    assert.equal(text(map(seen.frame.body, at)), rest.replace(version, "") + x + version + "\xa5");
    assert.deepEqual(seen.frame.body.subarray(0, at), before.subarray(0, at));
    const [got] = answers(client);
    assert.deepEqual([got.id, got.serialization, got.status], [bytes.readBigUInt64BE(4), 23, 20]);
    const servedBy = Buffer.concat([
      Buffer.from([0x52]),
      Buffer.from("served-by"),
      Buffer.from([0x4c]),
      Buffer.from("moe\xa5", "latin1"),
    ]);
    assert.ok(got.raw.subarray(-servedBy.length).equals(servedBy));
    client.write(recorded("hello.c2s"));
    const [refused] = answers(client);
    assert.deepEqual([refused.status, refused.serialization], [60, 23]);
    assert.equal(refused.body.toString("hex"), "0000000850" + Buffer.from("unknown").toString("hex"));
    host.close();
  });

  it("has the timeout of its attachments", async () => {
    const { host, servers, client } = await world();
    servers.onRequest = () => {};
    client.write(recorded("hello.c2s"));
    host.advance(2900);
    assert.equal(answers(client).length, 0);
    host.advance(200);
    assert.deepEqual(
      answers(client).map((frame) => [frame.status, frame.serialization]),
      [[30, 23]],
    );
    host.close();
  });
});
