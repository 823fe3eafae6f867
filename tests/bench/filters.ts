// The module's stream filters, each with a configuration that does its usual work on the benchmark's request and lets it pass.
import { HELD_HEADER } from "./headers.ts";
import { CLUSTER } from "./matrix.ts";

export interface BenchFilter {
  config: object;
  /** On HTTP, where it is another. */
  httpConfig?: object;
  /** Whether routes may configure it: then the route has the same configuration. Default true. */
  perRoute?: boolean;
  /** Whether there is none on HTTP. */
  rpcOnly?: boolean;
}

/** Networks that are in the list but not the client's. */
const OTHERS = Array.from({ length: 100 }, (_, i) => `10.${i}.0.0/16`);
const ALLOWED = [
  { action: "deny", addrs: OTHERS },
  { action: "allow", addrs: ["127.0.0.0/8"] },
];

/** How many of a hundred requests `mirror` copies. */
const MIRRORED = 10;

export const FILTERS: Record<string, BenchFilter> = {
  fault: {
    config: {
      headers: [{ name: "app", value: "^sofa-", regex: true }],
      delay: { fixed_delay: "100ms", percentage: 0 },
      abort: { status: 503, percentage: 0 },
    },
  },
  ip_access: { config: { default_action: "deny", ips: ALLOWED } },
  payload_limit: { config: { max_entity_size: 65536 } },
  header_to_metadata: {
    config: { request_rules: [{ header: "app", on_header_present: { key: "zone", value: "a" } }] },
  },
  dsl: { config: { after_router_by_dsl: 'ctx.add_request_header("x-caller", request.headers["app"])' } },
  dubbo_stream: { config: { protocols: ["bolt"] }, perRoute: false },
  grpc_metric: { config: {}, perRoute: false },
  fault_tolerance: { config: { enabled: true }, perRoute: false, rpcOnly: true },
  hessian_allowlist: { config: { allow: ["com.example.*"] }, rpcOnly: true },
  // The requests have no token, and need none.
  jwt_authn: {
    config: {
      providers: { p: { remote_jwks: { http_uri: { uri: "https://keys.example/jwks.json", cluster: CLUSTER } } } },
      rules: [{ match: { prefix: "/" }, requires: { allow_missing: {} } }],
    },
    perRoute: false,
  },
  rbac: {
    config: {
      rules: {
        policies: {
          others: {
            permissions: [{ url_path: { path: { prefix: "/none" } } }],
            principals: [{ any: true }],
          },
          callers: {
            permissions: [{ header: { name: "app", prefix_match: "sofa-" } }],
            principals: [{ source_ip: { address_prefix: "127.0.0.0", prefix_len: 8 } }],
          },
        },
      },
    },
  },
  mirror: { config: { amplification: 1 }, httpConfig: { cluster: CLUSTER, percent: MIRRORED } },
  flowControlFilter: {
    config: {
      global_switch: true,
      limit_key_type: "METHOD",
      rules: [{ resource: ".*", match: "regex", threshold: 1e9 }],
    },
  },
};

/** The chain of five, in its order. */
export const FIVE = ["fault", "ip_access", "payload_limit", "header_to_metadata", "dsl"];

/** Has `fault` hold the requests that are to be held, longer than any measurement takes. */
const HOLD = {
  headers: [{ name: HELD_HEADER[0], value: HELD_HEADER[1] }],
  delay: { fixed_delay: "10m", percentage: 100 },
};

/** A chain of filters; `holding`: the filter `fault` of it holds requests. */
export interface Chain {
  types: string[];
  holding?: boolean;
}

type Root = "proxy" | "http";

function configOf(type: string, chain: Chain, root: Root): object {
  const { config, httpConfig = config } = FILTERS[type];
  if (type === "fault" && chain.holding) return HOLD;
  return root === "http" ? httpConfig : config;
}

/** `stream_filters` of the chain. */
export function streamFilters(chain: Chain, root: Root): object[] {
  return chain.types.map((type) => ({ type, config: configOf(type, chain, root) }));
}

/** The configurations of the route: the same ones. */
function routeConfigs(chain: Chain, root: Root): [type: string, config: object][] {
  const types = chain.types.filter((type) => FILTERS[type].perRoute !== false);
  return types.map((type) => [type, configOf(type, chain, root)]);
}

/** The configuration of the root `proxy`. */
export function proxyConfig(chain: Chain): object {
  const mirror = { request_mirror_policies: { cluster: CLUSTER, percent: MIRRORED } };
  const route = {
    route: { cluster_name: CLUSTER },
    per_filter_config: Object.fromEntries(routeConfigs(chain, "proxy")),
    ...(chain.types.includes("mirror") && mirror),
  };
  const router = { virtual_hosts: [{ name: "bench", domains: ["*"], routers: [route] }] };
  return { stream_filters: streamFilters(chain, "proxy"), router };
}

/** Envoy's route for the root `http`. */
export function httpRoute(chain: Chain): object {
  const texts = routeConfigs(chain, "http").map(([type, config]) => [type, JSON.stringify(config)]);
  const metadata = { filter_metadata: { moe: Object.fromEntries(texts) } };
  return { match: { prefix: "/" }, route: { cluster: CLUSTER }, ...(texts.length > 0 && { metadata }) };
}
