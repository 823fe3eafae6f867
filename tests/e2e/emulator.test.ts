// The host emulator's HTTP part beside a real Envoy: one guest does in both what its configuration says, sees the same
// callbacks with the same sizes, and its client and server get the same. What the emulator is faithful to is proven here.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import {
  createServer as createHttp2Server,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import { type Callout, compileGuest, Host, type HttpExchange } from "../host/kit/index.ts";
import { startHttpEnvoy } from "./kit/http_envoy.ts";
import { http1, HttpServer } from "./kit/http_peers.ts";
import { suiteScope } from "./kit/scope.ts";
import { waitUntil, waitUntilStill } from "./kit/wait.ts";

interface Case {
  /** What the guest does, see tests/host/guests/http.ts. */
  script: string;
  /** allow_on_headers_stop_iteration; default false. */
  allow?: boolean;
  /** Buffer limit, bytes; default 1 MiB. */
  limit?: number;
  /** Pieces of the request's body; none: a GET. */
  body?: string[];
  /** The piece of the body before which the guest's tick comes; the body is chunked. */
  tickBefore?: number;
  /** No answer comes. */
  hangs?: boolean;
}

/** What can be seen of one request. */
interface Seen {
  log: string[];
  /** Status and body of the answer; "none", or "reset". */
  answer: string;
  /** What the server got. */
  server: string;
}

const ABC = ["a".repeat(10), "b".repeat(20), "c".repeat(30)];
const HELD_BODY = "rh=1 rb=1,0";
const LARGE = Array.from({ length: 5 }, (_, i) => String(i).repeat(16000));

const CASES: Case[] = [
  { script: "rh=0" },
  { script: "rh=0 rb=0", body: ABC },
  { script: "rh=0 rb=1", body: ABC, hangs: true },
  { script: "rh=0 rb=1,0 @rh:h+x=1 @rb:h+x=2 @rb.:b?", body: ABC },
  { script: "rh=0 rb=2,0 @rb:b?", body: ABC },
  { script: "rh=0 rb=3,0 @rh:h-content-length", body: ABC },
  { script: "rh=2", body: ABC },
  { script: HELD_BODY, body: ABC, hangs: true },
  { script: `${HELD_BODY} tick=100:c0`, body: ABC },
  { script: `${HELD_BODY} @rb.:b? @rb.:h+x=1 @rb.:h?x`, body: ABC, allow: true },
  { script: `${HELD_BODY} @rb.:h-content-length @rb.:b=changed`, body: ABC, allow: true },
  { script: "rh=3 rb=1,0 tick=100:c0", body: ABC },
  { script: "rh=4 rb=1,0 tick=100:h?:path/c0/h?:path", body: ABC },
  { script: "rh=4 tick=100:l403", body: ABC },
  { script: "rh=1 tick=100:c0" },
  { script: "@rh:l403" },
  { script: "@rh:l403 sh=4 tick=100:c1" },
  { script: "@rh:l403 @sh:h+x=1 @sh:h?content-length @sb:b?" },
  { script: "@rb:l418 rb=1", body: ABC.slice(0, 1) },
  { script: "@sh:l503 @sh:h?:status" },
  { script: "@rh:x" },
  { script: "@sh:x" },
  { script: "sh=4 tick=100:c1" },
  { script: "sh=1 sb=1,0 @sb.:b? @sb.:h+x=1", body: ABC, allow: true },
  { script: "sh=1 sb=1,0", body: ABC, hangs: true },
  { script: "sh=0 sb=1,0 @sb.:b? @sb.:h+x=1", body: ABC },
  { script: "@sh:h-content-length @sb:b=other", body: ABC },
  { script: "@rh:p?request/path @sh:p?request/path @log:p?request/path @log:h?:path" },
  { script: "@rh:p?xds/cluster_name @sh:p?upstream/address @rh:p?upstream/address @sh:p?response/code_details" },
  { script: "@rb:p#request/total_size @sh:p?request/protocol @log:p#response/code rb=1,0", body: ABC },
  // Going on while the body is coming.
  { script: "rh=0 rb=1,0 tick=200:c0", body: ABC, tickBefore: 2 },
  { script: "rh=3 then=0 tick=200:c0", body: ABC, tickBefore: 2 },
  { script: "rh=4 then=0 tick=200:c0", body: ABC, tickBefore: 2 },
  // Above the limit.
  { script: "rh=0 rb=1,0", body: LARGE, limit: 40000 },
  { script: `${HELD_BODY}`, body: LARGE, limit: 40000, allow: true },
  { script: "rh=3 rb=1,0 tick=1000:c0", body: LARGE, limit: 40000 },
  { script: "rh=4 tick=300:c0", body: LARGE, limit: 40000 },
  { script: "rh=4 rb=1,0 tick=300:c0", body: LARGE, limit: 40000, hangs: true },
  // Callouts: answered, not answered, refused; the request goes on, is answered, or has gone by then.
  { script: "rh=1 @rh:q=other/yes @hc:a?:status @hc:a?body @hc:c0" },
  { script: "rh=1 @rh:q=other/no @hc:a?:status @hc:l403" },
  { script: "rh=1 @rh:q=other/silent @hc:a?:status @hc:c0" },
  { script: "rh=1 @rh:q=other/broken @hc:c0" },
  { script: "rh=1 @rh:q=closed/yes @hc:a?:status @hc:c0" },
  { script: "@rh:q=nowhere/yes" },
  { script: "@rh:l403 @rh:q=other/yes" },
  { script: "sh=1 @sh:q=other/yes @hc:a?:status @hc:c1" },
  { script: "rh=1 @rh:q=other/yes @rh:q=other/yes @hc:a?:status tick=700:c0" },
  { script: "rh=1 @rh:g=rpc/silent @gc:c0" },
  { script: "rh=1 @rh:g=closed/x @gc:c0" },
  { script: "rh=1 @rh:g=rpc/deny @gc:c0" },
  { script: "@rh:g=nowhere/x" },
  { script: "sh=0 sb=1,0", body: LARGE, limit: 40000 },
  { script: "sh=1 sb=1,0", body: LARGE, limit: 40000, allow: true },
];

/** How the servers of callouts answer in the emulator, by path or method. */
function answer(callout: Callout): void {
  if (callout.cluster === "closed") {
    if (callout.sent.kind === "grpc") callout.close(14, "no");
    else callout.answerLocally(503, "no");
  } else if (callout.sent.method === "deny") callout.close(7, "denied");
  else if (callout.path === "/yes") callout.respond({ body: "fine" });
  else if (callout.path === "/no") callout.respond({ status: 401, body: "no" });
  else if (callout.path === "/broken") callout.fail();
}

/** The same in a real server. */
function answerHttp(request: IncomingMessage, response: ServerResponse): void {
  const path = request.url;
  if (path === "/yes") response.end("fine");
  else if (path === "/no") response.writeHead(401).end("no");
  else if (path === "/broken") {
    response.writeHead(200, { "content-length": "10" }).write("abc");
    setImmediate(() => request.socket.destroy());
  }
}

/** The same for gRPC. */
function answerGrpc(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  stream.on("error", () => {});
  if (!String(headers[":path"]).endsWith("/deny")) return;
  stream.respond({ ":status": 200, "content-type": "application/grpc", "grpc-status": "7" }, { endStream: true });
}

/** Runs a case in the emulator; also tells how many lines the guest had logged after each piece of the body. */
async function runEmulator(wasm: Uint8Array, one: Case): Promise<{ seen: Seen; linesAfter: number[] }> {
  const allowOnHeadersStopIteration = one.allow ?? false;
  const host = await Host.start({ module: wasm, config: one.script, allowOnHeadersStopIteration });
  host.callouts.clusters = new Set(["other", "closed", "rpc"]);
  host.callouts.onCallout = answer;
  let server = "";
  host.onRequest = (request) => {
    request.onEnd = () => {
      server = `${request.headers.get("x") ?? ""} ${request.body.toString()}`;
      request.respond({ body: request.body });
    };
  };
  const options = { method: one.body ? "POST" : "GET", open: one.body !== undefined };
  const exchange = host.request({ ...options, bufferLimit: one.limit, headers: lengthOf(one), path: "/p" });
  const linesAfter: number[] = [];
  for (const [i, piece] of (one.body ?? []).entries()) {
    exchange.write(piece);
    if (one.tickBefore === i + 1) host.advance(500);
    linesAfter.push(host.log.text().length);
  }
  if (one.body) exchange.write("", true);
  host.advance(2000);
  const seen = { log: host.log.text().map(withoutLevel), answer: answerOf(exchange), server };
  if (!one.hangs) assert.notEqual(exchange.closed, null, "the emulated stream did not end");
  host.close();
  return { seen, linesAfter };
}

const lengthOf = (one: Case): Record<string, string> =>
  one.body && one.tickBefore === undefined ? { "content-length": String(one.body.join("").length) } : {};

const withoutLevel = (line: string) => line.replace(/^\w+ /, "");

function answerOf(exchange: HttpExchange): string {
  if (exchange.closed === "reset") return "reset";
  return exchange.closed === null ? "none" : `${exchange.status} ${exchange.body}`;
}

/** The guest's lines in Envoy's log. */
function guestLines(envoy: EnvoyProcess, name: string): string[] {
  const mark = `wasm log ${name}`;
  return envoy.log.filter((line) => line.includes(`${mark} `)).map((line) => line.split(`${name} http ${name}: `)[1]);
}

describe("the emulator does as Envoy", () => {
  const scope = suiteScope();
  const folder = mkdtempSync(join(tmpdir(), "moe-guest-"));
  scope.after(() => rmSync(folder, { recursive: true, force: true }));
  let setup: Promise<{ envoy: EnvoyProcess; server: HttpServer; wasm: Uint8Array }> | undefined;

  /** The port of a server that lives as long as the scope. */
  async function listen(server: Server | Http2Server): Promise<number> {
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const sockets = new Set<Socket>();
    server.on("connection", (socket: Socket) => sockets.add(socket));
    scope.after(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return (server.address() as AddressInfo).port;
  }

  async function start() {
    const wasm = await compileGuest("http");
    const module = join(folder, "http.wasm");
    writeFileSync(module, wasm);
    const server = await HttpServer.start(scope, "server");
    server.answer = (request) => ({ body: request.body });
    const listeners = CASES.map((one, i) => ({
      name: `case${i}`,
      module,
      config: one.script,
      allowOnHeadersStopIteration: one.allow ?? false,
      bufferLimit: one.limit,
      routes: [{ match: { prefix: "/" }, route: { cluster: "upstream" } }],
    }));
    const other = await listen(createServer(answerHttp));
    const http2 = createHttp2Server();
    http2.on("stream", answerGrpc);
    const clusters = {
      upstream: { ports: [server.port] },
      other: { ports: [other] },
      closed: { ports: [await unusedPort()] },
      rpc: { ports: [await listen(http2)], http2: true },
    };
    const envoy = await startHttpEnvoy(scope, { listeners, clusters, logLevel: "info" });
    return { envoy, server, wasm };
  }

  async function runEnvoy(i: number, linesAfter: number[]): Promise<Seen> {
    const { envoy, server } = await (setup ??= start());
    const one = CASES[i];
    const lines = () => guestLines(envoy, `case${i}`);
    const before = server.arrived.length;
    const between = (written: number) =>
      waitUntil(
        () => lines().length >= linesAfter[written - 1],
        3000,
        () => lines().join("\n"),
      ).catch(() => {});
    let answer = "none";
    const request = {
      path: "/p",
      method: one.body ? "POST" : "GET",
      headers: lengthOf(one),
      pieces: one.body,
      between,
    };
    const done = http1(envoy.ports.get(`case${i}`) ?? 0, request).then(
      (response) => (answer = `${response.status} ${response.body}`),
      () => (answer = "reset"),
    );
    if (one.hangs) await waitUntilStill(() => lines().length, 500);
    else {
      await done;
      await waitUntil(
        () => lines().at(-1) === "delete",
        5000,
        () => lines().join("\n"),
      );
    }
    const [arrived] = server.arrived.slice(before);
    const got = arrived ? `${String(arrived.headers.x ?? "")} ${arrived.body}` : "";
    return { log: lines(), answer, server: got };
  }

  for (const [i, one] of CASES.entries()) {
    const about = `${one.script}${one.allow ? ", allowed" : ""}${one.body ? ", body" : ""}${one.hangs ? ": hangs" : ""}`;
    test(about, async () => {
      const { wasm } = await (setup ??= start());
      const { seen, linesAfter } = await runEmulator(wasm, one);
      const real = await runEnvoy(i, linesAfter);
      const comparable = (log: string[]) => (one.body === LARGE ? withoutCuts(steady(log)) : steady(log));
      assert.deepEqual({ ...seen, log: comparable(seen.log) }, { ...real, log: comparable(real.log) });
    });
  }
});

/** What has to be the same: all lines up to the stream's end, without the addresses of the one or the other server. */
function steady(log: string[]): string[] {
  const end = log.indexOf("delete");
  const lines = end < 0 ? log : log.slice(0, end + 1);
  return lines.map((line) => line.replace(/\d+\.\d+\.\d+\.\d+:\d+/, "ADDRESS"));
}

/** The same where the network cuts a body as it likes: several pieces count as one of some size. */
function withoutCuts(log: string[]): string[] {
  const lines = log.map((line) => line.replace(/^([rs]b) \d+$/, "$1 some"));
  return lines.filter((line, i) => !line.endsWith(" some") || line !== lines[i - 1]);
}

/** A port where nobody listens. */
async function unusedPort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
