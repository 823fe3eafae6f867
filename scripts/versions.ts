// `npm run test:versions -- [--only VERSION…] [FILES…]`: the end-to-end tests on every Envoy that is pinned, one after another.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { Command, Option } from "commander";
import { EnvoyNotFound, findEnvoy, VERSIONS } from "./lib/envoy.ts";

const root = resolve(import.meta.dirname, "..");

/** All end-to-end tests. */
function allFiles(): string[] {
  const names = readdirSync(join(root, "tests/e2e")).filter((name) => name.endsWith(".test.ts"));
  return names.map((name) => join("tests/e2e", name));
}

/** Runs the files on one version, the output shown as it comes; returns node:test's sums, or what went wrong. */
async function run(version: string, files: string[]): Promise<{ good: boolean; summary: string }> {
  process.env.ENVOY_VERSION = version;
  await findEnvoy(console.log);
  const args = ["--test", "--test-concurrency=1", "--test-reporter=spec"];
  const child = spawn("npx", ["tsx", ...args, ...files], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    output += chunk;
    process.stdout.write(chunk);
  });
  const code = await new Promise<number | null>((done) => child.once("close", done));
  const sums = [...stripVTControlCharacters(output).matchAll(/^ℹ (pass|fail|cancelled|skipped|todo) (\d+)$/gm)];
  const of = (word: string) => Number(sums.find(([, name]) => name === word)?.[2] ?? 0);
  const failed = of("fail") + of("cancelled") + of("skipped") + of("todo");
  return { good: code === 0 && failed === 0 && of("pass") > 0, summary: `${of("pass")} passed, ${failed} failed` };
}

const command = new Command("npm run test:versions --")
  .description("The end-to-end tests on each version of Envoy; with FILES only those.")
  .argument("[files...]")
  .addOption(new Option("--only <versions...>", "these versions").choices(VERSIONS).default(VERSIONS))
  .parse();
// A binary of one's own would be used instead of each version.
delete process.env.ENVOY_BIN;
const lines: string[] = [];
for (const version of command.opts<{ only: string[] }>().only) {
  console.log(`\n== Envoy ${version}`);
  try {
    const { good, summary } = await run(version, command.args.length > 0 ? command.args : allFiles());
    lines.push(`Envoy ${version}: ${summary}`);
    if (!good) process.exitCode = 1;
  } catch (error) {
    if (!(error instanceof EnvoyNotFound)) throw error;
    lines.push(`Envoy ${version}: ${error.message}`);
    process.exitCode = 1;
  }
}
console.log(`\n${lines.join("\n")}`);
