// `npm run test:interop`: Java SOFARPC and sofa-bolt peers, each case direct and through Envoy, compared line by line.
import { Command, Option } from "commander";
import { compare, type Verdict } from "../tests/interop/compare.ts";
import {
  buildPeers,
  type JavaServer,
  listCases,
  PeersFailed,
  runClient,
  startServer,
  type Target,
} from "../tests/interop/peers.ts";
import { build } from "./build.ts";
import { EnvoyNotFound, findEnvoy } from "./lib/envoy.ts";
import { EnvoyFailed, EnvoyProcess } from "./lib/envoy_process.ts";
import { upstreamBootstrap } from "./lib/upstream_bootstrap.ts";

interface Options {
  cases?: string;
  module?: string;
  via: "moe" | "direct";
}

const root = new URL("..", import.meta.url).pathname;

/** Two Envoys with the module's default configuration, one before each server. */
async function startEnvoys(server: JavaServer, module: string): Promise<EnvoyProcess[]> {
  const binary = await findEnvoy((line) => console.log(line));
  const start = (port: number) =>
    EnvoyProcess.start({ binary, bootstrap: upstreamBootstrap(module, [port]), cwd: root, concurrency: 1 });
  return Promise.all([start(server.sofaPort), start(server.rawPort)]);
}

function target(sofaPort: number, rawPort: number): Target {
  return { sofa: `127.0.0.1:${sofaPort}`, raw: `127.0.0.1:${rawPort}` };
}

/** The Envoys must have come through it alive and without an error in their log. */
function health(envoys: EnvoyProcess[]): Verdict[] {
  return envoys.map((envoy, index) => {
    const severe = envoy.log.filter((line) => /\]\[(critical|error)\]/.test(line));
    const ended = envoy.ended;
    const text = ended ? `ended: ${ended}` : severe.length > 0 ? "errors in its log" : "alive, no error in its log";
    return { name: `envoy ${index + 1}`, ok: !ended && severe.length === 0, text, details: severe.slice(0, 10) };
  });
}

function print(verdicts: Verdict[]): number {
  const width = Math.max(...verdicts.map((verdict) => verdict.name.length));
  for (const verdict of verdicts) {
    console.log(`${verdict.ok ? "ok  " : "FAIL"}  ${verdict.name.padEnd(width)}  ${verdict.text}`);
    for (const line of verdict.details) console.log(`        ${line}`);
  }
  const failed = verdicts.filter((verdict) => !verdict.ok).length;
  console.log(`\n${verdicts.length - failed} passed, ${failed} failed`);
  return failed;
}

async function main(options: Options): Promise<number> {
  const say = (line: string) => console.log(line);
  buildPeers(say);
  const module = options.via === "moe" ? (options.module ?? build()) : "";
  const all = await listCases();
  const wanted = all.filter((name) => !options.cases || name.includes(options.cases));
  if (wanted.length === 0) throw new PeersFailed(`no case has "${options.cases}" in its name`);

  const server = await startServer();
  const envoys: EnvoyProcess[] = [];
  try {
    const straight = target(server.sofaPort, server.rawPort);
    say(`${wanted.length} cases direct`);
    const direct = await runClient("direct/", straight, wanted);
    if (options.via === "moe") envoys.push(...(await startEnvoys(server, module)));
    say(`${wanted.length} cases ${options.via === "moe" ? "through Envoy" : "direct again"}`);
    const through = envoys.length > 0 ? target(envoys[0].port, envoys[1].port) : straight;
    const proxied = await runClient("proxied/", through, wanted);
    return print([...compare(wanted, direct, proxied), ...health(envoys)]);
  } finally {
    for (const envoy of envoys) await envoy.stop();
    server.stop();
  }
}

const program = new Command("npm run test:interop --")
  .description("Runs Java SOFARPC 5 and sofa-bolt 1.6 peers direct and through Envoy, and compares what they report.")
  .option("--cases <text>", "only cases whose name contains this text")
  .option("--module <file>", "a module other than build/moe.wasm, which is built when needed")
  .addOption(
    new Option("--via <how>", "`direct` compares two direct runs: a check of the comparison itself")
      .choices(["moe", "direct"])
      .default("moe"),
  )
  .parse();

try {
  process.exitCode = (await main(program.opts<Options>())) === 0 ? 0 : 1;
} catch (error) {
  if (!(error instanceof PeersFailed || error instanceof EnvoyNotFound || error instanceof EnvoyFailed)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
