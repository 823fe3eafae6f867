// `moe bench`, `npm run bench`: CPU per request, throughput and latency of Envoy with the module beside its own filters.
import { writeFileSync } from "node:fs";
import { cpus, loadavg, release } from "node:os";
import { Command, InvalidArgumentError, Option } from "commander";
import { endChildren, startEcho, VoidMeasurement } from "../tests/bench/children.ts";
import { startWay } from "../tests/bench/envoys.ts";
import { benchFilters, countMeasurements, FLOW_PARTS, type Part, PARTS } from "../tests/bench/filter_bench.ts";
import { checkBinary } from "../tests/bench/mosn.ts";
import { BASE, CASES, DEFAULT_WAYS, type LoadCase, type Way, WAYS } from "../tests/bench/matrix.ts";
import { mosnLines, resultTable, type Sample, targetLines } from "../tests/bench/report.ts";
import { type Entry, measureAll, type Times } from "../tests/bench/rounds.ts";
import { type Protocol, PROTOCOLS, WIRES } from "../tests/bench/wire.ts";
import { build } from "./build.ts";
import { runScript } from "./lib/command.ts";
import { here, PACKAGE } from "./lib/package.ts";
import { projectFolder } from "./lib/project.ts";
import { Scope } from "./lib/scope.ts";

interface Options {
  module?: string;
  protocol: Protocol;
  filters?: Part[] | true;
  flow?: boolean;
  rounds?: number;
  seconds?: number;
  warmup?: number;
  quick?: boolean;
  cases?: string;
  ways?: Way[];
  mosn?: string;
  mosnConfig?: string;
  markdown?: boolean;
  json?: string;
}

/** Numbers of rounds and seconds where the options give none. */
const DEFAULTS = { ways: { rounds: 3, seconds: 3, warmup: 1 }, filters: { rounds: 3, seconds: 1.2, warmup: 0.8 } };
const QUICK: Times = { rounds: 1, seconds: 0.3, warmup: 0.5 };

function machine(): string {
  return `${cpus().length} x ${cpus()[0].model}, Linux ${release()}, Node ${process.version}`;
}

/** Says what is to come. */
function announce(measurements: number, { seconds, warmup }: Times): void {
  const minutes = Math.ceil((measurements * (seconds + warmup + 0.1)) / 60);
  console.log(`${measurements} measurements, about ${minutes} min. ${machine()}`);
  const busy = loadavg()[0];
  if (busy > 0.5) console.log(`Something else is running (load average ${busy.toFixed(1)}): expect noise.`);
}

/** Measures what stands on the way to the servers. */
async function benchWays(options: Options, times: Times): Promise<Sample[]> {
  const cases = CASES.filter((each) => !options.cases || each.name.includes(options.cases));
  if (cases.length === 0) throw new VoidMeasurement(`no case has "${options.cases}" in its name`);
  const { protocol } = options;
  const ways = waysOf(options);
  if (protocol !== "dubbo" && ways.includes("dubbo_proxy")) throw new VoidMeasurement("dubbo_proxy speaks only Dubbo");
  announce(times.rounds * cases.length * ways.length, times);
  for (const size of new Set(cases.map((each) => each.content))) {
    const [out, back] = [WIRES[protocol].requestFrame(size).length, WIRES[protocol].responseFrame(size).length];
    console.log(`content of ${size} B: requests of ${out} B, responses of ${back} B`);
  }

  const scope = new Scope();
  try {
    const samples = await measureAll(protocol, await startWays(scope, ways, options), cases, times);
    report(samples, cases, ways, options, times);
    return samples;
  } finally {
    for (const error of await scope.end()) {
      console.error(error.message);
      process.exitCode = 1;
    }
  }
}

/** Those that are wanted; MOSN is one more where its binary is given. Throws VoidMeasurement where that cannot be run. */
function waysOf({ protocol, ways = DEFAULT_WAYS[protocol], mosn, mosnConfig }: Options): Way[] {
  if (mosn === undefined && mosnConfig !== undefined) throw new VoidMeasurement("--mosn-config needs --mosn PATH");
  if (mosn === undefined && ways.includes("mosn")) {
    throw new VoidMeasurement("the way mosn needs --mosn PATH, the MOSN binary");
  }
  if (mosn === undefined) return ways;
  checkBinary(here(mosn));
  return ways.includes("mosn") ? ways : [...ways, "mosn"];
}

async function startWays(
  scope: Scope,
  ways: Way[],
  { protocol, mosn, mosnConfig }: Options,
): Promise<Map<string, Entry>> {
  const binary =
    mosn === undefined
      ? undefined
      : { binary: here(mosn), config: mosnConfig === undefined ? undefined : here(mosnConfig) };
  const hosts = [await startEcho(protocol), await startEcho(protocol)];
  const entries = new Map<string, Entry>();
  for (const way of ways) entries.set(way, await startWay(scope, way, protocol, hosts, binary));
  return entries;
}

function report(samples: Sample[], cases: LoadCase[], ways: Way[], options: Options, { rounds }: Times): void {
  const { protocol, markdown = false } = options;
  console.log(`\nMedians of ${rounds} rounds; CPU of the whole process, one worker thread\n`);
  for (const line of resultTable(samples, cases, ways, BASE[protocol], markdown)) console.log(line);
  console.log();
  for (const line of targetLines(samples, cases, protocol)) console.log(line);
  for (const line of mosnLines(samples, cases)) console.log(line);
}

/** The module to measure: what is named, or the project's own; undefined: this package's. */
function moduleOf({ module }: Options): string | undefined {
  if (module !== undefined) return here(module);
  const project = projectFolder();
  return project === undefined || project === PACKAGE ? undefined : build("release", console.error, project);
}

async function main(options: Options): Promise<void> {
  const module = moduleOf(options);
  // Where the Envoys of the benchmark and of the tests look for it.
  if (module !== undefined) process.env.MOE_MODULE = module;
  const { filters, flow, rounds, seconds, warmup } = options;
  const parts: readonly Part[] | undefined = flow ? FLOW_PARTS : filters === true ? PARTS : filters;
  const defaults = options.quick ? QUICK : DEFAULTS[parts ? "filters" : "ways"];
  const times = {
    rounds: rounds ?? defaults.rounds,
    seconds: seconds ?? defaults.seconds,
    warmup: warmup ?? defaults.warmup,
  };
  let samples: Sample[];
  if (parts) {
    announce(times.rounds * countMeasurements(parts), times);
    samples = await benchFilters(parts, times, options.markdown ?? false);
  } else {
    samples = await benchWays(options, times);
  }
  if (options.json) writeFileSync(here(options.json), JSON.stringify({ machine: machine(), samples }, null, 2));
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("must be a number above 0");
  return value;
}

export function benchCommand(name: string): Command {
  return new Command(name)
    .description(
      "Measures Envoy with the module beside a bare tcp_proxy, and beside MOSN; docs/benchmark.md tells how to read it.",
    )
    .addOption(new Option("--protocol <name>", "what to speak").choices(PROTOCOLS).default("bolt"))
    .addOption(
      new Option("--filters [part...]", "what stream filters cost, instead of the ways: all parts, or only these")
        .choices(PARTS)
        .conflicts(["protocol", "cases", "ways", "mosn"]),
    )
    .addOption(
      new Option("--flow", "what flow control's rules cost, instead of the ways").conflicts([
        "protocol",
        "cases",
        "ways",
        "mosn",
        "filters",
      ]),
    )
    .option("--module <file>", "another module than the project's, or else the package's; $MOE_MODULE is the same")
    .option("--rounds <n>", "how often everything is measured (default: 3)", positive)
    .option("--seconds <n>", "length of one measurement (default: 3, with --filters 1.2)", positive)
    .option("--warmup <n>", "seconds of load before each measurement (default: 1, with --filters 0.8)", positive)
    .option("--quick", "one round of 0.3 s: whether it runs, not what it costs")
    .option("--cases <text>", `only cases whose name contains this text: ${CASES.map((each) => each.name).join(", ")}`)
    .addOption(
      new Option("--ways <way...>", "what to send the load through")
        .choices(WAYS)
        .default(undefined, "direct, Envoy's own filters, moe"),
    )
    .option("--mosn <path>", "MOSN as one more way: its binary")
    .option(
      "--mosn-config <file>",
      "MOSN's configuration; its first listener and all clusters are pointed at the benchmark (default: one that does " +
        "what moe does without configuration, on one thread)",
    )
    .option("--markdown", "tables in Markdown, as in docs/benchmark.md")
    .option("--json <file>", "write every measurement to this file")
    .addHelpText(
      "after",
      `\nExamples:\n  ${name} --quick\n  ${name} --protocol dubbo --cases pipeline\n  ${name} --module build/mesh.wasm`,
    )
    .action(async (options: Options) => {
      try {
        await main(options);
      } finally {
        endChildren();
      }
    });
}

await runScript(import.meta, benchCommand, "npm run bench --");
