import type { BoltFrame, RequestOptions } from "../../host/kit/bolt.ts";
import type { RawBoltClient } from "./client.ts";
import { WAIT_MS, waitUntil } from "./wait.ts";

export interface CallsOptions {
  /** Id of the first call; the others follow. Default 1. */
  from?: number;
  /** Most calls that wait for their answers at once. Default 64. */
  window?: number;
  /** The longest wait for one answer, milliseconds. */
  ms?: number;
}

/** Makes `count` calls on one connection; the answers are in the order of the calls. */
export async function makeCalls(
  client: RawBoltClient,
  count: number,
  request: RequestOptions | ((index: number) => RequestOptions) = {},
  { from = 1, window = 64, ms }: CallsOptions = {},
): Promise<BoltFrame[]> {
  const answers: BoltFrame[] = [];
  let next = 0;
  const lane = async () => {
    for (let i = next++; i < count; i = next++) {
      answers[i] = await client.call(from + i, typeof request === "function" ? request(i) : request, ms);
    }
  };
  await Promise.all(Array.from({ length: Math.min(window, count) }, lane));
  return answers;
}

/** The name of the server that echoed; undefined for an answer of the proxy. */
export function servedBy(answer: BoltFrame): string | undefined {
  return answer.headers.find(([key]) => key === "served-by")?.[1];
}

/** How many answers came from each server; those of the proxy under `proxy`. */
export function tally(answers: BoltFrame[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const answer of answers) {
    const name = servedBy(answer) ?? "proxy";
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** What the proxy says in an answer that it made: the message of the Hessian exception there; empty when there is none. */
export function reasonOf(answer: BoltFrame): string {
  const { content } = answer;
  const lastField = content.indexOf("stackTrace");
  if (lastField < 0) return "";
  // An object ('o', 0x90), a string ('S', its length in two bytes).
  const at = lastField + "stackTrace".length + 3;
  return content.toString("latin1", at + 2, at + 2 + content.readUInt16BE(at));
}

/** Makes calls until each of these servers has answered one: then the client's worker knows them all. Ids from 2^30 on. */
export async function meet(
  client: RawBoltClient,
  names: string[],
  request: RequestOptions | ((index: number) => RequestOptions),
): Promise<void> {
  const seen = new Set<string | undefined>();
  let from = 2 ** 30 + client.frames.length;
  const all = async (): Promise<boolean> => {
    for (const answer of await makeCalls(client, 10, request, { from })) seen.add(servedBy(answer));
    from += 10;
    return names.every((name) => seen.has(name));
  };
  await waitUntil(all, WAIT_MS, () => `answers only from ${[...seen].join(", ")}`);
}
