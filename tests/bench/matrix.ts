// What is measured: load cases, the ways to the servers, and the ratios to reach.
import type { Protocol } from "./wire.ts";

/** One shape of load. */
export interface LoadCase {
  name: string;
  connections: number;
  outstanding: number;
  /** Bytes of content in requests and responses. */
  content: number;
  /** More requests, which are held as long as the measurement lasts. */
  held?: number;
  /** Resources that requests name in turn, by a header of theirs; default: none. */
  resources?: number;
  /** The most that CPU per request through the module may be of the protocol's base way; absent: no target. */
  target?: Partial<Record<Protocol, number>>;
}

/** The cluster that everything goes to. */
export const CLUSTER = "upstream";

const SHAPES = [
  { connections: 1, outstanding: 1, target: { bolt: 2.4, dubbo: 2 } },
  { connections: 8, outstanding: 16, target: { bolt: 5, dubbo: 1 / 3 } },
  { connections: 64, outstanding: 16 },
];
const SMALL = 128;
const LARGE = 4096;
export const CONTENT_SIZES = [SMALL, LARGE];

/** Connections x outstanding requests, with a small and a large content. The targets are for the small one. */
export const CASES: LoadCase[] = SHAPES.flatMap(({ connections, outstanding, target }) =>
  CONTENT_SIZES.map((content) => ({
    name: `${connections}x${outstanding} ${content === SMALL ? "128 B" : "4 KiB"}`,
    connections,
    outstanding,
    content,
    target: content === SMALL ? target : undefined,
  })),
);

/**
 * The ways to the servers: none between, Envoy's own filters without the module (dubbo_proxy for Dubbo only), the module
 * by default, the module with routes, MOSN itself (with `--mosn` only).
 */
export const WAYS = ["direct", "tcp_proxy", "dubbo_proxy", "moe", "moe+routes", "mosn"] as const;
export type Way = (typeof WAYS)[number];

/** What the module is measured against. */
export const BASE: Record<Protocol, Way> = { bolt: "tcp_proxy", dubbo: "dubbo_proxy" };
export const DEFAULT_WAYS: Record<Protocol, Way[]> = {
  bolt: ["direct", "tcp_proxy", "moe"],
  dubbo: ["direct", "tcp_proxy", "dubbo_proxy", "moe"],
};

const OTHER_ROUTES = 20;
/** The recorded calls: service, method and caller. */
const CALLS: Record<Protocol, { name: string; value: string; regex?: boolean }[]> = {
  bolt: [
    { name: "service", value: "interop.api.HelloService:1.0" },
    { name: "sofa_head_method_name", value: "sayHello" },
    { name: "app", value: "sofa-.*", regex: true },
  ],
  dubbo: [
    { name: "service", value: "interop.api.HelloService" },
    { name: "method", value: "sayHello" },
    { name: "remote.application", value: "dubbo2-.*", regex: true },
  ],
};

/**
 * A configuration in which the recorded call matches the last but one of 22 routes: by service, method and a header
 * given as a regular expression.
 */
export function routesConfig(protocol: Protocol): object {
  const route = { cluster_name: CLUSTER, timeout: "3s", retry_policy: { num_retries: 1 } };
  const others = Array.from({ length: OTHER_ROUTES }, (_, index) => ({
    match: { headers: [{ name: "service", value: `bench.Service${index}:1.0` }] },
    route,
  }));
  const own = { match: { headers: CALLS[protocol] }, route };
  const rest = { match: { headers: [{ name: "service", value: ".*", regex: true }] }, route };
  return { router: { virtual_hosts: [{ name: "bench", domains: ["*"], routers: [...others, own, rest] }] } };
}
