// `npm run slow-peers`: peers that do not read, their memory, and what their neighbours notice (docs/reliability.md).
import { Command, InvalidArgumentError } from "commander";
import type { Scope } from "../tests/e2e/kit/scope.ts";
import { type SlowCase, slowPeers } from "../tests/slow/run.ts";
import { mib } from "../tests/soak/run.ts";

function whole(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("expected a number");
  return Number(text);
}

function print({ name, linear, rss, heldBack, bound, calls, p99 }: SlowCase): void {
  console.log(`${name}: neighbour's p99 ${p99.toFixed(1)} ms of ${calls} calls`);
  console.log(
    `  linear memory +${mib(linear)} (at most ${mib(bound)} a connection), RSS +${mib(rss)}, held back ${mib(heldBack)}`,
  );
}

const { clients, seconds, concurrency } = new Command("npm run slow-peers --")
  .description("Clients and servers that do not read: memory, and what neighbours notice.")
  .option("--clients <number>", "of each case", whole, 100)
  .option("--seconds <number>", "how long neighbours are watched", whole, 10)
  .option("--concurrency <number>", "worker threads of Envoy", whole, 2)
  .parse()
  .opts<{ clients: number; seconds: number; concurrency: number }>();

const ends: (() => unknown)[] = [];
const scope: Scope = { after: (end) => ends.push(end) };
try {
  await slowPeers(scope, { clients, watchMs: seconds * 1000, concurrency, onCase: print });
} catch (error) {
  console.error(`FAILED: ${(error as Error).message}`);
  process.exitCode = 1;
}
for (const end of ends.reverse()) await end();
