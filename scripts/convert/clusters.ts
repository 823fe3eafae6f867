// MOSN's clusters as Envoy's, and what the module has to know of them.
import { isIP } from "node:net";
import { HEARTBEATS } from "../lib/health_bytes.ts";
import { envoyDuration, type Fields } from "./fields.ts";
import { clientTls, skipTls, wantsTls } from "./tls.ts";

type Out = Record<string, unknown>;

const HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/** How listeners reach a cluster. */
export interface ClusterUse {
  rpc: boolean;
  /** HTTP/1 or HTTP/2 is spoken to it; both: as the client speaks. */
  http1: boolean;
  http2: boolean;
}

/** The module's balancer, Envoy's for new connections and for HTTP, and what is different. */
const BALANCERS: Record<string, { module: string; envoy: string; changed?: string }> = {
  LB_RANDOM: { module: "LB_RANDOM", envoy: "RANDOM" },
  LB_ROUNDROBIN: { module: "LB_ROUNDROBIN", envoy: "ROUND_ROBIN" },
  LB_WEIGHTED_ROUNDROBIN: { module: "LB_WEIGHTED_ROUNDROBIN", envoy: "ROUND_ROBIN" },
  LB_LEAST_REQUEST: { module: "LB_LEAST_REQUEST", envoy: "LEAST_REQUEST" },
  LB_MAGLEV: { module: "LB_MAGLEV", envoy: "MAGLEV" },
  LB_REQUEST_ROUNDROBIN: {
    module: "LB_ROUNDROBIN",
    envoy: "ROUND_ROBIN",
    changed:
      "Every call goes to the next host; MOSN begins with the first host for every call, and goes on when it fails.",
  },
  LB_LEAST_CONNECTION: {
    module: "LB_LEAST_REQUEST",
    envoy: "LEAST_REQUEST",
    changed: "Hosts are compared by requests under way, not by connections.",
  },
  LB_PEAK_EWMA: {
    module: "LB_LEAST_REQUEST",
    envoy: "LEAST_REQUEST",
    changed: "Hosts are compared by requests under way, not by latency.",
  },
};

/** MOSN's default. */
const CONNECT_S = 10;
const FALLBACKS = ["NO_FALLBACK", "ANY_ENDPOINT", "DEFAULT_SUBSET"];

export interface ConvertedCluster {
  name: string;
  envoy: Out;
  /** The module's `clusters.NAME`; undefined where the defaults do. */
  module?: Out;
}

interface Host {
  address: object;
  /** `IP:PORT`, where the host is an address. */
  ip?: string;
  named: boolean;
  weight: number;
  labels: Record<string, string>;
}

/** Splits `HOST:PORT`, `[IPv6]:PORT` or `unix:PATH`. */
export function endpointAddress(text: string): { address: object; host: string; port: number } | undefined {
  const pipe = /^unix:(?:\/\/)?(.+)$/.exec(text)?.[1] ?? (text.startsWith("/") ? text : undefined);
  if (pipe) return { address: { pipe: { path: pipe } }, host: "", port: 0 };
  const parts = /^(?:\[([^\]]+)\]|([^:]*)):(\d+)$/.exec(text);
  const host = parts?.[1] ?? parts?.[2] ?? "";
  const port = Number(parts?.[3]);
  if (!parts || port > 65535) return undefined;
  return { address: { socket_address: { address: host, port_value: port } }, host, port };
}

function hostOf(fields: Fields): Host | undefined {
  const text = fields.text("address") ?? "";
  const parsed = endpointAddress(text);
  if (!parsed || (parsed.host === "" && parsed.port > 0)) {
    fields.report.mistake(fields.at("address"), `expected HOST:PORT or unix:PATH, got "${text}"`);
    return undefined;
  }
  const weight = fields.number("weight") ?? 0;
  const labels = fields.child("metadata")?.child("filter_metadata")?.map("mosn.lb") ?? {};
  fields.note("Envoy's clusters have one transport for all hosts; use transport_socket_matches.", "tls_disable");
  fields.note("It is what auto_host_rewrite takes in Envoy, too.", "hostname");
  fields.done();
  const named = parsed.host !== "" && isIP(parsed.host) === 0;
  const ip = named || parsed.host === "" ? undefined : text;
  return { address: parsed.address, ip, named, weight: Math.min(Math.max(weight, 1), 128), labels };
}

/** Converts a cluster. `defaults` is the cluster manager's TLS context. */
export function convertCluster(fields: Fields, use: ClusterUse, defaults: Fields | undefined): ConvertedCluster {
  const name = fields.text("name") ?? "";
  if (name === "") fields.report.mistake(fields.at("name"), "expected the cluster's name");
  const hosts = fields
    .list("hosts")
    .map(hostOf)
    .filter((host) => host !== undefined);
  const envoy: Out = { name };
  const type = clusterType(fields, hosts, envoy);
  envoy.connect_timeout = envoyDuration(connectSeconds(fields));
  const lb = balancer(fields, type, envoy);
  if (type !== "ORIGINAL_DST") envoy.load_assignment = assignment(name, hosts);
  subsets(fields, envoy);
  const module = moduleCluster(fields, lb, hosts, use);
  limits(fields, envoy);
  healthCheck(fields, envoy);
  transport(fields, envoy, defaults);
  protocolOptions(envoy, use);
  dns(fields, envoy);
  leftovers(fields);
  fields.done();
  return { name, envoy, module: use.rpc && Object.keys(module).length > 0 ? module : undefined };
}

/** How long opening a connection may take, s. */
function connectSeconds(fields: Fields): number {
  return fields.seconds("connect_timeout") || CONNECT_S;
}

function clusterType(fields: Fields, hosts: Host[], envoy: Out): string {
  const given = (fields.text("type") || "SIMPLE").toUpperCase();
  if (given === "ORIGINAL_DST") {
    envoy.type = "ORIGINAL_DST";
    const lb = fields.child("original_dst_lb_config");
    if (lb?.flag("use_header")) {
      envoy.original_dst_lb_config = { use_http_header: true, http_header_name: lb.text("header_name") || "host" };
    }
    if (lb?.flag("replace_local")) lb.lost("Envoy keeps the destination's address.", undefined, "replace_local");
    lb?.done();
    return given;
  }
  fields.raw("original_dst_lb_config");
  if (given === "EDS" || given === "DYNAMIC") {
    fields.report.lost(
      fields.at("type"),
      given,
      "The hosts come from a control plane or a registry.",
      "Add eds_cluster_config for your control plane; the hosts in the file are used until then.",
      envoy,
    );
  } else if (!["SIMPLE", "STATIC", "STRICT_DNS"].includes(given)) {
    fields.report.mistake(
      fields.at("type"),
      `expected SIMPLE, STATIC, STRICT_DNS, EDS, DYNAMIC or ORIGINAL_DST, got ${given}`,
    );
  }
  const byName = given === "STRICT_DNS" || hosts.some(({ named }) => named);
  envoy.type = byName ? "STRICT_DNS" : "STATIC";
  return envoy.type as string;
}

function balancer(fields: Fields, type: string, envoy: Out): string {
  const given = fields.text("lb_type") || "LB_ROUNDROBIN";
  const found = BALANCERS[given];
  if (type === "ORIGINAL_DST") {
    envoy.lb_policy = "CLUSTER_PROVIDED";
    return "";
  }
  if (!found && given !== "LB_ORIGINAL_DST") {
    fields.report.mistake(fields.at("lb_type"), `expected one of ${Object.keys(BALANCERS).join(", ")}, got ${given}`);
  }
  envoy.lb_policy = found?.envoy ?? "ROUND_ROBIN";
  if (found?.changed) fields.report.changed(fields.at("lb_type"), given, found.changed, undefined, envoy);
  slowStart(fields, envoy);
  const config = fields.child("lbconfig");
  const choices = config?.number("choice_count");
  if (config && envoy.lb_policy === "LEAST_REQUEST") {
    const own = { ...(envoy.least_request_lb_config as Out | undefined) };
    if (choices) own.choice_count = choices;
    const bias = config.number("active_request_bias");
    if (bias !== undefined) own.active_request_bias = { default_value: bias, runtime_key: "moe.active_request_bias" };
    if (Object.keys(own).length > 0) envoy.least_request_lb_config = own;
  }
  config?.lost("Envoy's balancers do not weigh errors.", undefined, "client_error_bias", "server_error_bias");
  config?.all();
  return found?.module ?? "LB_ROUNDROBIN";
}

function slowStart(fields: Fields, envoy: Out): void {
  const slow = fields.child("slow_start");
  const seconds = slow?.seconds("slow_start_duration");
  if (slow && seconds) {
    const config: Out = { slow_start_window: envoyDuration(seconds) };
    const aggression = slow.number("aggression");
    if (aggression) config.aggression = { default_value: aggression, runtime_key: "moe.aggression" };
    const least = slow.number("min_weight_percent");
    if (least !== undefined) config.min_weight_percent = { value: least };
    const field = { ROUND_ROBIN: "round_robin_lb_config", LEAST_REQUEST: "least_request_lb_config" }[
      envoy.lb_policy as string
    ];
    if (field) envoy[field] = { slow_start_config: config };
    else slow.report.lost(slow.path, "slow start", "Envoy has it for round robin and least request only.");
    slow.report.changed(slow.path, "slow start", "It slows HTTP and new RPC connections, not single RPC calls.");
  }
  slow?.all();
}

function assignment(cluster_name: string, hosts: Host[]): object {
  const lb_endpoints = hosts.map(({ address, weight, labels }) => ({
    endpoint: { address },
    ...(weight > 1 ? { load_balancing_weight: weight } : {}),
    ...(Object.keys(labels).length > 0 ? { metadata: { filter_metadata: { "envoy.lb": labels } } } : {}),
  }));
  return { cluster_name, endpoints: [{ lb_endpoints }] };
}

function subsets(fields: Fields, envoy: Out): void {
  const config = fields.child("lb_subset_config");
  const selectors = (config?.raw("subset_selectors") ?? []) as string[][];
  if (config && selectors.length > 0) {
    const out: Out = {
      fallback_policy: FALLBACKS[config.number("fall_back_policy") ?? 0] ?? FALLBACKS[0],
      subset_selectors: selectors.map((keys) => ({ keys })),
    };
    const own = config.map("default_subset");
    if (Object.keys(own).length > 0) out.default_subset = own;
    envoy.lb_subset_config = out;
  }
  config?.all();
}

/** What the module has to know; its limits count per worker, Envoy's for the process. */
function moduleCluster(fields: Fields, lb: string, hosts: Host[], use: ClusterUse): Out {
  const out: Out = {};
  const weighted = hosts.some(({ weight }) => weight !== hosts[0]?.weight);
  const weights = Object.fromEntries(hosts.flatMap(({ ip, weight }) => (ip ? [[ip, weight]] : [])));
  if (weighted && lb !== "LB_MAGLEV" && Object.keys(weights).length === hosts.length) {
    out.lb_type = "LB_WEIGHTED_ROUNDROBIN";
    out.host_weights = weights;
    if (use.rpc && lb !== "LB_WEIGHTED_ROUNDROBIN" && lb !== "LB_ROUNDROBIN") {
      fields.report.changed(
        fields.at("lb_type"),
        `${lb} with weights`,
        "Weights are followed by weighted round robin.",
      );
    }
  } else if (lb && lb !== "LB_ROUNDROBIN" && lb !== "LB_WEIGHTED_ROUNDROBIN") out.lb_type = lb;
  out.connect_timeout = `${Math.round(connectSeconds(fields) * 1000)}ms`;
  const keepalive = fields.child("keepalive");
  if (keepalive) {
    const interval = keepalive.seconds("interval");
    const answer = keepalive.seconds("timeout");
    const own: Out = {};
    if (interval) own.interval_ms = Math.round(interval * 1000);
    if (answer) own.timeout_ms = Math.round(answer * 1000);
    if (Object.keys(own).length > 0) out.keepalive = own;
    keepalive.done();
  }
  const breaker = breakers(fields);
  for (const name of ["max_requests", "max_pending_requests", "max_retries"])
    if (breaker[name]) out[name] = breaker[name];
  if (breaker.max_connections) {
    out.connections = Math.min(breaker.max_connections, 64);
    if (use.rpc && breaker.max_connections > 64) {
      fields.report.changed(
        fields.at("circuit_breakers"),
        `max_connections ${breaker.max_connections}`,
        "One client connection has at most 64 connections to a host.",
      );
    }
  }
  return out;
}

/** The thresholds: MOSN uses the first entry. */
function breakers(fields: Fields): Record<string, number> {
  const value = fields.raw("circuit_breakers");
  const list = Array.isArray(value) ? value : ((value as { Thresholds?: unknown[] } | undefined)?.Thresholds ?? []);
  return (list[0] ?? {}) as Record<string, number>;
}

function limits(fields: Fields, envoy: Out): void {
  const own = breakers(fields);
  // Beside the module's limits of calls these are of connections, for the process.
  envoy.circuit_breakers = {
    thresholds: [
      {
        max_connections: Math.max(own.max_connections ?? 0, 16384),
        max_pending_requests: Math.max(own.max_pending_requests ?? 0, 16384),
        max_requests: own.max_requests || 1048576,
        ...(own.max_retries ? { max_retries: own.max_retries } : {}),
      },
    ],
  };
}

function healthCheck(fields: Fields, envoy: Out): void {
  const check = fields.child("health_check");
  if (!check) return;
  const protocol = check.text("protocol") ?? "";
  const service = check.text("service_name");
  const interval = check.seconds("interval") ?? 15;
  const out: Out = {
    timeout: envoyDuration(check.seconds("timeout") || 1),
    interval: envoyDuration(interval || 15),
    unhealthy_threshold: check.number("unhealthy_threshold") || 1,
    healthy_threshold: check.number("healthy_threshold") || 1,
    no_traffic_interval: envoyDuration(Math.min(interval || 15, 15)),
  };
  const jitter = check.seconds("interval_jitter");
  if (jitter) out.interval_jitter = envoyDuration(jitter);
  const delay = check.seconds("initial_delay_seconds");
  if (delay) out.initial_jitter = envoyDuration(delay);
  const http = check.child("check_config")?.child("http_check_config");
  const bytes = HEARTBEATS[protocol];
  if (http) out.http_health_check = httpCheck(http);
  else if (bytes) out.tcp_health_check = { send: { text: bytes.send }, receive: [{ text: bytes.receive }] };
  else out.tcp_health_check = {};
  const log = check.text("event_log_path");
  if (log) {
    const type = "type.googleapis.com/envoy.extensions.health_check.event_sinks.file.v3.HealthCheckEventFileSink";
    out.event_logger = [{ name: "file", typed_config: { "@type": type, event_log_path: log } }];
  }
  check.lost("They are Go functions of that MOSN build.", undefined, "common_callbacks");
  check.raw("check_config");
  check.done();
  if (service) envoy.health_checks = [out];
  else if (protocol || http) {
    check.report.note(check.path, protocol, "MOSN checks hosts only where service_name is given.");
  }
}

function httpCheck(http: Fields): Out {
  const out: Out = { path: http.text("path") || "/" };
  const method = http.text("method");
  const domain = http.text("domain");
  if (method) out.method = method.toUpperCase();
  if (domain) out.host = domain;
  const codes = http
    .list("codes")
    .map((range) => ({ start: range.number("Start") ?? 200, end: (range.number("End") ?? 200) + 1 }));
  if (codes.length > 0) out.expected_statuses = codes;
  http.lost(
    "Envoy checks hosts at their own port; an endpoint's health_check_config has another one.",
    undefined,
    "port",
  );
  http.note("The check has one timeout, and the transport is the cluster's.", "timeout", "scheme");
  http.done();
  return out;
}

function transport(fields: Fields, envoy: Out, defaults: Fields | undefined): void {
  const own = fields.child("tls_context");
  const shared = fields.flag("cluster_manager_tls");
  const context = wantsTls(own) ? own : shared && wantsTls(defaults) ? defaults : undefined;
  if (context) envoy.transport_socket = clientTls(context).socket;
  else skipTls(own);
}

/** RPC goes through as bytes; for HTTP Envoy has to know what the servers speak. */
function protocolOptions(envoy: Out, { http1, http2 }: ClusterUse): void {
  if (!http2) return;
  const options: Out = { "@type": `type.googleapis.com/${HTTP_OPTIONS}` };
  if (http1) options.use_downstream_protocol_config = { http_protocol_options: {}, http2_protocol_options: {} };
  else options.explicit_http_config = { http2_protocol_options: {} };
  envoy.typed_extension_protocol_options = { [HTTP_OPTIONS]: options };
}

function dns(fields: Fields, envoy: Out): void {
  const rate = fields.seconds("dns_refresh_rate");
  const ttl = fields.flag("respect_dns_ttl");
  const family = fields.text("dns_lookup_family");
  if (envoy.type === "STRICT_DNS") {
    if (rate) envoy.dns_refresh_rate = envoyDuration(rate);
    if (ttl) envoy.respect_dns_ttl = true;
    envoy.dns_lookup_family = family || "V4_PREFERRED";
  }
  fields.lost(
    "Envoy asks the system's resolvers.",
    "Configure typed_dns_resolver_config.",
    "dns_resolvers",
    "dns_resolver_file",
    "dns_resolver_port",
  );
}

function leftovers(fields: Fields): void {
  fields.note("Envoy's connections have no limit of requests unless it is set.", "max_request_per_conn");
  fields.note(
    "Envoy's buffers are sized by per_connection_buffer_limit_bytes, 1 MiB by default.",
    "conn_buffer_limit_bytes",
  );
  fields.note("Not used by MOSN.", "sub_type", "mark");
  fields.note("Pools are per worker here.", "cluster_pool_enable");
  fields.note("Idle server connections stay open and are kept alive by heartbeats.", "idle_timeout");
  const spec = fields.child("spec");
  if (spec && spec.list("subscribe").length > 0) {
    spec.report.lost(
      spec.at("subscribe"),
      "hosts from a registry",
      "Envoy reads hosts from files, DNS or xDS.",
      "List the hosts, or have a bridge write them to an EDS file.",
    );
  }
  spec?.all();
}
