// What peers send wrong: it is answered where its id is known, else the connection closes; it is counted and logged, and
// nobody else notices.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import { type BoltFrame, BoltStatus, heartbeatAck, request, response, withId } from "../host/kit/bolt.ts";
import {
  type BadAnswer,
  badAnswers,
  type BadRequest,
  badRequests,
  BROKEN_BLOCKS,
  NO_PROTOCOL,
  type ProxyAnswer,
  type Version,
  VERSIONS,
  withBlock,
} from "./kit/bad_frames.ts";
import { reasonOf } from "./kit/calls.ts";
import { RawBoltClient } from "./kit/client.ts";
import { CONCURRENCIES, startEnvoy } from "./kit/envoy.ts";
import { Neighbour } from "./kit/neighbour.ts";
import { untilRead } from "./kit/received.ts";
import { type Scope, suiteScope } from "./kit/scope.ts";
import { RawBoltServer, type ServerConnection } from "./kit/server.ts";
import { WAIT_MS, waitUntil } from "./kit/wait.ts";

const MIB = 1 << 20;
const DETECT_MS = 300;
/** Lines a second that a worker writes about bad peers. */
const LOG_BURST = 5;
const LOG_LINE = /moe-wasm: (client|server) 127\.0\.0\.1:\d+(?: of cluster upstream)?: ([^(]*[^( ])/;
const GIVEN_UP = { status: BoltStatus.NO_PROCESSOR, reason: "the connection to the server was reset" };

for (const concurrency of CONCURRENCIES) {
  describe(`bad input, --concurrency ${concurrency}`, () => {
    const scope = suiteScope();
    /** Requests that the server has not answered yet: those with the content "held". */
    let held: [BoltFrame, ServerConnection][] = [];
    /** What the server does with a request with the content "bad". */
    let misbehave: (frame: BoltFrame, connection: ServerConnection) => void;
    /** What the counters must show in the end. */
    const expected = { refused_connections: 0, server_garbage: 0, "bolt.decode_errors": 0, "boltv2.decode_errors": 0 };
    const neighbours: Neighbour[] = [];
    let server: RawBoltServer;
    let other: RawBoltServer;
    let envoy: EnvoyProcess;

    before(async () => {
      server = await RawBoltServer.start({ record: false });
      scope.after(() => server.close());
      server.handler = (frame, connection) => {
        const content = frame.content.toString();
        if (content === "held") held.push([frame, connection]);
        else if (content === "bad") misbehave(frame, connection);
        else return server.echo(frame);
      };
      other = await RawBoltServer.start();
      scope.after(() => other.close());
      const toOther = { match: { headers: [{ name: "to", value: "other" }] }, route: { cluster_name: "other" } };
      const routers = [toOther, { route: { cluster_name: "upstream" } }];
      const config = {
        protocols: ["bolt", "boltv2"],
        detect_timeout_ms: DETECT_MS,
        router: { virtual_hosts: [{ name: "all", domains: ["*"], routers }] },
      };
      const clusters = { upstream: { hosts: [server.port] }, other: { hosts: [other.port] } };
      envoy = await startEnvoy(scope, { concurrency, config, clusters });
      for (let i = 0; i < 4; i++) neighbours.push(await Neighbour.start(envoy.port, `neighbour ${i}`));
    });

    async function connect(t: Scope): Promise<RawBoltClient> {
      const client = await RawBoltClient.connect(envoy.port);
      t.after(() => client.close());
      return client;
    }

    /** A connection with a request under way, id 1, that waits for `release`. */
    async function connectWaiting(t: Scope, version: Version): Promise<RawBoltClient> {
      held = [];
      const client = await connect(t);
      await client.write(request(1, { ...version, content: "held" }));
      await waitUntil(
        () => held.length === 1,
        WAIT_MS,
        () => "nothing held",
      );
      return client;
    }

    /** Answers what is held. */
    async function release(client: RawBoltClient): Promise<void> {
      for (const [frame, connection] of held) connection.write(server.echo(frame) as Buffer);
      assert.equal((await client.answer(1)).content.toString(), "held");
    }

    /** What the log says about bad peers, from its line `from` on: "client: REASON" or "server: REASON". */
    function logged(from: number): string[] {
      return envoy.log.slice(from).flatMap((line) => {
        const [, peer, reason] = LOG_LINE.exec(line) ?? [];
        return peer ? [`${peer}: ${reason}`] : [];
      });
    }

    /** Waits until the counters show what is expected; fails if they never do. */
    async function waitForCounts(): Promise<void> {
      let counts = new Map<string, number>();
      await waitUntil(
        async () => {
          counts = await envoy.stats("wasmcustom.moe.*(refused|garbage|decode_errors)");
          return Object.entries(expected).every(
            ([name, count]) => (counts.get(`wasmcustom.moe.${name}`) ?? 0) === count,
          );
        },
        WAIT_MS,
        () => JSON.stringify({ expected, counts: [...counts] }),
      );
    }

    async function sendFirst(t: Scope, bytes: Buffer): Promise<void> {
      const client = await connect(t);
      void client.write(bytes);
      expected.refused_connections++;
      await client.waitForClose();
      assert.equal(client.bytesRead, 0);
    }

    async function sendBad(t: Scope, bad: BadRequest, version: Version): Promise<void> {
      const client = await connectWaiting(t, version);
      await client.write(bad.bytes);
      expected.refused_connections++;
      if (!bad.decodes) expected["version" in version ? "boltv2.decode_errors" : "bolt.decode_errors"]++;
      if (bad.answer) assertAnswer(await client.answer(2), bad.answer, version);
      if (!bad.closes) assert.equal((await client.call(3, { ...version, content: "next" })).content.toString(), "next");
      // What is under way is answered even so.
      if (bad.closes) await waitForCounts();
      await release(client);
      if (bad.closes) await client.waitForClose();
      else assert.equal(client.state, "open");
      assert.equal(client.answers(2).length, bad.answer ? 1 : 0);
      assert.equal(client.garbage, undefined);
    }

    async function answerBadly(t: Scope, bad: BadAnswer, version: Version): Promise<void> {
      const connections: ServerConnection[] = [];
      misbehave = (frame, connection) => {
        connections.push(connection);
        connection.write(bad.bytes(frame.id));
      };
      const client = await connectWaiting(t, version);
      await client.write(request(2, { ...version, content: "bad" }));
      expected.server_garbage++;
      assertAnswer(await client.answer(2), bad.answer ?? GIVEN_UP, version);
      if (bad.answer) {
        await release(client);
        assert.equal(connections[0].closed, false);
      } else {
        assertAnswer(await client.answer(1), GIVEN_UP, version);
        await waitUntil(
          () => connections[0].closed,
          WAIT_MS,
          () => "the server's connection is open",
        );
      }
      assert.equal((await client.call(3, { ...version, content: "next" })).content.toString(), "next");
      assert.equal(client.frames.length, 3);
    }

    it("first bytes of no known protocol close the connection", async (t) => {
      for (const bytes of Object.values(NO_PROTOCOL)) await sendFirst(t, bytes);
      for (const connection of server.connections) assert.equal(connection.garbage, undefined, "a server hears of it");
    });

    it("too few first bytes close the connection after a while", async (t) => {
      const silent = await connect(t);
      for (const bytes of [Buffer.from([1]), Buffer.from([2]), Buffer.from([2, 1])]) {
        const start = Date.now();
        await sendFirst(t, bytes);
        assert.ok(Date.now() - start >= DETECT_MS);
      }
      assert.equal((await silent.call(6)).id, 6, "nothing at all may be sent for as long as one likes");
    });

    for (const version of VERSIONS) {
      const name = "crc" in version ? "v2 with CRC" : "version" in version ? "v2" : "v1";
      for (const bad of badRequests(version)) {
        it(`${name}, the client sends ${bad.name}`, (t) => sendBad(t, bad, version));
      }
      for (const bad of badAnswers(version)) {
        it(`${name}, the server sends ${bad.name}`, (t) => answerBadly(t, bad, version));
      }
    }

    it("header blocks that are no pairs pass as they came, both ways", async (t) => {
      for (const version of VERSIONS) {
        for (const block of Object.values(BROKEN_BLOCKS)) {
          let arrived: Buffer | undefined;
          misbehave = (frame, connection) => {
            arrived = frame.raw;
            connection.write(
              withBlock((options) => response(frame.id, { ...options, content: "yes" }), block, version),
            );
          };
          const client = await connectWaiting(t, version);
          const sent = withBlock((options) => request(2, { ...options, class: "C", content: "bad" }), block, version);
          await client.write(sent);
          const answer = await client.answer(2);
          const expectedAnswer = withBlock((options) => response(2, { ...options, content: "yes" }), block, version);
          assert.equal(answer.raw.toString("hex"), expectedAnswer.toString("hex"));
          assert.equal(arrived && withId(arrived, 2).toString("hex"), sent.toString("hex"));
          await release(client);
        }
      }
    });

    it("answers to nobody, and second answers, are dropped", async (t) => {
      misbehave = (frame, connection) => {
        const answer = server.echo(frame) as Buffer;
        connection.write(Buffer.concat([response(frame.id ^ 0xffff), answer, answer, heartbeatAck(frame.id)]));
      };
      const client = await connectWaiting(t, {});
      for (let id = 2; id < 100; id++) await client.call(id, { content: "bad" });
      await release(client);
      assert.equal(client.frames.length, 99);
    });

    it("a server cannot answer what another one was asked", async (t) => {
      const client = await connect(t);
      const asked: [BoltFrame, ServerConnection][] = [];
      other.handler = (frame, connection) => void asked.push([frame, connection]);
      await client.write(request(1, { headers: [["to", "other"]] }));
      await waitUntil(
        () => asked.length === 1,
        WAIT_MS,
        () => "nothing arrived",
      );
      const [[{ id }, connection]] = asked;
      misbehave = (frame, wrong) => wrong.write(Buffer.concat([response(id), response(frame.id)]));
      await client.call(2, { content: "bad" });
      assert.deepEqual(client.answers(1), []);
      connection.write(response(id, { content: "right" }));
      assert.equal((await client.answer(1)).content.toString(), "right");
      assert.equal(client.frames.length, 2);
    });

    it("a flood of bad frames is answered and counted, but not logged line by line", async (t) => {
      const client = await connect(t);
      const [bad] = badRequests({}).filter(({ answer, closes }) => answer && !closes);
      const [lines, start] = [envoy.log.length, Date.now()];
      await client.write(Buffer.concat(Array<Buffer>(500).fill(bad.bytes)));
      await client.waitForFrames(500);
      expected.refused_connections += 500;
      expected["bolt.decode_errors"] += 500;
      const seconds = Math.ceil((Date.now() - start) / 1000) + 1;
      assert.ok(logged(lines).length <= LOG_BURST * concurrency * seconds);
    });

    it("the log names each kind of bad input and the peer", async (t) => {
      const [, , crc] = VERSIONS;
      const kinds: [line: string, provoke: () => Promise<void>][] = [
        ["client: no known protocol in the first bytes", () => sendFirst(t, Buffer.alloc(9))],
        ["client: too few bytes to tell the protocol", () => sendFirst(t, Buffer.from([1]))],
      ];
      for (const bad of badRequests(crc)) {
        kinds.push([`client: ${bad.log}`, () => sendBad(t, bad, crc)]);
      }
      for (const bad of badAnswers(crc)) {
        kinds.push([`server: ${bad.log}`, () => answerBadly(t, bad, crc)]);
      }
      const from = envoy.log.length;
      for (const [line, provoke] of kinds) {
        // Some lines are left out: then it has to come again.
        const seen = async () => {
          if (!logged(from).includes(line)) await provoke();
          return logged(from).includes(line);
        };
        await waitUntil(seen, WAIT_MS, () => `no "${line}" in ${logged(from).join(", ")}`);
      }
      assert.ok(envoy.log.some((line) => /\(\d+ similar lines left out\)$/.test(line)));
    });

    it("frames that never end cost no memory once their connections are gone", async () => {
      const half = request(1, { content: Buffer.alloc(8 * MIB) }).subarray(0, MIB);
      const sizes: number[] = [];
      for (let round = 0; round < 6; round++) {
        const clients = await Promise.all(Array.from({ length: 64 }, () => RawBoltClient.connect(envoy.port)));
        // Give or take what the neighbours write.
        await untilRead(envoy, () => {
          clients.forEach((client) => void client.write(half));
          return clients.length * half.length;
        });
        clients.forEach((client) => client.reset());
        await waitUntil(
          async () => (await envoy.stat("http.switchboard.downstream_cx_active")) === neighbours.length,
          WAIT_MS,
          () => "connections are left",
        );
        sizes.push(envoy.usage().rss);
      }
      assert.ok(sizes[5] - sizes[1] < 64 * MIB, `${sizes.map((size) => (size / MIB).toFixed()).join(", ")} MiB`);
    });

    it("everything is counted", () => waitForCounts());

    it("neighbours have noticed nothing", async () => {
      for (const neighbour of neighbours) await neighbour.stop();
    });
  });
}

/** The proxy's own answer, in the version of the request. */
function assertAnswer(answer: BoltFrame, { status, reason }: ProxyAnswer, version: Version): void {
  assert.equal(answer.status, status);
  assert.equal(reasonOf(answer), reason);
  assert.equal(answer.version, "version" in version ? 2 : 1);
  assert.equal(answer.crc, "crc" in version ? "good" : "none");
}
