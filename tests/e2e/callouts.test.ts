// Filters that call out in a real Envoy, by HTTP and gRPC: on RPC and on HTTP.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import protobuf from "protobufjs";
import { type Bootstrap, type Listener, pluginConfig } from "../../scripts/lib/bootstrap.ts";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import { BoltStatus as Status, request } from "../host/kit/bolt.ts";
import { compileGuest } from "../host/kit/index.ts";
import { startHttpEnvoy } from "./kit/http_envoy.ts";
import { http1, HttpServer } from "./kit/http_peers.ts";
import { type Scope, suiteScope } from "./kit/scope.ts";
import { callOf, Stage } from "./kit/stage.ts";
import { WAIT_MS, waitUntil } from "./kit/wait.ts";

const health = protobuf.loadSync(join(import.meta.dirname, "../host/guests/protos/health.proto"));
const HealthCheckRequest = health.lookupType("grpc.health.v1.HealthCheckRequest");
const HealthCheckResponse = health.lookupType("grpc.health.v1.HealthCheckResponse");
const SERVING = 1;
/** Before a message of gRPC: whether it is compressed, and its length. */
const PREFIX = 5;

/** A gRPC server of health, whose methods say what it does. */
class GrpcServer {
  port = 0;
  /** What it was asked about. */
  readonly services: string[] = [];

  static async start(scope: Scope): Promise<GrpcServer> {
    const self = new GrpcServer();
    const server = createServer();
    const sessions = new Set<{ destroy: () => void }>();
    server.on("session", (session) => sessions.add(session));
    server.on("stream", (stream, headers) => void self.serve(stream, String(headers[":path"])));
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    self.port = (server.address() as AddressInfo).port;
    scope.after(() => {
      for (const session of sessions) session.destroy();
      server.close();
    });
    return self;
  }

  private async serve(stream: ServerHttp2Stream, path: string): Promise<void> {
    stream.on("error", () => {});
    const parts: Buffer[] = [];
    for await (const part of stream) parts.push(part as Buffer);
    const asked = HealthCheckRequest.decode(Buffer.concat(parts).subarray(PREFIX)) as unknown as { service: string };
    this.services.push(asked.service);
    const method = path.split("/")[2];
    if (method === "silent") return;
    const status = method === "deny" ? { "grpc-status": "7", "grpc-message": "denied" } : { "grpc-status": "0" };
    const head = { ":status": 200, "content-type": "application/grpc" };
    if (method === "deny") {
      stream.respond({ ...head, ...status }, { endStream: true });
      return;
    }
    stream.respond(head, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers(status));
    const message = HealthCheckResponse.encode({ status: SERVING }).finish();
    stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]));
  }
}

/** Answers that /hold waits for. */
const held: (() => void)[] = [];
const release = (): void => held.splice(0).forEach((answer) => answer());

/** A server to call out to, whose paths say what it does; a port where nobody listens. */
async function startServers(scope: Scope): Promise<Record<string, number>> {
  const auth = createTcpServer((socket) => {
    socket.on("error", () => {});
    let text = "";
    socket.on("data", (bytes) => {
      text += bytes.toString("latin1");
      for (let end = text.indexOf("\r\n\r\n"); end >= 0; end = text.indexOf("\r\n\r\n")) {
        const path = text.split(" ")[1];
        text = text.slice(end + 4 + Number(/content-length: (\d+)/.exec(text)?.[1] ?? 0));
        const status = path.startsWith("/deny") ? "403 No" : path.startsWith("/error") ? "503 No" : "200 OK";
        if (path === "/broken") socket.end("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc");
        const answer = () => socket.write(`HTTP/1.1 ${status}\r\ncontent-length: 3\r\nx-answer: h\r\n\r\nabc`);
        if (path === "/hold") held.push(answer);
        else if (path !== "/silent" && path !== "/broken") answer();
      }
    });
    scope.after(() => socket.destroy());
  });
  await new Promise<void>((done) => auth.listen(0, "127.0.0.1", done));
  scope.after(() => auth.close());
  const gone = createTcpServer();
  await new Promise<void>((done) => gone.listen(0, "127.0.0.1", done));
  const closed = (gone.address() as AddressInfo).port;
  await new Promise((done) => gone.close(done));
  return { auth: (auth.address() as AddressInfo).port, closed };
}

const HTTP_OPTIONS = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

const folder = mkdtempSync(join(tmpdir(), "moe-callouts-"));
const module = join(folder, "filters.wasm");

/** A name for which one byte of a length is not enough. */
const LONG = `rpc-${"x".repeat(200)}`;

/** What the filter does, what it sees, and whether it allows when it chooses "open" where there is no answer. */
const CASES: [name: string, call: string, seen: RegExp, status: number][] = [
  ["an answer that allows", "http:auth:/allow:10000", /outcome=1 status=200 header=h body=abc/, 200],
  ["an answer that denies", "http:auth:/deny:10000", /outcome=1 status=403 header=h/, 403],
  ["a server's own 503", "http:auth:/error:10000", /outcome=1 status=503 header=h/, 403],
  ["a timeout", "http:auth:/silent", /outcome=2 status=504/, 200],
  ["a response that breaks off", "http:auth:/broken:10000", /outcome=4 status=0/, 200],
  ["no server", "http:closed:/allow:10000", /outcome=3 status=503/, 200],
  ["a message of gRPC", "grpc:rpc:allow:10000:the.Service", /outcome=1 status=0 header=\? body=[^]*health=1/, 200],
  ["a cluster with a long name", `grpc:${LONG}:allow:10000:long`, /outcome=1 status=0[^]*health=1/, 200],
  ["an error of gRPC", "grpc:rpc:deny:10000", /outcome=4 status=7 header=\? body=denied/, 200],
  ["a timeout of gRPC", "grpc:rpc:silent", /outcome=2 status=\d+/, 200],
  ["no server for gRPC", "grpc:closed:allow:10000", /outcome=3 status=14/, 200],
];

describe("callouts in a real Envoy", () => {
  const scope = suiteScope();
  scope.after(() => rmSync(folder, { recursive: true, force: true }));
  let ports: Record<string, number>;
  let rpc: GrpcServer;

  before(async () => {
    writeFileSync(module, await compileGuest("filters", ["assembly", "filters"]));
    ports = await startServers(scope);
    rpc = await GrpcServer.start(scope);
  });

  it("on HTTP: every way that a callout can end, and unknown clusters", async () => {
    const server = await HttpServer.start(scope, "server");
    const all = [
      ...CASES,
      ["no such cluster", "http:nowhere:/x", /^$/, 403],
      ["nor for gRPC", "grpc:nowhere:x", /^$/, 403],
    ] as const;
    const listeners = all.map(([, call], i) => {
      const config = { name: `a${i}`, BEFORE_ROUTE: [call], resume: ["answer health decide:open"] };
      return {
        name: `case${i}`,
        module,
        config: { stream_filters: [{ type: "script", config }] },
        routes: [{ match: { prefix: "/" }, route: { cluster: "upstream" } }],
      };
    });
    const clusters = {
      upstream: { ports: [server.port] },
      auth: { ports: [ports.auth] },
      closed: { ports: [ports.closed] },
      rpc: { ports: [rpc.port], http2: true },
      [LONG]: { ports: [rpc.port], http2: true },
    };
    const envoy: EnvoyProcess = await startHttpEnvoy(scope, { listeners, clusters, logLevel: "info" });
    await Promise.all(
      all.map(async ([name, , seen, status], i) => {
        const response = await http1(envoy.ports.get(`case${i}`) ?? 0, {});
        const log = envoy.log.filter((line) => line.includes(`case${i} `) && /outcome=|health=/.test(line));
        assert.equal(response.status, status, `${name}: ${log.join("\n")}`);
        if (seen.source !== "^$") assert.match(log.join("\n"), seen, name);
      }),
    );
    for (const service of ["the.Service", "long"]) assert.ok(rpc.services.includes(service), service);
  });

  it("set_envoy_filter_state: Envoy's access log has what a filter sets", async () => {
    const server = await HttpServer.start(scope, "server");
    const config = { name: "a", BEFORE_ROUTE: ["state:envoy.string:hello-from-a-filter state:no.such.key:x"] };
    const listener = {
      name: "state",
      module,
      config: { stream_filters: [{ type: "script", config }] },
      routes: [{ match: { prefix: "/" }, route: { cluster: "upstream" } }],
    };
    const change = (bootstrap: Bootstrap): void => {
      const [manager] = bootstrap.static_resources.listeners[0].filter_chains[0].filters;
      const text = { inline_string: "seen: %FILTER_STATE(envoy.string:PLAIN)%\n" };
      const type = "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog";
      const typed = { "@type": type, log_format: { text_format_source: text } };
      Object.assign(manager.typed_config, { access_log: [{ name: "stdout", typed_config: typed }] });
    };
    const clusters = { upstream: { ports: [server.port] } };
    const envoy = await startHttpEnvoy(scope, { listeners: [listener], clusters, logLevel: "info", change });
    assert.equal((await http1(envoy.ports.get("state") ?? 0, {})).status, 200);
    await waitUntil(
      () => envoy.log.some((line) => line.includes("seen: hello-from-a-filter")),
      WAIT_MS,
      () => envoy.log.slice(-10).join("\n"),
    );
    const results = envoy.log.filter((line) => / state \d/.test(line)).map((line) => /state (\d+)/.exec(line)?.[1]);
    assert.deepEqual(results, ["0", "1"], "NOT_FOUND for a key that Envoy knows no object for");
  });

  it("on RPC: 200 requests on one connection, some held; clients that go; nothing is left", async (t) => {
    const filter = (only: string, call: string) => ({
      type: "script",
      config: { name: only, only, blind: false, AFTER_ROUTE: [call], resume: ["decide"] },
    });
    const filters = [
      filter("allow", "http:auth:/allow:60000"),
      filter("slow", "http:auth:/hold:60000"),
      filter("ask", "grpc:rpc:allow:60000"),
    ];
    const config = { stream_filters: filters };
    const change = (bootstrap: Bootstrap, listener: Listener): void => {
      pluginConfig(listener).vm_config.code.local.filename = module;
      const { clusters } = bootstrap.static_resources;
      for (const [name, port, http2] of [
        ["auth", ports.auth, false],
        ["rpc", rpc.port, true],
      ] as const) {
        const address = { socket_address: { address: "127.0.0.1", port_value: port } };
        const options = { "@type": HTTP_OPTIONS, explicit_http_config: { http2_protocol_options: {} } };
        clusters.push({
          name,
          connect_timeout: "1s",
          load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
          ...(http2 && { typed_extension_protocol_options: { [HTTP_OPTIONS.split("/")[1]]: options } }),
        } as unknown as (typeof clusters)[number]);
      }
    };
    const stage = await Stage.start(scope, { concurrency: 1, clusters: { plain: {} }, config, change });
    const active = () => stage.envoy.stat("wasmcustom.moe.callouts.active");
    const [client] = await stage.connect(t);
    const method = (id: number): string =>
      id % 20 === 7 ? "slow" : id % 3 === 0 ? "allow" : id % 3 === 1 ? "ask" : "pass";
    const ids = Array.from({ length: 200 }, (_, id) => id);
    await client.write(Buffer.concat(ids.map((id) => request(id, callOf("plain", method(id))))));
    const slow = ids.filter((id) => method(id) === "slow");
    await client.waitForFrames(ids.length - slow.length);
    assert.deepEqual(
      client.frames.filter(({ id }) => slow.includes(Number(id))),
      [],
    );
    await waitUntil(
      () => held.length === slow.length,
      WAIT_MS,
      () => `${held.length} callouts are held`,
    );
    release();
    await client.waitForFrames(ids.length);
    for (const { id, status } of client.frames) assert.equal(status, Status.SUCCESS, `request ${id}`);
    // A client that goes while its requests wait.
    const [leaver] = await stage.connect(t);
    await leaver.write(Buffer.concat([1, 2, 3].map((id) => request(id, callOf("plain", "slow")))));
    await waitUntil(
      async () => (await active()) === 3,
      WAIT_MS,
      () => "no callout is under way",
    );
    leaver.reset();
    await waitUntil(
      async () => (await stage.bolt("active")) === 0,
      WAIT_MS,
      () => "requests of a client that has gone",
    );
    release();
    let left = "";
    await waitUntil(
      async () => (left = `${await active()} ${await stage.bolt("active")}`) === "0 0",
      WAIT_MS,
      () => `active callouts and requests: ${left}`,
    );
  });
});
