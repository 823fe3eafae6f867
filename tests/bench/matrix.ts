// What is measured: load cases, the ways to the servers, and the ratios to reach.

/** One shape of load. */
export interface LoadCase {
  name: string;
  connections: number;
  outstanding: number;
  /** Bytes of content in requests and responses. */
  content: number;
  /** The most that CPU per request through the module may be of the tcp_proxy's; absent: no target. */
  target?: number;
}

const SHAPES = [
  { connections: 1, outstanding: 1, target: 2.4 },
  { connections: 8, outstanding: 16, target: 5 },
  { connections: 64, outstanding: 16 },
];
const SMALL = 128;
const LARGE = 4096;

/** Connections x outstanding requests, with a small and a large content. The targets are for the small one. */
export const CASES: LoadCase[] = SHAPES.flatMap(({ connections, outstanding, target }) =>
  [SMALL, LARGE].map((content) => ({
    name: `${connections}x${outstanding} ${content === SMALL ? "128 B" : "4 KiB"}`,
    connections,
    outstanding,
    content,
    target: content === SMALL ? target : undefined,
  })),
);

/** The ways to the servers: none between, Envoy without the module, the module by default, the module with routes. */
export const WAYS = ["direct", "tcp_proxy", "moe", "moe+routes"] as const;
export type Way = (typeof WAYS)[number];

const OTHER_ROUTES = 20;
const SERVICE = "interop.api.HelloService:1.0";

/**
 * A configuration in which the recorded call matches the last but one of 22 routes: by service, method and a header
 * given as a regular expression.
 */
export function routesConfig(): object {
  const route = { cluster_name: "upstream", timeout: "3s", retry_policy: { num_retries: 1 } };
  const service = (name: string) => ({ name: "service", value: name });
  const others = Array.from({ length: OTHER_ROUTES }, (_, index) => ({
    match: { headers: [service(`bench.Service${index}:1.0`)] },
    route,
  }));
  const own = {
    match: {
      headers: [
        service(SERVICE),
        { name: "sofa_head_method_name", value: "sayHello" },
        { name: "app", value: "sofa-.*", regex: true },
      ],
    },
    route,
  };
  const rest = { match: { headers: [{ name: "service", value: ".*", regex: true }] }, route };
  return { router: { virtual_hosts: [{ name: "bench", domains: ["*"], routers: [...others, own, rest] }] } };
}
