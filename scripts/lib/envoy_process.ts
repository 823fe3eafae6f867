// One running Envoy: start, log, admin page, stop.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Bootstrap, type SocketAddress, mainListener, writeBootstrap } from "./bootstrap.ts";
import { endWithUs } from "./orphans.ts";

export interface EnvoyOptions {
  /** Path of the Envoy binary. */
  binary: string;
  /** Ports of 0 are chosen by the system. */
  bootstrap: Bootstrap;
  /** Folder that relative paths of the bootstrap start from. */
  cwd: string;
  /** Worker threads; Envoy's default is one per core. */
  concurrency?: number;
  /** Default `warning`. */
  logLevel?: string;
  /** More command line arguments. */
  args?: string[];
}

/** Envoy did not start; the message says why, in the module's words where it spoke. */
export class EnvoyFailed extends Error {}

/** Log lines that Envoy writes about the module: `… wasm log NAME ROOT VM: MESSAGE`. */
const MODULE_LINE = /wasm log[^:]*: (.*)$/;
const SEVERE_LINE = /\]\[(critical|error)\]/;
const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 10_000;

export class EnvoyProcess {
  /** Everything Envoy has written so far, line by line. */
  readonly log: string[] = [];
  /** The port that clients use: the RPC listener's, or else the first one's. */
  port = 0;
  /** Ports of the listeners of the bootstrap, by name. */
  readonly ports = new Map<string, number>();
  adminPort = 0;
  private exited: string | undefined;

  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {
    for (const stream of [child.stdout, child.stderr]) this.collect(stream);
    child.once("error", (error) => (this.exited = error.message));
    child.once("exit", (code, signal) => (this.exited = signal ? `signal ${signal}` : `exit code ${code}`));
  }

  /** Starts Envoy and returns when it takes connections. Throws EnvoyFailed. */
  static async start(options: EnvoyOptions): Promise<EnvoyProcess> {
    const folder = mkdtempSync(join(tmpdir(), "moe-envoy-"));
    const file = join(folder, "envoy.yaml");
    const adminFile = join(folder, "admin");
    writeFileSync(file, writeBootstrap(options.bootstrap));
    const args = ["-c", file, "--admin-address-path", adminFile, "--disable-hot-restart"];
    args.push("--log-level", options.logLevel ?? "warning");
    if (options.concurrency !== undefined) args.push("--concurrency", String(options.concurrency));
    const child = spawn(options.binary, [...args, ...(options.args ?? [])], {
      cwd: options.cwd,
      stdio: ["ignore", "pipe", "pipe"],
    });
    endWithUs(child, folder);
    const envoy = new EnvoyProcess(child, folder);
    try {
      await envoy.waitUntilReady(adminFile, options.bootstrap);
      return envoy;
    } catch (error) {
      await envoy.stop();
      throw error;
    }
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** How the process ended; undefined while it runs. */
  get ended(): string | undefined {
    return this.exited;
  }

  /** GET of an admin page. Throws on any answer but 200. */
  async admin(path: string, method: "GET" | "POST" = "GET"): Promise<string> {
    const answer = await fetch(`http://127.0.0.1:${this.adminPort}${path}`, { method });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text;
  }

  /** Counters and gauges whose name matches the regular expression. */
  async stats(filter: string): Promise<Map<string, number>> {
    const text = await this.admin(`/stats?filter=${encodeURIComponent(filter)}`);
    const found = new Map<string, number>();
    for (const line of text.split("\n")) {
      const [, name, value] = /^(.+): (\d+)$/.exec(line) ?? [];
      if (name) found.set(name, Number(value));
    }
    return found;
  }

  /** One counter or gauge; 0 if there is none of that name. */
  async stat(name: string): Promise<number> {
    const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    return (await this.stats(`^${escaped}$`)).get(name) ?? 0;
  }

  /** Names of the clusters that have hosts, but no healthy one yet. */
  async waitingClusters(): Promise<string[]> {
    const members = await this.stats("^cluster\\..*\\.membership_(healthy|total)$");
    const names = [...members.keys()].flatMap((name) => /^cluster\.(.*)\.membership_total$/.exec(name)?.[1] ?? []);
    const count = (name: string, what: string) => members.get(`cluster.${name}.membership_${what}`) ?? 0;
    return names.filter((name) => count(name, "total") > 0 && count(name, "healthy") === 0);
  }

  /** Memory in use (bytes) and CPU time used so far (ms) of the process. */
  usage(): { rss: number; cpuMs: number } {
    const status = readFileSync(`/proc/${this.pid}/status`, "utf8");
    const rss = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
    // Fields 14 and 15 count hundredths of a second; the name in field 2 may hold spaces.
    const fields = readFileSync(`/proc/${this.pid}/stat`, "utf8").split(") ")[1].split(" ");
    return { rss, cpuMs: (Number(fields[11]) + Number(fields[12])) * 10 };
  }

  /** Ends Envoy with SIGTERM, with SIGKILL if it does not listen. */
  async stop(): Promise<void> {
    const deadline = Date.now() + STOP_LIMIT_MS;
    if (!this.exited) this.child.kill("SIGTERM");
    while (!this.exited) {
      if (Date.now() > deadline) this.child.kill("SIGKILL");
      await sleep(20);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What the log says about a failure: the module's own lines if there are any, else Envoy's severe ones. */
  complaints(): string[] {
    const own = this.log.map((line) => MODULE_LINE.exec(line)?.[1]).filter((text) => text !== undefined);
    const severe = this.log.filter((line) => SEVERE_LINE.test(line)).map(readable);
    // Every thread's VM says the same.
    const lines = [...new Set(own.length > 0 ? own : severe)];
    if (lines.length > 0) return lines;
    return this.log.length > 0 ? this.log.slice(-5) : ["it wrote nothing"];
  }

  private async waitUntilReady(adminFile: string, bootstrap: Bootstrap): Promise<void> {
    const deadline = Date.now() + START_LIMIT_MS;
    while (!(await this.isReady(adminFile))) {
      if (this.exited) throw new EnvoyFailed(`Envoy did not start (${this.exited}):\n${indent(this.complaints())}`);
      if (Date.now() > deadline) throw new EnvoyFailed(`Envoy is not ready after ${START_LIMIT_MS / 1000} s`);
      await sleep(30);
    }
    const page = JSON.parse(await this.admin("/listeners?format=json")) as ListenersPage;
    for (const status of page.listener_statuses) {
      const address = status.local_address?.socket_address;
      if (address) this.ports.set(status.name, address.port_value);
    }
    // Without any in the bootstrap they come from a discovery service.
    const main =
      bootstrap.static_resources.listeners.length > 0 ? mainListener(bootstrap).name : [...this.ports.keys()][0];
    this.port = this.ports.get(main) ?? 0;
  }

  private async isReady(adminFile: string): Promise<boolean> {
    try {
      this.adminPort = Number(readFileSync(adminFile, "utf8").split(":").pop());
      return (await this.admin("/ready")).startsWith("LIVE");
    } catch {
      return false;
    }
  }

  private collect(stream: NodeJS.ReadableStream | null): void {
    let rest = "";
    stream?.setEncoding("utf8");
    stream?.on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      this.log.push(...lines);
    });
    stream?.on("end", () => rest && this.log.push(rest));
  }
}

interface ListenersPage {
  listener_statuses: { name: string; local_address?: { socket_address?: SocketAddress } }[];
}

/**
 * A log line without time, process and source file. Of a refused configuration only what is wrong: Envoy adds its file and
 * often all that is in it, and spaces at random.
 */
function readable(line: string): string {
  const text = line.replace(/^(\[[^\]]*\])+ (\[[^\]]*\] )?/, "");
  const [, reason] = /^error `([^]*)` initializing config/.exec(text) ?? [];
  return reason === undefined ? text : reason.replace(/\): \{".*$/s, ")").replace(/\s+/g, " ");
}

function indent(lines: string[]): string {
  return lines.map((line) => `  ${line}`).join("\n");
}
