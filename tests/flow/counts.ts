// How many calls passed within a span of the rules' clock: what is certain and what is possible, as a call is decided somewhere
// between its first and its last byte. A slow machine makes that range wider, and no judgement wrong.
import { BUCKET_MS, SECOND_MS } from "./clock.ts";
import type { Call } from "./load.ts";

export interface Range {
  least: number;
  most: number;
}

/** "1000", or "998 to 1000". */
export function rangeText({ least, most }: Range): string {
  return least === most ? String(least) : `${least} to ${most}`;
}

/** Calls that passed from `start` up to `end`, ms. */
export function passedIn(calls: Call[], start: number, end: number): Range {
  const range = { least: 0, most: 0 };
  for (const { from, to, passed } of calls) {
    if (!passed || to < start || from >= end) continue;
    range.most++;
    if (from >= start && to < end) range.least++;
  }
  return range;
}

/** Whether a call was certainly refused in that span. */
export function refusedIn(calls: Call[], start: number, end: number): boolean {
  return calls.some(({ from, to, passed }) => !passed && from >= start && to < end);
}

/** What a second of the rules' windows showed. */
export interface Second extends Range {
  /** When it began, ms. */
  at: number;
  /** A call was refused in its second bucket: its limit was reached, and nothing can have passed after that. */
  full: boolean;
}

/** The seconds from `start`, each of two buckets. */
export function secondsOf(calls: Call[], start: number, count: number): Second[] {
  return Array.from({ length: count }, (_, i) => {
    const at = start + i * SECOND_MS;
    return {
      at,
      ...passedIn(calls, at, at + SECOND_MS),
      full: refusedIn(calls, at + BUCKET_MS, at + SECOND_MS),
    };
  });
}

/**
 * What contradicts a limit of `limit` a second, of which at most `unused` may be left over: every window of two buckets,
 * also those between seconds. Empty: nothing.
 */
export function contradictions(calls: Call[], start: number, end: number, limit: number, unused = 0): string[] {
  const found: string[] = [];
  for (let at = start; at + 2 * BUCKET_MS <= end; at += BUCKET_MS) {
    const { least, most } = passedIn(calls, at, at + 2 * BUCKET_MS);
    if (least > limit) found.push(`${least} passed in the window at ${at - start} ms, more than ${limit}`);
    const full = refusedIn(calls, at + BUCKET_MS, at + 2 * BUCKET_MS);
    if (full && most < limit - unused) {
      found.push(`only ${most} passed in the window at ${at - start} ms, which was full for others: ${limit}`);
    }
  }
  return found;
}
