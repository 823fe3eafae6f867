// The filter chain of an RPC listener: the module with MOSN's router, and the switchboard of envoy/envoy.yaml.
import { type FilterChain, pluginConfig, rpcChain } from "../lib/bootstrap.ts";
import { type Fields, type Json, show } from "./fields.ts";
import type { StreamFilters } from "./stream_filters.ts";
import { templateListener } from "./template.ts";

type Out = Record<string, unknown>;

const STRUCT = "type.googleapis.com/google.protobuf.Struct";

/** The module's own protocols, in the order in which they are asked. */
export const PROTOCOLS = ["bolt", "boltv2", "dubbo", "dubbo-thrift", "tars", "x_example"];
const HTTP_ONLY = "It has no meaning in RPC.";

const HEADER_CHANGES = [
  "request_headers_to_add",
  "request_headers_to_remove",
  "response_headers_to_add",
  "response_headers_to_remove",
];

/** What one RPC listener runs. */
export interface RpcProxy {
  name: string;
  /** Protocols to recognise; empty: all. */
  protocols: string[];
  /** Cluster for bytes of no known protocol. */
  fallback?: string;
  router: Fields | undefined;
  hosts: Fields[];
  filters: StreamFilters;
  /** The module's `clusters`. */
  clusters: Record<string, object>;
  /** The file of the module. */
  module: string;
}

/** The filter chain of an RPC listener. */
export function rpcFilterChain(proxy: RpcProxy): FilterChain {
  const listener = templateListener();
  const chain = rpcChain(listener);
  const plugin = pluginConfig(listener);
  const value: Out = {};
  if (proxy.protocols.length > 0) value.protocols = proxy.protocols;
  if (proxy.fallback) value.fallback = `cluster:${proxy.fallback}`;
  value.router = { ...changes(proxy.router), virtual_hosts: proxy.hosts.map(virtualHost) };
  if (Object.keys(proxy.clusters).length > 0) value.clusters = proxy.clusters;
  if (proxy.filters.module.length > 0) value.stream_filters = proxy.filters.module;
  plugin.name = proxy.name;
  plugin.vm_config.code.local.filename = proxy.module;
  const own = (plugin.configuration as { value?: Out } | undefined)?.value ?? {};
  // What the template says beside protocols, routes and clusters belongs to the switchboard, and stays.
  for (const name of ["protocols", "router", "clusters", "stream_filters"]) delete own[name];
  plugin.configuration = { "@type": STRUCT, value: { ...value, ...own } };
  return { filters: chain.filters };
}

/** Header changes as they are: the module has MOSN's fields. */
function changes(from: Fields | undefined): Out {
  const out: Out = {};
  for (const name of HEADER_CHANGES) {
    const list = from?.raw(name);
    if (Array.isArray(list) && list.length > 0) out[name] = list;
  }
  return out;
}

function virtualHost(host: Fields, i: number): Out {
  const out: Out = { name: host.text("name") || `host-${i}`, domains: host.texts("domains") };
  if ((out.domains as string[]).length === 0) host.report.mistake(host.at("domains"), "expected at least one domain");
  out.routers = host.list("routers").map(route);
  copy(host, out, "per_filter_config");
  Object.assign(out, changes(host));
  const tls = host.text("require_tls");
  if (tls && tls !== "NONE") host.report.note(host.at("require_tls"), tls, "MOSN does not use it.");
  host.done();
  return out;
}

/** Copies fields whose shape the module shares with MOSN. */
function copy(from: Fields, out: Out, ...names: string[]): void {
  for (const name of names) {
    const value = from.raw(name);
    if (value !== undefined && value !== "") out[name] = value;
  }
}

function route(from: Fields): Out {
  const out: Out = {};
  const match = from.child("match");
  if (match) out.match = matchOf(match);
  const direct = from.child("direct_response");
  const action = from.child("route");
  const redirect = from.child("redirect");
  if (direct) out.direct_response = { status: direct.number("status") ?? 200, body: direct.text("body") ?? "" };
  else if (redirect) {
    from.report.lost(
      redirect.path,
      show(redirect.all()),
      "RPC protocols have no redirects; MOSN answers with an error.",
      "The route answers with the code 500.",
    );
    out.direct_response = { status: 500, body: "" };
  } else if (action) out.route = forward(action);
  else from.report.mistake(from.path, "expected one of route, direct_response, redirect");
  if (direct ?? redirect) action?.all();
  copy(from, out, "per_filter_config");
  const mirror = from.child("request_mirror_policies");
  const cluster = mirror?.text("cluster");
  if (mirror && cluster) out.request_mirror_policies = { cluster, percent: mirror.number("percent") ?? 0 };
  mirror?.all();
  from.note("MOSN's routes do not use it.", "metadata");
  from.done();
  return out;
}

function matchOf(match: Fields): Out {
  const out: Out = {};
  copy(match, out, "prefix", "path", "regex", "headers", "variables");
  if (out.prefix !== undefined) drop(match, out, "path", "regex");
  else if (out.path !== undefined) drop(match, out, "regex");
  const headers = Array.isArray(out.headers) ? out.headers : [];
  // MOSN skips headers where there is a path, and variables where there is either.
  if (headers.length === 0) delete out.headers;
  const expressions = match.list("dsl_expressions");
  if (expressions.length > 0) {
    match.report.lost(
      match.at("dsl_expressions"),
      show(expressions.map((one) => one.all() as Json)),
      "Routes cannot be chosen by DSL expressions here yet.",
      "The route matches nothing; write it with headers or variables.",
    );
    out.headers = [...(headers as Json[]), { name: "x-moe-not-converted", value: "-" }];
  }
  match.done();
  return out;
}

function drop(match: Fields, out: Out, ...names: string[]): void {
  for (const name of names) {
    if (out[name] === undefined) continue;
    match.report.note(
      match.at(name),
      show(out[name] as Json),
      "MOSN looks at the first of prefix, path and regex only.",
    );
    delete out[name];
  }
}

function forward(action: Fields): Out {
  const out: Out = {};
  const weighted = action.list("weighted_clusters");
  if (weighted.length > 0) {
    out.weighted_clusters = weighted.map((entry) => ({ cluster: entry.child("cluster")?.all() ?? {} }));
    weighted.forEach((entry) => entry.done());
  } else copy(action, out, action.text("cluster_name") ? "cluster_name" : "cluster_variable");
  // MOSN prefers a fixed name, and reads the others only without one.
  action.raw("cluster_name");
  action.raw("cluster_variable");
  if (Object.keys(out).length === 0) copy(action, out, "cluster_header");
  if (Object.keys(out).length === 0) {
    action.report.mistake(
      action.path,
      "expected one of cluster_name, weighted_clusters, cluster_header, cluster_variable",
    );
  }
  action.raw("cluster_header");
  copy(action, out, "metadata_match", "timeout", "hash_policy");
  const retry = action.child("retry_policy");
  if (retry) {
    out.retry_policy = {};
    copy(retry, out.retry_policy as Out, "retry_on", "retry_timeout", "num_retries", "status_codes");
    retry.done();
  }
  Object.assign(out, changes(action));
  const upstream = action.text("upstream_protocol");
  if (upstream && upstream !== "Auto") {
    action.report.changed(
      action.at("upstream_protocol"),
      upstream,
      "A call keeps its protocol on the way to the server.",
    );
  }
  action.note(
    HTTP_ONLY,
    "prefix_rewrite",
    "regex_rewrite",
    "host_rewrite",
    "auto_host_rewrite",
    "auto_host_rewrite_header",
  );
  action.done();
  return out;
}
