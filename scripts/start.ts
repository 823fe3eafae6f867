// `moe run`, `npm start`: Envoy with the module, sample services and live traffic, until Ctrl-C.
import { type ChildProcess, fork } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Command, InvalidArgumentError, Option } from "commander";
import { parse } from "yaml";
import { ensureCertificates } from "./certs.ts";
import {
  addStreamFilter,
  type Bootstrap,
  hasRpc,
  pluginConfigs,
  rpcListener,
  writeBootstrap,
} from "./lib/bootstrap.ts";
import { FAILURE, runScript } from "./lib/command.ts";
import { EnvoyProcess } from "./lib/envoy_process.ts";
import { DEFAULT_VERSION, findEnvoy } from "./lib/envoy.ts";
import { type Input, isShipped, moduleOf, readInput } from "./lib/input.ts";
import { here, ownProcess, PACKAGE, shown } from "./lib/package.ts";
import { projectFolder } from "./lib/project.ts";
import { Places } from "./lib/places.ts";
import { checkPorts, freeOnes, type PortOptions, setPorts } from "./lib/start_ports.ts";
import { LiveView, table } from "./lib/table.ts";
import { echoAddresses, startEchoes } from "./samples/echo.ts";
import { type Instance, INSTANCES } from "./samples/hello.ts";
import { missingClients } from "./samples/needed.ts";
import { tlsClient } from "./samples/tls.ts";
import type { ProxyPorts, Traffic } from "./samples/traffic.ts";

const CALLS_ONCE = 200;
const CALLS_AT_ONCE = 10;
const TICK_MS = 250;
const HEALTH_LIMIT_MS = 15_000;

/** The bootstrap that runs where no other is named. */
const SHIPPED = "envoy/envoy.yaml";

/** The exit code where `--once` could make no call. */
const NO_CALLS = 2;

interface Options extends PortOptions {
  config?: string;
  /** Undefined: only with bootstraps of this package. */
  samples?: boolean;
  once?: boolean;
  /** Stream filters, by type. */
  filter: Record<string, unknown>;
  logLevel?: string;
}

const view = new LiveView();
const say = (line: string) => view.say(line);

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65535) throw new InvalidArgumentError("Expected 0 to 65535; 0 is a free one.");
  return port;
}

/** One more `TYPE: CONFIGURATION`, in YAML. */
function parseFilter(text: string, before: Record<string, unknown>): Record<string, unknown> {
  const filter = parse(text) as unknown;
  if (typeof filter !== "object" || filter === null || Array.isArray(filter)) {
    throw new InvalidArgumentError('Expected "TYPE: {FIELD: VALUE, …}".');
  }
  return { ...before, ...filter };
}

export function startCommand(name: string): Command {
  return new Command(name)
    .description(
      "Starts Envoy with the module. Without a file of yours also sample services and live calls (SOFARPC, Dubbo, HTTP, gRPC, all on one port), " +
        "until Ctrl-C.",
    )
    .argument(
      "[file]",
      "Envoy bootstrap, or MOSN's configuration, which is converted; by default the project's envoy.yaml, or else the package's",
    )
    .option("--config <file>", "the same, with sample services where it names their ports")
    .option("--samples", "sample services where the file names their ports, and calls")
    .option("--no-samples", "no sample services and no calls; shows the module's counters")
    .option(
      "--once",
      `one round of ${CALLS_ONCE} calls; exit code 0 if all were answered, ${NO_CALLS} if none could be made`,
    )
    .option("--filter <type: config>", "a stream filter before the others, in YAML; may be repeated", parseFilter, {})
    .option("--log-level <level>", "Envoy's log level; info shows what filters log at that level")
    .option(
      "--host <address>",
      "address that the listener takes connections at; 0.0.0.0 for all. Default: that of a FILE that is named, or else 127.0.0.1",
    )
    .option("--sample-ports <first>", "first port of the sample services, not the file's; 0: free ones", parsePort)
    .addOption(new Option("--port <port>", "listener's port, not the file's").env("MOE_PORT").argParser(parsePort))
    .addOption(
      new Option("--admin-port <port>", "Envoy's admin port, not the file's")
        .env("MOE_ADMIN_PORT")
        .argParser(parsePort),
    )
    .addHelpText(
      "after",
      `
Examples:
  ${name}
  ${name} mosn.json
  ${name} envoy.yaml --port 0 --admin-port 0
  ${name} --filter 'fault: {abort: {status: 503, percentage: 10}}'

envoy/tls.yaml and envoy/http.yaml of the package are bootstraps with sample services, too: they are found from anywhere.

Envoy is $ENVOY_BIN; else envoy on the PATH; else version ${DEFAULT_VERSION} or $ENVOY_VERSION, fetched once into
$MOE_CACHE (by default below ~/.cache). The sample services take ports ${INSTANCES.map(({ port }) => port).join(", ")},
unless --sample-ports moves them: --port 0 --admin-port 0 --sample-ports 0 runs beside anything. Where a bootstrap of your
own names one of them and a server of yours listens there, that server stays.`,
    )
    .action(run);
}

/** The configuration's file: where the user is, or else the package's. */
function configFile(named: string | undefined): string {
  if (named === undefined) {
    const own = resolve(projectFolder() ?? PACKAGE, "envoy.yaml");
    return existsSync(own) ? own : resolve(PACKAGE, SHIPPED);
  }
  const file = [here(named), resolve(PACKAGE, named)].find(existsSync);
  if (!file) throw new Error(`${named} does not exist.`);
  return file;
}

/** The configuration with the wanted filters. What a conversion reports is told. */
function prepare(file: string, options: Options): Input {
  const input = readInput(file);
  if (input.report) say(input.report.text());
  // Without an admin page nobody could tell when Envoy is ready.
  input.bootstrap.admin ??= { address: { socket_address: { address: "127.0.0.1", port_value: 9901 } } };
  for (const [type, config] of Object.entries(options.filter).reverse()) {
    addStreamFilter(input.bootstrap, type, config ?? {});
  }
  return input;
}

/** Makes what the bootstrap names and this package makes: the modules, the certificates. */
function provideFiles({ bootstrap, cwd }: Input): void {
  if (cwd === PACKAGE && writeBootstrap(bootstrap).includes("build/certs/")) ensureCertificates();
  for (const plugin of pluginConfigs(bootstrap)) moduleOf(plugin, cwd, say);
}

function upstreamTls(bootstrap: Bootstrap): boolean {
  return bootstrap.static_resources.clusters.some((cluster) => cluster.transport_socket);
}

/** Starts the sample services in a process of their own and returns when they listen. */
function startSamples(instances: Instance[], tls: boolean): Promise<ChildProcess> {
  const named = instances.map(({ protocol, version, port }) => `${protocol}:${version}:${port}`);
  return new Promise((done, failed) => {
    const { file, execArgv } = ownProcess("scripts/samples/services.ts");
    const child = fork(file, [...(tls ? ["--tls"] : []), ...named], {
      execArgv,
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    child.once("message", () => done(child));
    child.once("exit", (code) => failed(new Error(`The sample services ended with exit code ${code}.`)));
  });
}

/** Where the clients connect: where the proxy wants TLS they have it outside of them. */
async function proxyPorts(bootstrap: Bootstrap, port: number): Promise<ProxyPorts> {
  const tls = rpcListener(bootstrap).filter_chains.some((chain) => chain.transport_socket);
  if (!tls) return { rpc: port, http1: port, http2: port };
  const [rpc, http1, http2] = await Promise.all([undefined, "http/1.1", "h2"].map((alpn) => tlsClient(port, alpn)));
  return { rpc, http1, http2 };
}

/** Waits for the health checks: the first may fail while Envoy is busy starting. What stays ill shows in the calls. */
async function untilHealthy(envoy: EnvoyProcess): Promise<void> {
  const deadline = Date.now() + HEALTH_LIMIT_MS;
  while ((await envoy.waitingClusters()).length > 0 && Date.now() < deadline) await sleep(TICK_MS);
}

function callTable(traffic: Traffic): string[] {
  const rows = traffic
    .rows()
    .map((row) => [
      row.protocol,
      row.service,
      row.method,
      row.version,
      String(row.ok),
      String(row.errors),
      `${row.p50.toFixed(1)} ms`,
      `${row.p99.toFixed(1)} ms`,
    ]);
  const lines = table(["protocol", "service", "method", "version", "ok", "errors", "p50", "p99"], rows);
  return traffic.lastError ? [...lines, `last error: ${traffic.lastError}`] : lines;
}

/** The module's own counters, for a run without samples. */
async function counterTable(envoy: EnvoyProcess): Promise<string[]> {
  const stats = [...(await envoy.stats("moe\\."))].filter(([, value]) => value > 0);
  if (stats.length === 0) return ["No calls yet."];
  return table(
    ["counter", "value"],
    stats.map(([name, value]) => [name, String(value)]),
  );
}

/** One round of calls; whether all were answered. */
async function once(traffic: Traffic): Promise<boolean> {
  for (let made = 0; made < CALLS_ONCE; made += CALLS_AT_ONCE) await traffic.round(CALLS_AT_ONCE);
  const errors = traffic.rows().reduce((sum, row) => sum + row.errors, 0);
  for (const line of callTable(traffic)) say(line);
  say(`${CALLS_ONCE - errors} of ${CALLS_ONCE} calls answered`);
  return errors === 0;
}

/** Throws where Envoy has ended, and says how. */
function checkEnvoy(envoy: EnvoyProcess): void {
  if (envoy.ended) throw new Error(`Envoy ended (${envoy.ended}):\n${envoy.complaints().join("\n")}`);
}

/** Where traps of the bootstrap's module are, if it was built for debugging. */
function placesOf({ bootstrap, cwd }: Input): Places {
  const module = resolve(cwd, pluginConfigs(bootstrap)[0]?.vm_config?.code?.local?.filename ?? "");
  return new Places(`${module}.map`, projectFolder() ?? cwd);
}

/** Calls and shows, until `stopped` or Envoy's end. */
async function live(envoy: EnvoyProcess, traffic: Traffic | undefined, places: Places): Promise<void> {
  let logged = envoy.log.length;
  while (!stopped) {
    checkEnvoy(envoy);
    for (; logged < envoy.log.length; logged++) say(places.named(envoy.log[logged]));
    await Promise.all([traffic?.round(CALLS_AT_ONCE), sleep(TICK_MS)]);
    if (stopped || envoy.ended) continue;
    // While Envoy goes down its admin page fails first.
    const lines = traffic ? callTable(traffic) : await counterTable(envoy).catch(() => undefined);
    if (lines && !stopped) view.draw(lines);
  }
}

let stopped = false;
/** What to end, the last first; also when a signal comes while things are being started. */
const toEnd: (() => unknown)[] = [];

async function endAll(): Promise<void> {
  for (let end = toEnd.pop(); end !== undefined; end = toEnd.pop()) await end();
}

/** Ends everything on a signal, and when npm, which started this, is gone without passing one on. */
function endWithSignals(): void {
  const stop = () => {
    stopped = true;
    void endAll().finally(() => process.exit());
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
  const parent = process.ppid;
  if (process.env.npm_lifecycle_event === undefined) return;
  setInterval(() => process.ppid !== parent && stop(), TICK_MS).unref();
}

/** Starts a project's own servers, which say when they listen, unless one of them is there already. */
async function startOwnServers(script: string): Promise<void> {
  const child = fork(script, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  toEnd.push(() => child.removeAllListeners("exit").kill());
  await new Promise<void>((done, failed) => {
    child.once("message", () => done());
    child.once("exit", (code) =>
      failed(new Error(`${shown(script)} ended with exit code ${code}; --no-samples leaves it out.`)),
    );
  });
  say(`Servers: ${shown(script)}`);
}

/** The servers of a project, for its own bootstrap; undefined: there are none. */
function ownServers(file: string): string | undefined {
  const project = projectFolder();
  if (project === undefined || file !== resolve(project, "envoy.yaml")) return undefined;
  const script = resolve(project, "samples/servers.js");
  return existsSync(script) ? script : undefined;
}

/** Starts the servers behind the bootstrap that it names and that are not there; whether calls can be made. */
async function startServers(bootstrap: Bootstrap, instances: Instance[], own: boolean): Promise<boolean> {
  if (!hasRpc(bootstrap)) {
    toEnd.push(await startEchoes(await freeOnes(echoAddresses(bootstrap), own, say)));
    return false;
  }
  const missing = missingClients();
  if (missing !== "") {
    say(`No sample services and no calls: they need packages that are not installed. npm install ${missing}`);
    return false;
  }
  const free = await freeOnes(instances, own, say);
  if (free.length > 0) {
    const samples = await startSamples(free, upstreamTls(bootstrap));
    toEnd.push(() => samples.removeAllListeners("exit").kill());
  }
  if (free.length === INSTANCES.length) return true;
  say("No calls are made: they need all of the sample services, at the ports of the clusters.");
  return false;
}

/** Where Envoy takes what. */
function reach(bootstrap: Bootstrap, envoy: EnvoyProcess): string {
  const what = hasRpc(bootstrap) ? "calls of all protocols" : "HTTP requests";
  if (bootstrap.static_resources.listeners.length === 1) return `Envoy takes ${what} on port ${envoy.port}`;
  return `Envoy listens: ${[...envoy.ports].map(([name, port]) => `${name} on port ${port}`).join(", ")}`;
}

/** Starts everything, and calls and shows until the end. */
async function start(file: string, samples: boolean, options: Options): Promise<void> {
  const input = prepare(file, options);
  const { bootstrap, cwd } = input;
  const instances = await setPorts(bootstrap, options);
  await checkPorts(bootstrap);
  const binary = await findEnvoy(say);
  provideFiles(input);

  const servers = ownServers(file);
  if (servers !== undefined && options.samples !== false) await startOwnServers(servers);
  const calls = samples && (await startServers(bootstrap, instances, !isShipped(file)));
  if (stopped) return;
  const envoy = await EnvoyProcess.start({ binary, bootstrap, cwd, logLevel: options.logLevel });
  toEnd.push(() => envoy.stop());
  if (stopped) return;
  say(`${reach(bootstrap, envoy)}; its admin page is http://127.0.0.1:${envoy.adminPort}`);
  say(`Configuration: ${shown(file)}.${options.once ? "" : " Ctrl-C ends it."}`);
  let traffic: Traffic | undefined;
  if (calls) {
    await untilHealthy(envoy);
    const { Traffic } = await import("./samples/traffic.ts");
    traffic = await Traffic.connect(await proxyPorts(bootstrap, envoy.port));
  }
  if (!options.once) return live(envoy, traffic, placesOf(input));
  if (traffic === undefined) {
    say("--once made no call: calls are those of the sample services, which do not run.");
    process.exitCode = NO_CALLS;
    return;
  }
  const good = await once(traffic);
  checkEnvoy(envoy);
  process.exitCode = good ? 0 : 1;
}

/** What `moe run` does. */
async function run(named: string | undefined, options: Options): Promise<void> {
  endWithSignals();
  try {
    const file = configFile(named ?? options.config);
    const samples = options.samples ?? (options.config !== undefined || isShipped(file));
    await start(file, samples, { ...options, host: options.host ?? (named === undefined ? "127.0.0.1" : undefined) });
  } catch (error) {
    say((error as Error).message);
    process.exitCode = FAILURE;
  }
  await endAll();
  // The RPC client's timers would keep the process alive.
  process.exit();
}

await runScript(import.meta, startCommand, "npm start --");
