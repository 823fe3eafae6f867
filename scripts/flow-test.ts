// `npm run flow-test`: flowControlFilter on a real Envoy, over workers and connections, beside Sentinel's formulas.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { type Chart, svg } from "../tests/flow/chart.ts";
import { conclusive, type Outcome } from "../tests/flow/outcome.ts";
import { FULL, modesChart, QUICK, type Run, runsOf, type Scenario, SCENARIOS } from "../tests/flow/run.ts";
import { transcripts } from "../tests/flow/transcripts.ts";
import { EnvoyNotFound } from "./lib/envoy.ts";
import { Scope } from "./lib/scope.ts";

interface Options {
  only?: Scenario[];
  workers?: number[];
  connections?: number[];
  seconds?: number;
  quick?: boolean;
  plots?: string;
  json?: string;
  transcripts?: string;
}

function whole(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("expected a number");
  return Number(text);
}

const list = (text: string): number[] => text.split(",").map(whole);

/** One run with a stage of its own; again where the machine was too slow for it to show anything. */
function play(run: Run): Promise<Outcome> {
  return conclusive(async () => {
    const scope = new Scope();
    try {
      const outcome = await run.play(scope);
      const errors = await scope.end();
      return { ...outcome, wrong: [...outcome.wrong, ...errors.map((error) => error.message)] };
    } finally {
      await scope.end();
    }
  });
}

/** Writes the charts, one of each name: the first run's. */
function writeCharts(folder: string, outcomes: Outcome[]): void {
  const all = outcomes.flatMap((outcome) => outcome.charts ?? []);
  const modes = modesChart(outcomes);
  if (modes) all.push(modes);
  const charts = new Map<string, Chart>(all.reverse().map((chart) => [chart.name, chart]));
  mkdirSync(folder, { recursive: true });
  for (const chart of charts.values()) {
    writeFileSync(join(folder, `${chart.name}.svg`), svg(chart));
    console.log(`wrote ${join(folder, `${chart.name}.svg`)}`);
  }
}

/** A scope for one play, and its end. */
function newScope(): { scope: Scope; end: () => Promise<Error[]> } {
  const scope = new Scope();
  return { scope, end: () => scope.end() };
}

async function main(options: Options): Promise<void> {
  if (options.transcripts) return writeFileSync(options.transcripts, await transcripts(newScope));
  const base = options.quick ? QUICK : FULL;
  const { workers = base.workers, connections = base.connections, seconds = base.seconds } = options;
  const all = runsOf({ workers, connections, seconds, quick: base.quick });
  const runs = all.filter(({ scenario }) => !options.only || options.only.includes(scenario));
  const width = Math.max(...runs.map((run) => run.scenario.length + run.with.length)) + 2;
  const outcomes: Outcome[] = [];
  let failed = 0;
  for (const run of runs) {
    const outcome = await play(run);
    outcomes.push(outcome);
    const ok = outcome.wrong.length === 0;
    if (!ok) failed++;
    console.log(`${ok ? "ok  " : "FAIL"}  ${`${run.scenario}: ${run.with}`.padEnd(width)}  ${outcome.facts}`);
    for (const line of outcome.wrong) console.log(`        ${line}`);
  }
  if (options.plots) writeCharts(options.plots, outcomes);
  if (options.json) writeFileSync(options.json, JSON.stringify(outcomes, null, 2));
  console.log(`\n${runs.length - failed} as the rules say, ${failed} not`);
  if (failed > 0) process.exitCode = 1;
}

const names = Object.entries(SCENARIOS).map(([name, what]) => `  ${name.padEnd(11)} ${what}`);
const program = new Command("npm run flow-test --")
  .description("Flow control on a real Envoy: what passes, beside what the rules say; docs/flow-control.md.")
  .addOption(new Option("--only <scenario...>", "only these").choices(Object.keys(SCENARIOS)))
  .option("--workers <list>", "worker threads of Envoy (default: 1,2,4)", list)
  .option("--connections <list>", "connections of clients (default: 1,8,64)", list)
  .option("--seconds <n>", "length of a run of `rate` (default: 10)", whole)
  .option("--quick", "one short run of each: whether it works")
  .option("--plots <folder>", "write the measured curves as SVG, beside the formulas")
  .option("--json <file>", "write what was seen")
  .option("--transcripts <file>", "instead: write each kind of rule and what a client sees of it, in Markdown")
  .addHelpText(
    "after",
    `\nScenarios:\n${names.join("\n")}\n\nMOE_MODULE=FILE takes another module than build/moe.wasm.`,
  )
  .parse();

try {
  await main(program.opts<Options>());
} catch (error) {
  console.error(error instanceof EnvoyNotFound ? error.message : error);
  process.exitCode = 1;
}
// Callers that wait in vain would keep the process.
process.exit();
