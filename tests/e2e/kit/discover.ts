// The process `discover` beside an Envoy that follows its folder.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "../../../scripts/build.ts";
import { type Bootstrap, readBootstrap, socketAddress } from "../../../scripts/lib/bootstrap.ts";
import type { EnvoyProcess } from "../../../scripts/lib/envoy_process.ts";
import { runEnvoy, type RunOptions } from "./envoy.ts";
import type { Scope } from "./scope.ts";
import { WAIT_MS, waitUntil } from "./wait.ts";

const root = resolve(import.meta.dirname, "../../..");

/** A running `discover`. */
export class DiscoverProcess {
  /** Lines of its log. */
  readonly log: string[] = [];
  /** How it ended; undefined while it runs. */
  ended: number | string | undefined;

  private constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      let rest = "";
      stream?.setEncoding("utf8").on("data", (text: string) => {
        const lines = (rest + text).split("\n");
        rest = lines.pop() ?? "";
        this.log.push(...lines);
      });
    }
    child.once("exit", (code, signal) => (this.ended = code ?? signal ?? "?"));
  }

  /** Starts it for as long as the scope lasts. */
  static start(scope: Scope, args: string[], env: Record<string, string> = {}): DiscoverProcess {
    const script = join(root, "scripts/discover.ts");
    const child = spawn(process.execPath, ["--import", "tsx", script, ...args], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, INIT_CWD: root, ...env },
    });
    const self = new DiscoverProcess(child);
    scope.after(() => self.kill("SIGKILL"));
    return self;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Sends the signal; resolves when the process has ended. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    if (this.ended === undefined) this.child.kill(signal);
    await waitUntil(
      () => this.ended !== undefined,
      WAIT_MS,
      () => `running after ${signal}`,
    );
  }

  /** Waits for a line of its log. */
  async says(pattern: RegExp): Promise<void> {
    await waitUntil(
      () => this.log.some((line) => pattern.test(line)),
      WAIT_MS,
      () => `no line like ${pattern} in\n${this.log.join("\n")}`,
    );
  }
}

/** Starts an Envoy that follows the folder, with the bootstrap that `discover --bootstrap` has written there. */
export async function envoyOf(scope: Scope, folder: string, options: RunOptions = {}): Promise<EnvoyProcess> {
  build("release");
  const file = join(folder, "envoy.yaml");
  await waitUntil(
    () => existsSync(join(folder, "module", "module.json")),
    WAIT_MS,
    () => `no module.json in ${folder}`,
  );
  const bootstrap: Bootstrap = readBootstrap(file);
  for (const listener of bootstrap.static_resources.listeners)
    Object.assign(socketAddress(listener), { port_value: 0 });
  if (bootstrap.admin) socketAddress(bootstrap.admin).port_value = 0;
  return runEnvoy(scope, bootstrap, options);
}
