// MOSN as one more way to the servers: a binary that the user names, with a configuration that goes to the same servers.
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { endWithUs } from "../../scripts/lib/orphans.ts";
import { freePort } from "../../scripts/lib/ports.ts";
import type { Scope } from "../e2e/kit/scope.ts";
import { VoidMeasurement } from "./children.ts";
import { CLUSTER } from "./matrix.ts";
import type { Entry } from "./rounds.ts";
import type { Protocol } from "./wire.ts";

/** What `--mosn` and `--mosn-config` say. */
export interface Mosn {
  binary: string;
  /** MOSN's configuration; absent: one that does what the module does by default. */
  config?: string;
}

interface Listener {
  name: string;
  address: string;
  bind_port: boolean;
  [field: string]: unknown;
}

/** The part of MOSN's configuration that is set here; everything else is kept as it is. */
interface Config {
  servers?: { listeners?: Listener[]; [field: string]: unknown }[];
  cluster_manager?: { clusters?: { hosts?: unknown; [field: string]: unknown }[]; [field: string]: unknown };
  [field: string]: unknown;
}

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 5_000;
const POLL_MS = 50;
/** Lines of MOSN's output that an error shows. */
const LAST_LINES = 8;

/** What the module does by default: every request to one cluster, spread over its hosts; one thread for the work. */
function defaultConfig(protocol: Protocol): Config {
  const filter = {
    type: "proxy",
    config: { downstream_protocol: protocol, upstream_protocol: protocol, router_config_name: "bench" },
  };
  const match = { headers: [{ name: "service", value: ".*", regex: true }] };
  return {
    servers: [
      {
        processor: 1,
        routers: [
          {
            router_config_name: "bench",
            virtual_hosts: [{ name: "bench", domains: ["*"], routers: [{ match, route: { cluster_name: CLUSTER } }] }],
          },
        ],
        listeners: [{ name: "bench", address: "", bind_port: true, filter_chains: [{ filters: [filter] }] }],
      },
    ],
    cluster_manager: { clusters: [{ name: CLUSTER, type: "SIMPLE", lb_type: "LB_ROUNDROBIN", hosts: [] }] },
  };
}

function readConfig(file: string): Config {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Config;
  } catch (error) {
    throw new VoidMeasurement(`--mosn-config ${file}: ${(error as Error).message}`);
  }
}

/**
 * Points a configuration at the benchmark: its first listener takes connections at `port`, the others go, and all clusters
 * have the benchmark's servers as hosts. Logs and sockets go to `folder`. Throws VoidMeasurement where a part is missing.
 */
export function pointAt(config: Config, port: number, hosts: number[], folder: string): Config {
  const [server, ...servers] = config.servers ?? [];
  const listener = server?.listeners?.[0];
  const clusters = config.cluster_manager?.clusters ?? [];
  if (!server || !listener) throw new VoidMeasurement("--mosn-config: servers[0].listeners[0] is missing");
  if (clusters.length === 0) throw new VoidMeasurement("--mosn-config: cluster_manager.clusters is missing or empty");
  const own = { ...listener, address: `127.0.0.1:${port}`, bind_port: true };
  const logs = { default_log_path: join(folder, "mosn.log"), default_log_level: "ERROR" };
  const targets = hosts.map((host) => ({ address: `127.0.0.1:${host}`, weight: 1 }));
  return {
    ...config,
    close_graceful: true,
    pid: join(folder, "mosn.pid"),
    uds_dir: folder,
    admin: undefined,
    servers: [{ ...server, ...logs, listeners: [own] }, ...servers.map((each) => ({ ...each, listeners: [] }))],
    cluster_manager: { ...config.cluster_manager, clusters: clusters.map((each) => ({ ...each, hosts: targets })) },
  };
}

/** Throws VoidMeasurement where this is no file that can be run. */
export function checkBinary(binary: string): void {
  try {
    if (!statSync(binary).isFile()) throw new Error("it is no file");
    accessSync(binary, constants.X_OK);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "there is no such file" : code === "EACCES" ? "it is not executable" : message;
    throw new VoidMeasurement(`--mosn ${binary}: ${why}`);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

/** Starts MOSN and returns when it takes connections. It ends with the scope. Throws VoidMeasurement. */
export async function startMosn(scope: Scope, mosn: Mosn, protocol: Protocol, hosts: number[]): Promise<Entry> {
  checkBinary(mosn.binary);
  const folder = mkdtempSync(join(tmpdir(), "moe-mosn-"));
  scope.after(() => rmSync(folder, { recursive: true, force: true }));
  const port = await freePort();
  const config = mosn.config === undefined ? defaultConfig(protocol) : readConfig(mosn.config);
  // Its own folder: MOSN writes logs to the one beside that of its configuration.
  mkdirSync(join(folder, "conf"));
  const file = join(folder, "conf", "mosn.json");
  writeFileSync(file, JSON.stringify(pointAt(config, port, hosts, folder), null, 2));

  const child = spawn(mosn.binary, ["start", "-c", file], { stdio: ["ignore", "pipe", "pipe"] });
  endWithUs(child, folder);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (output += data.toString()));
  let ended: string | undefined;
  child.once("error", (error) => (ended = error.message));
  child.once("exit", (code, signal) => (ended ??= signal ? `signal ${signal}` : `exit code ${code}`));
  scope.after(() => stop(child, () => ended !== undefined));

  const failed = (what: string) => {
    const lines = output
      .split("\n")
      .filter((line) => line.trim() !== "")
      .slice(-LAST_LINES);
    return new VoidMeasurement([`--mosn ${mosn.binary} ${what}`, ...lines.map((line) => `  ${line}`)].join("\n"));
  };
  for (const deadline = Date.now() + START_LIMIT_MS; !(await accepts(port)); await sleep(POLL_MS)) {
    if (ended !== undefined) throw failed(`ended (${ended}) before it took connections:`);
    if (Date.now() > deadline) throw failed(`takes no connections after ${START_LIMIT_MS / 1000} s:`);
  }
  return { ports: [port], pid: child.pid ?? 0 };
}

async function stop(child: ChildProcess, isEnded: () => boolean): Promise<void> {
  child.kill("SIGTERM");
  for (const deadline = Date.now() + STOP_LIMIT_MS; !isEnded(); await sleep(POLL_MS)) {
    if (Date.now() > deadline) child.kill("SIGKILL");
  }
}
