import { fork } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { join } from "node:path";

const MAX_FILLERS = 64;
const STALL_MS = 300;

/** A port where a connect gets no answer at all: its process is frozen and its accept queue full. */
export interface FullBacklog {
  port: number;
  close(): Promise<void>;
}

/** Fills the accept queue of a frozen listener until a connect stalls. */
export async function fullBacklog(): Promise<FullBacklog> {
  const child = fork(join(import.meta.dirname, "backlog_main.ts"));
  const [port] = (await once(child, "message")) as [number];
  // A frozen process does not end with its parent by itself.
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  child.kill("SIGSTOP");
  const fillers: Socket[] = [];
  const close = async () => {
    for (const filler of fillers) filler.destroy();
    process.removeListener("exit", kill);
    const gone = once(child, "exit");
    kill();
    await gone;
  };
  while (fillers.length < MAX_FILLERS) {
    const filler = connect({ port, host: "127.0.0.1" });
    filler.on("error", () => {});
    fillers.push(filler);
    const connected = once(filler, "connect").then(() => true);
    if (!(await Promise.race([connected, sleep(STALL_MS, false)]))) return { port, close };
  }
  await close();
  throw new Error(`the backlog took ${MAX_FILLERS} connections and is not full`);
}
