import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** A request as a server process got it; the content as Latin-1 text. */
export interface RemoteArrival {
  connection: number;
  id: number;
  kind: string;
  content: string;
  at: number;
}

/** An echoing RawBoltServer in a process of its own, that can be frozen and killed. */
export class ServerProcess {
  private readonly onExit = () => this.child.kill("SIGKILL");

  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {
    // A frozen process does not end with its parent by itself.
    process.once("exit", this.onExit);
  }

  static async start(name = "process"): Promise<ServerProcess> {
    const child = fork(join(import.meta.dirname, "server_main.ts"), [name]);
    const [{ port }] = (await once(child, "message")) as [{ port: number }];
    return new ServerProcess(child, port);
  }

  /** What the server got so far. The process must not be frozen. */
  async arrivals(): Promise<RemoteArrival[]> {
    const answer = once(this.child, "message");
    this.child.send("arrivals");
    return ((await answer) as [{ arrivals: RemoteArrival[] }])[0].arrivals;
  }

  /** SIGSTOP: the kernel still takes connections and bytes, nobody answers. */
  freeze(): void {
    this.child.kill("SIGSTOP");
  }

  /** SIGCONT. */
  thaw(): void {
    this.child.kill("SIGCONT");
  }

  /** SIGKILL: the kernel closes its connections. */
  async kill(): Promise<void> {
    process.removeListener("exit", this.onExit);
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await gone;
  }
}
