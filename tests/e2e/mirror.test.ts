// Copies of requests, and hosts that are left out, in a real Envoy: what servers have really got.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { type BoltFrame, BoltStatus as Status, response } from "../host/kit/bolt.ts";
import { makeCalls, meet, servedBy, tally } from "./kit/calls.ts";
import { CONCURRENCIES } from "./kit/envoy.ts";
import { startHttpEnvoy } from "./kit/http_envoy.ts";
import { type Arrived, http1, Http2Client, HttpServer, type RequestOptions } from "./kit/http_peers.ts";
import { suiteScope } from "./kit/scope.ts";
import { ServerProcess } from "./kit/server_process.ts";
import { callOf, serviceIs, Stage } from "./kit/stage.ts";
import { WAIT_MS, waitUntil } from "./kit/wait.ts";

const CALLS = 1000;
const COPIES = 2;

const FILTERS = [
  { type: "mirror", config: { amplification: COPIES } },
  { type: "fault_tolerance", config: { enabled: true, timeWindow: 500, recoverTime: 600_000 } },
];

/** Routes of services `test.NAME:1.0` to the cluster `plain`, mirrored to the cluster of that name. */
const mirroredTo = (name: string): object => ({
  match: { headers: [serviceIs(name)] },
  route: { cluster_name: "plain" },
  request_mirror_policies: { cluster: name, percent: 100 },
});

for (const concurrency of CONCURRENCIES) {
  describe(`mirror and fault_tolerance, --concurrency ${concurrency}`, () => {
    const scope = suiteScope();
    let stage: Stage;
    let stuck: ServerProcess;

    before(async () => {
      stuck = await ServerProcess.start({ name: "stuck" });
      scope.after(() => stuck.kill());
      stage = await Stage.start(scope, {
        concurrency,
        clusters: { plain: {}, shadow: {}, stuck: { ports: [stuck.port] }, several: { servers: ["a", "b", "c"] } },
        routers: ["shadow", "stuck", "nowhere"].map(mirroredTo),
        config: { stream_filters: FILTERS },
      });
    });

    const stat = (name: string): Promise<number> => stage.envoy.stat(`wasmcustom.moe.mirror.${name}`);

    /** Calls whose answers must be those of the original's server. */
    async function callPlain(client: Parameters<typeof makeCalls>[0], name: string, from: number): Promise<void> {
      const answers = await makeCalls(client, CALLS, (i) => ({ ...callOf(name), content: `call ${i}` }), { from });
      assert.deepEqual(tally(answers), { plain: CALLS });
      answers.forEach((answer: BoltFrame, i) => {
        assert.deepEqual([answer.status, answer.content.toString()], [Status.SUCCESS, `call ${i}`]);
      });
    }

    it("each request reaches its server once and the mirror's twice, and the client has the original's answers", async (t) => {
      const [client] = await stage.connect(t);
      await callPlain(client, "shadow", 1);
      const shadow = stage.server("shadow");
      await shadow.waitForRequests(CALLS * COPIES);
      const counts = new Map<string, number>();
      for (const { frame } of shadow.arrivals) {
        const text = frame.content.toString();
        counts.set(text, (counts.get(text) ?? 0) + 1);
      }
      assert.equal(shadow.arrivals.length, CALLS * COPIES);
      assert.equal(counts.size, CALLS);
      assert.ok([...counts.values()].every((count) => count === COPIES));
      assert.equal(client.frames.length, CALLS);
      let responses = 0;
      await waitUntil(
        async () => (responses = await stat("responses")) === CALLS * COPIES,
        WAIT_MS,
        () => `${responses} answers`,
      );
      assert.equal(await stat("dropped"), 0);
    });

    it("a mirror server that is stopped, and a cluster that is not there, change nothing", async (t) => {
      const [client] = await stage.connect(t);
      await callPlain(client, "stuck", 1);
      stuck.freeze();
      try {
        await callPlain(client, "stuck", 10_001);
        const content = Buffer.alloc(40_000, 1);
        const large = await makeCalls(client, 300, { ...callOf("stuck"), content }, { from: 20_001 });
        assert.ok(large.every((answer) => servedBy(answer) === "plain" && answer.content.equals(content)));
      } finally {
        stuck.thaw();
      }
      await stuck.waitForRequests(2 * CALLS * COPIES);
      await callPlain(client, "nowhere", 30_001);
      await waitUntil(
        async () => (await stat("dropped")) > 0,
        WAIT_MS,
        () => "no copy was dropped",
      );
      client.close();
      let active = 0;
      await waitUntil(
        async () => (active = await stat("active")) === 0,
        WAIT_MS,
        () => `${active} copies under way`,
      );
    });

    it("a host that fails gets nothing more, of any connection of the worker", async (t) => {
      const clients = await stage.connect(t, 2);
      for (const client of clients) await meet(client, ["a", "b", "c"], callOf("several"));
      const failing = stage.server("a");
      failing.handler = (frame) => response(frame.id, { status: Status.SERVER_THREADPOOL_BUSY });
      const ejections = () => stage.envoy.stat("wasmcustom.moe.filter.fault_tolerance.ejected");
      // Each worker that has one of the connections judges for itself.
      let from = 1;
      const quiet = async (): Promise<boolean> => {
        const before = failing.requests;
        for (const client of clients) await makeCalls(client, 60, callOf("several"), { from });
        from += 60;
        return failing.requests === before;
      };
      await waitUntil(quiet, WAIT_MS, () => `${failing.requests} requests`);
      await waitUntil(
        async () => (await ejections()) > 0,
        WAIT_MS,
        () => "the gauge is 0",
      );
      const before = failing.requests;
      // With two workers it may be at one that has not judged.
      if (concurrency === 1) clients.push(...(await stage.connect(t)));
      for (const client of clients) {
        assert.deepEqual(Object.keys(tally(await makeCalls(client, 90, callOf("several"), { from }))).sort(), [
          "b",
          "c",
        ]);
      }
      assert.equal(failing.requests, before);
    });
  });
}

describe("mirror on HTTP", () => {
  const scope = suiteScope();
  const servers: Record<string, HttpServer> = {};
  let stat: (name: string) => Promise<number>;
  let port: number;
  let hold: number;

  before(async () => {
    for (const name of ["plain", "shadow"]) servers[name] = await HttpServer.start(scope, name, true);
    const stuck = await ServerProcess.start({ name: "stuck" });
    scope.after(() => stuck.kill());
    stuck.freeze();
    const mirror = (cluster: string, amplification = 1): object => {
      return { type: "mirror", config: { cluster, percent: 100, amplification } };
    };
    const routes = [{ match: { prefix: "/" }, route: { cluster: "plain" } }];
    const limit = { type: "payload_limit", config: { max_entity_size: 1e6 } };
    const envoy = await startHttpEnvoy(scope, {
      listeners: [
        { name: "copies", routes, config: { stream_filters: [mirror("shadow", COPIES)] } },
        { name: "held", routes, config: { stream_filters: [mirror("stuck", 100), mirror("nowhere"), limit] } },
      ],
      clusters: {
        plain: { ports: [servers.plain.port], http2: true },
        shadow: { ports: [servers.shadow.port], http2: true },
        stuck: { ports: [stuck.port] },
      },
    });
    stat = (name) => envoy.stat(`wasmcustom.moe.mirror.${name}`);
    [port, hold] = ["copies", "held"].map((name) => envoy.ports.get(name) ?? 0);
  });

  const seen = ({ method, path, body, headers }: Arrived): object => {
    const { ":authority": authority, "x-call": call, te } = headers;
    return { method, path, body, authority, call, te };
  };

  it("method, path, authority, headers and body arrive as often as they should, in pieces or not", async () => {
    const client = await Http2Client.connect(scope, port);
    const between = () => new Promise<void>((next) => setImmediate(next));
    const calls: RequestOptions[] = Array.from({ length: 60 }, (_, i) => ({
      path: `/call/${i}?q=${i}`,
      headers: { "x-call": String(i), te: "trailers" },
      ...(i % 3 === 0 && { body: `body ${i}` }),
      ...(i % 3 === 1 && { pieces: ["x".repeat(60_000), `y${i}`], between, trailers: { "x-end": "1" } }),
    }));
    const answers = await Promise.all(calls.map((call) => client.request(call)));
    assert.ok(answers.every(({ status, headers }) => status === 200 && headers["served-by"] === "plain"));
    const { plain, shadow } = servers;
    await waitUntil(
      () => shadow.arrived.length >= plain.arrived.length * COPIES,
      WAIT_MS,
      () => `${shadow.arrived.length} copies`,
    );
    const sorted = (all: Arrived[]) => all.map((one) => JSON.stringify(seen(one))).sort();
    assert.deepEqual(
      sorted(shadow.arrived),
      sorted(plain.arrived).flatMap((one) => [one, one]),
    );
    assert.equal(plain.arrived.length, calls.length);
    assert.ok(shadow.arrived.every(({ headers }) => headers["x-envoy-internal"] === "true"));
  });

  it("a mirror server that is stopped, a cluster that is not there: originals do not notice; few wait", async () => {
    const before = await stat("dropped");
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => http1(hold, { body: `body ${i}` })));
    assert.deepEqual(
      answers.map(({ status, body }) => `${status} ${body}`),
      answers.map((_, i) => `200 body ${i}`),
    );
    let dropped = 0;
    await waitUntil(
      // 1,024 wait, and 512 more that connections share.
      async () => (dropped = (await stat("dropped")) - before) >= 20 * 101 - 1024 - 512,
      WAIT_MS,
      () => `${dropped} dropped`,
    );
  });
});
