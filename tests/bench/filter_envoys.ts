// The Envoys of the filters' benchmark: one process per way, one worker thread each, on RPC and on HTTP.
import { join } from "node:path";
import { PACKAGE } from "../../scripts/lib/package.ts";
import { startEnvoy } from "../e2e/kit/envoy.ts";
import { startHttpEnvoy } from "../e2e/kit/http_envoy.ts";
import { compileGuest } from "../host/kit/guest.ts";
import { startWay } from "./envoys.ts";
import { type Chain, FILTERS, FIVE, httpRoute, proxyConfig, streamFilters } from "./filters.ts";
import { CLUSTER } from "./matrix.ts";
import type { Entry } from "./rounds.ts";

type Scope = Parameters<typeof startEnvoy>[0];
/** Starts a way to the servers. It ends with the scope. */
export type Start = (scope: Scope, hosts: number[]) => Promise<Entry>;
export type Ways = Record<string, Start>;

/** What filters are compared with: the way without the module, and the module without filters. */
export const RPC_BASES = ["tcp_proxy", "no filters"];
export const HTTP_BASES = ["no wasm", "no filters"];
export const FIVE_WAY = "all five";

const NOTHING = join(PACKAGE, "build/guests/nothing.wasm");
const HTTP_ROOT = "http";

/** The module on Bolt; without a chain it has no configuration at all. */
function rpc(chain?: Chain): Start {
  return rpcConfigured(chain ? proxyConfig(chain) : null);
}

/** The module on Bolt with a configuration, or none. */
export function rpcConfigured(config: object | null): Start {
  return async (scope, hosts) => {
    const envoy = await startEnvoy(scope, { config, clusters: { [CLUSTER]: { hosts } } });
    const active = () => envoy.stat("wasmcustom.moe.bolt.active");
    return { ports: [envoy.port], pid: envoy.pid, active };
  };
}

/** An Envoy for HTTP; `module`: the file of another module, or none. */
function http(chain: Chain, module?: string | null): Start {
  return async (scope, hosts) => {
    const config = { stream_filters: streamFilters(chain, "http") };
    const listener = { name: HTTP_ROOT, config, routes: [httpRoute(chain)], module: module ?? undefined };
    const envoy = await startHttpEnvoy(scope, {
      listeners: [listener],
      clusters: { [CLUSTER]: { ports: hosts } },
      change: (bootstrap) => {
        if (module === null) removeModule(bootstrap.static_resources.listeners[0].filter_chains[0].filters[0]);
      },
    });
    const active = () => envoy.stat("wasmcustom.moe.http.active");
    return { ports: [envoy.port], pid: envoy.pid, active };
  };
}

function removeModule({ typed_config }: { typed_config: Record<string, unknown> }): void {
  (typed_config.http_filters as unknown[]).shift();
}

/** A way for each filter alone. */
function alone(types: string[], start: (chain: Chain) => Start): Ways {
  return Object.fromEntries(types.map((type) => [type, start({ types: [type] })]));
}

export const RPC_WAYS: Ways = {
  tcp_proxy: (scope, hosts) => startWay(scope, "tcp_proxy", "bolt", hosts),
  "no filters": rpc(),
  "empty chain": rpc({ types: [] }),
  ...alone(Object.keys(FILTERS), rpc),
  [FIVE_WAY]: rpc({ types: FIVE }),
};

export const HTTP_WAYS: Ways = {
  "no wasm": http({ types: [] }, null),
  "a module that does nothing": async (scope, hosts) => {
    await compileGuest("nothing");
    return http({ types: [] }, NOTHING)(scope, hosts);
  },
  "no filters": http({ types: [] }),
  ...alone(
    Object.keys(FILTERS).filter((type) => !FILTERS[type].rpcOnly),
    (chain) => http(chain),
  ),
  [FIVE_WAY]: http({ types: FIVE }),
};

/** Ways whose requests are held, by who holds them. */
export const RPC_HOLDERS: Ways = {
  "no filters, by the server": rpc(),
  "five filters, by fault": rpc({ types: FIVE, holding: true }),
};
export const HTTP_HOLDERS: Ways = {
  "five filters, by fault": http({ types: FIVE, holding: true }),
};
