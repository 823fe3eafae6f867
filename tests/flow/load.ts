// Calls at a rate, whatever comes back, and what each of them says of the moment in which it was decided.
import { setTimeout as sleep } from "node:timers/promises";
import { nowMs, untilMs } from "./clock.ts";
import type { Caller } from "./stage.ts";

/** A call that has ended: its rules were asked between `from` and `to`, ms on the rules' clock. */
export interface Call {
  from: number;
  to: number;
  passed: boolean;
}

/** How often calls are sent, ms, and the most that are under way. */
const PACE_MS = 3;
const MOST = 4000;

/** Makes one call and notes it. */
export async function callOnce(caller: Caller, turn?: number): Promise<Call> {
  const from = nowMs();
  const answer = await caller.call(turn === undefined ? [] : [["turn", String(turn)]]);
  return { from, to: nowMs(), passed: answer.served };
}

/** Sends calls evenly from `startMs` to `endMs`, over the connections in turn, and waits for all answers. */
export async function steadyLoad(callers: Caller[], rate: number, startMs: number, endMs: number): Promise<Call[]> {
  const calls: Promise<Call>[] = [];
  let underWay = 0;
  await untilMs(startMs);
  for (let now = nowMs(); now < endMs; now = nowMs()) {
    const due = Math.ceil(((now - startMs) * rate) / 1000);
    while (calls.length < due && underWay < MOST) {
      underWay++;
      calls.push(callOnce(callers[calls.length % callers.length]).finally(() => underWay--));
    }
    await sleep(PACE_MS);
  }
  return Promise.all(calls);
}

/** Sends `count` calls at once. `turn`s count from 0: a connection's come in that order. */
export function burst(callers: Caller[], count: number): Promise<Call[]> {
  return Promise.all(Array.from({ length: count }, (_, turn) => callOnce(callers[turn % callers.length], turn)));
}
