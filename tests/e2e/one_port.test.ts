// envoy/envoy.yaml as shipped, but for the ports: all protocols on one, each call reaches its own service.
import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { before, describe, it } from "node:test";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import { boltClient, type Client, dubboClient, grpcClient, httpClient } from "../../scripts/samples/clients.ts";
import { type Answer, type Instance, INTERFACE } from "../../scripts/samples/hello.ts";
import { type Service, startService } from "../../scripts/samples/services.ts";
import * as bolt from "../host/kit/bolt.ts";
import * as dubbo from "../host/kit/dubbo.ts";
import { RawBoltClient } from "./kit/client.ts";
import { CONCURRENCIES, startEnvoy, untilHealthy } from "./kit/envoy.ts";
import { Http2Client } from "./kit/http_peers.ts";
import { type Scope, suiteScope } from "./kit/scope.ts";
import { ServerProcess } from "./kit/server_process.ts";
import { WAIT_MS, waitUntil } from "./kit/wait.ts";

const ROUNDS = 40;
/** Of each kind. */
const CLIENTS = 3;
/** listener_filters_timeout: a client that a busy machine keeps from speaking for so long is taken for an RPC client. */
const SILENCE_MS = 3000;

type Name = `${Instance["protocol"]} ${"v1" | "v2"}`;
const CLUSTERS: Record<string, Name> = {
  "hello-v1": "bolt v1",
  "hello-v2": "bolt v2",
  "dubbo-v1": "dubbo v1",
  "dubbo-v2": "dubbo v2",
  "hello-http": "http v1",
  "hello-grpc": "grpc v1",
};

for (const concurrency of CONCURRENCIES) {
  describe(`one port, --concurrency ${concurrency}`, () => {
    const scope = suiteScope();
    const services = new Map<Name, Service>();
    let envoy: EnvoyProcess;

    before(async () => {
      for (const name of Object.values(CLUSTERS)) {
        const [protocol, version] = name.split(" ") as [Instance["protocol"], string];
        const service = await startService({ protocol, version, port: 0 });
        scope.after(() => service.stop());
        services.set(name, service);
      }
      const host = (cluster: string) => {
        const port = services.get(CLUSTERS[cluster])?.port ?? 0;
        return cluster === "hello-v2" ? `localhost:${port}` : port;
      };
      const hosts = Object.fromEntries(Object.keys(CLUSTERS).map((cluster) => [cluster, [host(cluster)]]));
      const change = (_: unknown, listener: Record<string, unknown>) =>
        (listener.listener_filters_timeout = `${SILENCE_MS / 1000}s`);
      envoy = await startEnvoy(scope, { concurrency, hosts, change });
      await untilHealthy(envoy, ...Object.keys(CLUSTERS));
    });

    /** Which service has given an answer. */
    const giver = ({ port }: Answer) => [...services].find(([, service]) => service.port === port)?.[0];

    async function connectRaw(t: Scope): Promise<Socket> {
      const socket = connect({ port: envoy.port, host: "127.0.0.1", noDelay: true });
      await once(socket, "connect");
      t.after(() => socket.destroy());
      return socket.on("error", () => {});
    }

    /** Collects what a server sends; the function returned waits until it is `enough`. */
    function reader(socket: Socket): (enough: (got: Buffer) => boolean) => Promise<Buffer> {
      let got = Buffer.alloc(0);
      socket.on("data", (chunk: Buffer) => (got = Buffer.concat([got, chunk])));
      return async (enough) => {
        await waitUntil(
          () => enough(got) || socket.closed,
          WAIT_MS,
          () => `only ${got.length} bytes`,
        );
        assert.ok(enough(got), `closed after "${got.toString("latin1")}"`);
        return got;
      };
    }

    it("SOFARPC, Dubbo, HTTP/1, HTTP/2 and gRPC interleaved: each call is answered by its own service", async (t) => {
      const makers = [boltClient, dubboClient, httpClient, grpcClient, http2Client];
      const clients: Client[] = [];
      for (let i = 0; i < CLIENTS; i++) {
        for (const make of makers) clients.push(await make(envoy.port));
      }
      t.after(() => Promise.all(clients.map((client) => client.close())));
      const given: Record<string, number> = {};
      for (let round = 0; round < ROUNDS; round++) {
        const answers = clients.map(async (client) => {
          const answer = await client.call(round).invoke();
          const what = `${client.protocol} by ${giver(answer)}`;
          given[what] = (given[what] ?? 0) + 1;
          assert.ok(answer.result === round + 1 || String(answer.result).endsWith(`, caller ${round}!`));
        });
        await Promise.all(answers);
      }
      const [v1, v2] = [given["bolt by bolt v1"], given["bolt by bolt v2"]];
      assert.ok(v2 > 0 && v1 > v2, JSON.stringify(given));
      const half = (CLIENTS * ROUNDS) / 2;
      assert.deepEqual(given, {
        "bolt by bolt v1": 2 * half - v2,
        "bolt by bolt v2": v2,
        "dubbo by dubbo v1": half,
        "dubbo by dubbo v2": half,
        "http by http v1": 2 * half,
        "grpc by grpc v1": 2 * half,
        "http2 by http v1": 2 * half,
      });
    });

    it("first bytes, one by one but for HTTP/1: Bolt v1 and v2, Dubbo, HTTP/1.0, HTTP/1.1, HTTP/2", async (t) => {
      const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", "latin1");
      const firsts: Record<string, [Buffer, RegExp | Buffer]> = {
        bolt: [bolt.heartbeat(7, 1), bolt.heartbeatAck(7, 1)],
        boltv2: [bolt.heartbeat(7, 2), bolt.heartbeatAck(7, 2)],
        dubbo: [dubbo.heartbeat(7n), dubbo.heartbeatAck(7n)],
        // Envoy takes 1.0 only where it is told to (`accept_http_10`).
        "HTTP/1.0": [Buffer.from("GET /hello/one HTTP/1.0\r\n\r\n"), /^HTTP\/1\.1 426 Upgrade Required\r\n/],
        "HTTP/1.1": [Buffer.from("GET /hello/one HTTP/1.1\r\nhost: a\r\n\r\n"), /^HTTP\/1\.1 200 [^]*Hello, one!/],
        // The server's settings, then the acknowledgement of the client's.
        "HTTP/2": [preface, /^\0\0.\x04\0\0\0\0\0[^]*\0\0\0\x04\x01\0\0\0\0/],
      };
      for (const [name, [first, expected]] of Object.entries(firsts)) {
        const socket = await connectRaw(t);
        const read = reader(socket);
        // Envoy's inspector now and then takes HTTP/1 that comes in pieces for something else (docs/limits.md).
        const step = name.startsWith("HTTP/1") ? first.length : 1;
        for (let i = 0; i < first.length; i += step) {
          await new Promise<void>((done) => socket.write(first.subarray(i, i + step), () => setImmediate(done)));
        }
        const is = (got: Buffer) =>
          expected instanceof RegExp ? expected.test(got.toString("latin1")) : got.equals(expected);
        await read(is).catch((error: Error) => assert.fail(`${name}: ${error.message}`));
      }
    });

    it("who is silent at first is taken for an RPC client", async (t) => {
      const silent = await RawBoltClient.connect(envoy.port);
      t.after(() => silent.close());
      // Envoy counts those whose time was up.
      const counted = () => envoy.stats("downstream_pre_cx_timeout$");
      await waitUntil(
        async () => [...(await counted()).values()].some((count) => count > 0),
        WAIT_MS,
        () => "no timeout is counted",
      );
      await silent.write(bolt.heartbeat(1));
      assert.equal((await silent.answer(1)).kind, "heartbeatAck");
    });

    it("CONNECT does not reach the switchboard", async (t) => {
      const before = await envoy.stat("http.switchboard.downstream_rq_total");
      const headers = { "x-moe-cluster": "hello-v1" };
      const asked = httpRequest({ port: envoy.port, method: "CONNECT", path: "hello-v1:80", headers }).end();
      t.after(() => asked.destroy());
      const [response] = (await once(asked, "connect")) as [{ statusCode: number }];
      assert.equal(response.statusCode, 404);
      const session = connectHttp2(`http://127.0.0.1:${envoy.port}`);
      t.after(() => session.destroy());
      const stream = session.request({ ":method": "CONNECT", ":authority": "hello-v1:80", ...headers });
      const [answer] = (await once(stream, "response")) as [{ ":status": number }];
      assert.equal(answer[":status"], 404);
      assert.equal(await envoy.stat("http.switchboard.downstream_rq_total"), before);
    });

    it("bytes of no protocol close the connection", async (t) => {
      for (const bytes of ["hello", "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", "*1\r\n$4\r\nPING\r\n"]) {
        const socket = await connectRaw(t);
        socket.resume().write(Buffer.from(bytes, "latin1"));
        await once(socket, "close");
        assert.equal(socket.bytesRead, 0);
      }
    });
  });
}

/** The sample's HTTP service over HTTP/2. */
async function http2Client(port: number): Promise<Client> {
  const ends: (() => unknown)[] = [];
  const client = await Http2Client.connect({ after: (end) => ends.push(end) }, port);
  const call = (number: number) => ({
    service: INTERFACE,
    method: "GET",
    invoke: async () => JSON.parse((await client.request({ path: `/hello/caller%20${number}` })).body) as Answer,
  });
  return { protocol: "http2", call, close: async () => ends.forEach((end) => end()) };
}

describe("Dubbo's health check", () => {
  it("a stopped host is left out until it runs again", async (t) => {
    const [frozen, warm] = await Promise.all([ServerProcess.sample("dubbo:v1"), ServerProcess.sample("dubbo:v1")]);
    t.after(() => Promise.all([frozen.kill(), warm.kill()]));
    const envoy = await startEnvoy(t, {
      hosts: { "dubbo-v1": [frozen.port, warm.port] },
      change: ({ static_resources: { clusters } }) => {
        const cluster = clusters.find(({ name }) => name === "dubbo-v1");
        const [check] = cluster?.health_checks as Record<string, unknown>[];
        for (const field of Object.keys(check).filter((name) => /interval|timeout/.test(name))) check[field] = "1s";
      },
    });
    const healthy = (count: number) =>
      waitUntil(
        async () => (await envoy.stat("cluster.dubbo-v1.membership_healthy")) === count,
        WAIT_MS,
        () => `not ${count} healthy hosts`,
      );
    await healthy(2);
    const client = await dubboClient(envoy.port);
    t.after(() => client.close());
    /** The ports that answer; even numbers ask for version 1. */
    const givers = async () => {
      const answers = Array.from({ length: 20 }, (_, i) => client.call(2 * i).invoke());
      return [...new Set((await Promise.all(answers)).map(({ port }) => port))].sort();
    };
    const both = [frozen.port, warm.port].sort();
    await waitUntil(
      async () => (await givers()).length === 2,
      WAIT_MS,
      () => "one host only",
    );

    frozen.freeze();
    await healthy(1);
    assert.deepEqual(await givers(), [warm.port]);
    frozen.thaw();
    await healthy(2);
    await waitUntil(
      async () => (await givers()).join() === both.join(),
      WAIT_MS,
      () => "the host that runs again is not used",
    );
  });
});
