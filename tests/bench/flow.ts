// `npm run bench -- --flow`: what rules of flowControlFilter cost that let every request pass.
import { rpcConfigured, type Ways } from "./filter_envoys.ts";
import { RESOURCE_DIGITS, RESOURCE_HEADER } from "./headers.ts";
import { CLUSTER } from "./matrix.ts";

/** The way that the others are compared with: the same chain, whose filter has no rules. */
export const NO_RULES = "no rules";
/** What a way may add at most, µs a request. */
export const TARGETS: Record<string, number> = { "1 rule, exact": 2, "1 rule, lease": 0.5 };
export const RESOURCES = 10 ** (RESOURCE_DIGITS - 1);

/** The resource of the recorded call. */
const CALL = "interop.api.HelloService:1.0#sayHello";
/** No request is refused: a limit that no machine reaches. */
const ENOUGH = 1e9;
type Mode = "exact" | "lease" | "worker";

function flow(config: object): object {
  const filter = { type: "flowControlFilter", config: { app_name: "bench", global_switch: true, ...config } };
  const router = {
    virtual_hosts: [{ name: "bench", domains: ["*"], routers: [{ route: { cluster_name: CLUSTER } }] }],
  };
  return { stream_filters: [filter], router };
}

/** `own` rules for the call's resource, and `others` for as many other ones, with more of the configuration. */
function rules(mode: Mode, own: number, others = 0, more: object = {}): object {
  const all = [
    ...Array.from({ length: others }, (_, i) => ({ resource: `bench.Other${i}:1.0#call`, threshold: ENOUGH })),
    ...Array.from({ length: own }, (_, i) => ({ resource: CALL, threshold: ENOUGH - i })),
  ];
  return flow({ limit_key_type: "METHOD", mode, rules: all, ...more });
}

/** One rule for all resources, which the requests' header names. */
function pattern(mode: Mode): object {
  const [name, value] = RESOURCE_HEADER;
  const resource = value.slice(0, -RESOURCE_DIGITS);
  return flow({
    limit_key_type: "HEADER",
    limit_key_header: name,
    mode,
    max_resources: RESOURCES,
    rules: [{ resource, match: "prefix", threshold: ENOUGH }],
  });
}

/** By what the rules are; each configuration is the root `proxy`'s. */
export const FLOW_CONFIGS: Record<string, object> = {
  [NO_RULES]: flow({}),
  "1 rule, exact": rules("exact", 1),
  "1 rule, lease": rules("lease", 1),
  "1 rule, lease, response_times: true": rules("lease", 1, 0, { response_times: true }),
  "1 rule, worker": rules("worker", 1),
  "10 rules, exact": rules("exact", 10),
  "1,000 rules, exact": rules("exact", 1, 999),
};

export const MANY_CONFIGS: Record<string, object> = {
  [NO_RULES]: flow({ limit_key_type: "HEADER", limit_key_header: RESOURCE_HEADER[0] }),
  exact: pattern("exact"),
  lease: pattern("lease"),
  worker: pattern("worker"),
};

function ways(configs: Record<string, object>): Ways {
  return Object.fromEntries(Object.entries(configs).map(([name, config]) => [name, rpcConfigured(config)]));
}

export const FLOW_WAYS = ways(FLOW_CONFIGS);
export const MANY_WAYS = ways(MANY_CONFIGS);
