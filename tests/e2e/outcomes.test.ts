// What breakers take for errors, on a real Envoy: statuses of gRPC in trailers and headers, and exceptions of Dubbo where
// they are to count.
import assert from "node:assert/strict";
import { createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import * as dubbo from "../host/kit/dubbo.ts";
import { DubboClient, dubboAnswer, DubboServer } from "./kit/dubbo_peers.ts";
import { CONCURRENCIES } from "./kit/envoy.ts";
import { startHttpEnvoy } from "./kit/http_envoy.ts";
import { type Answer, grpcMessage, Http2Client, HttpServer } from "./kit/http_peers.ts";
import { suiteScope } from "./kit/scope.ts";
import { Stage } from "./kit/stage.ts";

const ERRORS = 3;
const MOST = 200;

const breaker = (resource: string, more: object = {}) => ({
  type: "flowControlFilter",
  config: {
    app_name: "outcomes",
    global_switch: true,
    circuit_breaker_rules: [
      { resource, match: "prefix", strategy: 2, threshold: ERRORS, statIntervalMs: 600_000, retryTimeoutMs: 600_000 },
    ],
    ...more,
  },
});

/** Makes calls, one after the other, until one is blocked; how many were not. MOST: none is. */
async function untilBlocked(isBlocked: () => Promise<boolean>): Promise<number> {
  for (let i = 0; i < MOST; i++) if (await isBlocked()) return i;
  return MOST;
}

for (const concurrency of CONCURRENCIES) {
  describe(`outcomes, --concurrency ${concurrency}`, () => {
    const scope = suiteScope();

    it("gRPC's statuses open a breaker, wherever they are; those of clients do not", async () => {
      const server = await HttpServer.start(scope, "grpc", true);
      const envoy = await startHttpEnvoy(scope, {
        concurrency,
        listeners: [
          {
            name: "main",
            config: { stream_filters: [breaker("/")] },
            routes: [{ match: { prefix: "/" }, route: { cluster: "grpc" } }],
          },
        ],
        clusters: { grpc: { ports: [server.port], http2: true } },
      });
      const client = await Http2Client.connect(scope, envoy.port);
      const headers = { "content-type": "application/grpc" };
      const inTrailers =
        (status: string): Answer =>
        ({ body }) => ({ headers, body: grpcMessage(body.slice(5)), trailers: { "grpc-status": status } });
      const alone =
        (status: string): Answer =>
        () => ({ headers: { ...headers, "grpc-status": status } });
      const blocked = async (path: string): Promise<boolean> => {
        const { message } = await client.grpc(path, "hi");
        return message.includes("circuit breaker");
      };
      for (const [name, answer] of Object.entries({ trailers: inTrailers("14"), headers: alone("13") })) {
        server.answer = answer;
        const passed = await untilBlocked(() => blocked(`/pkg.Service/${name}`));
        // Envoy may end a stream after its client has the answer.
        assert.ok(passed >= ERRORS && passed < MOST, `${name}: ${passed}`);
      }
      for (const [name, answer] of Object.entries({ ok: inTrailers("0"), missing: inTrailers("5"), own: alone("3") })) {
        server.answer = answer;
        assert.equal(await untilBlocked(() => blocked(`/pkg.Service/${name}`)), MOST, name);
      }
    });

    for (const cut of ["the response", "the connection"] as const) {
      it(`a gRPC call whose server ends ${cut} behind the headers is an error`, async () => {
        const server = createServer().on("stream", (stream: ServerHttp2Stream) => {
          stream.on("error", () => {});
          stream.respond({ ":status": 200, "content-type": "application/grpc" });
          setImmediate(() => (cut === "the response" ? stream.end() : stream.session?.destroy()));
        });
        await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
        scope.after(() => void server.close());
        const envoy = await startHttpEnvoy(scope, {
          concurrency,
          listeners: [
            {
              name: "cut",
              config: { stream_filters: [breaker("/")] },
              routes: [{ match: { prefix: "/" }, route: { cluster: "grpc" } }],
            },
          ],
          clusters: { grpc: { ports: [(server.address() as AddressInfo).port], http2: true } },
        });
        const client = await Http2Client.connect(scope, envoy.port);
        const passed = await untilBlocked(async () => {
          const answer = await client.grpc("/pkg.Service/Cut", "hi").catch(() => undefined);
          const status = answer?.status ?? NaN;
          // Envoy has no answer of its own: the headers have gone, so what is cut off has no status.
          if (!Number.isNaN(status)) assert.match(answer?.message ?? "", /circuit breaker/);
          return !Number.isNaN(status);
        });
        assert.ok(passed >= ERRORS && passed < MOST, `${passed}`);
      });
    }

    for (const exceptions_are_errors of [false, true]) {
      it(`exceptions of a Dubbo server, exceptions_are_errors ${exceptions_are_errors}`, async () => {
        const server = await DubboServer.start(scope, "throwing");
        const { envoy } = await Stage.start(scope, {
          concurrency,
          clusters: { dubbo: { ports: [server.port] } },
          routers: [{ route: { cluster_name: "dubbo", retry_policy: { retry_on: true } } }],
          config: { stream_filters: [breaker("com.example.Hello", { exceptions_are_errors })] },
        });
        const client = await DubboClient.connect(scope, envoy.port);
        server.answer = ({ id }) => dubbo.frame(2, 20, id, dubbo.encode(3, "thrown", { dubbo: "2.0.2" }));
        const passed = await untilBlocked(async () => {
          const answer = await client.call({});
          if (answer.status === 20) assert.equal(dubboAnswer(answer), "thrown");
          return answer.status !== 20 && dubboAnswer(answer).includes("circuit breaker");
        });
        assert.equal(passed, exceptions_are_errors ? ERRORS : MOST);
        assert.equal(server.arrived.length, passed, "none is tried again");
      });
    }
  });
}
