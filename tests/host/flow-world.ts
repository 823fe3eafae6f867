// What the tests of flowControlFilter in the host emulator share.
import assert from "node:assert/strict";
import { BoltStatus as Status, type RequestOptions } from "./kit/bolt.ts";
import type { Host, SwitchboardClient } from "./kit/index.ts";
import { answers, call, world, type World } from "./proxy-world.ts";

export const RESOURCE = "com.example.Hello:1.0";
export const BUSY = Status.SERVER_THREADPOOL_BUSY;

export const filter = (rules: object) => ({
  stream_filters: [{ type: "flowControlFilter", config: { app_name: "test", global_switch: true, ...rules } }],
  router: { virtual_hosts: [{ domains: ["*"], routers: [{ route: { cluster_name: "upstream" } }] }] },
});

export const limit = (threshold: number, more: object = {}) => ({
  rules: [{ resource: RESOURCE, threshold, ...more }],
});

export const isolate = (resource: string, threshold = 1): object => ({
  isolation_rules: [{ resource, match: "regex", threshold }],
});

let lastId = 0;

/** A request with an id of its own. */
export function next(options: RequestOptions = {}): Buffer {
  return call(++lastId, options);
}

/** The status of each answer that a client got since the last time. */
export const statuses = (client: SwitchboardClient): number[] => answers(client).map(({ status }) => status);

/** A module with so many workers, and one client of each. */
export async function start(workers: number, rules: object): Promise<World & { clients: SwitchboardClient[] }> {
  const all = await world(undefined, { config: filter(rules), workers });
  const clients = [all.client];
  for (let worker = 1; worker < workers; worker++) clients.push(all.host.connect({ worker }));
  // Each worker finds its server.
  for (const client of clients) client.write(next({ headers: [["service", "warm"]] }));
  all.host.advance(100);
  for (const client of clients) assert.deepEqual(statuses(client), [Status.SUCCESS]);
  // A second begins: windows are aligned to the clock.
  all.host.advance(1000 - (all.host.clock.nowMs % 1000));
  return { ...all, clients };
}

/** One request of each client after the other, `count` in all; how many pass and how many are blocked. */
export function send(
  { host }: World,
  clients: SwitchboardClient[],
  count: number,
): { passed: number; blocked: number } {
  for (let i = 0; i < count; i++) clients[i % clients.length].write(next());
  host.advance(8);
  const all = clients.flatMap(statuses);
  const [passed, blocked] = [Status.SUCCESS, BUSY].map((status) => all.filter((one) => one === status).length);
  assert.equal(passed + blocked, count);
  return { passed, blocked };
}

export function close({ host, clients }: { host: Host; clients: SwitchboardClient[] }): void {
  for (const client of clients) if (client.closed === null) client.fin();
  host.advance(2000);
  for (const gauge of ["concurrency", "queued"]) {
    assert.equal(Number(host.metrics.gauge(`moe.filter.flowControlFilter.${gauge}`)), 0, gauge);
  }
  assert.equal(host.vm.tickPeriod(), 0, "ticks");
  host.close();
}
