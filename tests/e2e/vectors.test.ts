// The rows of tests/vectors on a real Envoy, over Bolt: one listener for each row.
import { before } from "node:test";
import { boltRequest, boltStatus, rowHeaders } from "../vectors/bolt.ts";
import { allCases, type Case, type Outcome, proxyConfig, testRows } from "../vectors/rows.ts";
import { servedBy } from "./kit/calls.ts";
import { RawBoltClient } from "./kit/client.ts";
import { type ManyListeners, type NamedListener, proxyLine, startListeners } from "./kit/many_listeners.ts";
import { suiteScope } from "./kit/scope.ts";
import { RawBoltServer } from "./kit/server.ts";

/** The cluster that gets connections with just the labels that their row expects. */
const LABELLED = "labelled";

const cases = allCases();
/** Keys of labels. */
const keys = [...new Set(cases.flatMap(({ row }) => Object.keys(row.expect.labels ?? {})))];

const scope = suiteScope();
const servers = new Map<string, RawBoltServer>();
let listeners: ManyListeners;

before(async () => {
  for (const name of ["upstream", LABELLED]) {
    const server = await RawBoltServer.start({ name });
    scope.after(() => server.close());
    servers.set(name, server);
  }
  const clusters = Object.fromEntries([...servers].map(([name, { port }]) => [name, { hosts: [port] }]));
  const allowLog = [/configuration refused/, /Failed to configure base Wasm plugin/, /Plugin .* failed to load/];
  listeners = await startListeners(scope, cases.map(listenerOf), { clusters, allowLog });
});

function nameOf(one: Case): string {
  return `row-${cases.indexOf(one)}`;
}

/** The row's listener. Its switchboard sends connections with the right labels elsewhere: that is how they are seen. */
function listenerOf(one: Case): NamedListener {
  const { labels = {} } = one.row.expect;
  const headers = keys.map((key) => ({
    name: `x-moe-${key}`,
    ...(key in labels ? { string_match: { exact: labels[key] } } : { present_match: false }),
  }));
  const upgrade = [{ upgrade_type: "CONNECT", connect_config: {} }];
  const route = { cluster: LABELLED, timeout: "0s", upgrade_configs: upgrade };
  return { name: nameOf(one), config: proxyConfig(one), routes: [{ match: { connect_matcher: {}, headers }, route }] };
}

async function run(one: Case): Promise<Outcome> {
  const { request = {}, expect } = one.row;
  const port = listeners.ports.get(nameOf(one));
  if (port === undefined) throw new Error(`refused: ${listeners.refusal(nameOf(one))}`);
  for (const server of servers.values()) server.arrivals.length = 0;
  const client = await RawBoltClient.connect(port);
  const { source_address: source } = request;
  if (source !== undefined) await client.write(Buffer.from(proxyLine(source)));
  const start = performance.now();
  await client.write(boltRequest(1, request));
  const answer = await client.answer(1);
  // Envoy's clock shows whole milliseconds.
  const delayMs = Math.ceil(performance.now() - start);
  client.close();
  const name = servedBy(answer);
  const arrival = [...servers.values()].flatMap(({ arrivals }) => arrivals)[0];
  return {
    status: name === undefined ? answer.status : undefined,
    headers: arrival && rowHeaders(arrival.frame),
    labels: name === LABELLED ? (expect.labels ?? {}) : { others: "than expected" },
    delayMs,
  };
}

testRows(
  {
    name: "e2e",
    root: "proxy",
    statusOf: boltStatus,
    run,
    refusal: async (one) => (listeners.ports.has(nameOf(one)) ? "" : listeners.refusal(nameOf(one))),
  },
  cases,
);
