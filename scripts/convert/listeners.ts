// MOSN's listeners as Envoy's.
import { accessLogs } from "./access_log.ts";
import { endpointAddress } from "./clusters.ts";
import { envoyDuration, type Fields, show } from "./fields.ts";
import { httpConnectionManager } from "./http.ts";
import { PROTOCOLS, rpcFilterChain } from "./rpc.ts";
import type { Routers } from "./routers.ts";
import { streamFilters } from "./stream_filters.ts";
import { templateListener } from "./template.ts";
import { serverTls, skipTls, type Tls, wantsTls } from "./tls.ts";

type Out = Record<string, unknown>;

const FILTERS = "type.googleapis.com/envoy.extensions.filters";
const HTTP_MATCH = ["http/1.0", "http/1.1", "h2c"];

/** What all listeners share. */
export interface ListenerContext {
  routers: Routers;
  /** The module's `clusters`, for RPC. */
  clusters: Record<string, object>;
  /** Names of all clusters of the file. */
  known: Set<string>;
  /** The file of the module. */
  module: string;
}

/** What a listener's `proxy` filter speaks with clients. */
export interface Spoken {
  http1: boolean;
  http2: boolean;
  /** RPC protocols; null: none. Empty: all that are known. */
  rpc: string[] | null;
  /** Names that nobody knows here. */
  unknown: string[];
}

/** The network filter of a listener that proxies, if it has one. */
export function proxyFilter(listener: Fields): Fields | undefined {
  const filters = listener.list("filter_chains")[0]?.list("filters") ?? [];
  return filters.find((filter) => ["proxy", "rpc_proxy", "x_proxy"].includes(filter.text("type") ?? ""));
}

/** The protocols of a proxy filter: one name or several with commas; `X` and `Auto` leave it to `sub_protocol`. */
export function spokenBy(config: Fields): Spoken {
  const out: Spoken = { http1: false, http2: false, rpc: null, unknown: [] };
  const names = (text: string | undefined) =>
    (text ?? "")
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "");
  const subs = names(config.child("extend_config")?.text("sub_protocol"));
  const given = names(config.text("downstream_protocol"));
  for (const name of given.length > 0 ? given : ["Auto"]) {
    const lower = name.toLowerCase();
    if (lower === "auto" || lower === "http1") out.http1 = true;
    if (lower === "auto" || lower === "http2") out.http2 = true;
    if (lower === "auto" || lower === "x") add(out, subs);
    else if (!lower.startsWith("http")) add(out, [lower]);
  }
  return out;
}

function add(out: Spoken, names: string[]): void {
  out.rpc ??= [];
  for (const name of names) {
    if (PROTOCOLS.includes(name)) out.rpc.push(name);
    else out.unknown.push(name);
  }
}

/** Converts a listener; undefined where it must not serve. */
export function convertListener(listener: Fields, context: ListenerContext): Out | undefined {
  const address = listener.text("address") ?? "";
  const network = (listener.text("network") || "tcp").toLowerCase();
  const parsed = network === "unix" ? { address: { pipe: { path: address } } } : endpointAddress(withHost(address));
  if (!parsed) listener.report.mistake(listener.at("address"), `expected HOST:PORT, got "${address}"`);
  const name = listener.text("name") || address;
  const out: Out = { name, address: structuredClone(parsed?.address ?? {}) };
  const chains = listener.list("filter_chains");
  for (const more of chains.slice(1)) {
    listener.report.lost(more.path, "a second filter chain", "MOSN itself uses only the first.");
    more.all();
  }
  const served = chains[0] ? serve(name, listener, chains[0], network, out, context) : false;
  if (chains.length === 0) listener.report.mistake(listener.at("filter_chains"), "expected one filter chain");
  common(listener, out);
  listener.done();
  return served ? out : undefined;
}

/** Go listens on all addresses where the host is left out. */
function withHost(address: string): string {
  return address.startsWith(":") ? `0.0.0.0${address}` : address;
}

function common(listener: Fields, out: Out): void {
  if (listener.raw("bind_port") !== true) out.bind_to_port = false;
  const original = listener.text("use_original_dst");
  const filters = listener.list("listener_filters");
  const wanted = original || filters.some((filter) => filter.text("type") === "original_dst");
  if (wanted) {
    prependFilter(out, "original_dst", `${FILTERS}.listener.original_dst.v3.OriginalDst`);
    out.use_original_dst = true;
    const mode = original || filters.map((filter) => filter.child("config")?.text("type")).find(Boolean);
    if (mode === "tproxy") out.transparent = true;
  }
  for (const filter of filters) {
    const type = filter.text("type");
    if (type !== "original_dst") filter.report.lost(filter.path, type ?? "", "Envoy has no such listener filter.");
    filter.all();
  }
  listener.note("Envoy's listeners share their port among workers anyway.", "reuseport");
  listener.note("Filters do not depend on it here.", "type");
  listener.note("Envoy's buffers grow as needed.", "default_read_buffer_size");
  listener.note("Envoy logs to one place: --log-path.", "log_path", "log_level");
}

function prependFilter(out: Out, name: string, type: string): void {
  const filter = { name: `envoy.filters.listener.${name}`, typed_config: { "@type": type } };
  const own = (out.listener_filters ?? []) as { name: string }[];
  if (!own.some((one) => one.name === filter.name)) out.listener_filters = [filter, ...own];
}

/** Converts the filter chain; false where the listener is to be left out. */
function serve(
  name: string,
  listener: Fields,
  chain: Fields,
  network: string,
  out: Out,
  context: ListenerContext,
): boolean {
  const filters = chain.list("filters");
  chain.raw("match");
  const find = (...types: string[]) => filters.find((filter) => types.includes(filter.text("type") ?? ""));
  const proxy = proxyFilter(listener);
  const tcp = find("tcp_proxy");
  const udp = find("udp_proxy");
  const tls = tlsOf(listener, chain);
  let served = true;
  if (tls === null) served = false;
  else if (udp) udpProxy(name, udp, out);
  else if (tcp) tcpProxy(name, listener, tcp, out);
  else if (proxy) served = proxyChains(name, listener, proxy, out, context);
  else {
    served = false;
    const types = filters.map((filter) => filter.text("type"));
    listener.report.lost(
      chain.path,
      types.join(", ") || "no filters",
      "There is no such network filter here.",
      "The listener is left out.",
    );
  }
  for (const filter of filters) filter.all();
  chain.done();
  listener.raw("stream_filters");
  if (network === "udp" && !udp) listener.report.mistake(listener.at("network"), "udp needs the filter udp_proxy");
  if (tls && served) addTls(listener, tls, out);
  return served;
}

/** The listener's TLS; undefined: none; null: it is wanted, and cannot be had. */
function tlsOf(listener: Fields, chain: Fields): Tls | undefined | null {
  const one = chain.child("tls_context");
  const set = chain.list("tls_context_set");
  const wanted = [one, ...set].filter(wantsTls);
  if (wanted.length === 0) {
    for (const context of [one, ...set]) skipTls(context);
    listener.note("There is no TLS.", "inspector");
    return undefined;
  }
  const sockets = wanted.map(serverTls);
  const first = sockets[0];
  if (!first || sockets.includes(undefined)) return null;
  const certificates = (tls: Tls) =>
    (tls.socket as { typed_config: { common_tls_context: { tls_certificates?: object[] } } }).typed_config
      .common_tls_context;
  for (const other of sockets.slice(1)) {
    certificates(first).tls_certificates?.push(...(certificates(other as Tls).tls_certificates ?? []));
  }
  if (sockets.length > 1) {
    listener.report.changed(
      chain.at("tls_context_set"),
      `${sockets.length} contexts`,
      "Envoy chooses the certificate by the client's name; all else is taken from the first context.",
      undefined,
      first.socket,
    );
  }
  return { socket: first.socket, fallback: listener.flag("inspector") || first.fallback };
}

/** Every chain speaks TLS; with `fallback` each stands there once more for plain text. */
function addTls(listener: Fields, tls: Tls, out: Out): void {
  const chains = (out.filter_chains ?? []) as Out[];
  const http = chains.find((chain) => chain.filter_chain_match !== undefined);
  const secured = chains.map((chain) => {
    const match: Out = { ...(chain.filter_chain_match as Out | undefined) };
    if (chain === http && match.application_protocols) match.application_protocols = ["http/1.1", "h2"];
    if (tls.fallback) match.transport_protocol = "tls";
    const own: Out = { ...chain, transport_socket: structuredClone(tls.socket) };
    if (Object.keys(match).length > 0) own.filter_chain_match = match;
    return own;
  });
  prependFilter(out, "tls_inspector", `${FILTERS}.listener.tls_inspector.v3.TlsInspector`);
  if (http?.filter_chain_match && chains.length > 1) {
    offerHttp(secured);
    listener.report.changed(
      listener.path,
      "HTTP and RPC on one port, in TLS",
      "Inside TLS Envoy knows HTTP by ALPN: clients have to offer http/1.1 or h2.",
    );
  }
  out.filter_chains = tls.fallback ? [...secured, ...chains] : secured;
}

function offerHttp(chains: Out[]): void {
  for (const chain of chains) {
    const context = (chain.transport_socket as { typed_config: { common_tls_context: Out } }).typed_config
      .common_tls_context;
    if (chain.filter_chain_match && (chain.filter_chain_match as Out).application_protocols) {
      context.alpn_protocols ??= ["h2", "http/1.1"];
    }
  }
}

function udpProxy(name: string, filter: Fields, out: Out): void {
  const config = filter.child("config");
  const cluster = config?.text("cluster") || config?.list("routes")[0]?.text("cluster") || "";
  if (cluster === "") filter.report.mistake(`${filter.path}.config.cluster`, "expected a cluster");
  const idle = config?.seconds("idle_timeout");
  const type = `${FILTERS}.udp.udp_proxy.v3`;
  ((out.address as Out).socket_address as Out).protocol = "UDP";
  out.listener_filters = [
    {
      name: "envoy.filters.udp_listener.udp_proxy",
      typed_config: {
        "@type": `${type}.UdpProxyConfig`,
        stat_prefix: name,
        ...(idle ? { idle_timeout: envoyDuration(idle) } : {}),
        matcher: { on_no_match: { action: { name: "route", typed_config: { "@type": `${type}.Route`, cluster } } } },
      },
    },
  ];
}

/** The chains of a TCP proxy: one for each route with addresses, and one for all others. */
function tcpProxy(name: string, listener: Fields, filter: Fields, out: Out): void {
  const config = filter.child("config");
  const idle = config?.seconds("idle_timeout") ?? listener.seconds("connection_idle_timeout");
  const attempts = config?.number("max_connect_attempts");
  const logs = accessLogs(listener, true);
  const chain = (cluster: string, filter_chain_match?: Out): Out => ({
    ...(filter_chain_match ? { filter_chain_match } : {}),
    filters: [
      {
        name: "envoy.filters.network.tcp_proxy",
        typed_config: {
          "@type": `${FILTERS}.network.tcp_proxy.v3.TcpProxy`,
          stat_prefix: name,
          cluster,
          ...(idle !== undefined ? { idle_timeout: envoyDuration(idle) } : {}),
          ...(attempts ? { max_connect_attempts: attempts } : {}),
          ...(logs.length > 0 ? { access_log: logs } : {}),
        },
      },
    ],
  });
  const chains: Out[] = [];
  let rest = config?.text("cluster") || "";
  for (const route of config?.list("routes") ?? []) {
    const cluster = route.text("cluster") ?? "";
    const match: Out = {};
    const sources = route.texts("source_addrs").map(range);
    const targets = route.texts("destination_addrs").map(range);
    if (sources.length > 0) match.source_prefix_ranges = sources;
    if (targets.length > 0) match.prefix_ranges = targets;
    if (Object.keys(match).length > 0) chains.push(chain(cluster, match));
    else rest ||= cluster;
  }
  if (rest) chains.push(chain(rest));
  if (chains.length === 0) filter.report.mistake(`${filter.path}.config.cluster`, "expected a cluster");
  out.filter_chains = chains;
}

function range(text: string): Out {
  const [address_prefix, length] = text.split("/");
  return { address_prefix, prefix_len: Number(length ?? (address_prefix.includes(":") ? 128 : 32)) };
}

/** HTTP and RPC chains of a `proxy` filter; false where nothing is left to serve. */
function proxyChains(name: string, listener: Fields, filter: Fields, out: Out, context: ListenerContext): boolean {
  const config = filter.child("config");
  if (!config) {
    filter.report.mistake(`${filter.path}.config`, "expected an object");
    return false;
  }
  const spoken = spokenBy(config);
  const router = context.routers.of(config);
  const chains: Out[] = [];
  for (const protocol of spoken.unknown) {
    filter.report.lost(
      config.path,
      `protocol ${protocol}`,
      "No codec of this name is in the module.",
      "Write it in TypeScript: `moe new codec NAME`, docs/write-a-codec.md.",
    );
  }
  const rpc = spoken.rpc !== null && (spoken.rpc.length > 0 || spoken.unknown.length === 0);
  const http = spoken.http1 || spoken.http2;
  const upstream = config.text("upstream_protocol");
  crossing(config, upstream, spoken);
  if (rpc) {
    if (!http) accessLogs(listener, false);
    const filters = streamFilters(listener, false);
    const { hosts } = router;
    chains.push(
      rpcFilterChain({ name, protocols: spoken.rpc ?? [], router: router.fields, hosts, filters, ...context }) as never,
    );
  }
  if (http) {
    const manager = httpConnectionManager(name, listener, router, spoken, context);
    const match = rpc ? { filter_chain_match: { application_protocols: HTTP_MATCH } } : {};
    chains.push({ ...match, filters: [manager] });
  }
  if (rpc) rpcListenerSettings(out, http);
  rest(listener, config, http);
  if (chains.length > 0) out.filter_chains = chains;
  else
    listener.report.lost(
      listener.path,
      show(config.all()),
      "Nothing of it can be served.",
      "The listener is left out.",
    );
  return chains.length > 0;
}

/** A listener of one kind of protocol and servers of another. */
function crossing(config: Fields, upstream: string | undefined, spoken: Spoken): void {
  const up = (upstream ?? "Auto").toLowerCase();
  if (up === "auto" || up === "") return;
  const http = up.startsWith("http");
  if ((http && spoken.rpc !== null && !spoken.http1) || (!http && spoken.rpc === null)) {
    config.report.lost(
      config.at("upstream_protocol"),
      upstream ?? "",
      "A call keeps its protocol on the way to the server: there is no transcoding here yet.",
      "Have clients speak the servers' protocol, or keep this listener on MOSN.",
    );
  }
}

/** What envoy.yaml sets on the RPC listener, beside its chains. */
function rpcListenerSettings(out: Out, http: boolean): void {
  const template = templateListener();
  out.per_connection_buffer_limit_bytes = template.per_connection_buffer_limit_bytes;
  out.socket_options = template.socket_options;
  if (!http) return;
  for (const field of ["listener_filters", "listener_filters_timeout", "continue_on_listener_filters_timeout"]) {
    out[field] = template[field];
  }
}

function rest(listener: Fields, config: Fields, http: boolean): void {
  if (config.flag("fallback_for_unknown_protocol")) {
    config.report.lost(
      config.at("fallback_for_unknown_protocol"),
      "true",
      "The cluster for such connections has to be named.",
      "Set the module's `fallback` to cluster:NAME.",
    );
  }
  config.note("Envoy checks the clusters of routes when it loads them.", "validate_clusters");
  config.note("Workers are Envoy's: --concurrency.", "concurrency_num");
  config.note("Not used.", "name");
  config.lost("It is a Go function of that MOSN build.", undefined, "router_handler_name");
  if (!http)
    listener.note(
      "RPC clients may be silent for as long as they like; heartbeats find dead ones.",
      "connection_idle_timeout",
    );
  config.raw("router_config_name");
  config.child("extend_config")?.all();
}
