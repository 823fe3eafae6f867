// Calls out of the module for one request and its response, on RPC and on HTTP, by filter: they are what a filter costs.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { callsOf, registered, startHttp } from "./http-world.ts";
import { answers, call, world } from "./proxy-world.ts";

/** Calls by name. */
type Calls = Record<string, number>;

interface Pin {
  /** A configuration that does something to the request, which all filters let pass. */
  config: object;
  /** The same on HTTP, where it is another one. */
  httpConfig?: object;
  /** Whether routes may configure it; default true. */
  perRoute?: boolean;
  /** What the filter adds on RPC; null: the root refuses it. */
  proxy: Calls | null;
  /** The same on HTTP, where reading the configuration of the route is one call, whether the route has one or not. */
  http: Calls | null;
}

/** Every filter of the module, with the calls that it adds to a request with the header `zone` and a body; gRPC on HTTP. */
const PINS: Record<string, Pin> = {
  dsl: {
    config: { after_router_by_dsl: 'ctx.add_request_header("x-dsl", request.headers["zone"])' },
    proxy: {},
    http: { proxy_get_property: 1, proxy_get_header_map_pairs: 1, proxy_replace_header_map_value: 1 },
  },
  dubbo_stream: {
    config: { protocols: ["bolt"] },
    perRoute: false,
    proxy: {},
    // It counts nothing there, and has to ask for the protocol; status and flags are read for every filter that logs.
    http: { proxy_get_header_map_pairs: 1, proxy_get_property: 2 },
  },
  fault_tolerance: { config: { enabled: true }, perRoute: false, proxy: {}, http: null },
  mirror: {
    config: { amplification: 1 },
    httpConfig: { cluster: "shadow", percent: 100 },
    proxy: {},
    // The route's configuration, the connection, headers, body; the copy is sent in the plugin's context.
    http: {
      proxy_get_property: 2,
      proxy_get_header_map_pairs: 1,
      proxy_get_buffer_bytes: 1,
      proxy_http_call: 1,
      proxy_set_effective_context: 2,
    },
  },
  grpc_metric: {
    config: {},
    perRoute: false,
    proxy: {},
    // Protocol and flags; headers of the request, headers and trailers of the response.
    http: { proxy_get_property: 2, proxy_get_header_map_pairs: 3 },
  },
  fault: {
    config: { delay: { fixed_delay: "1s", percentage: 0 } },
    proxy: {},
    http: { proxy_get_property: 1 },
  },
  flowControlFilter: {
    config: { global_switch: true, rules: [{ resource: ".", match: "regex", threshold: 1000 }] },
    // The time, of request and response; the record of the resource, known from the last time, is written; the response time.
    proxy: { clock_time_get: 2, proxy_set_shared_data: 1, proxy_record_metric: 1 },
    http: {
      clock_time_get: 2,
      proxy_get_property: 1,
      proxy_get_header_map_pairs: 1,
      proxy_set_shared_data: 1,
      proxy_record_metric: 1,
    },
  },
  header_to_metadata: {
    config: {
      request_rules: [
        { header: "zone", on_header_present: { key: "zone" }, remove: true },
        { header: "none", on_header_present: { key: "none" } },
      ],
    },
    proxy: {},
    http: {
      proxy_get_property: 1,
      proxy_get_header_map_pairs: 1,
      proxy_remove_header_map_value: 1,
      proxy_replace_header_map_value: 1,
    },
  },
  // Its body is no Hessian here.
  hessian_allowlist: { config: { mode: "report", responses: true }, proxy: {}, http: null },
  ip_access: {
    config: { default_action: "deny", ips: [{ action: "allow", addrs: ["127.0.0.0/8"] }] },
    proxy: {},
    http: { proxy_get_property: 2 },
  },
  // What a token costs is in its README: without rules only what clients may not say is looked for.
  jwt_authn: {
    config: { rules: [{ match: { prefix: "/" } }] },
    perRoute: false,
    proxy: {},
    http: {},
  },
  payload_limit: {
    config: { max_entity_size: 1000 },
    proxy: {},
    // The headers tell that it is no upgrade.
    http: { proxy_get_property: 1, proxy_get_header_map_pairs: 1, proxy_get_buffer_bytes: 1 },
  },
  rbac: {
    config: {
      rules: {
        policies: {
          callers: {
            permissions: [{ any: true }],
            principals: [{ any: true }],
          },
        },
      },
    },
    proxy: {},
    http: { proxy_get_property: 1 },
  },
};

/**
 * What a request and its response cost without filters. On RPC: the bytes of both sides and their replacement, once each
 * for what the client sends and for what the switchboard answers; the clock at both ends of a request.
 */
const OWN: Record<string, Calls> = {
  proxy: { clock_time_get: 2, proxy_continue_stream: 1, proxy_get_buffer_bytes: 4, proxy_set_buffer_bytes: 4 },
  http: {},
};

/** Reading the request's headers, or its body where it is held, is one call for all filters of a chain. */
const SHARED = ["proxy_get_header_map_pairs", "proxy_get_buffer_bytes"];

const configOf = (name: string, root: string): object => {
  const { config, httpConfig } = PINS[name];
  return root === "http" ? (httpConfig ?? config) : config;
};

const chainOf = (names: string[], root: string): object[] =>
  names.map((type) => ({ type, config: configOf(type, root) }));

async function countRpc(names: string[], routed: boolean): Promise<Calls> {
  const configs = Object.fromEntries(names.map((type) => [type, configOf(type, "proxy")]));
  const route = { route: { cluster_name: "upstream" }, ...(routed && { per_filter_config: configs }) };
  const router = { virtual_hosts: [{ domains: ["*"], routers: [route] }] };
  const { host, client } = await world(undefined, { config: { stream_filters: chainOf(names, "proxy"), router } });
  const headers: [string, string][] = [
    ["service", "s:1.0"],
    ["zone", "a"],
  ];
  let id = 0;
  const request = () => {
    client.write(call(++id, { headers }));
    assert.deepEqual(
      answers(client).map(({ status }) => status),
      [0],
    );
  };
  request(); // opens the connection to the server
  host.advance(2000);
  request(); // has the counters told later
  const calls = callsOf(host, request);
  host.close();
  return calls;
}

async function countHttp(names: string[], routed: boolean): Promise<Calls> {
  const host = await startHttp(chainOf(names, "http"));
  const metadata = { moe: Object.fromEntries(names.map((type) => [type, JSON.stringify(configOf(type, "http"))])) };
  if (routed) host.routes = () => ({ metadata });
  const headers = { zone: "a", "content-type": "application/grpc" };
  const call = { method: "POST", path: "/pkg.Service/Method", headers, body: "body", protocol: "HTTP/2" } as const;
  const request = () => assert.equal(host.request(call).status, 200);
  request(); // finds out what there is to find out, and has the counters told later
  const calls = callsOf(host, request);
  host.close();
  return calls;
}

/** What is in `calls` and not in `base`. */
function added(calls: Calls, base: Calls): Calls {
  const names = [...new Set([...Object.keys(calls), ...Object.keys(base)])];
  const all = names.map((name): [string, number] => [name, (calls[name] ?? 0) - (base[name] ?? 0)]);
  return Object.fromEntries(all.filter(([, count]) => count !== 0));
}

function sum(pins: (Calls | null)[]): Calls {
  const total: Calls = {};
  for (const [name, count] of pins.flatMap((pin) => Object.entries(pin ?? {}))) {
    total[name] = SHARED.includes(name) ? Math.max(total[name] ?? 0, count) : (total[name] ?? 0) + count;
  }
  return total;
}

const ROOTS = { proxy: countRpc, http: countHttp };

for (const [root, count] of Object.entries(ROOTS)) {
  const pinOf = (name: string): Calls | null => PINS[name][root as keyof typeof ROOTS];
  const names = Object.keys(PINS).filter((name) => pinOf(name) !== null);
  const routable = names.filter((name) => PINS[name].perRoute !== false);

  describe(`calls to Envoy, root ${root}`, () => {
    it("are pinned for every filter there is", async () => {
      assert.deepEqual([...names].sort(), await registered(root));
    });

    for (const routed of [false, true]) {
      const where = routed ? ", configured by the route" : "";
      for (const name of routed ? routable : names) {
        it(`of ${name}${where}`, async () => {
          assert.deepEqual(added(await count([name], routed), await count([], routed)), pinOf(name));
        });
      }

      it(`of those that routes configure are their sum${where}`, async () => {
        const pins = routable.map(pinOf);
        assert.deepEqual(added(await count(routable, routed), await count([], routed)), sum(pins));
      });
    }

    it("of a chain without filters: no more than the request's own", async () => {
      assert.deepEqual(await count([], false), OWN[root]);
    });
  });
}
