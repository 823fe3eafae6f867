// The rows of tests/vectors on a real Envoy, over HTTP: one listener for each row, with a route that has its metadata.
import { before } from "node:test";
import {
  httpConfig,
  httpRequest,
  httpStatus,
  routeComplaint,
  routeMetadata,
  rowHeaders,
  rowLabels,
} from "../vectors/http.ts";
import { allCases, type Case, type Outcome, testRows } from "../vectors/rows.ts";
import type { HttpListenerOptions } from "./kit/http_envoy.ts";
import { http1, HttpServer } from "./kit/http_peers.ts";
import { type ManyListeners, proxyLine, startHttpListeners } from "./kit/many_listeners.ts";
import { suiteScope } from "./kit/scope.ts";
import { WAIT_MS, waitUntil } from "./kit/wait.ts";

const cases = allCases("http");
const scope = suiteScope();
let server: HttpServer;
let listeners: ManyListeners;

before(async () => {
  server = await HttpServer.start(scope, "upstream");
  listeners = await startHttpListeners(scope, {
    listeners: cases.map(listenerOf),
    clusters: { upstream: { ports: [server.port] } },
    allowLog: [
      /configuration refused/,
      /Failed to configure base Wasm plugin/,
      /Plugin .* failed to load/,
      /filter_metadata/,
    ],
  });
});

function nameOf(one: Case): string {
  return `row-${cases.indexOf(one)}`;
}

function listenerOf(one: Case): HttpListenerOptions {
  const metadata = { filter_metadata: routeMetadata(one) };
  const routes = [{ match: { prefix: "/" }, route: { cluster: "upstream" }, metadata }];
  return { name: nameOf(one), config: httpConfig(one), routes, vm: "rows" };
}

/** What the module said of the configuration of the row's route. */
function complaint(one: Case): string | undefined {
  const lines = listeners.envoy.log.filter((line) => line.includes(`wasm log ${nameOf(one)} `));
  return lines.map(routeComplaint).find((text) => text !== undefined);
}

async function run(one: Case): Promise<Outcome> {
  const { request = {}, expect } = one.row;
  const port = listeners.ports.get(nameOf(one));
  if (port === undefined) throw new Error(`refused: ${listeners.refusal(nameOf(one))}`);
  server.arrived.length = 0;
  const { method, headers, body } = httpRequest(request);
  const length = body === undefined ? [] : [["content-length", String(body.length)] as const];
  const { source_address: source } = request;
  const start = performance.now();
  const answer = await http1(port, {
    method,
    pairs: [["host", "test"], ...headers, ...length],
    body,
    preface: source === undefined ? undefined : proxyLine(source),
  });
  // Envoy's clock shows whole milliseconds.
  const delayMs = Math.ceil(performance.now() - start);
  // The log comes by another way than the answer.
  if (expect.logged !== undefined) {
    await waitUntil(
      () => complaint(one) !== undefined,
      WAIT_MS,
      () => "nothing logged",
    );
  }
  const [arrival] = server.arrived;
  return {
    status: answer.headers["served-by"] === server.name ? undefined : answer.status,
    headers: arrival && rowHeaders(arrival.pairs),
    labels: arrival && rowLabels(arrival.pairs),
    delayMs,
    logged: complaint(one),
  };
}

testRows(
  {
    name: "e2e-http",
    root: "http",
    statusOf: httpStatus,
    run,
    refusal: async (one) => (listeners.ports.has(nameOf(one)) ? "" : listeners.refusal(nameOf(one))),
  },
  cases,
);
