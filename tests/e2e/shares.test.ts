// What is bounded for a whole worker is shared among its clients in a real Envoy: those who take all that they can get do
// not have a call of a good client refused.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { BoltStatus, request } from "../host/kit/bolt.ts";
import { compileGuest } from "../host/kit/index.ts";
import { RawBoltClient } from "./kit/client.ts";
import { startEnvoy } from "./kit/envoy.ts";
import { startHttpEnvoy } from "./kit/http_envoy.ts";
import { http1, Http2Client, HttpServer } from "./kit/http_peers.ts";
import { Neighbour } from "./kit/neighbour.ts";
import { type Scope, suiteScope } from "./kit/scope.ts";
import { RawBoltServer } from "./kit/server.ts";
import { waitUntil } from "./kit/wait.ts";

const MIB = 1 << 20;
/** For very many requests on a loaded machine. */
const LONG_MS = 120_000;
/** The longest timeout that a frame can have: 24 days, in milliseconds. */
const LONGEST = 0x7fffffff;
/** Streams of one HTTP/2 connection, as many as Envoy takes at once. */
const STREAMS = 1000;

const folder = mkdtempSync(join(tmpdir(), "moe-shares-"));
const module = join(folder, "filters.wasm");

/** A server of HTTP/2 that keeps what it is asked, until it is told to answer. */
async function startSilent(scope: Scope): Promise<{ port: number; kept: ServerHttp2Stream[] }> {
  const kept: ServerHttp2Stream[] = [];
  const server = createServer();
  const sessions = new Set<{ destroy: () => void }>();
  server.on("session", (session) => sessions.add(session));
  server.on("stream", (stream) => {
    stream.on("error", () => {});
    kept.push(stream);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  scope.after(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, kept };
}

describe("shares of a worker", () => {
  const scope = suiteScope();
  scope.after(() => rmSync(folder, { recursive: true, force: true }));

  it("requests: three connections hold all that they can get, with timeouts of 24 days", async (t) => {
    const server = await RawBoltServer.start({ record: false });
    t.after(() => server.close());
    server.handler = (frame) => (frame.content.toString() === "hold" ? undefined : server.echo(frame));
    const envoy = await startEnvoy(scope, { config: {}, clusters: { upstream: { hosts: [server.port] } } });
    const active = () => envoy.stat("wasmcustom.moe.bolt.active");
    const neighbour = await Neighbour.start(envoy.port, "good");
    const hogs = await Promise.all([1, 2, 3].map(() => RawBoltClient.connect(envoy.port)));
    const each = 65_000;
    const calls = Array.from({ length: each }, (_, id) => request(id, { content: "hold", timeout: LONGEST }));
    await Promise.all(hogs.map((hog) => hog.write(Buffer.concat(calls))));
    const refused = () => hogs.reduce((sum, { frames }) => sum + frames.length, 0);
    await waitUntil(
      async () => (await active()) + refused() >= 3 * each,
      LONG_MS,
      () => `${refused()} refused`,
    );
    // Each has as many as are left free: of those that come at the same time a quarter of all, or more.
    assert.ok((await active()) >= 98_000, `the hogs hold ${await active()}`);
    assert.ok(refused() > 30_000, `${refused()} refused`);
    for (const { frames } of hogs)
      for (const { status } of frames) assert.equal(status, BoltStatus.SERVER_THREADPOOL_BUSY);
    const before = neighbour.calls;
    await waitUntil(
      () => neighbour.calls > before + 100,
      LONG_MS,
      () => `${neighbour.calls} calls`,
    );
    // A client that comes now is served as well.
    const late = await Neighbour.start(envoy.port, "late");
    await late.stop();
    await neighbour.stop();
    for (const hog of hogs) hog.close();
    await waitUntil(
      async () => (await active()) === 0,
      LONG_MS,
      () => "requests under way",
    );
  });

  it("callouts: four connections of HTTP/2 have all that they can get, a fifth one has its own", async (t) => {
    writeFileSync(module, await compileGuest("filters", ["assembly", "filters"]));
    const [server, silent] = [await HttpServer.start(t, "server"), await startSilent(t)];
    const script = { name: "a", blind: true, BEFORE_ROUTE: ["http:auth:/hold:600000"], resume: ["decide:closed"] };
    const limits = { thresholds: [{ max_requests: 100_000, max_pending_requests: 100_000 }] };
    const envoy = await startHttpEnvoy(t, {
      listeners: [
        {
          name: "http",
          module,
          config: { stream_filters: [{ type: "script", config: script }] },
          routes: [{ match: { prefix: "/" }, direct_response: { status: 200 } }],
        },
      ],
      clusters: {
        upstream: { ports: [server.port] },
        auth: { ports: [silent.port], http2: true, fields: { circuit_breakers: limits } },
      },
    });
    const port = envoy.ports.get("http") ?? 0;
    const statuses: number[] = [];
    const hogs: Promise<void>[] = [];
    for (let i = 0; i < 4; i++) {
      const hog = await Http2Client.connect(t, port);
      for (let j = 0; j < STREAMS; j++) hogs.push(hog.request().then(({ status }) => void statuses.push(status)));
    }
    await waitUntil(
      () => silent.kept.length + statuses.length === 4 * STREAMS,
      LONG_MS,
      () => `${silent.kept.length} callouts, ${statuses.length} refused`,
    );
    assert.ok(statuses.length > 0, "they would have more");
    assert.deepEqual([...new Set(statuses)], [403]);
    const held = silent.kept.length;
    const good = await Http2Client.connect(t, port);
    const answer = good.request();
    await waitUntil(
      () => silent.kept.length > held,
      LONG_MS,
      () => "the good client's callout is not begun",
    );
    for (const one of silent.kept) one.respond({ ":status": 200 }, { endStream: true });
    assert.equal((await answer).status, 200);
    await Promise.all(hogs);
    assert.equal(statuses.filter((status) => status === 200).length, held);
  });

  it("turns: 8,000 streams whose wait is over do not delay one of another connection", async (t) => {
    const fault = { delay: { fixed_delay: "3s", percentage: 100 } };
    const envoy = await startHttpEnvoy(t, {
      listeners: [
        {
          name: "http",
          config: { stream_filters: [{ type: "fault", config: fault }] },
          routes: [{ match: { prefix: "/" }, direct_response: { status: 200 } }],
        },
      ],
    });
    const port = envoy.ports.get("http") ?? 0;
    let answered = 0;
    const hogs: Promise<void>[] = [];
    for (let i = 0; i < 8; i++) {
      const hog = await Http2Client.connect(t, port);
      for (let j = 0; j < STREAMS; j++) hogs.push(hog.request().then(({ status }) => void (answered += status / 200)));
    }
    await waitUntil(
      async () => (await envoy.stat("wasmcustom.moe.http.active")) >= 8 * STREAMS,
      LONG_MS,
      () => "not all have come",
    );
    const good = await http1(port);
    const before = answered;
    assert.equal(good.status, 200);
    await Promise.all(hogs);
    assert.equal(answered, 8 * STREAMS);
    assert.ok(before < 8 * STREAMS, `${before} of the others before it`);
  });

  it("memory: bodies that are held beyond a worker's memory: the largest streams are reset, no request of others is refused", async (t) => {
    const size = 14 * MIB;
    const server = await HttpServer.start(t, "server");
    const filters = [
      { type: "payload_limit", config: { max_entity_size: 16 * MIB } },
      {
        type: "fault",
        config: { delay: { fixed_delay: "600s", percentage: 100 }, headers: [{ name: "slow", value: "1" }] },
      },
    ];
    const envoy = await startHttpEnvoy(t, {
      listeners: [
        {
          name: "http",
          bufferLimit: 16 * MIB,
          config: { stream_filters: filters },
          routes: [{ match: { prefix: "/" }, route: { cluster: "upstream" } }],
        },
      ],
      clusters: { upstream: { ports: [server.port] } },
    });
    const port = envoy.ports.get("http") ?? 0;
    const shortages = () => envoy.stat("wasmcustom.moe.http.memory_shortages");
    const stop = new AbortController();
    let served = 0;
    const good = (async () => {
      while (!stop.signal.aborted) {
        const body = served % 2 === 0 ? "small" : "x".repeat(60_000);
        const answer = await http1(port, { body });
        assert.deepEqual([answer.status, answer.body], [200, body]);
        served++;
      }
    })();
    const leave = new AbortController();
    const body = Buffer.alloc(size, "x");
    let ended = 0;
    const hogs = Array.from({ length: 60 }, () =>
      http1(port, { body, headers: { slow: "1" }, signal: leave.signal }).catch(() => ended++),
    );
    await waitUntil(
      async () => (await shortages()) > 0 && ended > 0,
      LONG_MS,
      () => `memory is not short, ${served} served`,
    );
    const before = served;
    await waitUntil(
      () => served > before + 50,
      LONG_MS,
      () => `${served} served`,
    );
    stop.abort();
    await good;
    assert.ok(ended < 35, `${ended} of 60 given up`);
    leave.abort();
    await Promise.all(hogs);
    await waitUntil(
      async () => (await envoy.stat("wasmcustom.moe.http.active")) === 0,
      LONG_MS,
      () => "streams under way",
    );
  });
});
