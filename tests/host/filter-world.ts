// What the tests of filters that do what a test says share: the guest `filters`, a client and a cluster.
import assert from "node:assert/strict";
import * as bolt from "./kit/bolt.ts";
import { compileGuest } from "./kit/index.ts";
import { A, answers, call, world, type World } from "./proxy-world.ts";

const module = await compileGuest("filters", ["assembly", "filters"]);

/** What a filter does, by phase; see guests/filters.ts. */
export interface Script {
  only?: string;
  blind?: boolean;
  every?: number;
  BEFORE_ROUTE?: string[];
  AFTER_ROUTE?: string[];
  AFTER_CHOOSE_HOST?: string[];
  BEFORE_SEND?: string[];
  ACCESS_LOG?: string[];
  resume?: string[];
}

export interface Setting {
  /** Filters a, b, c, … */
  filters: Script[];
  /** The routes; by default one to the cluster `upstream`. */
  routers?: object[];
  /** Other fields of the configuration. */
  config?: object;
  hosts?: string[];
}

export const toUpstream = (action: object = {}): object => ({ route: { cluster_name: "upstream", ...action } });

export async function start({ filters, routers = [toUpstream()], config, hosts = [A] }: Setting): Promise<World> {
  const chain = filters.map((script, i) => ({ type: "script", config: { name: "abcdef"[i], ...script } }));
  return world(hosts, {
    module,
    config: { stream_filters: chain, router: { virtual_hosts: [{ domains: ["*"], routers }] }, ...config },
  });
}

/** Calls of filters since the last time, as the guest logs them. */
export function calls({ host }: World): string[] {
  return host.log.lines.splice(0).map(({ text }) => text);
}

/** The calls without what the filters saw: "a0 b0 a1 …". */
export const order = (all: World): string =>
  calls(all)
    .map((text) => text.split(" ")[0])
    .join(" ");

export const request = (
  id: number,
  method: string,
  headers: bolt.Headers = [],
  options: bolt.RequestOptions = {},
): Buffer => call(id, { headers: [["service", "s:1.0"], ["sofa_head_method_name", method], ...headers], ...options });

/** Sends requests, lets time pass, and returns the answers. */
export function exchange({ host, client }: World, frame: Buffer, ms = 40): bolt.BoltFrame[] {
  client.write(frame);
  host.advance(ms);
  return answers(client);
}

/** Nothing is under way, nothing was left behind. */
export function close({ host, client }: World): void {
  if (client.closed === null) client.fin();
  host.advance(1000);
  assert.equal(host.metrics.gauge("moe.bolt.active"), 0, "active requests");
  assert.equal(host.vm.tickPeriod(), 0, "ticks");
  host.close();
}
