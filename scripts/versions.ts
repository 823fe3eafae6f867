// `npm run test:versions -- [--only VERSION…] [FILES…]`: the end-to-end tests on every Envoy that is pinned, file by file, one
// version after another; the last thing it prints is one table of all.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { Command, Option } from "commander";
import { EnvoyNotFound, findEnvoy, VERSIONS } from "./lib/envoy.ts";
import { table } from "./lib/table.ts";

const root = resolve(import.meta.dirname, "..");

/** All end-to-end tests. */
function allFiles(): string[] {
  const names = readdirSync(join(root, "tests/e2e")).filter((name) => name.endsWith(".test.ts"));
  return names.map((name) => join("tests/e2e", name));
}

/** What came of one file. */
interface Outcome {
  passed: number;
  /** Skipped tests count as failed: they prove nothing. */
  failed: number;
  seconds: number;
  /** Names of the failed tests. */
  failures: string[];
}

/** Runs one file on the Envoy of ENVOY_VERSION, its output shown as it comes. */
async function run(file: string): Promise<Outcome> {
  const begun = Date.now();
  const child = spawn("npx", ["tsx", "--test", "--test-reporter=spec", file], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    output += chunk;
    process.stdout.write(chunk);
  });
  const code = await new Promise<number | null>((done) => child.once("close", done));
  const text = stripVTControlCharacters(output);
  const sums = new Map([...text.matchAll(/^ℹ (\w+) (\d+)$/gm)].map(([, name, n]) => [name, Number(n)]));
  const passed = sums.get("pass") ?? 0;
  let failed = ["fail", "cancelled", "skipped", "todo"].reduce((sum, name) => sum + (sums.get(name) ?? 0), 0);
  if (failed === 0 && (code !== 0 || passed === 0)) failed = 1;
  const [, list = ""] = text.split("✖ failing tests:");
  const failures = [...list.matchAll(/^✖ (.*?)(?: \([\d.]+ms\))?$/gm)].map(([, name]) => name);
  return { passed, failed, seconds: (Date.now() - begun) / 1000, failures };
}

const cell = ({ passed, failed, seconds }: Outcome) =>
  `${passed} passed${failed > 0 ? `, ${failed} FAILED` : ""} (${Math.round(seconds)} s)`;

function sum(outcomes: Outcome[]): Outcome {
  const total: Outcome = { passed: 0, failed: 0, seconds: 0, failures: [] };
  for (const { passed, failed, seconds } of outcomes) {
    total.passed += passed;
    total.failed += failed;
    total.seconds += seconds;
  }
  return total;
}

const command = new Command("npm run test:versions --")
  .description("The end-to-end tests on each version of Envoy; with FILES only those.")
  .argument("[files...]")
  .addOption(new Option("--only <versions...>", "these versions").choices(VERSIONS).default(VERSIONS))
  .parse();
// A binary of one's own would be used instead of each version.
delete process.env.ENVOY_BIN;
const files = command.args.length > 0 ? command.args : allFiles();
const versions = command.opts<{ only: string[] }>().only;
/** By version; undefined where that Envoy cannot be had. */
const results = new Map<string, Outcome[] | undefined>();
const notes: string[] = [];
for (const version of versions) {
  process.env.ENVOY_VERSION = version;
  try {
    await findEnvoy(console.log);
  } catch (error) {
    if (!(error instanceof EnvoyNotFound)) throw error;
    results.set(version, undefined);
    notes.push(`Envoy ${version}: ${error.message}`);
    continue;
  }
  const outcomes: Outcome[] = [];
  for (const file of files) {
    console.log(`\n== Envoy ${version}: ${file}`);
    const outcome = await run(file);
    outcomes.push(outcome);
    for (const name of outcome.failures) notes.push(`Envoy ${version}: ${file}: ${name}`);
  }
  results.set(version, outcomes);
}
const rows = files.map((file, i) => [
  basename(file, ".test.ts"),
  ...versions.map((version) => {
    const outcome = results.get(version)?.[i];
    return outcome ? cell(outcome) : "not run";
  }),
]);
const totals = versions.map((version) => sum(results.get(version) ?? []));
rows.push(["all", ...totals.map(cell)]);
console.log("");
for (const line of table(["file", ...versions.map((version) => `Envoy ${version}`)], rows)) console.log(line);
for (const note of notes) console.log(note);
if (notes.length > 0 || totals.some(({ passed, failed }) => failed > 0 || passed === 0)) process.exitCode = 1;
