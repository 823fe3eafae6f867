// MOSN's stream filters as an Envoy HTTP filter in a real Envoy: HTTP/1, HTTP/2 and gRPC.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EnvoyFailed, type EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import { CONCURRENCIES } from "./kit/envoy.ts";
import { type HttpListenerOptions, startHttpEnvoy } from "./kit/http_envoy.ts";
import { http1, Http2Client, HttpServer, type RequestOptions } from "./kit/http_peers.ts";
import { ZONE_OF_HEADER } from "./kit/labels.ts";
import { suiteScope } from "./kit/scope.ts";
import { WAIT_MS, waitUntil } from "./kit/wait.ts";

const DELAY = { delay: { fixed_delay: "300ms", percentage: 100 } };
const ABORT = { abort: { status: 503, percentage: 100 } };
const LIMIT = { type: "payload_limit", config: { max_entity_size: 1000, http_status: 413 } };

/** A route with configurations of filters of its own. */
function route(prefix: string, configs: Record<string, object | string> = {}, grpc = false): object {
  const texts = Object.entries(configs).map(([type, config]) => [
    type,
    typeof config === "string" ? config : JSON.stringify(config),
  ]);
  return {
    match: { prefix, ...(grpc && { grpc: {} }) },
    route: { cluster: grpc ? "grpc" : "http" },
    metadata: { filter_metadata: { moe: Object.fromEntries(texts) } },
  };
}

const ROUTES = ["/abort", "/delay", "/both", "/wrong", "/denied", "/limited", "/"].flatMap((prefix) => {
  const configs: Record<string, Record<string, object | string>> = {
    "/abort": { fault: ABORT },
    "/delay": { fault: DELAY },
    "/both": { fault: { ...DELAY, ...ABORT } },
    "/wrong": { fault: '{"delay": {"percentage": 101}}' },
    "/denied": { ip_access: { default_action: "deny", ips: [{ action: "deny", addrs: ["127.0.0.0/8"] }] } },
    "/limited": { payload_limit: { max_entity_size: 10, http_status: 400 } },
  };
  return [route(prefix, configs[prefix], true), route(prefix, configs[prefix])];
});

const FILTERS = [
  { type: "ip_access", config: { default_action: "allow" } },
  { type: "payload_limit", config: {} },
  {
    type: "header_to_metadata",
    config: { request_rules: [{ header: "zone", on_header_present: { key: "zone" }, remove: true }] },
  },
  { type: "fault", config: { headers: [{ name: "never", value: "" }] } },
];

for (const concurrency of CONCURRENCIES) {
  describe(`filters on HTTP, ${concurrency} workers`, () => {
    const scope = suiteScope();
    let started: Promise<{ envoy: EnvoyProcess; a: HttpServer; b: HttpServer; grpc: HttpServer }> | undefined;
    const setup = () => (started ??= start());

    async function start() {
      const a = await HttpServer.start(scope, "a");
      const b = await HttpServer.start(scope, "b");
      const grpc = await HttpServer.start(scope, "grpc", true);
      grpc.answer = ({ body }) => ({
        headers: { "content-type": "application/grpc" },
        body,
        trailers: { "grpc-status": "0" },
      });
      const one = { config: { stream_filters: FILTERS }, routes: ROUTES, filters: [ZONE_OF_HEADER] };
      const listeners: HttpListenerOptions[] = [
        { name: "held", ...one },
        { name: "late", ...one, allowOnHeadersStopIteration: false },
      ];
      const subsets = { lb_subset_config: { fallback_policy: "ANY_ENDPOINT", subset_selectors: [{ keys: ["zone"] }] } };
      const clusters = {
        http: { ports: [a.port, b.port], labels: [{ zone: "a" }, { zone: "b" }], fields: subsets },
        grpc: { ports: [grpc.port], http2: true },
      };
      const allowLog = [/filter_metadata\.moe\.fault/];
      return { envoy: await startHttpEnvoy(scope, { listeners, clusters, concurrency, allowLog }), a, b, grpc };
    }

    for (const listener of ["held", "late"]) {
      const call = async (options: RequestOptions) => http1((await setup()).envoy.ports.get(listener) ?? 0, options);
      const connect = async () => Http2Client.connect(scope, (await setup()).envoy.ports.get(listener) ?? 0);

      test(`${listener}: requests pass, with and without bodies`, async () => {
        const body = "x".repeat(100_000);
        assert.equal((await call({})).status, 200);
        assert.equal((await call({ body })).body, body);
        const client = await connect();
        assert.equal((await client.request({ body })).body, body);
        assert.deepEqual((await client.grpc("/pkg.S/M", "hello")).body, "hello");
      });

      test(`${listener}: an abort by the route's configuration`, async () => {
        const answer = await call({ path: "/abort", body: "x" });
        assert.deepEqual([answer.status, answer.body], [503, "fault filter abort"]);
        const client = await connect();
        assert.equal((await client.request({ path: "/abort" })).status, 503);
        const status = await client.grpc("/abort.S/M", "hello");
        assert.deepEqual([status.http, status.status, status.message], [200, 14, "fault filter abort"]);
      });

      test(`${listener}: a delay holds no neighbour on the same connection`, async () => {
        const client = await connect();
        const done: string[] = [];
        const note = (name: string, what: Promise<unknown>) => what.then(() => done.push(name));
        await Promise.all([
          note("slow", client.request({ path: "/delay", body: "x" })),
          note("slow gRPC", client.grpc("/delay.S/M", "hello")),
          note("aborted", client.request({ path: "/both" })),
          note("quick", client.request({ path: "/" })),
          note("quick gRPC", client.grpc("/pkg.S/M", "hello")),
        ]);
        assert.deepEqual(done.slice(0, 2).sort(), ["quick", "quick gRPC"]);
      });

      test(`${listener}: a delay and then an abort`, async () => {
        assert.equal((await call({ path: "/both" })).status, 503);
      });

      test(`${listener}: access by address`, async () => {
        assert.equal((await call({ path: "/denied" })).status, 403);
        const client = await connect();
        assert.equal((await client.grpc("/denied.S/M", "hello")).status, 7);
      });

      test(`${listener}: a limit of bodies, whole and in pieces`, async () => {
        assert.equal((await call({ path: "/limited", body: "0123456789" })).status, 200);
        const large = await call({ path: "/limited", body: "0123456789a" });
        assert.deepEqual([large.status, large.body], [400, "the body is larger than payload_limit allows"]);
        const between = () => new Promise<void>((next) => setImmediate(next));
        assert.equal((await call({ path: "/limited", pieces: ["01234", "56789"], between })).status, 200);
        assert.equal((await call({ path: "/limited", pieces: ["01234", "56789", "a"], between })).status, 400);
        const client = await connect();
        assert.equal((await client.request({ path: "/limited", body: "0123456789a" })).status, 400);
        assert.equal((await client.request({ path: "/limited", body: "0", trailers: { x: "1" } })).status, 200);
      });

      test(`${listener}: labels choose the subset of hosts`, async () => {
        const { a, b } = await setup();
        for (const server of [a, b]) {
          for (let i = 0; i < 4; i++) {
            const answer = await call({ headers: { zone: server.name } });
            assert.equal(answer.headers["served-by"], server.name);
          }
          const headers = server.arrived.at(-1)?.headers ?? {};
          assert.deepEqual([headers.zone, headers["x-moe-zone"]], [undefined, undefined]);
        }
      });

      test(`${listener}: a wrong configuration of a route is counted`, async () => {
        const { envoy } = await setup();
        const failures = () => envoy.stat("wasmcustom.moe.filter.fault.failures");
        const before = await failures();
        assert.equal((await call({ path: "/wrong" })).status, 200);
        await waitUntil(
          async () => (await failures()) > before,
          WAIT_MS,
          () => "not counted",
        );
      });
    }

    test("nothing is left of 1,000 mixed requests, of which some clients go", async () => {
      const { envoy } = await setup();
      const paths = ["/", "/abort", "/delay", "/both", "/limited", "/denied"];
      const lane = async (lane: number) => {
        const name = lane % 2 === 0 ? "held" : "late";
        for (let i = 0; i < 50; i++) {
          const client = await Http2Client.connect(scope, envoy.ports.get(name) ?? 0);
          const calls = [0, 1].map((n) => client.request({ path: paths[(lane + i + n) % paths.length], body: "x" }));
          if (i % 5 === 0) client.close();
          await Promise.allSettled(calls);
          client.close();
        }
      };
      await Promise.all(Array.from({ length: 10 }, (_, i) => lane(i)));
      const active = () => envoy.stat("wasmcustom.moe.http.active");
      await waitUntil(
        async () => (await active()) === 0,
        WAIT_MS,
        () => "requests are left",
      );
      assert.ok((await envoy.stat("wasmcustom.moe.http.requests")) >= 800);
    });
  });
}

describe("bodies above Envoy's buffer limit", () => {
  const scope = suiteScope();
  for (const allow of [true, false]) {
    test(`are answered with 413, ${allow ? "held" : "late"}`, async () => {
      const server = await HttpServer.start(scope, "one");
      const envoy = await startHttpEnvoy(scope, {
        listeners: [
          {
            name: "limited",
            allowOnHeadersStopIteration: allow,
            bufferLimit: 40_000,
            config: { stream_filters: [{ ...LIMIT, config: { max_entity_size: 1e6 } }] },
            routes: [{ match: { prefix: "/" }, route: { cluster: "http" } }],
          },
        ],
        clusters: { http: { ports: [server.port] } },
      });
      assert.equal((await http1(envoy.port, { body: "first" })).status, 200);
      const answer = await http1(envoy.port, { body: "x".repeat(1e6) }).catch((error: NodeJS.ErrnoException) => error);
      // The client may still be writing when Envoy closes the connection behind its answer.
      if (answer instanceof Error) assert.match(String(answer.code), /EPIPE|ECONNRESET/);
      else assert.equal(answer.status, 413);
      assert.equal(server.arrived.length, 1);
      assert.equal((await http1(envoy.port, { body: "next" })).status, 200);
    });
  }
});

describe("a server that answers before it has the body", () => {
  for (const allow of [true, false]) {
    test(`gets it all the same, ${allow ? "held" : "late"}`, async (t) => {
      for (const http2 of [false, true]) {
        const server = await HttpServer.start(t, "early", http2);
        const routes = [{ match: { prefix: "/" }, route: { cluster: "http" } }];
        const config = { stream_filters: [LIMIT] };
        const envoy = await startHttpEnvoy(t, {
          listeners: [{ name: "early", allowOnHeadersStopIteration: allow, config, routes }],
          clusters: { http: { ports: [server.port], http2 } },
        });
        assert.equal((await http1(envoy.port, { body: "first" })).status, 200);
        server.early = true;
        const state = () => `${server.begun} requests`;
        for (let i = 1; i <= 20; i++) {
          const hasCome = () => (allow ? true : server.begun > i);
          const between = () => waitUntil(hasCome, WAIT_MS, state);
          const answer = await http1(envoy.port, { pieces: ["one ", "two ", "three"], between });
          assert.deepEqual([answer.status, answer.body], [200, "one two three"]);
        }
      }
    });
  }
});

describe("what users copy", () => {
  test("envoy/http.yaml as it is: its filters and its slow route", async (t) => {
    const http = await HttpServer.start(t, "http");
    const grpc = await HttpServer.start(t, "grpc", true);
    grpc.answer = ({ body }) => ({ body, trailers: { "grpc-status": "0" } });
    const clusters = { "hello-http": { ports: [http.port] }, "hello-grpc": { ports: [grpc.port], http2: true } };
    const envoy = await startHttpEnvoy(t, { listeners: [{ name: "shipped" }], clusters });
    assert.equal((await http1(envoy.port, { body: "x".repeat(65536) })).status, 200);
    assert.equal((await http1(envoy.port, { body: "x".repeat(65537) })).status, 413);
    const client = await Http2Client.connect(t, envoy.port);
    assert.equal((await client.grpc("/pkg.S/M", "hello")).body, "hello");
    const order: string[] = [];
    const slow = client.request({ path: "/slow" }).then(() => order.push("slow"));
    const quick = client.request({ path: "/" }).then(() => order.push("quick"));
    await Promise.all([slow, quick]);
    assert.deepEqual(order, ["quick", "slow"]);
  });

  test("a mistake stops Envoy at start and names the field", async (t) => {
    const config = { stream_filters: [{ type: "fault", config: { abort: { percentage: 1000 } } }] };
    const start = startHttpEnvoy(t, { listeners: [{ name: "wrong", config }] });
    await assert.rejects(start, (error) => {
      assert.ok(error instanceof EnvoyFailed);
      return /stream_filters\[0\]\.config\.abort\.percentage/.test(error.message);
    });
  });
});
