// `npm run bench -- --filters`: what stream filters cost, one by one and together, and with many requests under way.
import { Scope } from "../../scripts/lib/scope.ts";
import { table } from "../../scripts/lib/table.ts";
import { startEcho } from "./children.ts";
import {
  FIVE_WAY,
  HTTP_BASES,
  HTTP_HOLDERS,
  HTTP_WAYS,
  RPC_BASES,
  RPC_HOLDERS,
  RPC_WAYS,
  type Ways,
} from "./filter_envoys.ts";
import { FLOW_WAYS, MANY_WAYS, NO_RULES, RESOURCES, TARGETS } from "./flow.ts";
import { CASES, type LoadCase } from "./matrix.ts";
import { added, cpuPerRequest, markdownTable, median, ratio, type Sample, times } from "./report.ts";
import { type Entry, measureAll, type Times } from "./rounds.ts";
import type { LoadProtocol } from "./wire.ts";

export const PARTS = ["rpc", "http", "live-rpc", "live-http"] as const;
/** Those of `--flow`. */
export const FLOW_PARTS = ["flow", "flow-many"] as const;
export type Part = (typeof PARTS)[number] | (typeof FLOW_PARTS)[number];

interface PartPlan {
  title: string;
  protocol: LoadProtocol;
  ways: Ways;
  cases: LoadCase[];
  /** Ways to give ratios to; none: each way's to its first case. */
  bases: string[];
  /** What a way may add to the first base at most, by its name, µs: then what each adds is told. */
  adds?: Record<string, number>;
}

/** Requests that are held at a time, beside those that are answered. */
const HELD = [10, 100, 1000, 10_000];

const caseOf = (name: string): LoadCase => {
  const found = CASES.find((each) => each.name === name);
  if (!found) throw new Error(`no case ${name}`);
  return found;
};
const PIPELINES = [caseOf("8x16 128 B"), caseOf("1x1 128 B")];

/** The same load in each case; on RPC the requests are held on the same connections. */
const HELD_CASES = HELD.map((held) => ({ ...PIPELINES[0], name: `${held.toLocaleString("en-US")} held`, held }));

const PLANS: Record<Part, PartPlan> = {
  rpc: { title: "Bolt", protocol: "bolt", ways: RPC_WAYS, cases: PIPELINES, bases: RPC_BASES },
  http: { title: "HTTP/1.1", protocol: "http", ways: HTTP_WAYS, cases: PIPELINES, bases: HTTP_BASES },
  "live-rpc": { title: "Bolt, requests held", protocol: "bolt", ways: RPC_HOLDERS, cases: HELD_CASES, bases: [] },
  "live-http": { title: "HTTP, requests held", protocol: "http", ways: HTTP_HOLDERS, cases: HELD_CASES, bases: [] },
  flow: {
    title: "Flow control, Bolt",
    protocol: "bolt",
    ways: FLOW_WAYS,
    cases: [PIPELINES[0]],
    bases: [NO_RULES],
    adds: TARGETS,
  },
  "flow-many": {
    title: `Flow control, Bolt, ${RESOURCES.toLocaleString("en-US")} resources`,
    protocol: "bolt",
    ways: MANY_WAYS,
    cases: [{ ...PIPELINES[0], resources: RESOURCES }],
    bases: [NO_RULES],
    adds: {},
  },
};

/** The most that the five filters may cost on RPC, of what the module costs without. */
const TARGET = 2;

/** How many measurements the parts have in one round. */
export function countMeasurements(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => sum + Object.keys(PLANS[part].ways).length * PLANS[part].cases.length, 0);
}

async function measurePart(plan: PartPlan, ofLoad: Times): Promise<Sample[]> {
  const scope = new Scope();
  try {
    const hosts = [await startEcho(plan.protocol), await startEcho(plan.protocol)];
    const entries = new Map<string, Entry>();
    for (const [way, start] of Object.entries(plan.ways)) entries.set(way, await start(scope, hosts));
    return await measureAll(plan.protocol, entries, plan.cases, ofLoad);
  } finally {
    const errors = await scope.end();
    if (errors.length > 0) console.error(errors.map((error) => error.message).join("\n"));
    if (errors.length > 0) process.exitCode = 1;
  }
}

const cpuOf = (samples: Sample[], name: string, way: string): number =>
  median(samples.filter((sample) => sample.case === name && sample.way === way).map(cpuPerRequest));

/** A line for each way, with columns for each case. */
function comparison({ ways, cases, bases, adds }: PartPlan, samples: Sample[]): [header: string[], rows: string[][]] {
  const more = adds ? ["adds, µs"] : [];
  const header = cases.flatMap(({ name }) => [`${name}, µs`, ...bases.map((base) => `of ${base}`), ...more]);
  const rows = Object.keys(ways).map((way) => [
    way,
    ...cases.flatMap(({ name }) => [
      cpuOf(samples, name, way).toFixed(2),
      ...bases.map((base) => times(ratio(samples, { case: name, way }, { case: name, way: base }))),
      ...more.map(() => added(samples, { case: name, way }, { case: name, way: bases[0] }).toFixed(2)),
    ]),
  ]);
  return [["way", ...header], rows];
}

/** A line for each number of requests, with columns for each way. */
function growth({ ways, cases }: PartPlan, samples: Sample[]): [header: string[], rows: string[][]] {
  const first = cases[0].name;
  const names = Object.keys(ways);
  const rows = cases.map(({ name }) => [
    name,
    ...names.flatMap((way) => [
      cpuOf(samples, name, way).toFixed(2),
      times(ratio(samples, { case: name, way }, { case: first, way })),
    ]),
  ]);
  return [["beside 8x16", ...names.flatMap((way) => [`${way}, µs`, `of ${first}`])], rows];
}

/** How the five stand to their target, a line each. */
function verdicts(cases: LoadCase[], samples: Sample[]): string[] {
  return cases.map(({ name }) => {
    const reached = ratio(samples, { case: name, way: FIVE_WAY }, { case: name, way: "no filters" });
    const verdict = reached <= TARGET ? "met" : "MISSED";
    return `${name}: five filters ${times(reached)} the CPU of no filters, target at most ${times(TARGET)}: ${verdict}`;
  });
}

/** How much the ways add, beside what they may, a line each. */
function addedVerdicts({ cases, bases, adds = {} }: PartPlan, samples: Sample[]): string[] {
  return cases.flatMap(({ name }) =>
    Object.entries(adds).map(([way, most]) => {
      const more = added(samples, { case: name, way }, { case: name, way: bases[0] });
      const verdict = more <= most ? "met" : "MISSED";
      return `${name}: ${way} adds ${more.toFixed(2)} µs, target at most ${most.toFixed(2)} µs: ${verdict}`;
    }),
  );
}

/** Measures the parts, and prints their tables at the end. Throws VoidMeasurement. */
export async function benchFilters(parts: readonly Part[], ofLoad: Times, markdown: boolean): Promise<Sample[]> {
  const lines: string[] = [];
  const all: Sample[] = [];
  for (const part of [...PARTS, ...FLOW_PARTS].filter((each) => parts.includes(each))) {
    const plan = PLANS[part];
    console.log(`\n${plan.title}`);
    const samples = await measurePart(plan, ofLoad);
    const [header, rows] = plan.bases.length > 0 ? comparison(plan, samples) : growth(plan, samples);
    const drawn = markdown ? markdownTable(header, rows) : table(header, rows);
    lines.push("", `${plan.title}, CPU per request (medians of ${ofLoad.rounds} rounds):`, "", ...drawn);
    if (part === "rpc") lines.push("", ...verdicts(plan.cases, samples));
    if (plan.adds) lines.push("", ...addedVerdicts(plan, samples));
    all.push(...samples.map((sample) => ({ ...sample, case: `${part} ${sample.case}` })));
  }
  for (const line of lines) console.log(line);
  return all;
}
