// The Envoys of the Dubbo part: routes, limits and filters, and what clients must report of the proxy's own answers.
import {
  type Bootstrap,
  type Listener,
  pluginConfig,
  socketAddress,
  switchboard,
} from "../../scripts/lib/bootstrap.ts";
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import type { Scope } from "../../scripts/lib/scope.ts";
import { type ClusterOptions, startEnvoy } from "../e2e/kit/envoy.ts";
import { startHttpEnvoy } from "../e2e/kit/http_envoy.ts";

const SERVICE = "interop.DubboService";
/** The listener whose clients use another serialization. */
const OTHER = "other";

/** Dubbo puts the machine's own address for a loopback one. */
const ANY_ADDRESS = "0.0.0.0";

/** Where the servers are; `refused`: nothing listens there. */
export type ServerPorts = Record<"main" | "gray" | "second" | "refused", number> & { triple?: number };

/** The proxy's ports by what clients use them for, and its processes: of RPC, and all. */
export interface DubboProxy {
  ports: Record<string, number>;
  rpc: EnvoyProcess;
}

function failure(reason: string, extras?: object): { result: object; extras?: object } {
  const result = { exception: "RpcException", cause: "RemotingException", reason, "at once": true };
  return { result, ...(extras && { extras }) };
}

const LIMITED = failure("too many requests to the cluster", { first: true, third: "Hello third" });
const LATE = { exception: "RpcException", cause: "TimeoutException", reason: "timeout", "at once": true };

/** What a client must report of the cases that only run through the proxy, by name without `proxy`. */
export const EXPECTED: Record<string, { result: unknown; extras?: object }> = {
  "no route": failure("no route matches"),
  refused: failure(
    "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure",
  ),
  unreachable: failure("no healthy upstream"),
  full: failure("upstream connect error or disconnect/reset before headers. reset reason: overflow"),
  unknown: failure("no such cluster: unknown"),
  aborted: failure("stopped for the test"),
  denied: failure("403|permission denied"),
  fault: failure("fault filter abort"),
  blocked: failure("denied by ip_access"),
  flow: failure("current request is limited: flow rule of interop.DubboService#sayHello"),
  changes: {
    result: "same",
    extras: {
      seen: { "x-user": "u1", "x-route": "值 moe" },
      answer: { "x-answer": "came back ✓", "x-added": "yes" },
      orders: 3,
    },
  },
  slow: { result: LATE },
  "tag of nobody": failure("no healthy upstream", { without: "main" }),
  "tag without force": { result: "main" },
  limited: LIMITED,
  shutdown: { result: "0 failed", extras: { "second gone": true, "second used": true } },
  "other serialization: slow": { result: LATE, extras: { "next call": "Hello again" } },
  "other serialization: limited": LIMITED,
};

/** Labels of the two hosts. */
const TAGS = ["none", "gray"];

/** A label of the attachment `dubbo.tag`; calls without it go to the hosts that have none. */
const TAG_RULES = {
  request_rules: [
    { header: "dubbo.tag", on_header_present: { key: "tag" } },
    { header: "dubbo.tag", on_header_missing: { key: "tag", value: "none" } },
  ],
};

/** Each refuses on the route that says so. */
const FILTERS = [
  { type: "ip_access", config: {} },
  { type: "fault", config: {} },
  { type: "header_to_metadata", config: {} },
  { type: "flowControlFilter", config: {} },
];

/** No call passes. */
const FLOW = { global_switch: true, rules: [{ resource: `${SERVICE}#sayHello`, threshold: 0 }] };

function setHeader(key: string, value: string): object {
  return { header: { key, value }, append: false };
}

/** Routes by the group, and by the tag: others of the service go to the hosts of their tag. */
function routes(): object[] {
  const service = { name: "service", value: SERVICE };
  const group = (name: string) => ({ headers: [service, { name: "group", value: name }] });
  const toCluster = (name: string) => ({ match: group(name), route: { cluster_name: name } });
  const tagged = (tag: string) => ({
    cluster_name: "tags",
    metadata_match: { filter_metadata: { "mosn.lb": { tag } } },
  });
  const filtered = (name: string, configs: object) => ({
    match: group(name),
    route: { cluster_name: "main" },
    per_filter_config: configs,
  });
  return [
    ...["limited", "pair", "second", "refused", "unreachable", "full", "unknown"].map(toCluster),
    { match: group("aborted"), direct_response: { status: 500, body: "stopped for the test" } },
    { match: group("denied"), direct_response: { status: 403 } },
    filtered("fault", { fault: { abort: { status: 503, percentage: 100 } } }),
    filtered("blocked", { ip_access: { ips: [{ action: "deny", addrs: ["0.0.0.0/0"] }] } }),
    filtered("flow", { flowControlFilter: FLOW }),
    {
      match: group("slow"),
      // Dubbo 3's own timeout would win over the route's, but not over that of one try.
      route: { cluster_name: "main", retry_policy: { retry_on: true, num_retries: 0, retry_timeout: "400ms" } },
    },
    {
      match: group("changes"),
      route: {
        cluster_name: "main",
        request_headers_to_add: [setHeader("group", "g"), setHeader("version", "1.2"), setHeader("x-route", "值 moe")],
        request_headers_to_remove: ["x-secret"],
        response_headers_to_add: [setHeader("x-added", "yes")],
      },
    },
    { match: { headers: [...group("tags").headers, { name: "dubbo.tag", value: "gray" }] }, route: tagged("gray") },
    { match: group("tags"), route: tagged("none") },
    { ...toCluster("soft"), per_filter_config: { header_to_metadata: TAG_RULES } },
    {
      match: { headers: [service] },
      route: { cluster_name: "tags" },
      per_filter_config: { header_to_metadata: TAG_RULES },
    },
  ];
}

/** The time of a try and its cluster, for calls in another serialization, whether their service is known or not. */
const OTHER_ROUTE = { cluster_name: "main", retry_policy: { retry_on: true, num_retries: 0, retry_timeout: "2500ms" } };

/** In fastjson2 (Dubbo 3) calls are read, and their headers written anew; in Java's own serialization (2.7) they pass. */
const OTHER_CONFIG = {
  protocols: ["dubbo"],
  clusters: { main: { max_requests: 1 } },
  router: {
    virtual_hosts: [
      {
        name: "other",
        domains: ["*"],
        routers: [
          {
            match: { headers: [{ name: "service", value: ".*" }] },
            route: { ...OTHER_ROUTE, request_headers_to_add: [setHeader("x-route", "值 moe")] },
          },
          { route: OTHER_ROUTE },
        ],
      },
    ],
  },
};

/** Subsets of a cluster by the label `tag`; `fallback`: for calls whose label no host has. */
function labelHosts(bootstrap: Bootstrap, name: string, fallback: object): void {
  const cluster = bootstrap.static_resources.clusters.find((one) => one.name === name)!;
  cluster.lb_subset_config = { ...fallback, subset_selectors: [{ keys: ["tag"] }] };
  const hosts = cluster.load_assignment.endpoints[0].lb_endpoints;
  for (const [i, tag] of TAGS.entries())
    Object.assign(hosts[i], { metadata: { filter_metadata: { "envoy.lb": { tag } } } });
}

/** Routes of the switchboard by the label `tag`, as envoy/envoy.yaml shows them, and the hosts with it. */
function addSubsets(bootstrap: Bootstrap, listener: Listener): void {
  const { virtual_hosts: hosts } = switchboard(listener).route_config as {
    virtual_hosts: { routes: { route: object }[] }[];
  };
  const { routes } = hosts[0];
  const plain = routes[routes.length - 1];
  const add = (tag: string, match: object) => {
    const metadata_match = { filter_metadata: { "envoy.lb": { tag } } };
    const headers = [{ name: "x-moe-tag", ...match }];
    routes.unshift({
      match: { connect_matcher: {}, headers },
      route: { ...plain.route, metadata_match },
    } as (typeof routes)[0]);
  };
  // The last one is the first to be asked.
  add("nobody", { present_match: true });
  for (const tag of TAGS) add(tag, { string_match: { exact: tag } });
  labelHosts(bootstrap, "tags", { fallback_policy: "NO_FALLBACK" });
  labelHosts(bootstrap, "soft", { fallback_policy: "DEFAULT_SUBSET", default_subset: { tag: "none" } });
}

/** The same listener once more, with the configuration for other serializations. */
function addOther(bootstrap: Bootstrap, listener: Listener): void {
  const other = structuredClone(listener);
  other.name = OTHER;
  const plugin = pluginConfig(other);
  plugin.name = OTHER;
  plugin.configuration = { "@type": "type.googleapis.com/google.protobuf.Struct", value: OTHER_CONFIG };
  bootstrap.static_resources.listeners.push(other);
}

function change(bootstrap: Bootstrap, listener: Listener): void {
  socketAddress(listener).address = ANY_ADDRESS;
  addSubsets(bootstrap, listener);
  addOther(bootstrap, listener);
}

/** Starts what is before the servers. Triple has its own, with the module as an HTTP filter; and it may fall through. */
export async function startDubboProxy(scope: Scope, servers: ServerPorts): Promise<DubboProxy> {
  const triple: Record<string, ClusterOptions> =
    servers.triple === undefined ? {} : { triple: { hosts: [servers.triple] } };
  const rpc = await startEnvoy(scope, {
    config: {
      protocols: ["dubbo"],
      fallback: "cluster:triple",
      clusters: { limited: { max_requests: 1 } },
      stream_filters: FILTERS,
      router: { virtual_hosts: [{ name: "interop", domains: ["*"], routers: routes() }] },
    },
    clusters: {
      main: { hosts: [servers.main] },
      tags: { hosts: [servers.main, servers.gray] },
      soft: { hosts: [servers.main, servers.gray] },
      limited: { hosts: [servers.main] },
      pair: { hosts: [servers.main, servers.second] },
      second: { hosts: [servers.second] },
      refused: { hosts: [servers.refused] },
      unreachable: { hosts: [] },
      full: { hosts: [servers.main], limits: { max_connections: 0, max_pending_requests: 0 } },
      ...triple,
    },
    change,
  });
  const ports: Record<string, number> = { main: rpc.port, gray: rpc.port, triple: rpc.port };
  ports.other = rpc.ports.get(OTHER)!;
  if (servers.triple !== undefined) {
    const http = await startHttpEnvoy(scope, {
      listeners: [
        {
          name: "triple",
          address: ANY_ADDRESS,
          config: { stream_filters: FILTERS },
          routes: [{ match: { prefix: `/${SERVICE}/`, grpc: {} }, route: { cluster: "triple" } }],
        },
      ],
      clusters: { triple: { ports: [servers.triple], http2: true } },
    });
    ports.http = http.port;
  }
  return { ports, rpc };
}
