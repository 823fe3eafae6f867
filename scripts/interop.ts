// `npm run test:interop`: Java SOFARPC and sofa-bolt peers, each case direct and through Envoy, compared line by line.
import { Command, Option } from "commander";
import { startEnvoy } from "../tests/e2e/kit/envoy.ts";
import { compare, type Verdict } from "../tests/interop/compare.ts";
import {
  buildPeers,
  type JavaServer,
  listCases,
  PeersFailed,
  runClient,
  startServer,
  type Target,
} from "../tests/interop/peers.ts";
import { EnvoyNotFound } from "./lib/envoy.ts";
import { EnvoyFailed, type EnvoyProcess } from "./lib/envoy_process.ts";
import { Scope } from "./lib/scope.ts";

interface Options {
  cases?: string;
  via: "moe" | "direct";
}

function target(sofaPort: number, rawPort: number): Target {
  return { sofa: `127.0.0.1:${sofaPort}`, raw: `127.0.0.1:${rawPort}` };
}

/** Two Envoys with the module's default configuration, one before each server. */
async function startEnvoys(scope: Scope, server: JavaServer): Promise<EnvoyProcess[]> {
  const start = (port: number) => startEnvoy(scope, { config: null, clusters: { upstream: { hosts: [port] } } });
  return Promise.all([start(server.sofaPort), start(server.rawPort)]);
}

/** The module must have taken the calls one by one and understood every frame. */
async function counters(envoys: EnvoyProcess[]): Promise<Verdict> {
  const totals = new Map<string, number>();
  for (const envoy of envoys) {
    for (const [name, value] of await envoy.stats("moe\\.\\w+\\.(requests|heartbeats|decode_errors)$")) {
      const short = name.replace(/^.*moe\./, "");
      totals.set(short, (totals.get(short) ?? 0) + value);
    }
  }
  const sum = (what: string) => [...totals].reduce((all, [name, value]) => all + (name.endsWith(what) ? value : 0), 0);
  const ok = sum(".requests") > 0 && sum(".decode_errors") === 0;
  return { name: "counters", ok, text: [...totals].map((pair) => pair.join(" ")).join(", "), details: [] };
}

function print(verdicts: Verdict[]): void {
  const width = Math.max(...verdicts.map((verdict) => verdict.name.length));
  for (const verdict of verdicts) {
    console.log(`${verdict.ok ? "ok  " : "FAIL"}  ${verdict.name.padEnd(width)}  ${verdict.text}`);
    for (const line of verdict.details) console.log(`        ${line}`);
  }
}

async function run(options: Options, scope: Scope): Promise<Verdict[]> {
  buildPeers((line) => console.log(line));
  const all = await listCases();
  const wanted = all.filter((name) => !options.cases || name.includes(options.cases));
  if (wanted.length === 0) throw new PeersFailed(`no case has "${options.cases}" in its name`);

  const server = await startServer();
  scope.after(async () => server.stop());
  console.log(`${wanted.length} cases direct`);
  const straight = target(server.sofaPort, server.rawPort);
  const direct = await runClient("direct/", straight, wanted);
  if (options.via === "direct") {
    console.log(`${wanted.length} cases direct again`);
    return compare(wanted, direct, await runClient("again/", straight, wanted));
  }
  console.log(`${wanted.length} cases through Envoy`);
  const envoys = await startEnvoys(scope, server);
  const proxied = await runClient("proxied/", target(envoys[0].port, envoys[1].port), wanted);
  return [...compare(wanted, direct, proxied), await counters(envoys)];
}

async function main(options: Options): Promise<number> {
  const scope = new Scope();
  try {
    const verdicts = await run(options, scope);
    // The Envoys must come through it alive and without an error in their log.
    const errors = await scope.end();
    const text = errors.length > 0 ? "failed or logged errors" : "all alive, no error in a log";
    verdicts.push({ name: "processes", ok: errors.length === 0, text, details: errors.map((error) => error.message) });
    print(verdicts);
    const failed = verdicts.filter((verdict) => !verdict.ok).length;
    console.log(`\n${verdicts.length - failed} passed, ${failed} failed`);
    return failed;
  } finally {
    await scope.end();
  }
}

const program = new Command("npm run test:interop --")
  .description("Runs Java SOFARPC 5 and sofa-bolt peers direct and through Envoy, and compares what they report.")
  .option("--cases <text>", "only cases whose name contains this text")
  .addOption(
    new Option("--via <how>", "`direct` compares two direct runs: a check of the comparison itself")
      .choices(["moe", "direct"])
      .default("moe"),
  )
  .addHelpText(
    "after",
    "\nNeeds a JDK (8 or later) and Maven. MOE_MODULE=FILE takes another module than build/moe.wasm.",
  )
  .parse();

try {
  process.exitCode = (await main(program.opts<Options>())) === 0 ? 0 : 1;
} catch (error) {
  if (!(error instanceof PeersFailed || error instanceof EnvoyNotFound || error instanceof EnvoyFailed)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
