// `npm test`: lint, build and all test suites; the last line sums them up.
import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { Argument, Command } from "commander";

const root = resolve(import.meta.dirname, "..");
/** A suite that hangs is ended after this many minutes; a busy machine takes several times as long as a quiet one. */
const LIMIT_MINUTES = 45;

interface Count {
  passed: number;
  failed: number;
}

interface Suite {
  name: string;
  /** Script of package.json. */
  script: string;
  /** Its arguments; `asked`: by name on the command line. */
  args?: (asked: boolean) => string[];
  /** Reads the numbers from the output; without it the whole script is one check. */
  count?: (output: string) => Count;
  /** Nothing after it makes sense if it fails. */
  needed?: boolean;
  /** Hosts of tests/vectors that run their rows in it, and say how many. */
  vectors?: string[];
}

const SUITES: Suite[] = [
  { name: "lint", script: "lint" },
  { name: "build", script: "build", needed: true },
  // The unit tests, on instrumented sources: they need not run without, too.
  { name: "coverage", script: "coverage", count: countAsPect, vectors: ["unit"] },
  { name: "host", script: "test:host", count: countNode, vectors: ["host", "host-http"] },
  { name: "slices", script: "slices", args: sliceArguments, count: countSlices },
  { name: "e2e", script: "test:e2e", count: countNode, vectors: ["e2e", "e2e-http"] },
];

/** as-pect prints a line `… Pass: 3 / 4 Todo: 0 …` for each spec file. */
function countAsPect(output: string): Count {
  const total = { passed: 0, failed: 0 };
  for (const [, passed, all, todo] of output.matchAll(/Pass: (\d+) \/ (\d+) Todo: (\d+)/g)) {
    total.passed += Number(passed);
    total.failed += Number(all) - Number(passed) + Number(todo);
  }
  return total;
}

/** node:test prints `ℹ pass 3` and so on at the end. A skipped test proves nothing and counts as failed. */
function countNode(output: string): Count {
  const number = (word: string) => Number(new RegExp(`^ℹ ${word} (\\d+)$`, "m").exec(output)?.[1] ?? 0);
  const failed = number("fail") + number("cancelled") + number("skipped") + number("todo");
  return { passed: number("pass"), failed };
}

/** Five minutes in CI and when asked for, else a moment. */
function sliceArguments(asked: boolean): string[] {
  return ["--", "--minutes", asked || process.env.CI === "true" ? "5" : "0.4"];
}

/** scripts/slices.ts prints a line `slice … clean` or `slice … FAILED` for each run. */
function countSlices(output: string): Count {
  const number = (end: string) => [...output.matchAll(new RegExp(`^slice .*: ${end}$`, "gm"))].length;
  return { passed: number("clean"), failed: number("FAILED") };
}

/** What the hosts of tests/vectors report, by host. All must have run the same rows, and some. */
const vectors = new Map<string, string>();

/** Notes the lines `vectors HOST: FILTER ROWS, …` of a suite; returns what is wrong with them. */
function noteVectors(output: string, hosts: string[]): string {
  const lines = [...output.matchAll(/^ *(?:# |ℹ )?vectors (\S+): (.*)$/gm)];
  const reported = new Map(lines.map(([, host, counts]) => [host, counts]));
  for (const [host, counts] of reported) vectors.set(host, counts);
  const silent = hosts.find((host) => !reported.has(host));
  if (silent !== undefined) return `${silent} reports no rows of tests/vectors`;
  const [first] = vectors;
  const other = [...vectors].find(([, counts]) => counts !== first[1] || !/ [1-9]/.test(counts));
  return other ? `rows of tests/vectors: ${other[0]} ${other[1]}, ${first[0]} ${first[1]}` : "";
}

interface Result {
  count: Count;
  seconds: number;
  /** What is wrong beside failed tests. */
  note: string;
}

/** Runs one suite, its output shown as it comes. */
async function run(suite: Suite, asked: boolean): Promise<Result> {
  const start = Date.now();
  const { output, code } = await npm(suite.script, ...(suite.args?.(asked) ?? []));
  const good = code === 0;
  const count = suite.count?.(output) ?? { passed: good ? 1 : 0, failed: good ? 0 : 1 };
  let note = "";
  if (!good && count.failed === 0) note = code === null ? `took over ${LIMIT_MINUTES} minutes` : `exit code ${code}`;
  else if (count.passed + count.failed === 0) note = "ran no tests";
  else if (suite.vectors) note = noteVectors(output, suite.vectors);
  if (note !== "") count.failed++;
  return { count, note, seconds: (Date.now() - start) / 1000 };
}

/** Runs a script of package.json; the code is null if it took too long. */
function npm(script: string, ...args: string[]): Promise<{ output: string; code: number | null }> {
  return new Promise((done) => {
    // A process group of its own, so that everything it has started ends with it.
    const child = spawn("npm", ["run", "--silent", script, ...args], {
      cwd: root,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ""} --test-reporter=spec` },
    });
    const stop = () => {
      if (child.pid && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
    };
    const timer = setTimeout(stop, LIMIT_MINUTES * 60_000);
    const interrupt = () => {
      stop();
      process.exit(130);
    };
    process.once("SIGINT", interrupt);
    let output = "";
    const show = (stream: NodeJS.WriteStream) => (chunk: string) => {
      output += chunk;
      stream.write(chunk);
    };
    child.stdout.setEncoding("utf8").on("data", show(process.stdout));
    child.stderr.setEncoding("utf8").on("data", show(process.stderr));
    child.once("close", (code) => {
      clearTimeout(timer);
      process.removeListener("SIGINT", interrupt);
      done({ output: stripVTControlCharacters(output), code });
    });
  });
}

async function main(names: string[]): Promise<void> {
  const lines: string[] = [];
  const total = { passed: 0, failed: 0 };
  for (const suite of SUITES.filter(({ name }) => names.length === 0 || names.includes(name))) {
    console.log(`\n== ${suite.name}`);
    const { count, seconds, note } = await run(suite, names.includes(suite.name));
    total.passed += count.passed;
    total.failed += count.failed;
    const numbers = `${count.passed} passed, ${count.failed} failed`;
    lines.push(`${suite.name.padEnd(8)} ${numbers} (${seconds.toFixed(0)} s)${note && `: ${note}`}`);
    if (suite.needed && count.failed > 0) {
      lines.push(`the suites after ${suite.name} did not run`);
      break;
    }
  }
  console.log(`\n${lines.join("\n")}`);
  console.log(`${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
}

const { processedArgs } = new Command("npm test --")
  .description("Lint, build and all tests; with names only those suites.")
  .addArgument(new Argument("[suites...]").choices(SUITES.map(({ name }) => name)))
  .parse();
await main(processedArgs[0] as string[]);
