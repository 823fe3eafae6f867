// The neighbour of peers that misbehave: real calls, one after the other, and how long they take.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Scope } from "../e2e/kit/scope.ts";
import type { Watch, Watched } from "./neighbour_main.ts";

/** The neighbour, and a server of its own, in a process of their own. */
export class Neighbour {
  private constructor(
    private readonly child: ChildProcess,
    /** Port of its server. */
    readonly port: number,
  ) {}

  static async start(scope: Scope): Promise<Neighbour> {
    const child = fork(new URL("neighbour_main.ts", import.meta.url), [], { execArgv: ["--import", "tsx"] });
    scope.after(() => child.kill("SIGKILL"));
    const [port] = (await once(child, "message")) as [number];
    return new Neighbour(child, port);
  }

  /** Makes calls through Envoy for so long. Throws when one is not answered as it should be. */
  async watch(port: number, ms: number): Promise<Watched> {
    const answer = once(this.child, "message");
    this.child.send({ port, ms } satisfies Watch);
    const [watched] = (await answer) as [Watched];
    if (watched.failure !== undefined) throw new Error(watched.failure);
    return watched;
  }
}
