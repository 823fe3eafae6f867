// `moe test`: all tests of a project of one's own; this repository's own are `npm test`.
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Argument, Command } from "commander";
import { FAILURE } from "./lib/command.ts";
import { PACKAGE, shown } from "./lib/package.ts";
import { needProject } from "./lib/project.ts";
import { Places } from "./lib/places.ts";
import { build, isDebugBuild, moduleFile } from "./build.ts";

const SUITES = ["unit", "emulator", "envoy"] as const;
type Suite = (typeof SUITES)[number];

const TEST_FILE = /\.test\.(m?js|m?ts)$/;

/** The files of a suite of node:test, below the project. */
function filesOf(folder: string, suite: Suite): string[] {
  const base = join(folder, "tests", suite);
  if (!existsSync(base)) return [];
  const names = readdirSync(base, { recursive: true, encoding: "utf8" }).filter((name) => TEST_FILE.test(name));
  return names.sort().map((name) => join("tests", suite, name));
}

/** The arguments that Node runs a suite with; a text says why it cannot. */
function argumentsOf(folder: string, suite: Suite): string[] | string {
  if (suite === "unit") {
    const asp = join(folder, "node_modules/@as-pect/cli/bin/asp.js");
    return existsSync(asp) ? [asp, "--summary", "--no-logo"] : "as-pect is not installed: `npm install` does it.";
  }
  const files = filesOf(folder, suite);
  if (files.length === 0) return `there is no tests/${suite}/NAME.test.js`;
  const loader = files.some((file) => file.endsWith("ts")) ? ["--import", "tsx"] : [];
  return [...loader, "--test", "--test-reporter=spec", ...files];
}

/** Runs a suite; where a trap's place is a number, its line is looked up. Whether it passed. */
async function run(folder: string, suite: Suite, places: Places): Promise<boolean> {
  console.log(`\n== ${suite}`);
  const args = argumentsOf(folder, suite);
  if (typeof args === "string") {
    console.error(args);
    return false;
  }
  // Tests that were started by tests would tell their results to those.
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ["inherit", "pipe", "pipe"] });
  for (const [from, to] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ] as const) {
    from.setEncoding("utf8").on("data", (text: string) => to.write(places.named(text)));
  }
  return new Promise((done) => child.once("close", (code) => done(code === 0)));
}

async function testProject(suites: Suite[]): Promise<void> {
  const folder = needProject();
  if (folder === PACKAGE) throw new Error("These are the sources of moe-wasm: their tests are run by `npm test`.");
  const file = moduleFile(folder, "release");
  const target = existsSync(file) && !isDebugBuild(file) ? "release" : "debug";
  build(target, console.error, folder);
  console.log(`Module: ${shown(file)} (${target})`);
  const places = new Places(`${file}.map`, folder);
  const failed: Suite[] = [];
  for (const suite of suites.length > 0 ? suites : SUITES) {
    if (!(await run(folder, suite, places))) failed.push(suite);
  }
  console.log(failed.length === 0 ? "\nAll passed." : `\nFailed: ${failed.join(", ")}`);
  if (failed.length > 0) process.exitCode = FAILURE;
}

export function testCommand(name: string): Command {
  return new Command(name)
    .description(
      "Runs the tests of the project, and builds its module before if a source has changed: specs with as-pect (unit), tests/emulator, and tests/envoy " +
        "with a real Envoy.",
    )
    .addArgument(new Argument("[suites...]", "only these").choices([...SUITES]))
    .addHelpText("after", `\nExamples:\n  ${name}\n  ${name} unit emulator`)
    .action(testProject);
}
