// Frames in any order and any pieces: interleaved, cut at every byte, glued. What arrives is compared byte for byte at
// both ends with what real peers once sent.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import { type BoltFrame, heartbeat, request, response, withId } from "../host/kit/bolt.ts";
import { RawBoltClient } from "./kit/client.ts";
import { CONCURRENCIES, startEnvoy } from "./kit/envoy.ts";
import { dice, randomIds, shuffle } from "./kit/random.ts";
import { untilRead } from "./kit/received.ts";
import { answerCount, assertAnswers, boltRecordings, type Recording, RecordedServer } from "./kit/recordings.ts";
import { suiteScope } from "./kit/scope.ts";
import { RawBoltServer, type ServerConnection } from "./kit/server.ts";
import { WAIT_MS, waitUntil } from "./kit/wait.ts";

/** Connections that are cut at the same time: the first so many cuts of a session meet a new connection. */
const LANES = 200;
/** Longer sessions are cut everywhere near their ends, and now and then in between. */
const CUT_EVERYWHERE = 5000;
const NEAR_END = 500;
const STRIDE = 1021;
const VERSIONS = [{}, { version: 2 }, { version: 2, crc: true }] as const;

const recordings = boltRecordings();

/** Where to cut so many bytes in two. */
function cutsOf(length: number): number[] {
  const all = Array.from({ length: length - 1 }, (_, i) => i + 1);
  if (length <= CUT_EVERYWHERE) return all;
  return all.filter((at) => at < NEAR_END || at > length - NEAR_END || at % STRIDE === 0);
}

for (const concurrency of CONCURRENCIES) {
  describe(`frames, --concurrency ${concurrency}`, () => {
    const scope = suiteScope();
    let server: RawBoltServer;
    let envoy: EnvoyProcess;

    before(async () => {
      server = await RawBoltServer.start({ record: false });
      scope.after(() => server.close());
      // No keepalive: the server is to see no heartbeat at all.
      const config = { keepalive: { interval_ms: 0 } };
      envoy = await startEnvoy(scope, { concurrency, config, clusters: { upstream: { hosts: [server.port] } } });
    });

    const connect = (count: number): Promise<RawBoltClient[]> =>
      Promise.all(Array.from({ length: count }, () => RawBoltClient.connect(envoy.port)));

    /** Has the server play its recorded part. */
    function play(sessions: Recording[]): RecordedServer {
      const recorded = new RecordedServer(sessions);
      server.handler = recorded.handler;
      return recorded;
    }

    /** Waits until every client has so many frames, and the server so many requests. */
    async function waitForAll(clients: RawBoltClient[], frames: number, recorded: RecordedServer, requests: number) {
      await waitUntil(
        () => recorded.total >= requests && clients.every((client) => client.frames.length >= frames),
        WAIT_MS,
        () => `${recorded.total} of ${requests} requests; ${clients.map(describeClient).join("; ")}`,
      );
    }

    it("300 interleaved requests a connection with random ids, answered in another order", async () => {
      const next = dice(0x300);
      const ids = randomIds(300, next);
      const clients = await connect(3);
      const version = (client: number, id: number) => VERSIONS[(client + ids.indexOf(id)) % VERSIONS.length];
      const held: [BoltFrame, ServerConnection][] = [];
      server.handler = (frame, connection) => void held.push([frame, connection]);
      // The clients use the same ids: nobody may get another one's answer.
      for (const id of ids) {
        clients.forEach((client, i) => void client.write(request(id, { ...version(i, id), content: `${i}/${id}` })));
      }
      await waitUntil(
        () => held.length === 3 * ids.length,
        WAIT_MS,
        () => `${held.length} requests have arrived`,
      );
      const asked = held.map(([frame]) => frame.content.toString());
      assert.deepEqual(asked.sort(), clients.flatMap((_, i) => ids.map((id) => `${i}/${id}`)).sort());

      for (const [frame, connection] of shuffle(held, next)) {
        const [client, id] = frame.content.toString().split("/").map(Number);
        const expected = version(client, id);
        assert.equal(frame.version, "version" in expected ? 2 : 1);
        assert.equal(frame.crc, "crc" in expected ? "good" : "none");
        connection.write(response(frame.id, { ...expected, content: `re ${frame.content}` }));
      }
      for (const [i, client] of clients.entries()) {
        const frames = await client.waitForFrames(ids.length);
        const order = frames.map(({ id }) => id);
        assert.deepEqual([...order].sort(), [...ids].sort());
        assert.notDeepEqual(order, ids);
        for (const { id, content, crc } of frames) {
          assert.equal(content.toString(), `re ${i}/${id}`);
          assert.equal(crc, "crc" in version(i, id) ? "good" : "none");
        }
        client.close();
      }
    });

    it("every recorded session arrives as recorded, both ways", async () => {
      for (const session of recordings) {
        const recorded = play([session]);
        const [client] = await connect(1);
        await client.write(session.sent);
        await waitForAll([client], answerCount([session]), recorded, session.requests.length);
        recorded.assertGot([session]);
        assertAnswers(client.frames, [session], session.name);
        client.close();
      }
    });

    it("an answer that comes after the timeout is dropped", async () => {
      const dropped = "wasmcustom.moe.(bolt|boltv2).late_responses";
      const total = async () => [...(await envoy.stats(dropped)).values()].reduce((a, b) => a + b, 0);
      const start = await total();
      const sessions = recordings.filter(({ late }) => late.length > 0);
      assert.equal(sessions.length, 2);
      for (const session of sessions) {
        const held: [BoltFrame, ServerConnection][] = [];
        server.handler = (frame, connection) => void held.push([frame, connection]);
        const [client] = await connect(1);
        await client.write(session.sent);
        await client.waitForFrames(1);
        for (const [{ id, version }, connection] of held) connection.write(response(id, { version: version as 1 | 2 }));
        await client.write(heartbeat(99));
        await client.answer(99);
        assertAnswers(client.frames.slice(0, -1), [session], session.name);
        client.close();
      }
      await waitUntil(
        async () => (await total()) === start + 2,
        WAIT_MS,
        () => "late answers not counted",
      );
    });

    it("every recorded session, cut at every byte", async () => {
      for (const session of recordings) {
        const recorded = play([session]);
        const cuts = cutsOf(session.sent.length);
        const lanes = await connect(Math.min(LANES, cuts.length));
        for (let from = 0; from < cuts.length; from += LANES) {
          const round = cuts.slice(from, from + LANES);
          const clients = lanes.slice(0, round.length);
          const rounds = 1 + from / LANES;
          await untilRead(envoy, () => {
            clients.forEach((client, i) => void client.write(session.sent.subarray(0, round[i])));
            return round.reduce((a, b) => a + b);
          });
          clients.forEach((client, i) => void client.write(session.sent.subarray(round[i])));
          const requests = (from + round.length) * session.requests.length;
          await waitForAll(clients, rounds * answerCount([session]), recorded, requests);
          for (const [i, client] of clients.entries()) {
            const got = client.frames.slice((rounds - 1) * answerCount([session]));
            assertAnswers(got, [session], `${session.name} cut at ${round[i]}`);
          }
        }
        recorded.assertGot([session], cuts.length);
        lanes.forEach((client) => client.reset());
      }
    });

    it("every recorded answer, cut at every byte", async () => {
      const lanes = await connect(32);
      const acks = new Map<ServerConnection, (id: number) => void>();
      const wrongAcks: number[] = [];
      let lastId = 0;
      for (const session of recordings) {
        const recorded = new RecordedServer([session]);
        for (const answer of session.answers.filter(({ kind }) => kind === "response")) {
          const asked = session.requests.find(({ id }) => id === answer.id) as BoltFrame;
          const cuts = cutsOf(answer.raw.length);
          let used = 0;
          server.handler = async (frame, connection) => {
            if (frame.kind === "heartbeatAck") return void acks.get(connection)?.(frame.id);
            const bytes = recorded.handler(frame) as Buffer;
            const at = cuts[used++];
            // The proxy's answer to the heartbeat shows that it has read what came with it.
            const beat = 0x80000000 + at;
            const acked = new Promise<number>((done) => acks.set(connection, done));
            connection.write(Buffer.concat([heartbeat(beat, frame.version as 1 | 2), bytes.subarray(0, at)]));
            const ack = await acked;
            if (ack !== beat) wrongAcks.push(ack);
            return bytes.subarray(at);
          };
          let left = cuts.length;
          const lane = async (client: RawBoltClient) => {
            while (left-- > 0) {
              const id = ++lastId;
              void client.write(withId(asked.raw, id));
              const got = await client.answer(id);
              assert.deepEqual(withId(got.raw, answer.id), answer.raw, `${session.name} cut`);
            }
          };
          await Promise.all(lanes.map(lane));
          assert.equal(used, cuts.length);
          assert.deepEqual(recorded.strangers, []);
        }
      }
      assert.deepEqual(wrongAcks, []);
      lanes.forEach((client) => client.close());
    });

    it("all sessions glued into one write, or in pieces that start and end anywhere", async () => {
      const next = dice(0x914e);
      const short = recordings.filter(({ sent }) => sent.length < CUT_EVERYWHERE);
      for (const [sessions, most] of [
        [recordings, 0],
        [recordings, 3000],
        [short, 40],
        [short, 3],
      ] as const) {
        const bytes = Buffer.concat(sessions.map(({ sent }) => sent));
        const recorded = play(sessions);
        const [client] = await connect(1);
        for (let at = 0, size = 0; at < bytes.length; at += size) {
          size = most === 0 ? bytes.length : 1 + (next() % most);
          await client.write(bytes.subarray(at, at + size));
        }
        await waitForAll([client], answerCount(sessions), recorded, sessions.flatMap((r) => r.requests).length);
        recorded.assertGot(sessions);
        assertAnswers(client.frames, sessions, `pieces of at most ${most}`);
        client.close();
      }
    });

    it("the proxy answers every heartbeat itself", async () => {
      assert.equal(server.heartbeats, 0);
      await waitUntil(
        async () => (await envoy.stat("wasmcustom.moe.bolt.heartbeats")) > 0,
        WAIT_MS,
        () => "no heartbeats counted",
      );
    });
  });
}

const describeClient = ({ state, frames, garbage = "" }: RawBoltClient) =>
  `${state}, ${frames.length} frames ${garbage}`;
