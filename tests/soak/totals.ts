// What runs of the soak came to, in a file: large numbers of requests are many runs.
import { appendFileSync, readFileSync } from "node:fs";
import { usedOf } from "./memory.ts";
import { mib, type SoakResult } from "./run.ts";

/** A run, as a line of JSON. */
interface Run {
  seed: number;
  sent: number;
  answered: number;
  oneway: number;
  left: number;
  connections: number;
  restarts: number;
  lost: number;
  seconds: number;
  /** At a fifth, and at the end, bytes. */
  rss: [number, number];
  used: [number, number];
  allocated: [number, number];
  linear: [number, number];
  /** What was wrong; "": nothing. */
  wrong: string;
}

/** Appends what a run came to; of one that broke off only what was wrong. */
export function appendRun(file: string, seed: number, result: SoakResult | undefined, wrong: string): void {
  const { report, restarts = 0, seconds = 0, lost = 0, before, after } = result ?? {};
  const { sent = 0, answered = 0, oneway = 0, left = 0, connections = 0 } = report ?? {};
  const pair = (key: "rss" | "allocated" | "linear"): [number, number] => [before?.[key] ?? 0, after?.[key] ?? 0];
  const used: [number, number] = before && after ? [usedOf(before), usedOf(after)] : [0, 0];
  const memory = { rss: pair("rss"), used, allocated: pair("allocated"), linear: pair("linear") };
  const run: Run = { seed, sent, answered, oneway, left, connections, restarts, lost, seconds, ...memory, wrong };
  appendFileSync(file, `${JSON.stringify(run)}\n`);
}

/** The row of the table in docs/reliability.md for the runs of a file; memory is that of the run where it grew most. */
export function tableOf(file: string): string[] {
  const lines = readFileSync(file, "utf8").split("\n");
  const runs = lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Run);
  const sum = (value: (run: Run) => number) => runs.reduce((total, run) => total + value(run), 0);
  const count = (value: (run: Run) => number) => sum(value).toLocaleString("en-US");
  const seeds = runs.map(({ seed }) => seed).sort((a, b) => a - b);
  const ratio = ([from, to]: [number, number]) => (from > 0 ? to / from : 0);
  const most = (key: "rss" | "used" | "allocated" | "linear") => {
    const [[from, to]] = runs.map((run) => run[key]).sort((a, b) => ratio(b) - ratio(a));
    return `${mib(from)} → ${mib(to)}, ${ratio([from, to]).toFixed(3)}x`;
  };
  const cells = [
    count(({ sent }) => sent),
    seeds.length === 1 ? `${seeds[0]}` : `${seeds[0]} to ${seeds[seeds.length - 1]}, ${seeds.length} runs`,
    `${Math.round(
      sum(({ sent }) => sent) /
        Math.max(
          1,
          sum(({ seconds }) => seconds),
        ),
    )}/s`,
    count(({ answered }) => answered),
    count(({ oneway }) => oneway),
    count(({ left }) => left),
    count(({ restarts }) => restarts),
    count(({ lost }) => lost),
    most("rss"),
    most("used"),
    most("allocated"),
    most("linear"),
    `${runs.filter(({ wrong }) => wrong !== "").length}`,
  ];
  return [`| ${cells.join(" | ")} |`];
}
