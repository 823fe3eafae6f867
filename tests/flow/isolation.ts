// Requests at the same time: as many as the rule says, by the server's own count, and no place is lost.
import { setTimeout as sleep } from "node:timers/promises";
import type { Scope } from "../e2e/kit/scope.ts";
import { WAIT_MS, waitUntil } from "../e2e/kit/wait.ts";
import { callOnce } from "./load.ts";
import { type Outcome, settled } from "./outcome.ts";
import { FlowStage, RESOURCE } from "./stage.ts";

export interface IsolationOptions {
  workers: number;
  connections: number;
  limit: number;
  /** Calls that have to pass. */
  calls: number;
}

/** Calls under way beyond the limit: they are refused. */
const BEYOND = 30;
/** How long the server holds a call at most, and how long a caller that was refused waits, ms. */
const HOLD_MS = 20;
const PAUSE_MS = 10;

export async function runIsolation(scope: Scope, options: IsolationOptions): Promise<Outcome> {
  const { workers, connections, limit, calls } = options;
  const rules = { isolation_rules: [{ resource: RESOURCE.bolt, threshold: limit }] };
  const stage = await FlowStage.start(scope, { workers, rules });
  const { server } = stage;
  // None is answered before all places are taken: so many do pass at the same time.
  const full = waitUntil(
    () => server.active >= limit,
    WAIT_MS,
    () => `${server.active} of ${limit} at the same time`,
  );
  server.hold = async () => {
    await full;
    await sleep(Math.random() * HOLD_MS);
  };
  const callers = await stage.connect(connections);
  let passed = 0;
  let refused = 0;
  const lane = async (index: number) => {
    while (passed < calls) {
      if ((await callOnce(callers[index % connections])).passed) passed++;
      else {
        refused++;
        await sleep(PAUSE_MS);
      }
    }
  };
  await Promise.all(Array.from({ length: limit + BEYOND }, (_, index) => lane(index)));
  const wrong: string[] = [];
  if (server.most !== limit) wrong.push(`${server.most} at the same time at the server, not ${limit}`);
  if (refused === 0) wrong.push("none was refused");
  if (server.calls !== passed) wrong.push(`the server got ${server.calls} calls, not ${passed}`);
  const counted = await settled(stage, "blocked_isolation", refused);
  if (counted !== refused) wrong.push(`the filter counted ${counted} refused calls, not ${refused}`);
  // All places are free again: as many as before pass at the same time.
  server.hold = undefined;
  const last = await Promise.all(Array.from({ length: limit }, (_, i) => callOnce(callers[i % connections])));
  const left = last.filter((call) => call.passed).length;
  if (left !== limit) wrong.push(`${left} of ${limit} places at the end`);
  return { facts: `at most ${server.most} at the server; ${passed} passed, ${refused} refused`, wrong };
}
