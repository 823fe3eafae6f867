// `npm run chaos -- --rounds N --seed S`: servers that fail in every way while calls are under way (docs/reliability.md).
import { Command, InvalidArgumentError } from "commander";
import { chaos, type ChaosTotal } from "../tests/chaos/run.ts";
import type { Scope } from "../tests/e2e/kit/scope.ts";
import { minutes, until } from "./lib/minutes.ts";

const PROGRESS = 50;
/** So many rounds without a failed call would mean that nothing befell the servers. */
const ENOUGH = 15;

function whole(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("expected a number");
  return Number(text);
}

function print({ rounds, calls, errors, faults, longestBackMs }: ChaosTotal): void {
  for (const [name, count] of [...faults].sort()) console.log(`  ${String(count).padStart(6)} ${name}`);
  console.log("errors:");
  for (const [name, count] of [...errors].sort()) console.log(`  ${String(count).padStart(6)} ${name}`);
  console.log(`${rounds} rounds, ${calls} calls; back within ${longestBackMs} ms`);
}

const options = new Command("npm run chaos --")
  .description("Servers that fail in every way while calls are under way, behind Envoys of 1, 2 and 4 workers.")
  .option("--rounds <number>", "how many", whole, 100)
  .option("--minutes <minutes>", "so long, instead of a number of rounds", minutes)
  .option("--seed <number>", "of what happens; default: another one each time", whole)
  .parse()
  .opts<{ rounds: number; minutes?: number; seed?: number }>();

const seed = options.seed ?? Date.now() % 1_000_000_000;
console.log(`seed ${seed}`);
const from = Date.now();
const onRound = ({ rounds }: ChaosTotal) => {
  if (rounds % PROGRESS === 0) console.log(`${rounds} rounds, ${Math.round((Date.now() - from) / 1000)} s`);
};
const ends: (() => unknown)[] = [];
const scope: Scope = { after: (end) => ends.push(end) };
try {
  const time = options.minutes;
  const limit =
    time === undefined ? { rounds: options.rounds } : { rounds: Number.MAX_SAFE_INTEGER, over: until(time) };
  const total = await chaos(scope, { ...limit, seed, concurrencies: [1, 2, 4], onRound });
  print(total);
  if (total.rounds >= ENOUGH && total.errors.size === 0) throw new Error("no call failed: nothing was tried");
} catch (error) {
  console.error(`FAILED: ${(error as Error).message}`);
  process.exitCode = 1;
}
for (const end of ends.reverse()) await end();
// A client that waits for an answer in vain would keep the process.
process.exit();
