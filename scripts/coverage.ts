// `npm run coverage`: which statements of assembly/ and filters/ the unit tests and the tests in the host emulator run.
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Command } from "commander";
import { instrument } from "../tests/coverage/instrument.ts";
import { GROWTH } from "./build.ts";

const root = resolve(import.meta.dirname, "..");
const work = join(root, "build/coverage");
const tree = join(work, "tree");
const hits = join(work, "hits");
/** Least share of the statements, in a hundred. */
const LEAST = 90;

interface Source {
  path: string;
  first: number;
  lines: number[];
}

/** Copies what unit tests and the module are made of, sources of the module instrumented. */
function copyTree(): Source[] {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(hits, { recursive: true });
  for (const path of [
    "asconfig.json",
    "as-pect.asconfig.json",
    "package.json",
    "assembly",
    "filters",
    "tests/unit",
    "tests/vectors",
    "tests/host/guests",
  ]) {
    cpSync(join(root, path), join(tree, path), { recursive: true });
  }
  cpSync(join(root, "as-pect.config.js"), join(tree, "as-pect.base.js"));
  cpSync(join(root, "tests/coverage/hits.js"), join(tree, "tests/coverage/hits.js"));
  symlinkSync(join(root, "node_modules"), join(tree, "node_modules"));
  writeFileSync(join(tree, "as-pect.config.js"), AS_PECT);
  const sources: Source[] = [];
  let first = 0;
  for (const path of ["assembly", "filters"].flatMap((folder) => sourcesBelow(folder))) {
    const { text, lines } = instrument(readFileSync(join(root, path), "utf8"), first);
    writeFileSync(join(tree, path), text);
    sources.push({ path, first, lines });
    first += lines.length;
  }
  return sources;
}

/** The configuration of as-pect, with one import more. */
const AS_PECT = `import base from "./as-pect.base.js";
import { hit } from "./tests/coverage/hits.js";

export default {
  ...base,
  instantiate: (memory, createImports, instantiate, binary) =>
    base.instantiate(memory, (imports) => createImports({ ...imports, coverage: { hit } }), instantiate, binary),
};
`;

function sourcesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !/\.spec\.ts$|\/testing\.ts$/.test(path))
    .sort();
}

/** Runs Node with these arguments; whether it went well. */
function node(cwd: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<boolean> {
  // Without NODE_OPTIONS: `npm test` names a reporter there.
  const environment = { ...process.env, NODE_OPTIONS: undefined, MOE_COVERAGE: hits, ...env };
  const options = { cwd, env: environment, stdio: "inherit" } as const;
  return new Promise((done) => spawn(process.execPath, args, options).once("close", (code) => done(code === 0)));
}

/** All statements that ran in any process. */
function collected(): Set<number> {
  return new Set(readdirSync(hits).flatMap((name) => JSON.parse(readFileSync(join(hits, name), "utf8")) as number[]));
}

const percent = (part: number, all: number) => (all === 0 ? 100 : (100 * part) / all);

/** Prints the table; returns the share of all statements that ran. */
function report(sources: Source[]): number {
  const ran = collected();
  const folders = new Map<string, [ran: number, all: number]>();
  const low: string[] = [];
  let [total, all] = [0, 0];
  for (const { path, first, lines } of sources) {
    const missed = lines.filter((_, i) => !ran.has(first + i));
    const count = lines.length - missed.length;
    const sum = folders.get(dirname(path)) ?? [0, 0];
    folders.set(dirname(path), [sum[0] + count, sum[1] + lines.length]);
    total += count;
    all += lines.length;
    if (percent(count, lines.length) < LEAST)
      low.push(`  ${line(path, count, lines.length)}  lines ${[...new Set(missed)].join(" ")}`);
  }
  for (const [folder, [count, statements]] of folders) if (statements > 0) console.log(line(folder, count, statements));
  if (low.length > 0) console.log(`\nfiles below ${LEAST} %:\n${low.join("\n")}`);
  console.log(`\n${line("all", total, all)}`);
  return percent(total, all);
}

function line(name: string, count: number, all: number): string {
  return `${name.padEnd(36)} ${percent(count, all).toFixed(1).padStart(5)} %  ${count} of ${all} statements`;
}

/** The module of the copied tree, optimized a little: that takes half as long. */
async function compile(): Promise<string> {
  const output = join(work, "moe.wasm");
  const asc = join(root, "node_modules/assemblyscript/bin/asc.js");
  const args = [asc, "--target", "release", "-O1", "--outFile", output, "--transform", GROWTH];
  if (!(await node(tree, args))) throw new Error("the instrumented sources do not compile");
  return output;
}

const { specs, tests } = new Command("npm run coverage --")
  .description(`Runs the tests on instrumented sources; fails below ${LEAST} % of the statements.`)
  .option("--specs <paths...>", "only these specs of as-pect; default: all")
  .option("--tests <paths...>", "only these tests in the emulator; default: all of tests/host that run the module")
  .parse()
  .opts<{ specs?: string[]; tests?: string[] }>();

/** Tests that run the release module, or a guest with all of it; the others take long for what they add. */
function onModule(): string[] {
  const paths = readdirSync(join(root, "tests/host")).map((name) => `tests/host/${name}`);
  const world = /from "\.\/((proxy|http|filter)-world|http-script)\.ts"/;
  const uses = (path: string) => world.test(readFileSync(join(root, path), "utf8"));
  return paths.filter((path) => path.endsWith(".test.ts") && !/chaos|fuzz/.test(path) && uses(path));
}

const sources = copyTree();
const unit = ["--summary", "--no-logo", ...(specs ?? [])];
const hitsFile = join(root, "tests/coverage/hits.js");
const host = [
  "--import",
  "tsx",
  "--import",
  pathToFileURL(hitsFile).href,
  "--test",
  "--test-reporter=dot",
  ...(tests ?? onModule()),
];
const good = await Promise.all([
  node(tree, [join(root, "node_modules/@as-pect/cli/bin/asp.js"), ...unit]),
  compile().then((module) => node(root, host, { MOE_MODULE: module, MOE_TREE: tree })),
]);
const enough = report(sources) >= LEAST;
if (good.includes(false)) console.log("some tests failed on the instrumented sources");
if (good.includes(false) || !enough) process.exitCode = 1;
