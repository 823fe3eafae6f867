// Many connections, many failures at once: Envoy lives, its memory stays bounded, every call gets an answer.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type BoltFrame, BoltStatus, request } from "../host/kit/bolt.ts";
import { makeCalls, reasonOf, servedBy, tally } from "./kit/calls.ts";
import type { RawBoltClient } from "./kit/client.ts";
import { CONCURRENCIES } from "./kit/envoy.ts";
import { type Scope, suiteScope } from "./kit/scope.ts";
import { callOf, Stage } from "./kit/stage.ts";
import { WAIT_MS, waitUntil } from "./kit/wait.ts";

const MIB = 1 << 20;
const CONNECTIONS = 1000;
const CALLS_EACH = 3;
const TIMEOUT_MS = 4000;
const FLAPS = 5000;
const LOST = /^the server closed the connection$|^the connection to the server was reset$/;

for (const concurrency of CONCURRENCIES) {
  describe(`scale, --concurrency ${concurrency}`, () => {
    const scope = suiteScope();
    let stage: Stage;

    before(async () => {
      stage = await Stage.start(scope, { concurrency, clusters: { still: {}, flap: {}, brief: {} } });
    });

    async function idle(): Promise<void> {
      await waitUntil(
        async () => (await stage.bolt("active")) === 0,
        WAIT_MS,
        () => "the gauge `active` is not 0",
      );
    }

    it("3,000 calls that time out in one tick over 1,000 connections are all answered", async (t) => {
      const server = stage.server("still");
      server.handler = () => undefined;
      const clients = await stage.connect(t, CONNECTIONS);
      const calls = Buffer.concat(
        Array.from({ length: CALLS_EACH }, (_, id) => request(id, { ...callOf("still"), timeout: TIMEOUT_MS })),
      );
      for (const client of clients) await client.write(calls);
      await server.waitForRequests(CONNECTIONS * CALLS_EACH);
      // The next tick comes when all are due.
      process.kill(stage.envoy.pid, "SIGSTOP");
      await sleep(TIMEOUT_MS);
      process.kill(stage.envoy.pid, "SIGCONT");
      for (const client of clients) {
        await client.waitForFrames(CALLS_EACH);
        assert.deepEqual(client.frames.map(({ id, status }) => [id, status]).sort(), timedOut);
      }
      await idle();
      assert.equal(await stage.bolt("timeouts"), CONNECTIONS * CALLS_EACH);

      server.handler = (frame) => server.echo(frame);
      const answers = await Promise.all(clients.map((client) => client.call(CALLS_EACH, callOf("still"))));
      assert.deepEqual(tally(answers), { still: CONNECTIONS });
      assert.ok(clients.every((client) => client.frames.length === CALLS_EACH + 1));
      for (const worker of Array(concurrency).keys()) {
        const name = `listener.127.0.0.1_0.worker_${worker}.downstream_cx_total`;
        assert.ok((await stage.envoy.stat(name)) > CONNECTIONS / 10, `${name}: no even spread`);
      }
    });

    it("an upstream that flaps 5,000 times: each call is answered or fails, clients stay, memory too", async (t) => {
      const clients = await stage.connect(t, 8);
      const server = stage.server("flap");
      server.handler = (frame, connection) => {
        connection.write(server.echo(frame) as Buffer);
        if (connection.id % 2 === 0) connection.end();
        else connection.reset();
        return undefined;
      };
      const flaps = () => server.connections.length;
      const until = (count: number) => Promise.all(clients.map((client, i) => flapUntil(client, i, flaps, count)));
      await until(FLAPS / 5);
      const before = stage.envoy.usage().rss;
      const answers = (await until(FLAPS)).flat();
      const growth = stage.envoy.usage().rss - before;
      const served = answers.filter((answer) => servedBy(answer) === "flap").length;
      assert.ok(served > 0 && served < answers.length, `${served} of ${answers.length} calls were served`);
      const executed = server.arrivals.map(({ frame }) => frame.content.toString());
      assert.equal(new Set(executed).size, executed.length, "a call was executed twice");
      assert.ok(growth < 16 * MIB, `grew by ${growth / MIB} MiB`);
      await idle();
      server.handler = (frame) => server.echo(frame);
      for (const client of clients) {
        assert.equal(client.state, "open");
        assert.deepEqual(tally(await makeCalls(client, 20, callOf("flap"), { from: 2_000_000 })), { flap: 20 });
      }
    });

    it("1,000 connections opened and closed again and again: memory returns", async () => {
      const server = stage.server("brief");
      const round = async (n: number) => {
        const ends: (() => void)[] = [];
        const one: Scope = { after: (end) => ends.push(end as () => void) };
        const clients = await stage.connect(one, CONNECTIONS);
        const answers = await Promise.all(clients.map((client) => makeCalls(client, 3, callOf("brief"))));
        const reasons = [...new Set(answers.flat().map(reasonOf))];
        assert.deepEqual(tally(answers.flat()), { brief: 3 * CONNECTIONS }, reasons.join());
        // Half of a frame is in memory when the client goes.
        for (const client of clients) await client.write(request(9, callOf("brief")).subarray(0, 30));
        clients.forEach((client, i) => [() => client.end(), () => client.reset(), () => client.close()][(i + n) % 3]());
        await waitUntil(
          () => server.open.length === 0,
          WAIT_MS,
          () => `${server.open.length} connections`,
        );
        return stage.envoy.usage().rss;
      };
      const sizes: number[] = [];
      for (let n = 0; n < 6; n++) sizes.push((await round(n)) / MIB);
      assert.ok(sizes[5] - sizes[2] < 8, `RSS after each round: ${sizes.join(", ")} MiB`);
    });
  });
}

const timedOut = Array.from({ length: CALLS_EACH }, (_, id) => [id, BoltStatus.TIMEOUT]);

/** Calls, one after the other or four at once, until the server has had so many connections. */
async function flapUntil(
  client: RawBoltClient,
  index: number,
  flaps: () => number,
  count: number,
): Promise<BoltFrame[]> {
  const answers: BoltFrame[] = [];
  const window = index % 2 === 0 ? 1 : 4;
  while (flaps() < count) {
    const from = client.frames.length;
    const call = (i: number) => ({ ...callOf("flap"), content: `${index}.${from + i}` });
    const some = await makeCalls(client, window, call, { from, window });
    for (const answer of some) {
      if (servedBy(answer) === undefined) {
        assert.notEqual(answer.status, BoltStatus.SUCCESS);
        assert.match(reasonOf(answer), LOST);
      }
    }
    answers.push(...some);
  }
  return answers;
}
