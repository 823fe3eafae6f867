// Frames of every size, many at a time, and one-way: what arrives is what was sent, at both ends.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { before, describe, it } from "node:test";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import { type BoltFrame, BoltStatus, request, response } from "../host/kit/bolt.ts";
import { reasonOf } from "./kit/calls.ts";
import { RawBoltClient } from "./kit/client.ts";
import { CONCURRENCIES, startEnvoy } from "./kit/envoy.ts";
import { dice, randomBytes, shuffle } from "./kit/random.ts";
import { type Scope, suiteScope } from "./kit/scope.ts";
import { RawBoltServer, type ServerConnection } from "./kit/server.ts";
import { waitUntil } from "./kit/wait.ts";

const KIB = 1024;
const MIB = KIB * KIB;
const SIZES = [0, 1, 16 * KIB - 1, 16 * KIB, 16 * KIB + 1, 64 * KIB, MIB, 12 * MIB];
/** The shipped `max_frame_bytes`. */
const MAX_FRAME = 16 * MIB;
/** Bytes of a Bolt v1 request before its content, without class and headers. */
const FIXED = 22;
const VERSIONS = [{}, { version: 2 }, { version: 2, crc: true }] as const;
/** For bodies of many MiB on a loaded machine. */
const LONG_MS = 60_000;

const random = randomBytes(MAX_FRAME, dice(0xb0d1e5));
/** Random bytes, different for each size. */
const body = (size: number) => random.subarray(random.length - size);
/** What the test's server makes of a body. */
const turned = (bytes: Buffer) => Buffer.from(bytes).reverse();
const hash = (bytes: Buffer) => createHash("sha1").update(bytes).digest("hex");

for (const concurrency of CONCURRENCIES) {
  describe(`bodies, --concurrency ${concurrency}`, () => {
    const scope = suiteScope();
    let server: RawBoltServer;
    let envoy: EnvoyProcess;

    before(async () => {
      server = await RawBoltServer.start({ record: false });
      scope.after(() => server.close());
      envoy = await startEnvoy(scope, { concurrency, config: null, clusters: { upstream: { hosts: [server.port] } } });
    });

    async function connect(t: Scope): Promise<RawBoltClient> {
      const client = await RawBoltClient.connect(envoy.port);
      t.after(() => client.close());
      return client;
    }

    /** Has the server answer with the bodies turned round; returns the hashes of those that it gets. */
    function turnBodies(): string[] {
      const got: string[] = [];
      server.handler = ({ id, version, crc, content }) => {
        assert.notEqual(crc, "bad");
        got.push(hash(content));
        return response(id, { version: version as 1 | 2, crc: crc === "good", content: turned(content) });
      };
      return got;
    }

    function assertTurned(answer: BoltFrame, size: number): void {
      assert.equal(answer.status, BoltStatus.SUCCESS, reasonOf(answer));
      assert.equal(answer.content.length, size);
      assert.equal(hash(answer.content), hash(turned(body(size))));
      assert.notEqual(answer.crc, "bad");
    }

    it("bodies from nothing to 12 MiB, both ways", async (t) => {
      const got = turnBodies();
      const client = await connect(t);
      for (const [version, options] of VERSIONS.entries()) {
        for (const [i, size] of SIZES.entries()) {
          const answer = await client.call(version * 100 + i, { ...options, content: body(size) }, LONG_MS);
          assertTurned(answer, size);
          assert.equal(answer.crc, "crc" in options ? "good" : "none");
        }
      }
      const expected = SIZES.map((size) => hash(body(size)));
      assert.deepEqual(got, [...expected, ...expected, ...expected]);
    });

    it("bodies of all sizes at the same time on one connection", async (t) => {
      const got = turnBodies();
      const client = await connect(t);
      const sizes = shuffle([...SIZES, ...SIZES], dice(concurrency));
      await client.write(Buffer.concat(sizes.map((size, id) => request(id, { content: body(size) }))));
      for (const [id, size] of sizes.entries()) assertTurned(await client.answer(id, LONG_MS), size);
      assert.deepEqual(got.sort(), sizes.map((size) => hash(body(size))).sort());
      assert.equal(client.frames.length, sizes.length);
    });

    it("a first frame of 1 MiB in one write on a new connection", async (t) => {
      const got = turnBodies();
      const frame = request(1, { content: body(MIB) });
      const clients = await Promise.all(Array.from({ length: 8 }, () => connect(t)));
      for (const client of clients) void client.write(frame);
      for (const client of clients) assertTurned(await client.answer(1, LONG_MS), MIB);
      assert.deepEqual(got, Array(8).fill(hash(body(MIB))));
    });

    it("a frame of 16 MiB passes, both ways", async (t) => {
      const got = turnBodies();
      const client = await connect(t);
      const size = MAX_FRAME - FIXED;
      assertTurned(await client.call(1, { content: body(size) }, LONG_MS), size);
      assert.deepEqual(got, [hash(body(size))]);
    });

    for (const [version, options] of VERSIONS.entries()) {
      it(`a frame of 16 MiB + 1 is refused, its neighbours are not (version ${version})`, async (t) => {
        const held: [BoltFrame, ServerConnection][] = [];
        server.handler = (frame, connection) => {
          if (frame.content.toString() === "first") held.push([frame, connection]);
          else return server.echo(frame);
        };
        const requests = server.requests;
        const client = await connect(t);
        await client.write(request(1, { ...options, content: "first" }));
        const large = request(2, { ...options, content: random });
        const tooLong = large.length - MAX_FRAME - 1;
        const frame = request(2, { ...options, content: random.subarray(tooLong) });
        assert.equal(frame.length, MAX_FRAME + 1);

        // Its length alone tells.
        await client.write(frame.subarray(0, 100));
        assertRefused(await client.answer(2), options);
        await client.write(Buffer.concat([frame.subarray(100), request(3, { ...options, content: "third" })]));
        assert.equal((await client.answer(3, LONG_MS)).content.toString(), "third");
        for (const [{ id }, connection] of held) connection.write(response(id, { ...options, content: "at last" }));
        assert.equal((await client.answer(1)).content.toString(), "at last");

        await client.write(Buffer.concat([frame, request(5, { ...options, content: "fifth" })]));
        await client.answer(5, LONG_MS);
        assert.equal(client.answers(2).length, 2);
        assertRefused(client.answers(2)[1], options);
        assert.equal(client.frames.length, 5);
        assert.equal(server.requests - requests, 3, "the large ones never arrive");
      });
    }

    it("3,000 outstanding requests on one connection", async (t) => {
      const held: [BoltFrame, ServerConnection][] = [];
      server.handler = (frame, connection) => void held.push([frame, connection]);
      const client = await connect(t);
      const ids = Array.from({ length: 3000 }, (_, i) => i * 7919);
      await client.write(Buffer.concat(ids.map((id) => request(id, { content: `request ${id}` }))));
      await waitUntil(
        () => held.length === ids.length,
        LONG_MS,
        () => `${held.length} requests have arrived`,
      );
      assert.equal(new Set(held.map(([frame]) => frame.content.toString())).size, ids.length);
      assert.equal(client.frames.length, 0);
      const active = "wasmcustom.moe.bolt.active";
      const waitForActive = (count: number) =>
        waitUntil(
          async () => (await envoy.stat(active)) === count,
          LONG_MS,
          () => `${active} is not ${count}`,
        );
      await waitForActive(ids.length);

      for (const [{ id, content }, connection] of held.reverse()) {
        connection.write(response(id, { content: `answer to ${content}` }));
      }
      const frames = await client.waitForFrames(ids.length, LONG_MS);
      assert.deepEqual(
        frames.map(({ id, content }) => `${id}: ${content}`).sort(),
        ids.map((id) => `${id}: answer to request ${id}`).sort(),
      );
      await waitForActive(0);
    });

    it("a one-way request arrives once, and nothing comes back even if the server answers", async (t) => {
      const got: string[] = [];
      server.handler = (frame) => {
        got.push(`${frame.kind} ${frame.content}`);
        return response(frame.id, { version: frame.version as 1 | 2, content: frame.content });
      };
      const counted = await envoy.stat("wasmcustom.moe.bolt.oneway");
      const client = await connect(t);
      const names = Array.from({ length: 300 }, (_, i) => String(i));
      const isOneway = (i: number) => i % 3 !== 2;
      for (const [i, content] of names.entries()) {
        void client.write(request(i, { ...VERSIONS[i % 2], type: isOneway(i) ? 2 : 1, content }));
      }
      const answered = names.filter((_, i) => !isOneway(i));
      await client.waitForFrames(answered.length);
      await client.call(1000, { content: "last" });
      assert.deepEqual(
        client.frames.map(({ content }) => content.toString()),
        [...answered, "last"],
      );
      const expected = names.map((name, i) => `${isOneway(i) ? "oneway" : "request"} ${name}`);
      assert.deepEqual(got.sort(), [...expected, "request last"].sort());
      await waitUntil(
        async () => (await envoy.stat("wasmcustom.moe.bolt.oneway")) - counted === 100,
        LONG_MS,
        () => "one-way requests not counted",
      );
    });
  });
}

function assertRefused(answer: BoltFrame, options: (typeof VERSIONS)[number]): void {
  assert.equal(answer.kind, "response");
  assert.equal(answer.version, "version" in options ? 2 : 1);
  assert.equal(answer.status, BoltStatus.UNKNOWN);
  assert.equal(reasonOf(answer), "frame too large");
  assert.equal(answer.crc, "crc" in options ? "good" : "none");
}
