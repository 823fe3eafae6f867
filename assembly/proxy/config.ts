import { Bytes } from "../bytes/bytes";
import { ConfigErrors } from "../config/errors";
import { parseConfiguration } from "../config/struct";
import { ObjectReader } from "../config/object";
import { suggestion } from "../config/suggest";
import { ClusterChoice } from "../router/clusters";
import { AllowedClusters } from "../router/allowed_clusters";
import { RouterOptions } from "../router/builder";
import { ClusterConfig, Keepalive } from "../upstream/cluster_config";
import { UpstreamConfig } from "../upstream/upstream_config";
import { isVisible } from "../router/metadata";
import { INVALID_NAME } from "../router/read_route";
import { Router } from "../router/router";
import { FilterChains } from "../stream/chain";
import { readProperty } from "../host/properties";
import { FilterRegistry } from "../stream/registry";
import { ConnectTarget } from "../tunnel/connect";

/** The cluster of every request where no router is configured. */
export const DEFAULT_CLUSTER: string = "upstream";
/** Timeout of a request when neither the route nor the request says one, ms (MOSN's). */
export const DEFAULT_TIMEOUT_MS: i64 = 60000;
/** Most entries of `clusters`. */
const MAX_CLUSTERS: i32 = 4096;
const MIB: i64 = 1 << 20;
const MINUTE_MS: i64 = 60000;
const DAY_MS: i64 = 1440 * MINUTE_MS;
const FALLBACK_CLUSTER: string = "cluster:";
/** How Istio names its plugins, of which those for connections stand before a tcp_proxy. */
const ISTIO: string = "extensions.istio.io/";
const NO_SWITCHBOARD: string =
  'must be given in a WasmPlugin, which stands before a tcp_proxy: the cluster of istio/switchboard.yaml; or "" where an HTTP connection manager follows';

/** The configuration of the root `proxy` (docs/configuration.md). Immutable. */
export class ProxyConfig extends UpstreamConfig {
  /** Names of the protocols to detect, in the order of the configuration or of `knownProtocols`. */
  readonly protocols: string[];
  /** The cluster that gets connections of no known protocol; null: they are closed. */
  readonly fallbackCluster: Bytes | null;
  /** What leads to it, and how long a connection to it may take to open, milliseconds. */
  readonly fallbackChoice: ClusterChoice | null;
  readonly fallbackTarget: ConnectTarget | null;
  readonly fallbackTimeoutMs: i32;
  readonly router: Router;
  /** Longest timeout that a request may choose for itself, ms; a route's own may be longer. */
  readonly maxRequestTimeoutMs: i64;
  /** Shortest timeout of a caller's own that counts against a server, ms; 0: the route's. */
  readonly minCountedTimeoutMs: i64;
  /** How long the first bytes of a connection may take to tell its protocol, milliseconds. */
  readonly detectTimeoutMs: i32;
  readonly keepalive: Keepalive;
  /** Whether clients are told to go away when their connection is to close, in protocols that can. */
  readonly goaway: bool;
  /** Whether a message is refused when its frame cannot carry the changes made to it; else the changes are lost. */
  readonly strictChanges: bool;
  /** Longest time between two drain probes of an active connection, ms; 0: none are sent. */
  readonly drainCheckMs: i32;
  /** The cluster with the switchboard, where a tcp_proxy stands behind the filter; empty: the switchboard itself does. */
  readonly switchboard: Bytes;
  private readonly clusters: ClusterConfig[] = [];

  readonly chains: FilterChains;
  /** Whether a response that carries an exception counts as an error in the numbers by method and cluster. */
  readonly exceptionsAreErrors: bool;

  private constructor(from: ObjectReader, knownProtocols: string[], filters: FilterRegistry, seed: u64) {
    super();
    this.protocols = readProtocols(from, knownProtocols);
    this.fallbackCluster = readFallback(from);
    const options = new RouterOptions();
    options.defaultCluster = DEFAULT_CLUSTER;
    options.seed = seed;
    options.filters = filters;
    const allowed = new AllowedClusters();
    allowed.read(from);
    options.allowed = allowed;
    const router = from.raw("router");
    const chains = filters.parse(from);
    this.chains = chains;
    // Of a list that is refused itself some may be missing.
    if (!from.errors.failed) options.chains = chains;
    this.router = Router.parse(router, "router", from.errors, options);
    this.maxFrameBytes = from.integer("max_frame_bytes", 16 * MIB, 1024, 64 * MIB) as i32;
    this.maxConnectionBytes = from.integer("max_connection_bytes", 64 * MIB, 65536, 512 * MIB) as i32;
    this.detectTimeoutMs = from.integer("detect_timeout_ms", 10000, 1, 600000) as i32;
    this.frameTimeoutMs = from.integer("frame_timeout_ms", 60000, 0, 600000) as i32;
    this.maxRequestTimeoutMs = from.milliseconds("max_request_timeout", 10 * MINUTE_MS, 1, DAY_MS);
    this.minCountedTimeoutMs = from.milliseconds("min_counted_timeout", 0, 0, DAY_MS);
    this.keepalive = new Keepalive(from, null);
    this.exceptionsAreErrors = from.bool("exceptions_are_errors", false);
    this.goaway = from.bool("goaway", false);
    this.strictChanges = from.bool("strict_changes", false) || chains.needsChanges;
    this.drainCheckMs = from.integer("drain_check_ms", 10000, 0, 600000) as i32;
    this.switchboard = readSwitchboard(from);
    if (this.maxConnectionBytes < this.maxFrameBytes && !from.isWrong("max_frame_bytes")) {
      from.fail("max_connection_bytes", `must not be less than max_frame_bytes, which is ${this.maxFrameBytes}`);
    }
    this.readClusters(from.object("clusters"), allowed);
    from.finish();
    const fallback = this.fallbackCluster;
    this.fallbackChoice = fallback === null ? null : new ClusterChoice(fallback, null);
    this.fallbackTarget = fallback === null ? null : new ConnectTarget(fallback, [], []);
    this.fallbackTimeoutMs = fallback === null ? 0 : this.cluster(fallback).openTimeoutMs;
  }

  /** The configuration where none is given: all defaults. Parameters as for `parse`. */
  static defaults(knownProtocols: string[], filters: FilterRegistry): ProxyConfig {
    return new ProxyConfig(new ObjectReader(null, "", new ConfigErrors()), knownProtocols, filters, 0);
  }

  /**
   * Reads the configuration, a JSON text; no text at all is all defaults.
   * @param errors gets the mistakes: then null is returned
   * @param knownProtocols names of the codecs compiled in
   * @param filters the types of stream filters compiled in
   * @param seed differs between workers, so that their weighted choices do not step together
   */
  static parse(
    ptr: usize,
    length: i32,
    errors: ConfigErrors,
    knownProtocols: string[],
    filters: FilterRegistry,
    seed: u64 = 0,
  ): ProxyConfig | null {
    const value = length > 0 ? parseConfiguration(ptr, length, errors) : null;
    if (errors.failed) return null;
    const config = new ProxyConfig(new ObjectReader(value, "", errors), knownProtocols, filters, seed);
    return errors.failed ? null : config;
  }

  cluster(name: Bytes): ClusterConfig {
    for (let i = 0; i < this.clusters.length; i++) {
      if (this.clusters[i].name.equals(name.ptr, name.length)) return this.clusters[i];
    }
    return new ClusterConfig(name, new ObjectReader(null, "", new ConfigErrors()), this.keepalive);
  }

  private readClusters(from: ObjectReader, allowed: AllowedClusters): void {
    const names = from.value.members.keys();
    if (names.length > MAX_CLUSTERS) from.failHere(`more than ${MAX_CLUSTERS} clusters`);
    for (let i = 0; i < names.length && !from.errors.full; i++) {
      if (!isVisible(names[i])) from.refuse(INVALID_NAME);
      allowed.add(names[i]);
      this.clusters.push(new ClusterConfig(Bytes.of(names[i]), from.object(names[i]), this.keepalive));
    }
  }
}

function readProtocols(from: ObjectReader, known: string[]): string[] {
  if (!from.has("protocols")) return known;
  const protocols = from.strings("protocols");
  if (protocols.length == 0) from.fail("protocols", "must not be empty; leave it out for " + known.join(", "));
  for (let i = 0; i < protocols.length; i++) {
    const text = protocols[i];
    const error = !known.includes(text) ? "unknown" : protocols.indexOf(text) < i ? "duplicate" : "";
    if (error.length == 0) continue;
    const at = from.items("protocols")[i];
    const like = error == "unknown" ? suggestion(text, known) : "";
    from.errors.add(`protocols[${i}]`, at, `${error} protocol ${at.describe()}; allowed: ${known.join(", ")}${like}`);
  }
  return protocols;
}

function readSwitchboard(from: ObjectReader): Bytes {
  const name = from.string("switchboard");
  if (name.length > 0 && !isVisible(name)) from.fail("switchboard", INVALID_NAME);
  // Without it HTTP/2 would go to a server.
  if (!from.has("switchboard") && readProperty("plugin_name").startsWith(ISTIO))
    from.fail("switchboard", NO_SWITCHBOARD);
  return Bytes.of(name);
}

function readFallback(from: ObjectReader): Bytes | null {
  const fallback = from.string("fallback", "close");
  if (fallback == "close") return null;
  const name = fallback.substring(FALLBACK_CLUSTER.length);
  if (!fallback.startsWith(FALLBACK_CLUSTER) || !isVisible(name)) {
    from.fail("fallback", 'expected "close" or "cluster:NAME"');
  }
  return Bytes.of(name);
}
