// The benchmark's child processes: echo servers and the load generator.
import { type ChildProcess, fork } from "node:child_process";
import { ownProcess } from "../../scripts/lib/package.ts";
import { HELD } from "./headers.ts";
import type { Load, Measured } from "./load.ts";
import type { LoadProtocol } from "./wire.ts";

/** A measurement that tells nothing, with the reason. */
export class VoidMeasurement extends Error {}

const running = new Set<ChildProcess>();

function start(file: string, ...args: string[]): ChildProcess {
  const script = ownProcess(`tests/bench/${file}`);
  const child = fork(script.file, args, { execArgv: script.execArgv });
  running.add(child);
  child.once("exit", () => running.delete(child));
  return child;
}

/** Ends all of them: they would keep this process alive. */
export function endChildren(): void {
  for (const child of running) child.kill("SIGKILL");
}
process.once("exit", endChildren);

function nextMessage<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`a child process of the benchmark ended with ${code}`));
    child.once("exit", ended);
    child.once("message", (message) => {
      child.removeListener("exit", ended);
      resolve(message as T);
    });
  });
}

/** Starts an echo server; returns its port. It ends with this process. */
export async function startEcho(protocol: LoadProtocol): Promise<number> {
  return nextMessage<number>(protocol === "http" ? start("http_echo.ts") : start("echo.ts", protocol));
}

/** A generator that stays warm between measurements. It ends with this process at the latest. */
export class Generator {
  private readonly child = start("load.ts");

  /** Makes one measurement; where requests are to be held, once `held` says that they are. Throws VoidMeasurement. */
  async measure(load: Load, held: () => Promise<void>): Promise<Measured> {
    const measuring = nextMessage<Measured>(this.child);
    this.child.send(load);
    if (load.held) await Promise.race([held().then(() => this.child.send(HELD)), measuring]);
    const measured = await measuring;
    if (measured.failure) throw new VoidMeasurement(measured.failure);
    return measured;
  }

  end(): void {
    this.child.kill("SIGKILL");
  }
}
