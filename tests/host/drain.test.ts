// The release module in the host emulator: how a client connection that opens no server connection hears of a drain.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type BoltFrame, BoltStatus } from "./kit/bolt.ts";
import type { Host, SwitchboardClient, SwitchboardOptions } from "./kit/index.ts";
import { A, answers, call, world, type World } from "./proxy-world.ts";

/** Between two questions; a search for hosts, which opens server connections, comes every 10 s. */
const EVERY_MS = 2000;
/** How long the switchboard lets connections live on after it has told them. */
const DRAIN_MS = 600_000;

const isGoAway = ({ type, command }: BoltFrame): boolean => type === 1 && command === 100;

/** A client that has made its first call. */
async function start(options: Partial<SwitchboardOptions> = {}, config: object = {}): Promise<World> {
  const switchboard = { drainTimeoutMs: DRAIN_MS, ...options };
  const started = await world([A], { config: { goaway: true, drain_check_ms: EVERY_MS, ...config } }, { switchboard });
  calls(started.host, started.client, 500);
  return started;
}

/** Calls every 100 ms for so long; all are answered, but for go-aways the client gets nothing else. Returns those. */
function calls(host: Host, client: SwitchboardClient, ms: number): number {
  let goAways = 0;
  for (let at = 0; at < ms; at += 100) {
    client.write(call(1));
    host.advance(100);
    const frames = answers(client);
    goAways += frames.filter(isGoAway).length;
    const statuses = frames.filter((frame) => !isGoAway(frame)).map(({ status }) => status);
    assert.deepEqual(statuses, [BoltStatus.SUCCESS]);
  }
  return goAways;
}

describe("a client that has all its server connections", () => {
  for (const askedStatus of [304, 404] as const) {
    it(`hears of a drain by asking, answered with ${askedStatus}, and is closed in a pause`, async () => {
      const { host, cluster, client } = await start({ askedStatus });
      assert.equal(calls(host, client, 4000), 0);
      const { switchboard } = client;
      assert.ok(switchboard.questions >= 2, `${switchboard.questions} questions`);
      const connects: number = cluster.connects;
      switchboard.drain();
      const before = switchboard.questions;
      assert.equal(calls(host, client, EVERY_MS), 1, "told within the time between two questions");
      assert.equal(calls(host, client, 4000), 0, "served on, not told again");
      assert.equal(switchboard.questions, before + 1, "no question after the answer");
      assert.equal(client.closed, null);
      host.advance(2000);
      assert.equal(client.closed, "local");
      assert.equal(cluster.connects, connects, "no server connection was opened for it");
      host.close();
    });
  }

  it("asks with its own bytes only: silence costs nothing, the first call after it asks at once", async () => {
    const { host, client } = await start();
    calls(host, client, EVERY_MS);
    const before = client.switchboard.questions;
    host.advance(60_000);
    assert.equal(client.switchboard.questions, before);
    client.switchboard.drain();
    assert.equal(calls(host, client, 100), 1);
    host.close();
  });

  it("drain_check_ms 0: never asks", async () => {
    const { host, client } = await start({}, { drain_check_ms: 0 });
    calls(host, client, 5000);
    assert.equal(client.switchboard.questions, 0);
    host.close();
  });

  for (const [askedStatus, what] of [
    [200, "opens a connection for the question is not asked again"],
    [null, "does not answer is asked once"],
  ] as const) {
    it(`a switchboard that ${what}`, async () => {
      const { host, client } = await start({ askedStatus });
      calls(host, client, 4 * EVERY_MS);
      assert.equal(client.switchboard.questions, 1);
      host.close();
    });
  }

  it("a refused question does not keep it from asking again", async () => {
    const { host, client } = await start({ maxConcurrentStreams: 1 });
    calls(host, client, 4 * EVERY_MS);
    assert.ok(client.switchboard.questions >= 3, `${client.switchboard.questions} questions`);
    assert.equal(client.switchboard.opened.length, 1);
    host.close();
  });

  it("connections that begin together do not ask together", async () => {
    const { host } = await start();
    const clients = Array.from({ length: 50 }, () => host.connect());
    const asked = new Map<number, number>();
    for (let at = 0; at < 2 * EVERY_MS; at += 100) {
      for (const client of clients) client.write(call(1));
      host.advance(100);
      asked.set(
        at,
        clients.reduce((sum, { switchboard }) => sum + switchboard.questions, 0),
      );
    }
    const atOnce = [...asked.values()].map((sum, i, all) => sum - (all[i - 1] ?? 0));
    assert.ok(Math.max(...atOnce) <= 25, `${atOnce.join(" ")} questions at once`);
    assert.ok(clients.every(({ switchboard }) => switchboard.questions > 0));
    host.close();
  });
});
