// The rows of tests/vectors on the release module in the host emulator, over HTTP.
import {
  httpConfig,
  httpRequest,
  httpStatus,
  routeComplaint,
  routeMetadata,
  rowHeaders,
  rowLabels,
} from "../vectors/http.ts";
import { type Case, type Outcome, testRows } from "../vectors/rows.ts";
import { startHttp } from "./http-world.ts";
import { LoadError, type RequestOptions, type UpstreamRequest } from "./kit/index.ts";

/** Virtual milliseconds after which a request counts as lost. */
const LIMIT_MS = 20_000;
const STEP_MS = 4;

async function run(one: Case): Promise<Outcome> {
  const { request = {} } = one.row;
  const host = await startHttp([], { config: httpConfig(one) });
  host.routes = () => ({ metadata: routeMetadata(one) });
  const arrived: UpstreamRequest[] = [];
  host.onRequest = (got) => {
    arrived.push(got);
    got.onEnd = () => got.respond();
  };
  const { source_address: source } = request;
  const properties: RequestOptions["properties"] = source === undefined ? {} : { "source/address": source };
  const start = host.clock.nowMs;
  const exchange = host.request({ ...httpRequest(request), properties });
  while (exchange.closed === null && host.clock.nowMs - start < LIMIT_MS) host.advance(STEP_MS);
  const delayMs = host.clock.nowMs - start;
  if (exchange.closed !== "complete") throw new Error(`no answer within ${LIMIT_MS} ms: ${exchange.closed}`);
  const logged = host.log
    .text()
    .map(routeComplaint)
    .find((text) => text !== undefined);
  host.close();
  const [call] = arrived;
  if (call === undefined) return { status: exchange.status ?? 0, delayMs, logged };
  const { entries } = call.headers;
  return { headers: rowHeaders(entries), labels: rowLabels(entries), delayMs, logged };
}

async function refusal(one: Case): Promise<string> {
  try {
    (await startHttp([], { config: httpConfig(one) })).close();
    return "";
  } catch (error) {
    if (!(error instanceof LoadError)) throw error;
    return /configuration refused: (.*)/.exec(error.message)?.[1] ?? error.message;
  }
}

testRows({ name: "host-http", root: "http", latenessMs: 20, statusOf: httpStatus, run, refusal });
