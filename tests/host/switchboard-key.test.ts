// The key that opens the switchboard: what Envoy's RBAC filter compares is there, and nobody could guess it.
import assert from "node:assert/strict";
import { it } from "node:test";
import { A, answers, B, call, world } from "./proxy-world.ts";

const KEY = /^[0-9a-f]{32}$/;

it("every CONNECT carries its connection's key, which Envoy has by then", async () => {
  const config = { drain_check_ms: 1000 };
  const { host, client } = await world([A, B], { config });
  client.write(call(1));
  host.advance(100);
  client.write(Buffer.concat([call(2), call(3)]));
  host.advance(2000);
  client.write(call(4));
  assert.deepEqual(
    answers(client).map(({ id }) => id),
    [1, 2, 3, 4],
  );
  assert.ok(client.switchboard.questions > 0, "it asks whether the switchboard drains");
  const { opened } = client.switchboard;
  assert.ok(opened.length > 1);
  const keys = opened.map(({ headers }) => headers["moe-key"]);
  for (const key of keys) assert.match(key, KEY);
  assert.equal(new Set(keys).size, 1);
  // The switchboard of the kit has compared each with the connection's.
  host.close();
});

it("connections have different keys, and nothing of them comes to peers", async () => {
  const { host, cluster, client } = await world();
  const other = host.connect();
  client.write(call(1));
  other.write(call(1));
  const [mine, theirs] = [client, other].map(({ switchboard }) => switchboard.opened[0].headers["moe-key"]);
  assert.notEqual(mine, theirs);
  const said = [client.take(), other.take(), ...cluster.calls.map(({ frame }) => Buffer.from(JSON.stringify(frame)))];
  for (const bytes of said) assert.ok(!bytes.includes(mine) && !bytes.includes(theirs));
  host.close();
});
