// All scenarios with their options, for the command and for the suite.
import type { Scope } from "../e2e/kit/scope.ts";
import { runBorder } from "./border.ts";
import { runBreaker } from "./breaker.ts";
import type { Chart, Point } from "./chart.ts";
import { runContention } from "./contention.ts";
import { runHotUpdate, SOURCES } from "./hot_update.ts";
import { runIsolation } from "./isolation.ts";
import type { Outcome } from "./outcome.ts";
import { type RateOptions, type RateResult, runRate } from "./rate.ts";
import { runThrottling } from "./throttling.ts";
import { runWarmUp } from "./warm_up.ts";

export const SCENARIOS = {
  rate: "a limit a second, exact and in leases, under three times as much",
  isolation: "requests at the same time, by the server's own maximum",
  contention: "workers that count for one resource as fast as they can",
  border: "bursts around the borders of seconds",
  "warm-up": "a cold resource, beside Sentinel's formula",
  throttling: "a queue, beside Sentinel's formula",
  breaker: "a circuit breaker: closed, open, half open, closed",
  update: "rules that change by LDS and ECDS",
} as const;
export type Scenario = keyof typeof SCENARIOS;

export interface Matrix {
  workers: number[];
  connections: number[];
  /** Length of a run of `rate`, and of `warm-up`. */
  seconds: number;
  /** Whether numbers are small: it shows less, in less time. */
  quick: boolean;
}

export const FULL: Matrix = { workers: [1, 2, 4], connections: [1, 8, 64], seconds: 10, quick: false };
/** One run of each scenario. */
export const QUICK: Matrix = { workers: [2], connections: [8], seconds: 2, quick: true };

/** One run of a scenario. */
export interface Run {
  scenario: Scenario;
  /** With what. */
  with: string;
  play(scope: Scope): Promise<Outcome>;
}

const LIMIT = 1000;
/** Where the test's own peers are slow. */
const SPOT_LIMIT = 300;
const PLACES = 50;

function rateRuns({ workers, connections, seconds, quick }: Matrix): Run[] {
  const modes = ["exact", "lease"] as const;
  const bolt = workers.flatMap((each) =>
    connections.flatMap((count) =>
      modes.map((mode): RateOptions => ({
        protocol: "bolt",
        workers: each,
        connections: count,
        mode,
        limit: LIMIT,
        seconds,
      })),
    ),
  );
  const spots = (["dubbo", "http"] as const).map((protocol): RateOptions => {
    return { protocol, workers: 2, connections: 64, mode: "exact", limit: SPOT_LIMIT, seconds };
  });
  return [...bolt, ...(quick ? [] : spots)].map((options) => ({
    scenario: "rate" as const,
    with: `${options.protocol}, ${options.mode}, ${options.workers} workers, ${options.connections} connections`,
    play: (scope: Scope) => runRate(scope, options),
  }));
}

function contentionRuns({ workers, quick }: Matrix): Run[] {
  const [limit, calls] = quick ? [4000, 6000] : [40_000, 60_000];
  return workers.flatMap((each) =>
    (["exact", "lease"] as const).map((mode) => ({
      scenario: "contention" as const,
      with: `${mode}, ${each} workers, 16 connections`,
      play: (scope: Scope) => runContention(scope, { workers: each, connections: 16, mode, limit, calls }),
    })),
  );
}

/** All runs of the matrix. */
export function runsOf(matrix: Matrix): Run[] {
  const { workers, connections, quick } = matrix;
  const each = (scenario: Scenario, play: (scope: Scope, count: number) => Promise<Outcome>): Run[] =>
    workers.map((count) => ({ scenario, with: `${count} workers`, play: (scope) => play(scope, count) }));
  const warm = quick ? { threshold: 300, periodSec: 3, seconds: 5 } : { threshold: 600, periodSec: 10, seconds: 16 };
  const queue = quick ? { rate: 50, maxQueueingMs: 500, loadMs: 500 } : { rate: 50, maxQueueingMs: 1000, loadMs: 3000 };
  return [
    ...rateRuns(matrix),
    ...workers.flatMap((count) =>
      connections.map((links) => ({
        scenario: "isolation" as const,
        with: `${count} workers, ${links} connections`,
        play: (scope: Scope) =>
          runIsolation(scope, { workers: count, connections: links, limit: PLACES, calls: quick ? 500 : 5000 }),
      })),
    ),
    ...contentionRuns(matrix),
    ...each("border", runBorder),
    ...each("warm-up", (scope, count) => runWarmUp(scope, { workers: count, connections: 8, ...warm })),
    ...each("throttling", (scope, count) => runThrottling(scope, { workers: count, ...queue })),
    ...each("breaker", runBreaker),
    ...SOURCES.flatMap((source) =>
      workers.map((count) => ({
        scenario: "update" as const,
        with: `${source}, ${count} workers`,
        play: (scope: Scope) => runHotUpdate(scope, { workers: count, source, back: source === "ecds" && !quick }),
      })),
    ),
  ];
}

/** Exact beside leases: what the runs with the most workers and connections passed in each second. */
export function modesChart(outcomes: Outcome[]): Chart | undefined {
  const rates = outcomes.filter((one): one is RateResult => "unused" in one && (one as RateResult).protocol === "bolt");
  const workers = Math.max(...rates.map((one) => one.workers));
  const connections = Math.max(...rates.map((one) => one.connections));
  const of = (mode: string) =>
    rates.find((one) => one.mode === mode && one.workers === workers && one.connections === connections);
  const [exact, lease] = [of("exact"), of("lease")];
  if (!exact || !lease) return undefined;
  // What is certain and what is possible, one mode beside the other; at least a line's width.
  const ranges = ({ each }: RateResult, shift: number): Point[] =>
    each.flatMap(({ least, most }, i): Point[] => [
      [i + 1 + shift, least - 0.5],
      [i + 1 + shift, most + 0.5],
    ]);
  const flat = (value: number): Point[] => [
    [0, value],
    [exact.seconds, value],
  ];
  return {
    name: "modes",
    title: `Limit ${exact.limit} a second: ${workers} workers, ${connections} connections`,
    x: "second",
    y: "passed in the second",
    from: exact.limit * 0.9,
    series: [
      { name: "exact", kind: "ranges", points: ranges(exact, -0.1) },
      { name: "lease", kind: "ranges", points: ranges(lease, 0.1) },
      { name: "limit", kind: "line", points: flat(exact.limit) },
      { name: "lease: at least", kind: "dashes", points: flat(exact.limit - lease.unused) },
    ],
  };
}
