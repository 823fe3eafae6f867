// `npm run test:interop`: Java peers of Bolt and Dubbo, each case direct and through Envoy, compared line by line.
import { Command, Option } from "commander";
import { runBolt } from "../tests/interop/bolt.ts";
import type { Verdict } from "../tests/interop/compare.ts";
import { runDubbo } from "../tests/interop/dubbo.ts";
import { PeersFailed } from "../tests/interop/java_project.ts";
import { EnvoyNotFound } from "./lib/envoy.ts";
import { EnvoyFailed } from "./lib/envoy_process.ts";
import { Scope } from "./lib/scope.ts";

const PARTS = { bolt: runBolt, dubbo: runDubbo };

interface Options {
  protocol?: keyof typeof PARTS;
  cases?: string;
  via: "moe" | "direct";
}

function print(verdicts: Verdict[]): void {
  const width = Math.max(...verdicts.map((verdict) => verdict.name.length));
  for (const verdict of verdicts) {
    console.log(`${verdict.ok ? "ok  " : "FAIL"}  ${verdict.name.padEnd(width)}  ${verdict.text}`);
    for (const line of verdict.details) console.log(`        ${line}`);
  }
}

async function run(options: Options, scope: Scope): Promise<Verdict[]> {
  const chosen = (name: string) => !options.cases || name.includes(options.cases);
  const verdicts: Verdict[] = [];
  for (const [protocol, part] of Object.entries(PARTS)) {
    if (options.protocol && options.protocol !== protocol) continue;
    verdicts.push(...(await part(scope, chosen, options.via === "direct", (line) => console.log(line))));
  }
  if (verdicts.length === 0) throw new PeersFailed(`no case has "${options.cases}" in its name`);
  return verdicts;
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
  .description("Runs Java peers of Bolt and Dubbo direct and through Envoy, and compares what they report.")
  .addOption(new Option("--protocol <name>", "only this part").choices(Object.keys(PARTS)))
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
