import type { EnvoyProcess } from "../../../scripts/lib/envoy_process.ts";
import { WAIT_MS, waitUntil } from "./wait.ts";

/** What Envoy has read from the sockets of clients. */
const RECEIVED = "http.switchboard.downstream_cx_rx_bytes_total";

/**
 * Has `write` write to clients' connections and say how many bytes; returns when Envoy has read as many. Whatever is
 * written before must have been read, and nobody else may write meanwhile.
 */
export async function untilRead(envoy: EnvoyProcess, write: () => number): Promise<void> {
  const before = await envoy.stat(RECEIVED);
  const written = write();
  let read = 0;
  await waitUntil(
    async () => (read = (await envoy.stat(RECEIVED)) - before) >= written,
    WAIT_MS,
    () => `${read} of ${written} bytes were read`,
  );
}
