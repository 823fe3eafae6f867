// The rows of tests/vectors on the release module in the host emulator, over Bolt.
import { boltRequest, boltStatus, rowHeaders } from "../vectors/bolt.ts";
import { type Case, type Outcome, proxyConfig, testRows } from "../vectors/rows.ts";
import { type ConnectOptions, Host, LoadError } from "./kit/index.ts";
import { A, answers, module, world } from "./proxy-world.ts";

/** Virtual milliseconds after which a request counts as lost. */
const LIMIT_MS = 20_000;
const STEP_MS = 4;

async function run(one: Case): Promise<Outcome> {
  const { request = {} } = one.row;
  const { source_address: source } = request;
  const connect: ConnectOptions = source === undefined ? {} : { properties: { "source/address": source } };
  const { host, cluster, client } = await world([A], { config: proxyConfig(one) }, connect);
  const start = host.clock.nowMs;
  client.write(boltRequest(1, request));
  let [answer] = answers(client);
  for (; answer === undefined && host.clock.nowMs - start < LIMIT_MS; [answer] = answers(client)) host.advance(STEP_MS);
  if (answer === undefined) throw new Error(`no answer within ${LIMIT_MS} ms`);
  const delayMs = host.clock.nowMs - start;
  host.close();
  const [call] = cluster.calls;
  if (call === undefined) return { status: answer.status, delayMs };
  const labels = Object.entries(call.stream.headers)
    .filter(([name]) => name.startsWith("x-moe-") && !["x-moe-cluster", "x-moe-pin"].includes(name))
    .map(([name, value]) => [name.slice("x-moe-".length), value]);
  const status = answer.status === 0 ? undefined : answer.status;
  return { status, headers: rowHeaders(call.frame), labels: Object.fromEntries(labels), delayMs };
}

async function refusal(one: Case): Promise<string> {
  try {
    (await Host.start({ module, config: proxyConfig(one) })).close();
    return "";
  } catch (error) {
    if (!(error instanceof LoadError)) throw error;
    return /configuration refused: (.*)/.exec(error.message)?.[1] ?? error.message;
  }
}

testRows({ name: "host", root: "proxy", latenessMs: 20, statusOf: boltStatus, run, refusal });
