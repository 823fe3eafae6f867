// `npm run soak -- --requests N --seed S`: mixed traffic through a real Envoy, every answer checked (docs/reliability.md).
import { Command, InvalidArgumentError } from "commander";
import type { Scope } from "../tests/e2e/kit/scope.ts";
import { mib, soak, type SoakResult } from "../tests/soak/run.ts";
import { usedOf } from "../tests/soak/memory.ts";
import { appendRun, tableOf } from "../tests/soak/totals.ts";
import { minutes } from "./lib/minutes.ts";

/** How much more memory may be taken at the end than at a fifth. */
const MOST_GROWTH = 1.05;
/** A shorter run cannot tell growth from what is still being learned: it compares with a bound for each VM, bytes. */
const TELLING = 5_000_000;
const MOST_EACH = 24 << 20;

function whole(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("expected a number");
  return Number(text);
}

/** How often each code was the answer to an operation. */
function byOperation(codes: [string, number][]): Map<string, string[]> {
  const lines = new Map<string, string[]>();
  for (const [key, count] of codes.sort()) {
    const [protocol, name, code] = key.split(" ");
    const operation = `${protocol} ${name}`;
    lines.set(operation, [...(lines.get(operation) ?? []), `${code}: ${count}`]);
  }
  return lines;
}

function print({ report, seconds, restarts, servers, before, after, cpu, lost }: SoakResult): void {
  const { sent, answered, oneway, left, connections, codes } = report;
  for (const [operation, counts] of byOperation(codes)) console.log(`  ${operation.padEnd(18)} ${counts.join(", ")}`);
  console.log(`${sent} requests in ${seconds.toFixed(0)} s, ${Math.round(sent / seconds)}/s`);
  console.log(`${answered} answered, ${oneway} one-way, ${left} left by their clients; ${connections} connections`);
  console.log(
    `${restarts} restarts of servers, ${servers.goAways} go-aways, ${servers.requests} requests at servers, ` +
      `${servers.oneways} of ${oneway} one-way, ${lost} answers lost with their server`,
  );
  const growth = (a: number, b: number) => `${mib(a)} at a fifth, ${mib(b)} at the end: ${(b / a).toFixed(3)}x`;
  console.log(`RSS ${growth(before.rss, after.rss)}`);
  console.log(`of that in use ${growth(usedOf(before), usedOf(after))}`);
  console.log(`linear memory of ${after.vms} VMs ${growth(before.linear, after.linear)}`);
  console.log(`allocated by Envoy ${growth(before.allocated, after.allocated)}`);
  console.log(`of a heap of ${growth(before.heap, after.heap)}; ${before.stats} and ${after.stats} stats`);
  const each = (part: number) => `${((part / sent) * 1e6).toFixed(0)} µs`;
  console.log(`CPU of a request: Envoy ${each(cpu.envoy)}, clients ${each(cpu.clients)}, servers ${each(cpu.servers)}`);
}

const options = new Command("npm run soak --")
  .description("Mixed traffic through a real Envoy while connections come and go and servers restart.")
  .option("--requests <number>", "how many in each run", whole, 1_000_000)
  .option("--minutes <minutes>", "so long, instead of a number of requests", minutes)
  .option("--runs <number>", "one after the other, each with an Envoy of its own and the next seed", whole, 1)
  .option("--seed <number>", "of what clients and servers do; default: another one each time", whole)
  .option("--concurrency <number>", "worker threads of Envoy", whole, 2)
  .option("--restart-ms <number>", "mean time between two restarts of servers", whole, 2000)
  .option("--totals <file>", "append what each run came to, as a line of JSON")
  .option("--table <file>", "show what is in such a file as a table, and do nothing else")
  .parse()
  .opts<SoakArguments>();

interface SoakArguments {
  requests: number;
  minutes?: number;
  runs: number;
  seed?: number;
  concurrency: number;
  restartMs: number;
  totals?: string;
  table?: string;
}

/** One run. Returns what was wrong; "": nothing. */
async function run(seed: number): Promise<string> {
  console.log(`seed ${seed}`);
  const ends: (() => unknown)[] = [];
  const scope: Scope = { after: (end) => ends.push(end) };
  let wrong = "";
  let result: SoakResult | undefined;
  try {
    const connections = { bolt: 12, boltv2: 6, dubbo: 8, http: 40 };
    result = await soak(scope, { ...options, seed, connections, onProgress: (line) => console.log(line) });
    print(result);
    const { before, after, report } = result;
    const grown = usedOf(after) / usedOf(before);
    if (report.sent < TELLING) {
      if (after.linear > after.vms * MOST_EACH) wrong = `${mib(after.linear)} of ${after.vms} VMs`;
    } else if (grown > MOST_GROWTH || after.allocated > before.allocated * MOST_GROWTH)
      wrong = `memory grew by more than ${MOST_GROWTH}x`;
  } catch (error) {
    wrong = (error as Error).message;
  }
  for (const end of ends.reverse()) {
    try {
      await end();
    } catch (error) {
      wrong ||= (error as Error).message;
    }
  }
  if (wrong !== "") console.error(`FAILED: ${wrong}`);
  if (options.totals !== undefined) appendRun(options.totals, seed, result, wrong);
  return wrong;
}

if (options.table !== undefined) {
  console.log(tableOf(options.table).join("\n"));
  process.exit();
}
const first = options.seed ?? Date.now() % 1_000_000_000;
for (let i = 0; i < options.runs; i++) {
  if ((await run(first + i)) !== "") process.exitCode = 1;
}
