// Medians and ratios of the rounds, as a table.
import { table } from "../../scripts/lib/table.ts";
import type { Measured } from "./load.ts";
import { BASE, type LoadCase, type Way } from "./matrix.ts";
import type { Protocol } from "./wire.ts";

/** One measurement and what it was made of. */
export interface Sample extends Measured {
  round: number;
  case: string;
  way: Way;
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

/** CPU per request relative to the base way's in the same round: the median of the rounds. */
export function ratio(samples: Sample[], name: string, way: Way, base: Way): number {
  const of = (round: number, each: Way) =>
    samples.find((sample) => sample.case === name && sample.way === each && sample.round === round);
  const ratios: number[] = [];
  for (const { round } of samples.filter((sample) => sample.case === name && sample.way === way)) {
    const [own, bare] = [of(round, way), of(round, base)];
    if (own && bare) ratios.push(cpuPerRequest(own) / cpuPerRequest(bare));
  }
  return median(ratios);
}

/** A line for each case and way. */
export function resultTable(samples: Sample[], cases: LoadCase[], ways: Way[], base: Way): string[] {
  const rows = cases.flatMap((each) => ways.map((way) => row(samples, each.name, way, base)));
  return table(["case", "way", "requests/s", "p50 ms", "p99 ms", "CPU µs/request", `of ${base}'s`], rows);
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
  const share = ratio(samples, name, way, base);
  return [...cells, of(cpuPerRequest).toFixed(2), Number.isNaN(share) ? "" : `${share.toFixed(2)}x`];
}

/** How the module's ratios stand to their targets, a line each. */
export function targetLines(samples: Sample[], cases: LoadCase[], protocol: Protocol): string[] {
  const base = BASE[protocol];
  return cases.flatMap(({ name, target: targets }) => {
    const target = targets?.[protocol];
    const reached = ratio(samples, name, "moe", base);
    if (target === undefined || Number.isNaN(reached)) return [];
    const verdict = reached <= target ? "met" : "MISSED";
    return [`${name}: ${reached.toFixed(2)}x the ${base}'s CPU, target at most ${target.toFixed(2)}x: ${verdict}`];
  });
}
