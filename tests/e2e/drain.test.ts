// GOAWAY from the switchboard: what is in flight is answered, nothing is met with silence, idle connections close.
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { type Listener, switchboard } from "../../scripts/lib/bootstrap.ts";
import { type BoltFrame, BoltStatus } from "../host/kit/bolt.ts";
import { makeCalls, reasonOf } from "./kit/calls.ts";
import { RawBoltClient } from "./kit/client.ts";
import { CONCURRENCIES } from "./kit/envoy.ts";
import type { RawBoltServer } from "./kit/server.ts";
import { callOf, Stage, type StageOptions } from "./kit/stage.ts";
import { WAIT_MS, waitUntil } from "./kit/wait.ts";

const CLUSTERS = { one: {}, two: {}, three: {} };
const NO_CONNECTION = /^no connection to the cluster can be opened$/;
/** Command of MOSN's go-away in Bolt. */
const GOAWAY = 100;

/** Answers of the server wait until `release` is called. */
function hold(server: RawBoltServer): { release(): void } {
  const { handler } = server;
  let release = () => {};
  const released = new Promise<void>((done) => (release = done));
  server.handler = async (frame, connection) => {
    await released;
    server.handler = handler;
    return handler(frame, connection);
  };
  return { release };
}

const isGoAway = ({ type, command }: BoltFrame) => type === 1 && command === GOAWAY;
const closesAfter = (seconds: number) => (_: unknown, listener: Listener) => {
  const options = switchboard(listener).common_http_protocol_options as object;
  Object.assign(options, { max_connection_duration: `${seconds}s` });
};

/** How calls ended: answered by a server, refused by the proxy, or cut off by the end of the connection. */
interface Outcomes {
  answered: string[];
  refused: BoltFrame[];
  cut: string[];
}

/** Connects, makes some rounds of calls, and again, until no connection can be had. */
async function traffic(port: number, lane: number, outcomes: Outcomes): Promise<void> {
  for (let connection = 0; ; connection++) {
    const client = await RawBoltClient.connect(port).catch(() => undefined);
    if (!client) return;
    for (let round = 0; round < 10 && client.state === "open"; round++) {
      const calls = Object.keys(CLUSTERS).map(async (cluster, i) => {
        const content = `${lane}.${connection}.${round}.${i}`;
        const answer = await client.call(round * 10 + i, { ...callOf(cluster), content }).catch((error: Error) => {
          // Silence is what must not be.
          assert.match(error.message, /before the close|connection (closed|reset)/);
        });
        if (!answer) outcomes.cut.push(content);
        else if (answer.status !== BoltStatus.SUCCESS) outcomes.refused.push(answer);
        else outcomes.answered.push(content);
      });
      await Promise.all(calls);
    }
    client.close();
  }
}

for (const concurrency of CONCURRENCIES) {
  // Most of it is waiting for Envoy's own timers.
  describe(`draining, ${concurrency} workers`, { concurrency: true }, () => {
    const start = (t: TestContext, options: Partial<StageOptions> = {}) =>
      Stage.start(t, { concurrency, clusters: CLUSTERS, ...options });

    it("/healthcheck/fail: a connection serves on without new server connections, and closes when idle", async (t) => {
      const stage = await start(t);
      const [client, idle] = await stage.connect(t, 2);
      await Promise.all([client.call(1, callOf("one")), idle.call(1, callOf("one"))]);
      const held = hold(stage.server("one"));
      const inFlight = client.call(2, callOf("one"));
      await stage.server("one").waitForRequests(3);
      await stage.envoy.admin("/healthcheck/fail", "POST");

      // The announcement comes with the answer to a new CONNECT.
      assert.equal((await client.call(3, callOf("two"))).status, BoltStatus.SUCCESS);
      const refused = await client.call(4, callOf("three"));
      assert.equal(refused.status, BoltStatus.NO_PROCESSOR);
      assert.match(reasonOf(refused), NO_CONNECTION);
      assert.equal(stage.server("three").connections.length, 0);
      assert.equal((await client.call(5, callOf("two"))).status, BoltStatus.SUCCESS);
      assert.equal(client.state, "open", "a call is in flight");
      held.release();
      assert.equal((await inFlight).status, BoltStatus.SUCCESS);
      await client.waitForClose();
      assert.equal(client.frames.length, 5);

      // Nobody has told this one; the port is open, and a new connection is served before it closes.
      assert.equal((await idle.call(2, callOf("one"))).status, BoltStatus.SUCCESS);
      const [late] = await stage.connect(t);
      assert.equal((await late.call(1, callOf("one"))).status, BoltStatus.SUCCESS);
      await late.waitForClose();
    });

    it("drain_listeners under traffic: every call is answered or refused with a reason until the port closes", async (t) => {
      const stage = await start(t, { args: ["--drain-time-s", "2", "--drain-strategy", "immediate"] });
      const outcomes: Outcomes = { answered: [], refused: [], cut: [] };
      const lanes = Array.from({ length: 6 }, (_, lane) => traffic(stage.envoy.port, lane, outcomes));
      await waitUntil(
        () => outcomes.answered.length > 300,
        WAIT_MS,
        () => `${outcomes.answered.length} answers`,
      );
      assert.deepEqual([outcomes.refused.length, outcomes.cut.length], [0, 0]);
      const before = outcomes.answered.length;
      await stage.envoy.admin("/drain_listeners?graceful", "POST");
      await Promise.all(lanes);

      assert.ok(outcomes.answered.length > before + 100, "calls go on while the listener drains");
      for (const answer of outcomes.refused) assert.match(reasonOf(answer), NO_CONNECTION);
      const { answered, cut } = outcomes;
      assert.ok(
        cut.length < answered.length / 100,
        `${cut.length} calls met a close; ${answered.length} were answered`,
      );
      const arrived = Object.keys(CLUSTERS).flatMap((name) =>
        stage.server(name).arrivals.map(({ frame }) => frame.content.toString()),
      );
      assert.equal(new Set(arrived).size, arrived.length, "no call came twice");
      assert.equal(arrived.length, outcomes.answered.length, "what was executed was answered, nothing else was");
    });

    it("max_connection_duration: calls in flight are answered, idle connections close", async (t) => {
      const stage = await start(t, { change: closesAfter(2) });
      const [client, idle] = await stage.connect(t, 2);
      await makeCalls(idle, 20, callOf("one"));
      const held = hold(stage.server("one"));
      const inFlight = client.call(1, callOf("one"));
      await idle.waitForClose();
      assert.equal(client.state, "open", "a call is in flight");
      held.release();
      assert.equal((await inFlight).status, BoltStatus.SUCCESS);
      await client.waitForClose();
      assert.equal(client.frames.length, 1);
    });

    it("goaway: clients that know the frame are told, served while they leave, and closed if they do not", async (t) => {
      const stage = await start(t, { config: { goaway: true }, change: closesAfter(2) });
      const [leaving, staying, v2] = await stage.connect(t, 3);
      const held = hold(stage.server("two"));
      await v2.call(1, { ...callOf("one"), version: 2 });
      await Promise.all([leaving, staying].map((client) => client.call(1, callOf("one"))));
      const inFlight = [leaving, staying].map((client) => client.call(2, callOf("two")));
      for (const client of [leaving, staying]) {
        await client.waitForFrames(2);
        assert.ok(isGoAway(client.frames[1]));
        assert.equal((await client.call(3, callOf("one"))).status, BoltStatus.SUCCESS);
      }
      held.release();
      for (const answer of await Promise.all(inFlight)) assert.equal(answer.status, BoltStatus.SUCCESS);
      leaving.end();
      await Promise.all([leaving, staying, v2].map((client) => client.waitForClose()));
      assert.deepEqual(
        [leaving, staying, v2].map(({ frames }) => frames.filter(isGoAway).length),
        [1, 1, 0],
      );
    });
  });
}

describe("a client that has all its server connections", { concurrency: true }, () => {
  /** A switchboard as it was before the module asked. */
  const withoutRoute = (_: unknown, listener: Listener) => {
    const { virtual_hosts: hosts } = switchboard(listener).route_config as { virtual_hosts: { routes: unknown[] }[] };
    hosts[0].routes.shift();
  };

  for (const [what, change, counter] of [
    ["by the shipped route", undefined, "downstream_rq_3xx"],
    ["without the route", withoutRoute, "downstream_rq_4xx"],
  ] as const) {
    it(`hears of a drain by asking, answered ${what}`, async (t) => {
      const config = { goaway: true, drain_check_ms: 500 };
      const stage = await Stage.start(t, { clusters: { one: {} }, config, change });
      const [client] = await stage.connect(t);
      const asked = () => stage.envoy.stat(`http.switchboard.${counter}`);
      let id = 0;
      const callUntil = (condition: () => boolean | Promise<boolean>) =>
        waitUntil(
          async () => {
            assert.equal((await client.call(++id, callOf("one"))).status, BoltStatus.SUCCESS);
            return condition();
          },
          WAIT_MS,
          () => `${id} calls`,
        );
      await callUntil(async () => (await asked()) > 1);
      assert.ok(!client.frames.some(isGoAway), "nothing drains");
      const opened = await stage.envoy.stat("cluster.one.upstream_cx_total");
      await stage.envoy.admin("/healthcheck/fail", "POST");
      await callUntil(() => client.frames.some(isGoAway));
      await client.waitForClose();
      assert.equal(await stage.envoy.stat("cluster.one.upstream_cx_total"), opened, "it was asked, not opened");
    });
  }
});
