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
import { EnvoyFailed } from "./lib/envoy_process.ts";
import { Scope } from "./lib/scope.ts";

interface Options {
  cases?: string;
  via: "moe" | "direct";
}

/** The servers themselves, or two Envoys with the module's default configuration, one before each. */
async function target(scope: Scope, server: JavaServer, via: Options["via"]): Promise<Target> {
  const portOf = async (port: number): Promise<number> => {
    if (via === "direct") return port;
    return (await startEnvoy(scope, { config: null, clusters: { upstream: { hosts: [port] } } })).port;
  };
  const [sofa, raw] = await Promise.all([portOf(server.sofaPort), portOf(server.rawPort)]);
  return { sofa: `127.0.0.1:${sofa}`, raw: `127.0.0.1:${raw}` };
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
  const direct = await runClient("direct/", await target(scope, server, "direct"), wanted);
  console.log(`${wanted.length} cases ${options.via === "moe" ? "through Envoy" : "direct again"}`);
  const proxied = await runClient("proxied/", await target(scope, server, options.via), wanted);
  return compare(wanted, direct, proxied);
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
