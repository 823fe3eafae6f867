// Workers that all count for one resource as fast as they can: no count may be lost.
import type { Scope } from "../e2e/kit/scope.ts";
import { LongWindow } from "./clock.ts";
import { callOnce } from "./load.ts";
import { type Outcome, settled } from "./outcome.ts";
import { FlowStage, RESOURCE } from "./stage.ts";

export interface ContentionOptions {
  workers: number;
  connections: number;
  mode: "exact" | "lease";
  /** How many may pass, and how many are sent. */
  limit: number;
  calls: number;
}

/** Under way on each connection. */
const DEPTH = 16;
/** Tokens of one lease: 1 % of the limit. */
const LEASE_PART = 100;

export async function runContention(scope: Scope, options: ContentionOptions): Promise<Outcome> {
  const { workers, connections, mode, limit, calls } = options;
  const window = new LongWindow();
  const rules = { mode, rules: [{ resource: RESOURCE.bolt, threshold: limit, statIntervalInMs: window.lengthMs }] };
  const stage = await FlowStage.start(scope, { workers, rules });
  const callers = await stage.connect(connections);
  let sent = 0;
  let passed = 0;
  const lane = async (index: number) => {
    while (sent < calls) {
      sent++;
      if ((await callOnce(callers[index % connections])).passed) passed++;
    }
  };
  await Promise.all(Array.from({ length: connections * DEPTH }, (_, index) => lane(index)));
  const wrong: string[] = [];
  const unused = mode === "lease" ? workers * (Math.floor(limit / LEASE_PART) - 1) : 0;
  if (passed > limit) wrong.push(`${passed} passed, more than ${limit}: counts were lost`);
  if (passed < limit - unused) wrong.push(`only ${passed} passed of ${limit}`);
  const counted = (await settled(stage, "passed", passed)) + (await settled(stage, "blocked_flow", calls - passed));
  if (counted !== calls) wrong.push(`the filter counted ${counted} of ${calls} calls`);
  const facts = `${passed} of ${calls} passed, limit ${limit}`;
  return window.over ? { facts, wrong: [], empty: "the window ended meanwhile" } : { facts, wrong };
}
