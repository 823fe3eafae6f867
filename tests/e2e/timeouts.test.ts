// Timeouts of calls and of single tries, and retries that a route asks for.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { type BoltFrame, BoltStatus, response } from "../host/kit/bolt.ts";
import { makeCalls, meet, reasonOf, servedBy, tally } from "./kit/calls.ts";
import type { RawBoltClient } from "./kit/client.ts";
import { CONCURRENCIES } from "./kit/envoy.ts";
import { suiteScope } from "./kit/scope.ts";
import type { RawBoltServer, ServerConnection } from "./kit/server.ts";
import { callOf, Stage } from "./kit/stage.ts";
import { WAIT_MS, waitUntil } from "./kit/wait.ts";

const numbered = (name: string, timeout?: number) => (i: number) => ({ ...callOf(name), content: String(i), timeout });
const contents = (server: RawBoltServer): string[] => server.arrivals.map(({ frame }) => frame.content.toString());

function assertTimedOut(answer: BoltFrame): void {
  assert.equal(answer.status, BoltStatus.TIMEOUT);
  assert.equal(reasonOf(answer), "timeout");
}

/** Makes a server keep what it gets; the function returned answers all that, and everything from then on. */
function hold(server: RawBoltServer): () => number {
  const held: [BoltFrame, ServerConnection][] = [];
  server.handler = (frame, connection) => {
    held.push([frame, connection]);
    return undefined;
  };
  return () => {
    server.handler = (frame) => server.echo(frame);
    for (const [frame, connection] of held) connection.write(server.echo(frame) as Buffer);
    return held.length;
  };
}

for (const concurrency of CONCURRENCIES) {
  describe(`timeouts and retries, --concurrency ${concurrency}`, () => {
    const scope = suiteScope();
    let stage: Stage;

    before(async () => {
      stage = await Stage.start(scope, {
        concurrency,
        clusters: {
          frame: { route: { timeout: "20s" } },
          route: { route: { timeout: "400ms" } },
          tries: {
            servers: ["mute", "prompt"],
            route: { timeout: "20s", retry_policy: { retry_on: true, num_retries: 1, retry_timeout: "300ms" } },
          },
          status: {
            servers: ["busy", "idle"],
            route: { retry_policy: { retry_on: true, num_retries: 2, status_codes: [503] } },
          },
          all: { servers: ["all1", "all2"], route: { retry_policy: { retry_on: true, num_retries: 1 } } },
          none: { servers: ["none1", "none2"], route: { retry_policy: { num_retries: 2 } } },
          lost: { servers: ["lost", "found"], route: { retry_policy: { retry_on: true, num_retries: 2 } } },
        },
      });
    });

    /** Lets the server answer; so many of its answers come too late, are counted and dropped. */
    async function answerLate(client: RawBoltClient, release: () => number, count: number): Promise<void> {
      const late = await stage.bolt("late_responses");
      const frames = client.frames.length;
      const inTime = release() - count;
      await waitUntil(
        async () => (await stage.bolt("late_responses")) === late + count,
        WAIT_MS,
        () => `not ${count} late responses`,
      );
      await client.waitForFrames(frames + inTime);
      assert.equal(client.frames.length, frames + inTime);
    }

    it("a request's own timeout goes before the route's; a late answer is dropped", async (t) => {
      const [client] = await stage.connect(t);
      const server = stage.server("frame");
      const timeouts = await stage.bolt("timeouts");
      const release = hold(server);
      const start = Date.now();
      const answers = await makeCalls(client, 30, numbered("frame", 300));
      answers.forEach(assertTimedOut);
      assert.ok(Date.now() - start >= 300, "not before its time");
      assert.equal(server.requests, 30);
      await answerLate(client, release, 30);
      assert.equal(await stage.bolt("timeouts"), timeouts + 30);
      assert.equal(servedBy(await client.call(100, callOf("frame"))), "frame", "the connection is good");
    });

    it("the route's timeout counts for requests without one, not for those with a longer one", async (t) => {
      const [client] = await stage.connect(t);
      const server = stage.server("route");
      const release = hold(server);
      const patient = client.call(1, numbered("route", 30_000)(1));
      const answers = await makeCalls(client, 10, numbered("route"), { from: 10 });
      answers.forEach(assertTimedOut);
      assert.equal(server.requests, 11);
      assert.equal(client.answers(1).length, 0);
      await answerLate(client, release, 10);
      assert.equal(servedBy(await patient), "route");
    });

    it("a try that takes too long is repeated on another host; the late answer is dropped", async (t) => {
      const [client] = await stage.connect(t);
      await meet(client, ["mute", "prompt"], callOf("tries"));
      const [mute, prompt] = ["mute", "prompt"].map((name) => stage.server(name));
      mute.arrivals.length = prompt.arrivals.length = 0;
      const release = hold(mute);
      const answers = await makeCalls(client, 40, numbered("tries"));
      assert.deepEqual(tally(answers), { prompt: 40 });
      assert.equal(prompt.arrivals.length, 40);
      assert.equal(mute.arrivals.length, 20, "every other call was tried there first");
      await answerLate(client, release, 20);
    });

    it("an answer with one of status_codes is repeated on another host, others are not", async (t) => {
      const [client] = await stage.connect(t);
      await meet(client, ["busy", "idle"], callOf("status"));
      const [busy, idle] = ["busy", "idle"].map((name) => stage.server(name));
      const answerWith = (server: RawBoltServer, status: number) => {
        server.arrivals.length = 0;
        server.handler = (frame) => response(frame.id, { status, headers: [["served-by", server.name]] });
      };
      idle.arrivals.length = 0;
      answerWith(busy, BoltStatus.SERVER_THREADPOOL_BUSY);
      assert.deepEqual(tally(await makeCalls(client, 40, numbered("status"))), { idle: 40 });
      assert.deepEqual([busy.arrivals.length, new Set(contents(idle)).size, idle.arrivals.length], [20, 40, 40]);

      answerWith(busy, BoltStatus.SERVER_EXCEPTION);
      const answers = await makeCalls(client, 40, numbered("status"), { from: 100 });
      assert.deepEqual(tally(answers), { idle: 20, busy: 20 });
      assert.equal(answers.filter(({ status }) => status === BoltStatus.SERVER_EXCEPTION).length, 20);

      answerWith(busy, BoltStatus.SERVER_THREADPOOL_BUSY);
      answerWith(idle, BoltStatus.SERVER_THREADPOOL_BUSY);
      const last = await makeCalls(client, 10, numbered("status"), { from: 200 });
      assert.ok(last.every(({ status }) => status === BoltStatus.SERVER_THREADPOOL_BUSY));
      assert.equal(busy.arrivals.length + idle.arrivals.length, 30, "two retries for each call, not more");
    });

    it("retry_on without status_codes repeats every failed answer", async (t) => {
      const [client] = await stage.connect(t);
      await meet(client, ["all1", "all2"], callOf("all"));
      stage.server("all1").handler = (frame) => response(frame.id, { status: BoltStatus.SERVER_EXCEPTION });
      const earlier = stage.got("all1");
      assert.deepEqual(tally(await makeCalls(client, 40, numbered("all"))), { all2: 40 });
      assert.equal(stage.got("all1").all1 - earlier.all1, 20);
    });

    it("without retry_on no answer is repeated", async (t) => {
      const [client] = await stage.connect(t);
      await meet(client, ["none1", "none2"], callOf("none"));
      const servers = ["none1", "none2"].map((name) => stage.server(name));
      for (const server of servers) server.arrivals.length = 0;
      servers[0].handler = (frame) => response(frame.id, { status: BoltStatus.SERVER_THREADPOOL_BUSY });
      const answers = await makeCalls(client, 40, numbered("none"));
      assert.equal(answers.filter(({ status }) => status === BoltStatus.SERVER_THREADPOOL_BUSY).length, 20);
      assert.equal(servers[0].arrivals.length + servers[1].arrivals.length, 40);
    });

    it("retry_on repeats what a host had read before it closed the connection", async (t) => {
      const [client] = await stage.connect(t);
      await meet(client, ["lost", "found"], callOf("lost"));
      const lost = stage.server("lost");
      lost.arrivals.length = 0;
      lost.handler = (_, connection) => {
        if (lost.arrivals.length === 10) connection.socket.destroy();
        return undefined;
      };
      assert.deepEqual(tally(await makeCalls(client, 20, numbered("lost"))), { found: 20 });
      assert.equal(lost.arrivals.length, 10);
    });

    it("nothing is left over", async () => {
      await waitUntil(
        async () => (await stage.bolt("active")) === 0,
        WAIT_MS,
        () => "the gauge `active` is not 0",
      );
    });
  });
}
