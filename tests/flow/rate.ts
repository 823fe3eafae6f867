// A limit of so many requests a second under more than that, over any number of connections and workers.
import type { Scope } from "../e2e/kit/scope.ts";
import { nextMultiple, SECOND_MS } from "./clock.ts";
import { contradictions, passedIn, type Range, rangeText, type Second, secondsOf } from "./counts.ts";
import { steadyLoad } from "./load.ts";
import { type Outcome, settled } from "./outcome.ts";
import { FlowStage, type Protocol, RESOURCE } from "./stage.ts";

export interface RateOptions {
  protocol: Protocol;
  workers: number;
  connections: number;
  mode: "exact" | "lease" | "worker";
  limit: number;
  seconds: number;
}

export interface RateResult extends RateOptions, Outcome {
  /** What passed in all seconds together, and in each. */
  passed: Range;
  each: Second[];
  /** Calls in all, those that passed, and what the server and the filter have counted. */
  calls: number;
  total: number;
  served: number;
  counted: number;
  /** The most that may be left over in a window. */
  unused: number;
}

/** Offered, of the limit: twice a bucket's share is not enough for a bucket that takes it all. */
const OFFERED = 3;
/** A lease of 1 % of the limit, the filter's default. */
const LEASE_PERCENT = 1;

/** What leases may leave over in a window: each worker all but one token of one. */
export function unusedOf({ mode, workers, limit }: RateOptions): number {
  return mode === "lease" ? workers * (Math.floor((limit * LEASE_PERCENT) / 100) - 1) : 0;
}

/** Throws where Envoy fails; what the rules got wrong is in the result. */
export async function runRate(scope: Scope, options: RateOptions): Promise<RateResult> {
  const { protocol, workers, connections, mode, limit, seconds } = options;
  const rules = { mode, rules: [{ resource: RESOURCE[protocol], threshold: limit }] };
  const stage = await FlowStage.start(scope, { protocol, workers, rules });
  const callers = await stage.connect(connections);
  const start = nextMultiple(SECOND_MS, 200);
  const end = start + seconds * SECOND_MS;
  // It begins before and ends after the seconds that count: the first may find no connection to the server yet.
  const calls = await steadyLoad(callers, OFFERED * limit, start - 150, end + 100);
  const total = calls.filter((call) => call.passed).length;
  const unused = unusedOf(options);
  const each = secondsOf(calls, start, seconds);
  const result: RateResult = {
    ...options,
    facts: "",
    passed: passedIn(calls, start, end),
    each,
    calls: calls.length,
    total,
    served: stage.served,
    counted: await settled(stage, "passed", total),
    unused,
    wrong: contradictions(calls, start, end, limit, unused),
  };
  if (result.served !== total) result.wrong.push(`the server got ${result.served} calls, not ${total}`);
  if (result.counted !== total) result.wrong.push(`the filter counted ${result.counted} calls, not ${total}`);
  const full = each.filter((second) => second.full).length;
  result.facts = `${rangeText(result.passed)} passed in ${seconds} s, ${full} of them full`;
  if (full === 0) result.empty = "no second was full: the machine sends too little";
  return result;
}
