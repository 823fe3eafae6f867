// `npm run hostile -- --minutes 5`: hostile peers beside a good client, whose calls must all be answered.
import { Command } from "commander";
import { hostile } from "../tests/hostile/run.ts";
import { mib } from "../tests/soak/run.ts";
import { minutes } from "./lib/minutes.ts";
import { Scope } from "./lib/scope.ts";

interface Options {
  minutes: number;
  concurrency: string;
  only?: string;
}

/** How much the good client's slowest hundredth may grow; a machine that is busy with other things shows more. */
const ALLOWED = 5;

const options = new Command("npm run hostile --")
  .description(
    "A hostile client and a hostile server, each with every trick at once, beside a good client: none of its calls may fail.",
  )
  .option("--minutes <minutes>", "how long", minutes, 5)
  .option("--concurrency <number>", "worker threads of Envoy", "1")
  .option("--only <text>", "tricks whose names have this in them")
  .parse()
  .opts<Options>();

const scope = new Scope();
try {
  const besideMs = options.minutes * 60_000;
  const { alone, beside, rounds, rss } = await hostile(scope, {
    aloneMs: Math.min(besideMs, 20_000),
    besideMs,
    concurrency: Number(options.concurrency),
    only: options.only,
    say: console.log,
  });
  for (const [name, count] of rounds) console.log(`  ${name}: ${count} rounds`);
  const ratio = beside.p99 / alone.p99;
  console.log(
    `0 of ${beside.calls} good calls failed; p99 ${ratio.toFixed(1)}x alone; Envoy's memory at most ${mib(rss)}`,
  );
  if (ratio > ALLOWED) console.log(`(more than ${ALLOWED}x: is the machine otherwise idle?)`);
} catch (error) {
  console.error(`FAILED: ${(error as Error).message}`);
  process.exitCode = 1;
}
for (const error of await scope.end()) {
  console.error(`FAILED: ${error.message}`);
  process.exitCode = 1;
}
