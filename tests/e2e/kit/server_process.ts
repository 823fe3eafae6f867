import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { WAIT_MS, waitUntil } from "./wait.ts";

/** A request as a server process got it; the content as Latin-1 text. */
export interface RemoteArrival {
  connection: number;
  id: number;
  kind: string;
  content: string;
  at: number;
}

export interface ServerProcessOptions {
  /** As a RawBoltServer's. */
  name?: string;
  /** Default: chosen by the system. */
  port?: number;
  /** Answer nothing but heartbeats. Default: echo. */
  mute?: boolean;
  /** Connections that the kernel may hold until they are accepted. */
  backlog?: number;
}

/** A server in a process of its own, that can be frozen and killed: a RawBoltServer, or a sample service. */
export class ServerProcess {
  private readonly onExit = () => this.child.kill("SIGKILL");

  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {
    // A frozen process does not end with its parent by itself.
    process.once("exit", this.onExit);
  }

  static async start(options: ServerProcessOptions = {}): Promise<ServerProcess> {
    const child = fork(join(import.meta.dirname, "server_main.ts"), [JSON.stringify(options)]);
    const [{ port }] = (await once(child, "message")) as [{ port: number }];
    return new ServerProcess(child, port);
  }

  /** One of the sample services, e.g. `dubbo:v1`; it tells of no arrivals. */
  static async sample(service: string): Promise<ServerProcess> {
    const script = join(import.meta.dirname, "../../../scripts/samples/services.ts");
    const child = fork(script, [`${service}:0`], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    const [{ ports }] = (await once(child, "message")) as [{ ports: number[] }];
    return new ServerProcess(child, ports[0]);
  }

  /** What the server got so far. The process must not be frozen. */
  async arrivals(): Promise<RemoteArrival[]> {
    const answer = once(this.child, "message");
    this.child.send("arrivals");
    return ((await answer) as [{ arrivals: RemoteArrival[] }])[0].arrivals;
  }

  /** Waits until it has got so many requests. */
  async waitForRequests(count: number, ms = WAIT_MS): Promise<void> {
    let got = 0;
    await waitUntil(
      async () => (got = (await this.arrivals()).length) >= count,
      ms,
      () => `${got} of ${count} requests at port ${this.port}`,
    );
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
