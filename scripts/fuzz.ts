// `npm run fuzz -- --n N --seed S --protocol P|all [--only INDEX]`: mutated sessions through the release module (docs/reliability.md).
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import type { Totals } from "../tests/fuzz/epoch.ts";
import { Failure, fuzz, PROTOCOLS } from "../tests/fuzz/run.ts";
import { appendRun, tableOf } from "../tests/fuzz/totals.ts";
import { build } from "./build.ts";
import { minutes, until } from "./lib/minutes.ts";

const root = resolve(import.meta.dirname, "..");
/** Least shares of the inputs, in a hundred: fewer would test only how garbage is refused. */
const LEAST_DETECTED = 30;
const LEAST_COMPLETED = 5;
const FEW = 1000;

function whole(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("expected a number");
  return Number(text);
}

function line(protocol: string, { inputs, detected, completed, pages, seconds, cpuSeconds }: Totals): string {
  const share = (part: number) => `${((100 * part) / inputs).toFixed(1)} %`;
  const parts = [
    `${inputs} inputs`,
    `detected ${share(detected)}`,
    `completed ${share(completed)}`,
    `memory ${((pages * 64) / 1024).toFixed(1)} MiB`,
    `${Math.round(inputs / seconds)} inputs/s (${Math.round(inputs / cpuSeconds)} a second of CPU)`,
  ];
  return `${protocol.padEnd(12)} ${parts.join(", ")}`;
}

/** Whether enough inputs got far; of few inputs nothing can be said. */
function deep({ inputs, detected, completed }: Totals): boolean {
  return inputs < FEW || (100 * detected >= LEAST_DETECTED * inputs && 100 * completed >= LEAST_COMPLETED * inputs);
}

function keep(failure: Failure): void {
  const folder = join(root, "build/fuzz");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${failure.protocol}-${failure.seed}-${failure.input}.json`);
  writeFileSync(path, `${JSON.stringify(failure.found)}\n`);
  console.error(`${failure.message}\n`);
  console.error(`again: npm run fuzz -- --protocol ${failure.protocol} --seed ${failure.seed} --only ${failure.input}`);
  console.error(`its round, for tests/fuzz/seeds: ${path}`);
}

const options = new Command("npm run fuzz --")
  .description("Sends mutated sessions through the release module and checks every answer.")
  .option("--n <inputs>", "inputs per protocol", whole, 100_000)
  .option("--seed <number>", "the same seed, the same inputs; default: another one each time", whole)
  .addOption(new Option("--protocol <name>").choices([...Object.keys(PROTOCOLS), "all"]).default("all"))
  .option("--minutes <minutes>", "so long for all protocols together, instead of a number of inputs", minutes)
  .option("--only <index>", "the VM that got this input of the seed, up to it", whole)
  .option("--totals <file>", "append what each protocol came to, as a line of JSON")
  .option("--table <file>", "show what is in such a file as a table, and do nothing else")
  .parse()
  .opts<{
    n: number;
    seed?: number;
    protocol: string;
    minutes?: number;
    only?: number;
    totals?: string;
    table?: string;
  }>();

if (options.table !== undefined) {
  console.log(tableOf(options.table).join("\n"));
  process.exit();
}

// Most buffers of the emulator are smaller than half of this: slices of a large one cost less than small ones.
Buffer.poolSize = 256 * 1024;

const seed = options.seed ?? Date.now() % 1_000_000_000;
const module = process.env.MOE_MODULE ?? build();
const note = (protocol: string, totals: Totals, wrong: string): void => {
  if (options.totals !== undefined) appendRun(options.totals, module, { protocol, seed, ...totals, wrong });
};
console.log(`seed ${seed}`);
const protocols = options.protocol === "all" ? Object.keys(PROTOCOLS) : [options.protocol];
for (const protocol of protocols) {
  const { n, only } = options;
  const time = options.minutes === undefined ? null : options.minutes / protocols.length;
  try {
    const limit = time === null ? { inputs: n, only } : { inputs: Number.MAX_SAFE_INTEGER, over: until(time) };
    const totals = await fuzz({ module, protocol, seed, ...limit });
    console.log(line(protocol, totals));
    note(protocol, totals, "");
    if (deep(totals) || options.only !== undefined) continue;
    console.error(`${protocol}: at least ${LEAST_DETECTED} % have to be detected and ${LEAST_COMPLETED} % completed`);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    keep(error);
    note(protocol, error.totals, error.found.about);
  }
  process.exitCode = 1;
}
