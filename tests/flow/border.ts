// Bursts at a second's border: the window slides by buckets, so that a limit does not pass twice around it.
import type { Scope } from "../e2e/kit/scope.ts";
import { BUCKET_MS, nextMultiple, SECOND_MS, untilMs } from "./clock.ts";
import type { Chart, Point } from "./chart.ts";
import { type Call, burst } from "./load.ts";
import type { Outcome } from "./outcome.ts";
import { FlowStage, RESOURCE } from "./stage.ts";

/** When bursts are sent, ms from a second's beginning, and what passes of each: buckets begin every 500 ms. */
const BURSTS: [ms: number, passes: number][] = [
  [700, 1],
  [1100, 0],
  [1600, 1],
  [2100, 0],
  [2600, 1],
];
const LIMIT = 100;
const SIZE = 150;

/** Whether all of a burst was decided in the bucket that it was meant for. */
function inBucket(calls: Call[], at: number): boolean {
  const bucket = Math.floor(at / BUCKET_MS);
  return calls.every(
    ({ from, to }) => Math.floor(from / BUCKET_MS) === bucket && Math.floor(to / BUCKET_MS) === bucket,
  );
}

/** What passed in all up to each moment. */
function growing(steps: Point[], end: number): Point[] {
  let sum = 0;
  return [[0, 0], ...steps.map(([at, count]): Point => [at, (sum += count)]), [end, sum]];
}

export async function runBorder(scope: Scope, workers: number): Promise<Outcome> {
  const stage = await FlowStage.start(scope, {
    workers,
    rules: { rules: [{ resource: RESOURCE.bolt, threshold: LIMIT }] },
  });
  const callers = await stage.connect(8);
  const start = nextMultiple(SECOND_MS, 100);
  const wrong: string[] = [];
  const measured: Point[] = [];
  let empty: string | undefined;
  for (const [ms, passes] of BURSTS) {
    await untilMs(start + ms);
    const calls = await burst(callers, SIZE);
    const passed = calls.filter((call) => call.passed).length;
    measured.push([ms, passed]);
    if (!inBucket(calls, start + ms)) empty ??= `the burst at ${ms} ms took too long`;
    if (passed !== passes * LIMIT) wrong.push(`${passed} of the burst at ${ms} ms passed, not ${passes * LIMIT}`);
  }
  // After a burst that is late no window is what it was meant to be.
  const facts = `bursts of ${SIZE} with a limit of ${LIMIT}: ${measured.map(([, passed]) => passed).join(", ")} passed`;
  return { facts, wrong: empty ? [] : wrong, ...(empty && { empty }), charts: [chart(measured)] };
}

const END_MS = 3000;

function chart(measured: Point[]): Chart {
  const formula = BURSTS.map(([ms, passes]): Point => [ms, passes * LIMIT]);
  // A window that begins anew with each second lets the limit pass in each.
  const seconds = new Set<number>();
  const fixed = BURSTS.map(([ms]): Point => {
    const second = Math.floor(ms / SECOND_MS);
    const first = !seconds.has(second);
    seconds.add(second);
    return [ms, first ? LIMIT : 0];
  });
  return {
    name: "border",
    title: `Bursts of ${SIZE} around the borders of seconds, limit ${LIMIT} a second`,
    x: "ms",
    y: "passed in all",
    series: [
      { name: "sliding window (formula)", kind: "steps", points: growing(formula, END_MS) },
      { name: "measured", kind: "dots", points: growing(measured, END_MS).slice(1, -1) },
      { name: "a fixed window would pass", kind: "steps", points: growing(fixed, END_MS) },
    ],
  };
}
