// What the tests of filters on HTTP that do what a test says share: the guest `filters` with the root `http`.
import assert from "node:assert/strict";
import type { Script } from "./filter-world.ts";
import { startHttp } from "./http-world.ts";
import { compileGuest, type Host } from "./kit/index.ts";

const module = await compileGuest("filters", ["assembly", "filters"]);

export interface Setting {
  /** allow_on_headers_stop_iteration; default true. */
  allow?: boolean;
  /** Filters that look at bodies: of requests or responses, by their place. */
  types?: string[];
  /** Other fields of the configuration. */
  config?: object;
}

/** A host with scripted filters a, b, c, … */
export async function start(
  scripts: Script[],
  { allow = true, types = [], config: more }: Setting = {},
): Promise<Host> {
  const filters = scripts.map((script, i) => {
    return { type: types[i] ?? "script", config: { name: "abcdef"[i], ...script } };
  });
  const config = { stream_filters: filters, allow_on_headers_stop_iteration: allow, ...more };
  return startHttp([], { module, config, allow });
}

/** What the guest has logged since the last time. */
export const lines = (host: Host): string[] => host.log.lines.splice(0).map(({ text }) => text);

/** The calls of filters without what they saw: "a0 b0 a1 …". */
export const order = (host: Host): string =>
  lines(host)
    .filter((text) => text.includes(" h="))
    .map((text) => text.split(" ")[0])
    .join(" ");

/** What filters were told to show since the last time. */
export const shown = (host: Host): string[] =>
  lines(host).filter((text) => !text.includes(" h=") && !text.startsWith("moe-wasm: "));

/** Nothing is under way, nothing was left behind. */
export function close(host: Host): void {
  host.advance(1000);
  assert.equal(host.metrics.gauge("moe.http.active"), 0, "active requests");
  assert.equal(host.vm.tickPeriod(), 0, "ticks");
  host.close();
}
