import { createHash } from "node:crypto";
import { appendFileSync, readFileSync } from "node:fs";
import type { Totals } from "./epoch.ts";

/** A run of one protocol, as a line of JSON in a file: large numbers of inputs are many runs. */
interface Run extends Totals {
  protocol: string;
  seed: number;
  /** Begin of the module's SHA-256. */
  module: string;
  /** What was wrong; "": nothing. */
  wrong: string;
}

/** Appends what a run came to. Where something was wrong the inputs do not count. */
export function appendRun(file: string, module: string, run: Omit<Run, "module">): void {
  const hash = createHash("sha256").update(readFileSync(module)).digest("hex").slice(0, 12);
  appendFileSync(file, `${JSON.stringify({ ...run, module: hash })}\n`);
}

/** The rows of the table in docs/reliability.md for the runs of a file: one for each protocol and module. */
export function tableOf(file: string): string[] {
  const lines = readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "");
  const groups = new Map<string, Run[]>();
  for (const run of lines.map((line) => JSON.parse(line) as Run)) {
    const key = `${run.protocol} ${run.module}`;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()].map(row);
}

function row(runs: Run[]): string {
  const sum = (value: (run: Run) => number) => runs.reduce((total, run) => total + value(run), 0);
  const inputs = sum((run) => run.inputs);
  const share = (part: number) => `${((100 * part) / Math.max(1, inputs)).toFixed(1)} %`;
  const seeds = runs.map(({ seed }) => seed).sort((a, b) => a - b);
  const wrong = runs.filter((run) => run.wrong !== "").length;
  const cells = [
    runs[0].protocol,
    inputs.toLocaleString("en-US"),
    seeds.length === 1 ? `${seeds[0]}` : `${seeds[0]} to ${seeds[seeds.length - 1]}, ${seeds.length} runs`,
    share(sum((run) => run.detected)),
    share(sum((run) => run.completed)),
    `${(Math.max(...runs.map(({ pages }) => pages)) / 16).toFixed(1)} MiB`,
    `${wrong}`,
    `\`${runs[0].module}\``,
  ];
  return `| ${cells.join(" | ")} |`;
}
