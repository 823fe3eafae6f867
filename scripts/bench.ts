// `npm run bench`: CPU per request, throughput and latency of Envoy with the module beside its own filters.
import { writeFileSync } from "node:fs";
import { cpus, loadavg, release } from "node:os";
import { Command, InvalidArgumentError, Option } from "commander";
import { Generator, startEcho, VoidMeasurement } from "../tests/bench/children.ts";
import { type Entry, startWay } from "../tests/bench/envoys.ts";
import { BASE, CASES, DEFAULT_WAYS, type LoadCase, type Way, WAYS } from "../tests/bench/matrix.ts";
import { cpuPerRequest, resultTable, type Sample, targetLines } from "../tests/bench/report.ts";
import { type Protocol, PROTOCOLS, WIRES } from "../tests/bench/wire.ts";
import { EnvoyNotFound } from "./lib/envoy.ts";
import { EnvoyFailed } from "./lib/envoy_process.ts";
import { Scope } from "./lib/scope.ts";

interface Options {
  protocol: Protocol;
  rounds: number;
  seconds: number;
  warmup: number;
  cases?: string;
  ways?: Way[];
  json?: string;
}

/** How one measurement reads while the others are still to come. */
function brief(way: Way, sample: Sample): string {
  if (way === "direct") return `direct ${Math.round(sample.requests / sample.seconds / 1000)}k/s`;
  return `${way} ${cpuPerRequest(sample).toFixed(2)} µs`;
}

/** All rounds. The ways of a case follow each other at once, each round in another order. */
async function measureAll(options: Options, ways: Way[], cases: LoadCase[], scope: Scope): Promise<Sample[]> {
  const { protocol } = options;
  const hosts = [await startEcho(protocol), await startEcho(protocol)];
  const entries = new Map<Way, Entry>();
  for (const way of ways) entries.set(way, await startWay(scope, way, protocol, hosts));
  const generator = new Generator();
  const samples: Sample[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    const turn = round % ways.length;
    const order = [...ways.slice(turn), ...ways.slice(0, turn)];
    for (const { name, connections, outstanding, content } of cases) {
      const line: string[] = [];
      for (const way of order) {
        const load = { protocol, ...entries.get(way)!, connections, outstanding, content };
        const times = { warmupMs: options.warmup * 1000, windowMs: options.seconds * 1000 };
        const measured = await generator.measure({ ...load, ...times }).catch((error: Error) => {
          throw new VoidMeasurement(`${name} ${way}: ${error.message}`, { cause: error });
        });
        const sample = { round, case: name, way, ...measured };
        samples.push(sample);
        line.push(brief(way, sample));
      }
      console.log(`round ${round}/${options.rounds}  ${name}: ${line.join(", ")}`);
    }
  }
  return samples;
}

function machine(): string {
  return `${cpus().length} x ${cpus()[0].model}, Linux ${release()}, Node ${process.version}`;
}

async function main(options: Options): Promise<void> {
  const cases = CASES.filter((each) => !options.cases || each.name.includes(options.cases));
  if (cases.length === 0) throw new VoidMeasurement(`no case has "${options.cases}" in its name`);
  const { protocol } = options;
  const ways = options.ways ?? DEFAULT_WAYS[protocol];
  if (protocol !== "dubbo" && ways.includes("dubbo_proxy")) throw new VoidMeasurement("dubbo_proxy speaks only Dubbo");
  const measurements = options.rounds * cases.length * ways.length;
  const minutes = Math.ceil((measurements * (options.seconds + options.warmup + 0.1)) / 60);
  console.log(`${measurements} measurements, about ${minutes} min. ${machine()}`);
  const busy = loadavg()[0];
  if (busy > 0.5) console.log(`Something else is running (load average ${busy.toFixed(1)}): expect noise.`);
  for (const size of new Set(cases.map((each) => each.content))) {
    const [out, back] = [WIRES[protocol].requestFrame(size).length, WIRES[protocol].responseFrame(size).length];
    console.log(`content of ${size} B: requests of ${out} B, responses of ${back} B`);
  }

  const scope = new Scope();
  try {
    const samples = await measureAll(options, ways, cases, scope);
    console.log(`\nMedians of ${options.rounds} rounds; CPU of the whole Envoy process, one worker thread\n`);
    for (const line of resultTable(samples, cases, ways, BASE[protocol])) console.log(line);
    console.log();
    for (const line of targetLines(samples, cases, protocol)) console.log(line);
    if (options.json) writeFileSync(options.json, JSON.stringify({ machine: machine(), samples }, null, 2));
  } finally {
    for (const error of await scope.end()) {
      console.error(error.message);
      process.exitCode = 1;
    }
  }
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("must be a number above 0");
  return value;
}

const program = new Command("npm run bench --")
  .description("Measures Envoy with the module beside a bare tcp_proxy; docs/benchmark.md tells how to read it.")
  .addOption(new Option("--protocol <name>", "what to speak").choices(PROTOCOLS).default("bolt"))
  .option("--rounds <n>", "how often everything is measured", positive, 3)
  .option("--seconds <n>", "length of one measurement", positive, 3)
  .option("--warmup <n>", "seconds of load before each measurement", positive, 1)
  .option("--cases <text>", `only cases whose name contains this text: ${CASES.map((each) => each.name).join(", ")}`)
  .addOption(
    new Option("--ways <way...>", "what to send the load through")
      .choices(WAYS)
      .default(undefined, "direct, Envoy's own filters, moe"),
  )
  .option("--json <file>", "write every measurement to this file")
  .addHelpText("after", "\nMOE_MODULE=FILE measures another module than build/moe.wasm.")
  .parse();

try {
  await main(program.opts<Options>());
} catch (error) {
  const known = [EnvoyNotFound, EnvoyFailed, VoidMeasurement].some((type) => error instanceof type);
  console.error(known ? (error as Error).message : error);
  process.exitCode = 1;
}
// The child processes end with this one.
process.exit();
