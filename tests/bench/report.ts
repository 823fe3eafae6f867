// Medians and ratios of the rounds, as a table.
import { table } from "../../scripts/lib/table.ts";
import type { Measured } from "./load.ts";
import { BASE, type LoadCase, type Way } from "./matrix.ts";
import type { Protocol } from "./wire.ts";

/** One measurement and what it was made of. */
export interface Sample extends Measured {
  round: number;
  case: string;
  way: string;
}

/** The middle value; NaN for none. */
export function median(values: number[]): number {
  if (values.length === 0) return NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** CPU time per request of the process in the middle, µs. */
export function cpuPerRequest(sample: Measured): number {
  return (sample.cpuMs * 1000) / sample.requests;
}

/** What a sample is of. */
export interface Subject {
  case: string;
  way: string;
}

/** CPU per request relative to the base's in the same round: the median of the rounds; NaN where there is none. */
export function ratio(samples: Sample[], own: Subject, base: Subject): number {
  const of = (subject: Subject) =>
    samples.filter((sample) => sample.case === subject.case && sample.way === subject.way);
  const bare = new Map(of(base).map((sample) => [sample.round, cpuPerRequest(sample)]));
  const ratios = of(own).map((sample) => cpuPerRequest(sample) / (bare.get(sample.round) ?? NaN));
  return median(ratios.filter((each) => !Number.isNaN(each)));
}

/** How much CPU more a request takes than the base's in the same round, µs: the median of the rounds. */
export function added(samples: Sample[], own: Subject, base: Subject): number {
  const of = (subject: Subject) =>
    samples.filter((sample) => sample.case === subject.case && sample.way === subject.way);
  const bare = new Map(of(base).map((sample) => [sample.round, cpuPerRequest(sample)]));
  return median(of(own).map((sample) => cpuPerRequest(sample) - (bare.get(sample.round) ?? NaN)));
}

/** "1.25x"; empty where there is none. */
export function times(ratio: number): string {
  return Number.isNaN(ratio) ? "" : `${ratio.toFixed(2)}x`;
}

/** A line for each case and way. */
export function resultTable(samples: Sample[], cases: LoadCase[], ways: Way[], base: Way, markdown: boolean): string[] {
  const rows = cases.flatMap((each) => ways.map((way) => row(samples, each.name, way, base)));
  const header = ["case", "way", "requests/s", "p50 ms", "p99 ms", "CPU µs/request", `of ${base}'s`];
  return markdown ? markdownTable(header, rows) : table(header, rows);
}

function row(samples: Sample[], name: string, way: Way, base: Way): string[] {
  const own = samples.filter((sample) => sample.case === name && sample.way === way);
  const of = (value: (sample: Sample) => number) => median(own.map(value));
  const cells = [
    name,
    way,
    Math.round(of((sample) => sample.requests / sample.seconds)).toLocaleString("en-US"),
    of((sample) => sample.p50).toFixed(3),
    of((sample) => sample.p99).toFixed(3),
  ];
  if (way === "direct") return [...cells, "", ""];
  const share = ratio(samples, { case: name, way }, { case: name, way: base });
  return [...cells, of(cpuPerRequest).toFixed(2), times(share)];
}

/** How the module's ratios stand to their targets, a line each. */
export function targetLines(samples: Sample[], cases: LoadCase[], protocol: Protocol): string[] {
  const base = BASE[protocol];
  return cases.flatMap(({ name, target: targets }) => {
    const target = targets?.[protocol];
    const reached = ratio(samples, { case: name, way: "moe" }, { case: name, way: base });
    if (target === undefined || Number.isNaN(reached)) return [];
    const verdict = reached <= target ? "met" : "MISSED";
    return [`${name}: ${reached.toFixed(2)}x the ${base}'s CPU, target at most ${target.toFixed(2)}x: ${verdict}`];
  });
}

/** What the module takes of MOSN's CPU, a line for each case; none where MOSN was not measured. */
export function mosnLines(samples: Sample[], cases: LoadCase[]): string[] {
  return cases.flatMap(({ name }) => {
    const share = ratio(samples, { case: name, way: "moe" }, { case: name, way: "mosn" });
    if (Number.isNaN(share)) return [];
    return [`${name}: moe takes ${times(share)} MOSN's CPU, one part in ${(1 / share).toFixed(1)}`];
  });
}

/** The table in Markdown. */
export function markdownTable(header: string[], rows: string[][]): string[] {
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)];
}
