// A MOSN configuration as an Envoy bootstrap.
import { dirname, resolve } from "node:path";
import { parse, parseDocument } from "yaml";
import { type ClusterUse, type ConvertedCluster, convertCluster } from "./clusters.ts";
import { Fields, type Json, show } from "./fields.ts";
import { convertListener, proxyFilter, spokenBy } from "./listeners.ts";
import { BrokenInput, Report } from "./report.ts";
import { folder, namesOfClusters, Routers } from "./routers.ts";
import { overloadManager } from "./template.ts";

type Out = Record<string, unknown>;

const DEFAULT_ADMIN_PORT = 9901;

export interface ConvertOptions {
  /** The module's file, as the bootstrap names it. */
  module: string;
}

export interface Conversion {
  bootstrap: Out & { static_resources: { listeners: Out[]; clusters: Out[] } };
  report: Report;
}

/** Reads JSON, or YAML; throws BrokenInput with line and column where it is neither. */
export function parseMosn(text: string, file: string): { [name: string]: Json } {
  let value: Json;
  if (/\.ya?ml$/i.test(file)) {
    const document = parseDocument(text);
    const [error] = document.errors;
    if (error) throw new BrokenInput(`${file}: ${error.message}`);
    value = parse(text) as Json;
  } else {
    try {
      value = JSON.parse(text.replace(/^\uFEFF/, "")) as Json;
    } catch (error) {
      throw new BrokenInput(`${file}: ${position(text, (error as Error).message)}`);
    }
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new BrokenInput(`${file}: expected an object`);
  }
  return value;
}

/** Where JSON is broken: the YAML parser tells line and column of it, JSON.parse does not always. */
function position(text: string, message: string): string {
  const [error] = parseDocument(text, { prettyErrors: true }).errors;
  const at = error?.linePos?.[0];
  return at ? `line ${at.line}, column ${at.col}: ${error.message.split(" at line ")[0]}` : message;
}

/**
 * Converts MOSN's configuration `text`, which was read from `file`; folders that it names are looked for beside the file.
 * Throws BrokenInput with all mistakes, a line each, where it is no configuration of MOSN.
 */
export function convert(text: string, file: string, options: ConvertOptions): Conversion {
  const report = new Report();
  const root = new Fields(parseMosn(text, file), "", report);
  if (!root.has("servers") && root.has("static_resources")) {
    throw new BrokenInput(`${file}: it has no servers, but static_resources: it is a configuration of Envoy or of xDS`);
  }
  const servers = root.list("servers");
  if (servers.length === 0) report.mistake("servers", "expected one server");
  for (const more of servers.slice(1)) report.mistake(more.path, "MOSN takes one server only");
  const bootstrap = servers[0] ? build(root, servers[0], dirname(resolve(file)), options) : undefined;
  if (report.mistakes.length > 0 || !bootstrap) {
    throw new BrokenInput(report.mistakes.map((line) => `${file}: ${line}`).join("\n"));
  }
  return { bootstrap, report };
}

function build(root: Fields, server: Fields, base: string, options: ConvertOptions): Conversion["bootstrap"] {
  const { report } = root;
  const routers = new Routers(base, report);
  for (const router of server.list("routers")) routers.add(router);
  const listeners = server.list("listeners");
  for (const listener of listeners) inlineRouters(listener, routers);
  const manager = root.child("cluster_manager");
  const clusters = convertClusters(manager, base, usesOf(listeners, routers), report);
  const module = Object.fromEntries(clusters.flatMap(({ name, module }) => (module ? [[name, module]] : [])));
  const known = new Set(clusters.map(({ name }) => name));
  const context = { routers, clusters: module, known, module: options.module };
  const converted = listeners.map((listener) => convertListener(listener, context)).filter((one) => one !== undefined);
  const names = converted.map(({ name }) => name);
  for (const [i, name] of names.entries()) {
    if (names.indexOf(name) < i) report.mistake(`servers[0].listeners[${i}].name`, `there are two listeners "${name}"`);
  }
  for (const name of missing(listeners, routers, known)) {
    report.lost(
      "cluster_manager.clusters",
      name,
      "Routes name this cluster, and the file does not have it.",
      "Add it to static_resources.clusters; until then its calls fail.",
    );
  }
  const out: Out = { node: { id: server.text("mosn_server_name") || "moe", cluster: "moe" }, admin: admin(root) };
  serverFields(server);
  topLevel(root);
  root.done();
  const static_resources = { listeners: converted, clusters: clusters.map(({ envoy }) => envoy) };
  return { ...out, static_resources, ...(overloadManager ? { overload_manager: overloadManager } : {}) };
}

/** Routers that the deprecated filter `connection_manager` holds. */
function inlineRouters(listener: Fields, routers: Routers): void {
  for (const filter of listener.list("filter_chains")[0]?.list("filters") ?? []) {
    const config = filter.text("type") === "connection_manager" ? filter.child("config") : undefined;
    if (config) routers.add(config);
  }
}

/** Names of clusters that a listener's routes or filters use. */
function clustersOf(listener: Fields, routers: Routers): string[] {
  const filters = listener.list("filter_chains")[0]?.list("filters") ?? [];
  const named = filters.flatMap((filter) => {
    if (!["tcp_proxy", "udp_proxy"].includes(filter.text("type") ?? "")) return [];
    const config = filter.child("config");
    return [
      config?.text("cluster") ?? "",
      ...(config?.list("routes") ?? []).map((route) => route.text("cluster") ?? ""),
    ];
  });
  const config = proxyFilter(listener)?.child("config");
  const routed = config ? namesOfClusters(routers.of(config).hosts) : [];
  return [...named.filter((name) => name !== ""), ...routed];
}

/** By cluster, what is spoken to it. A listener whose clusters are named by headers uses all. */
function usesOf(listeners: Fields[], routers: Routers): Map<string, ClusterUse> {
  const uses = new Map<string, ClusterUse>();
  for (const listener of listeners) {
    const config = proxyFilter(listener)?.child("config");
    if (!config) continue;
    const spoken = spokenBy(config);
    const upstream = (config.text("upstream_protocol") ?? "Auto").toLowerCase();
    for (const name of clustersOf(listener, routers)) {
      const use = uses.get(name) ?? { rpc: false, http1: false, http2: false };
      use.rpc ||= spoken.rpc !== null;
      use.http1 ||= upstream === "http1" || (upstream !== "http2" && spoken.http1);
      use.http2 ||= upstream === "http2" || (upstream !== "http1" && spoken.http2);
      uses.set(name, use);
    }
  }
  return uses;
}

function convertClusters(
  manager: Fields | undefined,
  base: string,
  uses: Map<string, ClusterUse>,
  report: Report,
): ConvertedCluster[] {
  if (!manager) return [];
  const list = manager.list("clusters");
  const path = manager.text("clusters_configs");
  if (path) list.push(...folder(path, base, manager.at("clusters_configs"), report));
  const tls = manager.child("tls_context");
  manager.note("Pools are per worker here.", "cluster_pool_enable");
  manager.done();
  const out = list.map((cluster) => {
    const use = uses.get(cluster.text("name") ?? "") ?? { rpc: true, http1: false, http2: false };
    return convertCluster(cluster, use, tls);
  });
  tls?.all();
  const names = out.map(({ name }) => name);
  for (const [i, name] of names.entries()) {
    if (name !== "" && names.indexOf(name) < i) report.mistake(list[i].at("name"), `there are two clusters "${name}"`);
  }
  return out;
}

function missing(listeners: Fields[], routers: Routers, known: Set<string>): string[] {
  return [...new Set(listeners.flatMap((listener) => clustersOf(listener, routers)))].filter(
    (name) => !known.has(name),
  );
}

/** Envoy's admin page: whoever reaches it controls Envoy, so it stays on loopback, wherever MOSN's was. */
function admin(root: Fields): Out {
  const fields = root.child("admin");
  const address = fields?.child("address")?.child("socket_address");
  const host = address?.text("address");
  const port = address?.number("port_value") ?? DEFAULT_ADMIN_PORT;
  const out: Out = { address: { socket_address: { address: "127.0.0.1", port_value: port } } };
  if (host && host !== "127.0.0.1" && host !== "localhost") {
    root.report.changed(
      "admin.address",
      host,
      "Who reaches Envoy's admin page can stop Envoy, so it listens on 127.0.0.1.",
      "Let a listener serve what others need, such as /stats/prometheus.",
      out,
    );
  }
  if (fields) {
    root.report.note(
      "admin",
      "MOSN's /api/v1 pages",
      "Envoy has /config_dump, /stats, /clusters, /listeners, /logging.",
    );
  }
  fields?.all();
  return out;
}

function serverFields(server: Fields): void {
  const level = server.text("default_log_level");
  if (level)
    server.report.note(server.at("default_log_level"), level, `Start Envoy with --log-level ${level.toLowerCase()}.`);
  const path = server.text("default_log_path");
  if (path && path !== "stdout")
    server.report.note(server.at("default_log_path"), path, `Start Envoy with --log-path ${path}.`);
  const processor = server.raw("processor");
  if (processor !== undefined) {
    server.report.note(
      server.at("processor"),
      show(processor),
      "Envoy's worker threads: --concurrency, by default one a core.",
    );
  }
  const graceful = server.seconds("graceful_timeout");
  if (graceful) {
    server.report.note(
      server.at("graceful_timeout"),
      `${graceful} s`,
      `Start Envoy with --drain-time-s ${Math.ceil(graceful)}.`,
    );
  }
  server.note("Rotate Envoy's log by POST /reopen_logs.", "global_log_roller");
  server.note("Envoy uses epoll anyway.", "use_netpoll_mode");
  server.done();
}

function topLevel(root: Fields): void {
  root.note(
    "Envoy is replaced by its own hot restart.",
    "disable_upgrade",
    "close_graceful",
    "inherit_old_mosnconfig",
    "uds_dir",
  );
  root.note("Envoy writes no such file; the service manager knows the process.", "pid");
  root.note("Envoy has its own profiler: /cpuprofiler of the admin page.", "pprof");
  root.note("It is for Go plugins.", "plugin");
  tracing(root);
  metrics(root);
  const codecs = root.child("third_part_codec")?.list("codecs") ?? [];
  for (const codec of codecs.filter((one) => one.flag("enable"))) {
    root.report.lost(
      codec.path,
      show(codec.all()),
      "Codecs are part of the module.",
      "Write it in TypeScript: `moe new codec NAME`, docs/write-a-codec.md. x_example is in the module.",
    );
  }
  root.lost("They are Go code of that MOSN build, or MOSN's tunnel.", "Keep it on MOSN.", "extends");
  root.lost(
    "Envoy loads Wasm modules per filter.",
    "Add envoy.filters.http.wasm to the listener that uses it.",
    "wasm_global_plugins",
  );
  const xds = "It is xDS of Istio 1.5 (v2), for MOSN as the sidecar.";
  root.lost(
    xds,
    "In Istio use its own proxy with a WasmPlugin: istio/README.md.",
    "dynamic_resources",
    "static_resources",
  );
  root.note("It is the identity for xDS.", "node");
}

function tracing(root: Fields): void {
  const fields = root.child("tracing");
  if (fields?.flag("enable")) {
    root.report.lost(
      "tracing",
      fields.text("driver") ?? "",
      "Calls of RPC are not traced here yet.",
      "On HTTP use Envoy's `tracing` of the connection manager.",
    );
  }
  fields?.all();
}

function metrics(root: Fields): void {
  const fields = root.child("metrics");
  for (const sink of fields?.list("sinks") ?? []) {
    const type = sink.text("type") ?? "";
    const config = sink.child("config");
    if (type === "prometheus") {
      const where = `port ${config?.number("port") ?? ""} ${config?.text("endpoint") ?? ""}`.trim();
      root.report.changed(
        sink.path,
        `prometheus, ${where}`,
        "Prometheus reads /stats/prometheus of Envoy's admin port.",
        "Names differ: docs/counters.md.",
      );
    } else
      root.report.lost(
        sink.path,
        type,
        "Envoy has stats_sinks for statsd and OpenTelemetry.",
        "Configure one of them.",
      );
    sink.all();
  }
  fields?.all();
}
