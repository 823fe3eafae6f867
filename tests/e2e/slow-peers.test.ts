// A slice of `npm run slow-peers`.
import assert from "node:assert/strict";
import { it } from "node:test";
import { slowPeers } from "../slow/run.ts";

const MIB = 1 << 20;

it("peers that do not read: senders are held back, memory stays within the bound, neighbours are served", async (t) => {
  const found = await slowPeers(t, { clients: 10, watchMs: 300, concurrency: 2 });
  const [, deafClients, deafServers] = found;
  assert.ok(deafClients.heldBack > 10 * MIB, `servers held back ${deafClients.heldBack} bytes`);
  assert.ok(deafServers.heldBack > 10 * MIB, `clients held back ${deafServers.heldBack} bytes`);
  for (const { name, calls } of found) assert.ok(calls > 0, name);
});
