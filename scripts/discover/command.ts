// The command `discover`: options, start, end.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { parse } from "yaml";
import { FAILURE, USAGE } from "../lib/command.ts";
import { here, MODULE, shown } from "../lib/package.ts";
import { createFile } from "../lib/replace_file.ts";
import { serveAdmin } from "./admin.ts";
import { Keeper } from "./keeper.ts";
import { Loop } from "./loop.ts";
import { BadInput } from "./model.ts";
import { openSource, sourceKinds } from "./sources/sources.ts";
import { bootstrapFor, pluginResource } from "./targets/bootstrap.ts";
import { EnvoyFiles } from "./targets/envoy_files.ts";
import { Istio } from "./targets/istio.ts";
import { State } from "./targets/state.ts";
import { Table } from "./targets/table.ts";
import type { Target } from "./targets/target.ts";

interface Options {
  source: string[];
  out?: string;
  istio?: string;
  table?: boolean;
  once?: boolean;
  bootstrap?: boolean;
  port: number;
  envoyAdminPort: number;
  module: string;
  config?: string;
  allow: string[];
  tagHeader: string;
  healthChecks?: boolean;
  connectTimeout: number;
  hold: number;
  settle: number;
  interval: number;
  maxServices: number;
  maxHosts: number;
  watches?: number;
  admin?: { host: string; port: number };
  namespace: string;
  domain: string;
  workloads?: boolean;
  quiet?: boolean;
}

const ONCE_LIMIT_MS = 30_000;
/** A stop that takes longer is cut. */
const STOP_LIMIT_MS = 10_000;

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function duration(text: string): number {
  const [, number, unit] = /^(\d+)(ms|s|m|h)$/.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError('Allowed: a duration such as "3m", "30s", "500ms".');
  return Number(number) * UNITS[unit];
}

/** Longest time that anything is held back, but for ever. */
function holdTime(text: string): number {
  return text === "forever" ? Infinity : duration(text);
}

function whole(most: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= 1 && number <= most) return number;
    throw new InvalidArgumentError(`Allowed: a whole number from 1 to ${most}.`);
  };
}

function hostAndPort(text: string): { host: string; port: number } {
  const [, host, port] = /^\[?([^\]]+?)\]?:(\d+)$/.exec(text) ?? [];
  if (host === undefined || Number(port) > 65535) throw new InvalidArgumentError("Allowed: HOST:PORT.");
  return { host, port: Number(port) };
}

function gather(text: string, before: string[]): string[] {
  return [...before, text];
}

/** What `allowed_clusters` of the module takes. */
function pattern(text: string, before: string[]): string[] {
  const stars = text.split("*").length - 1;
  if (stars > 1 || text === "*" || !/^[!-~]+$/.test(text)) {
    throw new InvalidArgumentError('Allowed: a name, or its beginning or end beside one "*", such as "com.example.*".');
  }
  return [...before, text];
}

/** The command, for `npm run discover` and for whoever puts it beside others. */
export function discoverCommand(name = "discover"): Command {
  return new Command(name)
    .description(
      "Watches registries (ZooKeeper, Nacos, …) and writes what Envoy or Istio read: clusters, hosts, and the module's routes by interface.",
    )
    .option(
      "-s, --source <url>",
      "a registry or a file, at least one; may be repeated: the first that knows a host describes it",
      gather,
      [],
    )
    .option("-o, --out <folder>", "write files that Envoy follows: clusters, hosts, the module's configuration")
    .option("--bootstrap", "with --out: also write envoy.yaml, a bootstrap that follows the folder")
    .option("--istio <file>", "write ServiceEntries and WorkloadEntries")
    .option("--table", "print the services")
    .option("--once", "write once and end")
    .option(
      "--config <file>",
      "the module's configuration (YAML or JSON) apart from the services: filters, own routes, …",
    )
    .option(
      "--allow <pattern>",
      "services that callers reach without a route of their own, such as com.example.*; may be repeated",
      pattern,
      [],
    )
    .option("--tag-header <name>", "the header of requests that names a tag", "dubbo.tag")
    .option("--module <file>", "the module, as Envoy shall name it", shown(MODULE))
    .option("--port <port>", "with --bootstrap: the port for clients", whole(65535), 12045)
    .option("--envoy-admin-port <port>", "with --bootstrap: the port of Envoy's admin page", whole(65535), 9901)
    .option("--health-checks", "let Envoy ask Bolt and Dubbo hosts for heartbeats every 5 s")
    .option("--connect-timeout <duration>", "how long Envoy tries to connect to a host", duration, 2000)
    .option(
      "--hold <duration>",
      "how long a drop of more than half of a service's hosts is held back: a duration, 0s, or forever",
      holdTime,
      180_000,
    )
    .option("--settle <duration>", "how long changes are gathered before they are written", duration, 200)
    .option("--interval <duration>", "the least time between two writes", duration, 1000)
    .option("--max-services <number>", "most services; the others are left out and told", whole(1_000_000), 20_000)
    .option("--max-hosts <number>", "most hosts of a service", whole(100_000), 10_000)
    .option(
      "--watches <number>",
      "most clusters whose hosts are files of their own: each costs Envoy an inotify instance (default: half of what " +
        "fs.inotify.max_user_instances allows)",
      whole(1_000_000),
    )
    .option("--admin <host:port>", "serve /healthz, /readyz, /metrics and /warnings", hostAndPort)
    .option("--namespace <name>", "with --istio: the namespace", "default")
    .option("--domain <name>", "with --istio: the domain of the services' hosts", "rpc.internal")
    .option("--workloads", "with --istio: hosts as WorkloadEntries of their own")
    .addOption(new Option("--quiet", "log warnings only"))
    .addHelpText("after", HELP)
    .action(async (options: Options, command: Command) => {
      const wrong = wrongOptions(options);
      if (wrong !== undefined) command.error(wrong, { exitCode: USAGE });
      try {
        await run(options);
      } catch (error) {
        if (!(error instanceof BadInput)) throw error;
        console.error(error.message);
        process.exitCode = FAILURE;
      }
    });
}

/** What is missing among the options, with what is allowed; undefined: nothing. */
function wrongOptions({ source, out, istio, table, bootstrap }: Options): string | undefined {
  if (source.length === 0) return `give a source: -s URL, which begins with ${sourceKinds().join(": or ")}:`;
  if (bootstrap && out === undefined) return "--bootstrap goes with --out FOLDER";
  if (out === undefined && istio === undefined && !table) return "give --out FOLDER, --istio FILE or --table";
  return undefined;
}

const HELP = `
Sources:
  file:services.yaml
  zookeeper://10.0.0.1:2181,10.0.0.2:2181/chroot?read=dubbo,sofa
  nacos://10.0.0.1:8848/nacos?namespace=prod
Examples:
  discover -s zookeeper://127.0.0.1:2181 --table --once
  discover -s zookeeper://127.0.0.1:2181 --out /etc/moe --bootstrap --admin 127.0.0.1:9902

All options of sources, and what is written: docs/discover.md.`;

function readBase(file: string | undefined): Record<string, unknown> {
  if (file === undefined) return {};
  let base: unknown;
  try {
    base = parse(readFileSync(here(file), "utf8"));
  } catch (error) {
    throw new BadInput(`--config ${file}: ${(error as Error).message.split("\n")[0]}`);
  }
  if (typeof base !== "object" || base === null || Array.isArray(base)) {
    throw new BadInput(`--config ${file}: expected an object: the module's configuration, without Envoy's around it`);
  }
  return base as Record<string, unknown>;
}

function envoyFiles(options: Options, folder: string, say: (text: string) => void): EnvoyFiles {
  return new EnvoyFiles({
    folder,
    connectTimeout: `${options.connectTimeout / 1000}s`,
    healthChecks: options.healthChecks === true,
    module: { base: readBase(options.config), allow: options.allow, tagHeader: options.tagHeader },
    plugin: (configuration) => pluginResource(configuration, options.module),
    watches: options.watches ?? watchesOfThisMachine(),
    say,
    now: Date.now,
  });
}

/** Instances that others of the same user may need. */
const OTHER_WATCHES = 28;

/** Half of the inotify instances that a user may have here: two Envoys may follow the same folder. */
function watchesOfThisMachine(): number {
  let limit = 128;
  try {
    limit = Number(readFileSync("/proc/sys/fs/inotify/max_user_instances", "utf8"));
  } catch {
    // Not Linux: the number is that of most of them.
  }
  return Math.max(1, Math.floor((limit - OTHER_WATCHES) / 2));
}

/** The targets, the last good state first: what the others have written can be known after a crash. */
function targetsOf(options: Options, keeper: Keeper, say: (text: string) => void): Target[] {
  const targets: Target[] = [];
  if (options.out !== undefined) {
    const folder = here(options.out);
    mkdirSync(folder, { recursive: true });
    const state = new State(join(folder, "state"));
    keeper.remember(state.read(say));
    targets.push(state, envoyFiles(options, folder, say));
    if (options.bootstrap) {
      createFile(join(folder, "envoy.yaml"), bootstrapFor(folder, options.port, options.envoyAdminPort));
    }
  }
  if (options.istio !== undefined) {
    const { namespace, domain } = options;
    targets.push(new Istio({ file: here(options.istio), namespace, domain, workloads: options.workloads === true }));
  }
  if (options.table) targets.push(new Table((text) => process.stdout.write(text)));
  return targets;
}

async function run(options: Options): Promise<void> {
  const keeper = new Keeper({
    holdMs: options.hold,
    maxServices: options.maxServices,
    maxHosts: options.maxHosts,
    now: Date.now,
  });
  const log = (level: string, text: string) => {
    if (level === "warning" || !options.quiet) console.error(`${new Date().toISOString()} ${level} ${text}`);
  };
  keeper.onSay = log;
  const sources = options.source.map((url) => openSource(url, here(".")));
  const targets = targetsOf(options, keeper, (text) => log("warning", text));
  const loop = new Loop(keeper, sources, targets, { settleMs: options.settle, intervalMs: options.interval });
  const { admin } = options;
  const page = admin ? await serveAdmin(admin.host, admin.port, keeper, loop) : undefined;
  if (page) log("info", `admin page: port ${page.port}`);
  const end = async () => {
    await loop.close();
    await page?.close();
  };
  try {
    await loop.start();
    if (options.once) await onceAndEnd(loop, keeper);
    else await stopSignal();
  } finally {
    setTimeout(() => process.exit(FAILURE), STOP_LIMIT_MS).unref();
    await end();
  }
  log("info", "ended");
}

async function onceAndEnd(loop: Loop, keeper: Keeper): Promise<void> {
  try {
    await loop.once(ONCE_LIMIT_MS);
  } catch (error) {
    throw new BadInput(`cannot write: ${(error as Error).message}`);
  }
  const silent = [...keeper.sources].filter(([, { synced }]) => !synced);
  if (silent.length > 0) {
    throw new BadInput(
      silent.map(([name, { why }]) => `${name}: ${why}; what is written may be incomplete`).join("\n"),
    );
  }
}

/** Resolves with SIGTERM or SIGINT. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => resolve());
  });
}
