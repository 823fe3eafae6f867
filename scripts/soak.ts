// `npm run soak -- --requests N --seed S`: mixed traffic through a real Envoy, every answer checked (docs/reliability.md).
import { Command, InvalidArgumentError } from "commander";
import type { Scope } from "../tests/e2e/kit/scope.ts";
import { mib, soak, type SoakResult } from "../tests/soak/run.ts";

/** How much more memory may be taken at the end than at a fifth. */
const MOST_GROWTH = 1.05;

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

function print({ report, seconds, restarts, servers, before, after, lost }: SoakResult): void {
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
  console.log(`linear memory of ${after.vms} VMs ${growth(before.linear, after.linear)}`);
}

const options = new Command("npm run soak --")
  .description("Mixed traffic through a real Envoy while connections come and go and servers restart.")
  .option("--requests <number>", "how many", whole, 1_000_000)
  .option("--seed <number>", "of what clients and servers do; default: another one each time", whole)
  .option("--concurrency <number>", "worker threads of Envoy", whole, 2)
  .option("--restart-ms <number>", "mean time between two restarts of servers", whole, 2000)
  .parse()
  .opts<{ requests: number; seed?: number; concurrency: number; restartMs: number }>();

const seed = options.seed ?? Date.now() % 1_000_000_000;
console.log(`seed ${seed}`);
const ends: (() => unknown)[] = [];
const scope: Scope = { after: (end) => ends.push(end) };
try {
  const connections = { bolt: 12, boltv2: 6, dubbo: 8, http: 40 };
  const result = await soak(scope, { ...options, seed, connections, onProgress: (line) => console.log(line) });
  print(result);
  const { before, after } = result;
  if (after.rss > before.rss * MOST_GROWTH || after.linear > before.linear * MOST_GROWTH)
    throw new Error(`memory grew by more than ${MOST_GROWTH}x`);
} catch (error) {
  console.error(`FAILED: ${(error as Error).message}`);
  process.exitCode = 1;
}
for (const end of ends.reverse()) {
  try {
    await end();
  } catch (error) {
    console.error(`FAILED: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
