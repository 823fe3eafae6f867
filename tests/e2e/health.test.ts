// Hosts that stop working without closing anything, and limits that are reached.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { type BoltFrame, BoltStatus, request } from "../host/kit/bolt.ts";
import { makeCalls, meet, reasonOf, servedBy, tally } from "./kit/calls.ts";
import { CONCURRENCIES } from "./kit/envoy.ts";
import { fullBacklog } from "./kit/full_backlog.ts";
import { suiteScope } from "./kit/scope.ts";
import { ServerProcess } from "./kit/server_process.ts";
import { callOf, Stage } from "./kit/stage.ts";
import { WAIT_MS, waitUntil } from "./kit/wait.ts";

const LOST = /^the server closed the connection$|^the connection to the server was reset$/;
/** Of Envoy's health check; a loaded machine may take that long to answer. */
const CHECK_MS = 1000;
const KEEPALIVE = { interval_ms: 200, timeout_ms: 200, max_failures: 3 };

type Host = { port: number };

const numbered =
  (name: string, from = 0) =>
  (i: number) => ({ ...callOf(name), content: String(from + i) });

/** MOSN's. */
const DEFAULT_TIMEOUT_MS = 60_000;

// Together, because most of the time is spent waiting.
describe("servers that do not answer", { concurrency: true }, () => {
  for (const concurrency of CONCURRENCIES) {
    describe(`health and limits, --concurrency ${concurrency}`, { concurrency: 1 }, () => {
      const scope = suiteScope();
      const processes: Record<string, ServerProcess> = {};
      let stage: Stage;

      before(async () => {
        for (const name of ["frozen", "ice1", "ice2"]) {
          processes[name] = await ServerProcess.start({ name });
          scope.after(() => processes[name].kill());
        }
        const stalled = await fullBacklog();
        scope.after(() => stalled.close());
        const { frozen, ice1, ice2 } = processes;
        stage = await Stage.start(scope, {
          concurrency,
          clusters: {
            checked: { ports: [frozen.port], servers: ["warm"], healthCheckMs: CHECK_MS },
            most: { ports: [ice1.port, ice2.port], servers: ["last"], healthCheckMs: CHECK_MS },
            idle: { module: { keepalive: KEEPALIVE } },
            silent: { module: { keepalive: KEEPALIVE } },
            scarce: {
              limits: { max_connections: 1 },
              module: { connect_timeout_ms: 300 },
              route: { retry_policy: { num_retries: 1 } },
            },
            few: { servers: ["few1", "few2"], limits: { max_connections: 3 }, module: { connect_timeout_ms: 300 } },
            busy: { module: { max_requests: 10 } },
            queued: {
              ports: [stalled.port],
              fields: { connect_timeout: "0.3s" },
              module: { connect_timeout_ms: 300, max_pending_requests: 5 },
            },
            neighbour: {},
          },
        });
      });

      /** Whether Envoy holds the host of this port for healthy. */
      async function isHealthy(cluster: string, { port }: Host): Promise<boolean> {
        const page = await stage.envoy.admin("/clusters");
        const line = page.split("\n").find((one) => one.startsWith(`${cluster}::127.0.0.1:${port}::health_flags::`));
        assert.ok(line, `no host ${port} in cluster ${cluster}`);
        return line.endsWith("::healthy");
      }

      async function waitForHealth(healthy: boolean, cluster: string, ...hosts: Host[]): Promise<void> {
        for (const host of hosts) {
          await waitUntil(
            async () => (await isHealthy(cluster, host)) === healthy,
            WAIT_MS,
            () => `${host.port} healthy: ${String(!healthy)}`,
          );
        }
      }

      it("a stopped host: calls in flight fail at once, none goes there until it runs again", async (t) => {
        const { frozen } = processes;
        const [client, late] = await stage.connect(t, 2);
        await waitForHealth(true, "checked", frozen);
        for (const one of [client, late]) await meet(one, ["frozen", "warm"], callOf("checked"));
        const met = (await frozen.arrivals()).length;
        stage.server("warm").arrivals.length = 0;

        frozen.freeze();
        const inFlight = await makeCalls(client, 40, numbered("checked"));
        const failed = inFlight.filter((answer) => servedBy(answer) === undefined);
        assert.equal(failed.length, 20, "round robin sent half of the calls there");
        for (const answer of failed) assertFailed(answer, LOST);
        await waitForHealth(false, "checked", frozen);
        for (const one of [client, late, ...(await stage.connect(t, 4))]) {
          assert.deepEqual(tally(await makeCalls(one, 40, numbered("checked", 100), { from: 100 })), { warm: 40 });
        }

        frozen.thaw();
        await waitForHealth(true, "checked", frozen);
        for (const one of [client, late]) await meet(one, ["frozen", "warm"], callOf("checked"));
        const there = (await frozen.arrivals()).slice(met).map(({ content }) => content);
        const numbers = there.filter((content) => content !== "").map(Number);
        assert.ok(numbers.every((number) => number < 40) && new Set(numbers).size === numbers.length);
        const elsewhere = stage.server("warm").arrivals.map(({ frame }) => frame.content.toString());
        assert.ok(!elsewhere.some((content) => content !== "" && numbers.includes(Number(content))));
      });

      it("most hosts stopped: the last one gets all calls", async (t) => {
        const { ice1, ice2 } = processes;
        ice1.freeze();
        ice2.freeze();
        await waitForHealth(false, "most", ice1, ice2);
        await waitForHealth(true, "most", stage.server("last"));
        for (const client of await stage.connect(t, 4)) {
          assert.deepEqual(tally(await makeCalls(client, 40, callOf("most"))), { last: 40 });
        }
        ice1.thaw();
        ice2.thaw();
      });

      it("heartbeats keep an idle connection", async (t) => {
        const [client] = await stage.connect(t);
        const server = stage.server("idle");
        await client.call(1, callOf("idle"));
        await waitUntil(
          () => server.heartbeats > KEEPALIVE.max_failures,
          WAIT_MS,
          () => `${server.heartbeats} heartbeats`,
        );
        assert.equal(servedBy(await client.call(2, callOf("idle"))), "idle");
        assert.deepEqual(
          server.arrivals.map(({ connection }) => connection),
          [0, 0],
          "both calls, nothing else, on the same connection",
        );
        assert.equal(client.frames.length, 2, "the client hears nothing of them");
      });

      it("a connection whose heartbeats stay unanswered is closed, and its calls fail", async (t) => {
        const [client] = await stage.connect(t);
        const server = stage.server("silent");
        server.answersHeartbeats = false;
        server.handler = () => undefined;
        assertFailed(await client.call(1, callOf("silent")), LOST);
        assert.equal(server.heartbeats, KEEPALIVE.max_failures);
        await waitUntil(
          () => server.open.length === 0,
          WAIT_MS,
          () => "the connection is open",
        );
        server.answersHeartbeats = true;
        server.handler = (frame) => server.echo(frame);
        assert.equal(servedBy(await client.call(2, callOf("silent"))), "silent");
        assert.equal(server.requests, 2);
      });

      it("no connection left under max_connections: an error in time; who has one goes on", async (t) => {
        const clients = await stage.connect(t, 8);
        const server = stage.server("scarce");
        const answers = await Promise.all(clients.map((client) => client.call(1, callOf("scarce"))));
        const lucky = clients.filter((_, i) => servedBy(answers[i]) === "scarce");
        // Envoy gives each worker one connection whatever the limit.
        assert.ok(lucky.length >= 1 && lucky.length <= concurrency, `${lucky.length} connections`);
        for (const answer of answers.filter((one) => servedBy(one) === undefined)) {
          assert.equal(answer.status, BoltStatus.NO_PROCESSOR);
          assert.equal(reasonOf(answer), "connect timeout");
        }
        assert.equal(server.requests, lucky.length);
        const unlucky = clients.filter((client) => !lucky.includes(client));
        const waiting = unlucky.map((client) => client.call(2, callOf("scarce")));
        for (const client of lucky) {
          assert.deepEqual(tally(await makeCalls(client, 100, callOf("scarce"), { from: 2 })), { scarce: 100 });
        }
        assert.ok((await stage.envoy.stat("cluster.scarce.upstream_cx_overflow")) > 0);
        await Promise.all(waiting);
        for (const client of clients) if (client !== unlucky[0]) client.close();
        let id = 3;
        await waitUntil(
          async () => servedBy(await unlucky[0].call(id++, callOf("scarce"))) === "scarce",
          WAIT_MS,
          () => "still no connection",
        );
      });

      it("no connection left to one host: the other one gets the calls", async (t) => {
        const servers = ["few1", "few2"].map((name) => stage.server(name));
        const open = () => servers.reduce((sum, server) => sum + server.open.length, 0);
        const [first] = await stage.connect(t);
        await meet(first, ["few1", "few2"], callOf("few"));
        await waitUntil(
          () => open() === 2,
          WAIT_MS,
          () => `${open()} connections`,
        );
        const [second] = await stage.connect(t);
        const answers = await Promise.all([
          makeCalls(first, 100, callOf("few")),
          makeCalls(second, 100, callOf("few")),
        ]);
        assert.equal(answers.flat().filter((answer) => servedBy(answer) === undefined).length, 0);
        // Two workers may have one connection to each host in any case.
        if (concurrency === 1) assert.ok((await stage.envoy.stat("cluster.few.upstream_cx_overflow")) > 0);
      });

      it("more calls than max_requests: those get SERVER_THREADPOOL_BUSY at once, the rest is unaffected", async (t) => {
        const [client] = await stage.connect(t);
        const server = stage.server("busy");
        assert.equal(servedBy(await client.call(1, callOf("busy"))), "busy");
        server.handler = () => undefined;
        server.arrivals.length = 0;
        const calls = Array.from({ length: 30 }, (_, i) => request(100 + i, numbered("busy")(i)));
        await client.write(Buffer.concat(calls));
        await client.waitForFrames(1 + 20);
        for (let id = 110; id < 130; id++) assertBusy(await client.answer(id), "too many requests to the cluster");
        const others = await makeCalls(client, 50, callOf("neighbour"), { from: 1000 });
        assert.deepEqual(tally(others), { neighbour: 50 });
        assert.equal(server.arrivals.length, 10);
        server.handler = (frame) => server.echo(frame);
        for (const { frame } of server.arrivals) server.open[0].write(server.echo(frame) as Buffer);
        for (let id = 100; id < 110; id++) assert.equal(servedBy(await client.answer(id)), "busy");
        const answers = await makeCalls(client, 50, callOf("busy"), { from: 2000, window: 10 });
        assert.deepEqual(tally(answers), { busy: 50 });
      });

      it("more calls waiting for a connection than max_pending_requests: those get SERVER_THREADPOOL_BUSY", async (t) => {
        const [client] = await stage.connect(t);
        const answers = await makeCalls(client, 8, callOf("queued"));
        for (const answer of answers.slice(0, 5)) {
          assert.equal(answer.status, BoltStatus.NO_PROCESSOR);
          assert.match(reasonOf(answer), /timeout/i);
        }
        for (const answer of answers.slice(5)) {
          assertBusy(answer, "too many requests wait for a connection to the cluster");
        }
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

  it("a call without any timeout is given up after 60 s", async (t) => {
    const stage = await Stage.start(t, { clusters: { never: {} } });
    stage.server("never").handler = () => undefined;
    const [client] = await stage.connect(t);
    const start = Date.now();
    const answer = await client.call(1, callOf("never"), DEFAULT_TIMEOUT_MS + WAIT_MS);
    assert.deepEqual([answer.status, reasonOf(answer)], [BoltStatus.TIMEOUT, "timeout"]);
    assert.ok(Date.now() - start >= DEFAULT_TIMEOUT_MS, `after ${Date.now() - start} ms`);
  });
});

function assertFailed(answer: BoltFrame, reason: RegExp): void {
  assert.notEqual(answer.status, BoltStatus.SUCCESS);
  assert.match(reasonOf(answer), reason);
}

function assertBusy(answer: BoltFrame, reason: string): void {
  assert.deepEqual([answer.status, reasonOf(answer)], [BoltStatus.SERVER_THREADPOOL_BUSY, reason]);
}
