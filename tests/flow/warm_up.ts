// Warm-up: a cold resource under more than its limit, second by second beside Sentinel's formula.
import type { Scope } from "../e2e/kit/scope.ts";
import type { Chart, Point } from "./chart.ts";
import { BUCKET_MS, nextMultiple, SECOND_MS } from "./clock.ts";
import { passedIn, type Range, rangeText, type Second, secondsOf } from "./counts.ts";
import { type Call, steadyLoad } from "./load.ts";
import type { Outcome } from "./outcome.ts";
import { FlowStage, RESOURCE } from "./stage.ts";

export interface WarmUpOptions {
  workers: number;
  connections: number;
  threshold: number;
  periodSec: number;
  seconds: number;
}

/** Sentinel's default. */
const COLD_FACTOR = 3;
const OFFERED = 3;

/** Sentinel's WarmUpTrafficShapingCalculator (Guava's SmoothWarmingUp), by its definition. */
export class WarmUp {
  readonly warning: number;
  readonly max: number;
  private readonly slope: number;

  constructor(
    private readonly threshold: number,
    periodSec: number,
  ) {
    this.warning = Math.floor((periodSec * threshold) / (COLD_FACTOR - 1));
    this.max = this.warning + Math.floor((2 * periodSec * threshold) / (1 + COLD_FACTOR));
    this.slope = (COLD_FACTOR - 1) / threshold / (this.max - this.warning);
  }

  /** How many pass in a second that begins with so many tokens stored. */
  allowed(stored: number): number {
    if (stored < this.warning) return this.threshold;
    return Math.floor(1 / ((stored - this.warning) * this.slope + 1 / this.threshold) + 1e-9);
  }

  /** What passes in each second under a load that takes everything, from cold. */
  curve(seconds: number): number[] {
    let stored = this.max;
    return Array.from({ length: seconds }, () => {
      const allowed = this.allowed(stored);
      if (stored >= this.warning) stored -= allowed;
      return allowed;
    });
  }

  /**
   * What may pass in a second, when so many have passed in those before it. As long as it is cold the tokens that are used
   * do not come back, unless the load left a gap: then all may have come back.
   */
  range(before: Range, gap: boolean): Range {
    const most = gap ? this.max : this.max - before.least;
    return { least: this.allowed(most), most: this.allowed(this.max - before.most) };
  }
}

/** Whether the load took all that there was: calls in its first bucket, too, when tokens are counted. */
function isFull(calls: Call[], { at, full }: Second): boolean {
  return full && calls.some(({ from, to }) => from >= at && to < at + BUCKET_MS);
}

/** What contradicts the formula. */
function compare(calls: Call[], each: Second[], start: number, model: WarmUp, threshold: number): string[] {
  const wrong: string[] = [];
  let warm: Range | undefined;
  let gap = false;
  each.forEach((second, i) => {
    const before = passedIn(calls, start, second.at);
    const want = !gap && warm ? warm : model.range(before, gap);
    // From here on tokens come back, as many as are used.
    if (model.max - before.most < model.warning) warm ??= { least: want.least, most: threshold };
    if (second.least > want.most || (second.full && second.most < want.least)) {
      wrong.push(`second ${i}: ${rangeText(second)} passed, the formula says ${rangeText(want)}`);
    }
    gap ||= !isFull(calls, second);
  });
  return wrong;
}

export async function runWarmUp(scope: Scope, options: WarmUpOptions): Promise<Outcome> {
  const { workers, connections, threshold, periodSec, seconds } = options;
  const rule = { resource: RESOURCE.bolt, threshold, tokenCalculateStrategy: 1, warmUpPeriodSec: periodSec };
  const stage = await FlowStage.start(scope, { workers, rules: { rules: [rule] } });
  const callers = await stage.connect(connections);
  const start = nextMultiple(SECOND_MS, 50);
  const end = start + seconds * SECOND_MS;
  const calls = await steadyLoad(callers, OFFERED * threshold, start, end);
  const each = secondsOf(calls, start, seconds);
  const model = new WarmUp(threshold, periodSec);
  const wrong = compare(calls, each, start, model, threshold);
  const full = each.filter((second) => isFull(calls, second)).length;
  const facts = each.map((second) => rangeText(second)).join(", ");
  const charts = [chart(options, each, model)];
  const empty = full < each.length / 2 ? `only ${full} of ${each.length} seconds were full` : undefined;
  return { facts: `by second: ${facts}`, wrong, ...(empty && { empty }), charts };
}

const middle = ({ least, most }: Range): number => Math.round((least + most) / 2);

function chart({ threshold, periodSec, seconds }: WarmUpOptions, each: Second[], model: WarmUp): Chart {
  const curve = model.curve(seconds);
  const points = (values: number[]): Point[] => values.map((value, i) => [i + 1, value]);
  return {
    name: "warm-up",
    title: `Warm-up: limit ${threshold} a second, warmUpPeriodSec ${periodSec}, offered ${OFFERED * threshold} a second`,
    x: "second",
    y: "passed in the second",
    series: [
      { name: "Sentinel's formula", kind: "line", points: points(curve) },
      { name: "measured", kind: "dots", points: points(each.map(middle)) },
    ],
  };
}
