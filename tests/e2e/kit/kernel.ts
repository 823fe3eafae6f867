// What the kernel knows about bytes under way between two processes of this machine.
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { WAIT_MS, waitUntil } from "./wait.ts";

const ESTABLISHED = "01";

/**
 * Waits until the process that listens on `port` has read everything that these sockets have written to it: nothing is
 * in the kernel's queues any longer.
 */
export async function waitUntilRead(port: number, sockets: Socket[], ms = WAIT_MS): Promise<void> {
  const local = new Set(sockets.map((socket) => socket.localPort ?? 0));
  let unread = 0;
  await waitUntil(
    () => (unread = local.size - readConnections(port, local)) === 0,
    ms,
    () => `${unread} of ${local.size} connections have unread bytes`,
  );
}

/** How many of the connections between the port and the others have empty queues at both ends. */
function readConnections(port: number, others: Set<number>): number {
  const empty = new Map<number, number>();
  for (const line of readFileSync("/proc/net/tcp", "latin1").split("\n").slice(1)) {
    // sl local_address rem_address st tx_queue:rx_queue …, numbers in hex.
    const [, local, remote, state, queues] = line.trim().split(/\s+/);
    if (state !== ESTABLISHED) continue;
    const [from, to] = [local, remote].map((address) => parseInt(address.split(":")[1], 16));
    const other = from === port ? to : to === port ? from : 0;
    if (!others.has(other)) continue;
    const [unsent, unread] = queues.split(":");
    const done = from === port ? parseInt(unread, 16) === 0 : parseInt(unsent, 16) === 0;
    if (done) empty.set(other, (empty.get(other) ?? 0) + 1);
  }
  return [...empty.values()].filter((ends) => ends === 2).length;
}
