import { setTimeout as sleep } from "node:timers/promises";

/** How long things may take by default, milliseconds: a loaded machine is slow. */
export const WAIT_MS = 20_000;

/** Waits until the condition holds; after `ms` throws and says what was there instead. */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  ms: number,
  state: () => string,
): Promise<void> {
  const deadline = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`after ${ms} ms still: ${state()}`);
    await sleep(5);
  }
}

/** Waits until a number has stood still for `quietMs`, and returns it. Throws after `ms`. */
export async function waitUntilStill(read: () => number, quietMs: number, ms = WAIT_MS): Promise<number> {
  let last = read();
  let since = Date.now();
  const isStill = () => {
    const value = read();
    if (value !== last) since = Date.now();
    last = value;
    return Date.now() - since >= quietMs;
  };
  await waitUntil(isStill, ms, () => `moving, now ${last}`);
  return last;
}
