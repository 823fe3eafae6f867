// Calls out of the module for one request and its response on HTTP, by filter: they are what a filter costs.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { callsOf, startHttp } from "./http-world.ts";

const FILTERS = {
  fault: { delay: { fixed_delay: "1s", percentage: 0 } },
  ip_access: { default_action: "deny", ips: [{ action: "allow", addrs: ["127.0.0.0/8"] }] },
  payload_limit: { max_entity_size: 1000 },
  header_to_metadata: {
    request_rules: [
      { header: "zone", on_header_present: { key: "zone" }, remove: true },
      { header: "none", on_header_present: { key: "none" } },
    ],
  },
};

/** Calls by filter: the configuration of the route is one of them, whether it is there or not. */
const PINS: Record<keyof typeof FILTERS, Record<string, number>> = {
  fault: { proxy_get_property: 1 },
  ip_access: { proxy_get_property: 2 },
  // The headers tell that it is no upgrade.
  payload_limit: { proxy_get_property: 1, proxy_get_header_map_pairs: 1, proxy_get_buffer_bytes: 1 },
  header_to_metadata: {
    proxy_get_property: 1,
    proxy_get_header_map_pairs: 1,
    proxy_remove_header_map_value: 1,
    proxy_replace_header_map_value: 1,
  },
};

type Name = keyof typeof FILTERS;

async function count(names: Name[], routed: boolean): Promise<Record<string, number>> {
  const host = await startHttp(names.map((type) => ({ type, config: FILTERS[type] })));
  const metadata = { moe: Object.fromEntries(names.map((type) => [type, JSON.stringify(FILTERS[type])])) };
  if (routed) host.routes = () => ({ metadata });
  const request = () => assert.equal(host.request({ headers: { zone: "a" }, body: "body" }).status, 200);
  request(); // finds out what there is to find out, and has the counters told later
  const calls = callsOf(host, request);
  host.close();
  return calls;
}

describe("calls to Envoy", () => {
  for (const name of Object.keys(PINS) as Name[]) {
    for (const routed of [false, true]) {
      it(`of ${name}${routed ? ", configured by the route" : ""}`, async () => {
        assert.deepEqual(await count([name], routed), PINS[name]);
      });
    }
  }

  it("of all of them are their sum: none of the host's own", async () => {
    const sum: Record<string, number> = {};
    for (const pin of Object.values(PINS)) {
      for (const [call, times] of Object.entries(pin)) sum[call] = (sum[call] ?? 0) + times;
    }
    sum.proxy_get_header_map_pairs = 1; // read once for all
    assert.deepEqual(await count(Object.keys(PINS) as Name[], true), sum);
  });

  it("of a chain without filters: none", async () => {
    assert.deepEqual(await count([], false), {});
  });
});
