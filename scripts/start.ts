// `npm start`: Envoy with the module, sample services and live traffic, until Ctrl-C.
import { type ChildProcess, fork } from "node:child_process";
import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Command, InvalidArgumentError, Option } from "commander";
import { build } from "./build.ts";
import { ensureCertificates } from "./certs.ts";
import { parse } from "yaml";
import {
  addStreamFilter,
  type Bootstrap,
  hasRpc,
  mainListener,
  pluginConfigs,
  readBootstrap,
  rpcListener,
  socketAddress,
  writeBootstrap,
} from "./lib/bootstrap.ts";
import { EnvoyProcess } from "./lib/envoy_process.ts";
import { DEFAULT_VERSION, findEnvoy } from "./lib/envoy.ts";
import { isFree } from "./lib/ports.ts";
import { LiveView, table } from "./lib/table.ts";
import { echoAddresses, startEchoes } from "./samples/echo.ts";
import { INSTANCES } from "./samples/hello.ts";
import { tlsClient } from "./samples/tls.ts";
import { type ProxyPorts, Traffic } from "./samples/traffic.ts";

const root = resolve(import.meta.dirname, "..");
const CALLS_ONCE = 200;
const CALLS_AT_ONCE = 10;
const TICK_MS = 250;
const HEALTH_LIMIT_MS = 15_000;

interface Options {
  config: string;
  samples: boolean;
  once?: boolean;
  port?: number;
  adminPort?: number;
  /** Stream filters, by type. */
  filter: Record<string, unknown>;
  logLevel?: string;
}

const view = new LiveView();
const say = (line: string) => view.say(line);

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new InvalidArgumentError("Expected 1 to 65535.");
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

function parseOptions(): Options {
  return new Command("npm start --")
    .description(
      "Starts Envoy with the module and sample services, and shows live calls (SOFARPC, Dubbo, HTTP, gRPC, all on one port) " +
        "until Ctrl-C.",
    )
    .option("--config <file>", "Envoy bootstrap; envoy/tls.yaml and envoy/http.yaml are others", "envoy/envoy.yaml")
    .option("--no-samples", "no sample services and no calls; shows the module's counters")
    .option("--once", `one round of ${CALLS_ONCE} calls; exit code 0 if all were answered`)
    .option("--filter <type: config>", "a stream filter before the others, in YAML; may be repeated", parseFilter, {})
    .option("--log-level <level>", "Envoy's log level; info shows what filters log at that level")
    .addOption(new Option("--port <port>", "listener's port, not the file's").env("MOE_PORT").argParser(parsePort))
    .addOption(
      new Option("--admin-port <port>", "Envoy's admin port, not the file's")
        .env("MOE_ADMIN_PORT")
        .argParser(parsePort),
    )
    .addHelpText(
      "after",
      `
Envoy is $ENVOY_BIN; else envoy on the PATH; else version ${DEFAULT_VERSION} or $ENVOY_VERSION, fetched once into
$MOE_CACHE (by default below ~/.cache). The sample services take ports ${INSTANCES.map(({ port }) => port).join(", ")}.`,
    )
    .parse()
    .opts<Options>();
}

/** The configuration's file: below the user's folder, or else the project's. */
function configFile({ config }: Options): string {
  const file = [process.env.INIT_CWD ?? ".", root].map((folder) => resolve(folder, config)).find(existsSync);
  if (!file) throw new Error(`${config} does not exist.`);
  return file;
}

/** The bootstrap with the wanted ports. */
function prepare(file: string, options: Options): Bootstrap {
  const bootstrap = readBootstrap(file);
  // Without an admin page nobody could tell when Envoy is ready.
  bootstrap.admin ??= { address: { socket_address: { address: "127.0.0.1", port_value: 9901 } } };
  for (const [type, config] of Object.entries(options.filter).reverse()) {
    addStreamFilter(bootstrap, type, config ?? {});
  }
  if (options.port) socketAddress(mainListener(bootstrap)).port_value = options.port;
  if (options.adminPort) socketAddress(bootstrap.admin).port_value = options.adminPort;
  return bootstrap;
}

/** Envoy itself would share a busy port with another Envoy, without a word. */
async function checkPorts(bootstrap: Bootstrap, options: Options): Promise<void> {
  const listener = socketAddress(mainListener(bootstrap));
  const wanted = [{ ...listener, help: "Choose another one with --port." }];
  if (bootstrap.admin) {
    wanted.push({ ...socketAddress(bootstrap.admin), help: "Choose another one for Envoy's admin with --admin-port." });
  }
  const samples = hasRpc(bootstrap) ? INSTANCES : echoAddresses(bootstrap);
  for (const { port } of options.samples ? samples : []) {
    wanted.push({ address: "0.0.0.0", port_value: port, help: "The sample services need it; or use --no-samples." });
  }
  for (const { address, port_value, help } of wanted) {
    if (!(await isFree(port_value, address))) throw new Error(`Port ${port_value} is in use. ${help}`);
  }
}

/** Makes what the bootstrap names below build/: our own module, the certificates. Another module must be there. */
function provideFiles(bootstrap: Bootstrap): void {
  if (writeBootstrap(bootstrap).includes("build/certs/")) ensureCertificates();
  const module = pluginConfigs(bootstrap)[0]?.vm_config.code.local?.filename;
  if (!module) return;
  const file = resolve(root, module);
  if (file === resolve(root, "build/moe.wasm")) build("release", say);
  if (!existsSync(file)) throw new Error(`The module ${module} is missing. npm run build makes build/moe.wasm.`);
}

function upstreamTls(bootstrap: Bootstrap): boolean {
  return bootstrap.static_resources.clusters.some((cluster) => cluster.transport_socket);
}

/** Starts the sample services in a process of their own and returns when they listen. */
function startSamples(tls: boolean): Promise<ChildProcess> {
  return new Promise((done, failed) => {
    const child = fork(resolve(root, "scripts/samples/services.ts"), tls ? ["--tls"] : [], {
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

/** Calls and shows, until `stopped` or Envoy's end. */
async function live(envoy: EnvoyProcess, traffic: Traffic | undefined, stopped: () => boolean): Promise<boolean> {
  let logged = envoy.log.length;
  while (!stopped()) {
    if (envoy.ended) throw new Error(`Envoy ended (${envoy.ended}):\n${envoy.complaints().join("\n")}`);
    for (; logged < envoy.log.length; logged++) say(envoy.log[logged]);
    await Promise.all([traffic?.round(CALLS_AT_ONCE), sleep(TICK_MS)]);
    if (!stopped()) view.draw(traffic ? callTable(traffic) : await counterTable(envoy));
  }
  return true;
}

async function main(): Promise<void> {
  const options = parseOptions();
  const file = configFile(options);
  const bootstrap = prepare(file, options);
  await checkPorts(bootstrap, options);
  const binary = await findEnvoy(say);
  provideFiles(bootstrap);

  let stopped = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => (stopped = true));
  const isRpc = hasRpc(bootstrap);
  const samples = options.samples && isRpc ? await startSamples(upstreamTls(bootstrap)) : undefined;
  const stopEchoes = options.samples && !isRpc ? await startEchoes(echoAddresses(bootstrap)) : undefined;
  let envoy: EnvoyProcess | undefined;
  let traffic: Traffic | undefined;
  try {
    envoy = await EnvoyProcess.start({ binary, bootstrap, cwd: root, logLevel: options.logLevel });
    say(
      `Envoy takes ${isRpc ? "calls of all protocols" : "HTTP requests"} on port ${envoy.port}; its admin page is http://127.0.0.1:${envoy.adminPort}`,
    );
    say(`Configuration: ${relative(process.cwd(), file)}.${options.once ? "" : " Ctrl-C ends it."}`);
    if (samples) {
      await untilHealthy(envoy);
      traffic = await Traffic.connect(await proxyPorts(bootstrap, envoy.port));
    }
    const good = options.once
      ? traffic === undefined || (await once(traffic))
      : await live(envoy, traffic, () => stopped);
    process.exitCode = good ? 0 : 1;
  } finally {
    await envoy?.stop();
    samples?.removeAllListeners("exit").kill();
    stopEchoes?.();
  }
}

main()
  .catch((error: Error) => {
    say(error.message);
    process.exitCode = 1;
  })
  // The RPC client's timers would keep the process alive.
  .finally(() => process.exit());
