import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { ServerProcess } from "./server_process.ts";

const MAX_FILLERS = 64;
const STALL_MS = 300;

/** A port where a connect gets no answer at all: its process is frozen and its accept queue full. */
export interface FullBacklog {
  port: number;
  close(): Promise<void>;
}

/** Starts a server with the shortest backlog, and makes it one of those. */
export async function fullBacklog(): Promise<FullBacklog> {
  const server = await ServerProcess.start({ backlog: 1 });
  const unfill = await fillBacklog(server);
  return {
    port: server.port,
    close: async () => {
      unfill();
      await server.kill();
    },
  };
}

/**
 * Freezes a server that has a short backlog and fills its accept queue until a connect stalls; returns what ends the
 * connections that fill it.
 */
export async function fillBacklog(server: ServerProcess): Promise<() => void> {
  server.freeze();
  const fillers: Socket[] = [];
  const unfill = () => fillers.forEach((filler) => filler.destroy());
  while (fillers.length < MAX_FILLERS) {
    const filler = connect({ port: server.port, host: "127.0.0.1" });
    filler.on("error", () => {});
    fillers.push(filler);
    const connected = once(filler, "connect").then(() => true);
    if (!(await Promise.race([connected, sleep(STALL_MS, false)]))) return unfill;
  }
  unfill();
  throw new Error(`the backlog took ${MAX_FILLERS} connections and is not full`);
}
