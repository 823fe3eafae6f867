import { Bytes } from "../bytes/bytes";
import { IpAddress } from "../config/ip_address";
import { canonicalEndpoint } from "../config/ip_text";
import { ObjectReader } from "../config/object";
import { JsonKind } from "../config/value";

/** How the host of a request is chosen, named as MOSN names it. */
export const enum LbType {
  ROUND_ROBIN = 0,
  RANDOM = 1,
  WEIGHTED_ROUND_ROBIN = 2,
  LEAST_REQUEST = 3,
  /** Consistent hashing by the route's hash policy. */
  MAGLEV = 4,
}

const LB_NAMES: string[] = ["LB_ROUNDROBIN", "LB_RANDOM", "LB_WEIGHTED_ROUNDROBIN", "LB_LEAST_REQUEST", "LB_MAGLEV"];

/** Most upstream connections of one downstream connection to one host. */
const MAX_CONNECTIONS: i64 = 64;
const DEFAULT_CONNECT_TIMEOUT_MS: i64 = 5000;
const MAX_CONNECT_TIMEOUT_MS: i64 = 600000;
/** The module waits this much longer than Envoy for a connection, which reports its own failure in time. */
const OPEN_GRACE_MS: i32 = 250;
/** Least age at which an unanswered connection may be given up: Envoy closes a client for many early resets. */
const MIN_OPEN_TIMEOUT_MS: i32 = 1000;
/** Envoy's defaults of a retry budget. */
const RETRY_PERCENT: f64 = 20;
const MIN_RETRIES: i64 = 3;
/** Why the name of a host is refused. */
const EXPECTED_HOST: string = 'expected the weight of a host named like "10.0.0.1:12200", without leading zeros';
/** Bounds of a host's weight, as MOSN's. */
const MAX_WEIGHT: i64 = 128;

const address = new IpAddress();

/** Heartbeats that keep an upstream connection and find out that it is dead. Immutable. */
export class Keepalive {
  /** Time between two heartbeats on an idle connection, milliseconds; 0: none are sent. */
  readonly intervalMs: i32;
  /** How long an acknowledgement may take, milliseconds. */
  readonly timeoutMs: i32;
  /** Missing acknowledgements in a row after which the connection is closed. */
  readonly maxFailures: i32;

  /**
   * Reads `keepalive` of `from`.
   * @param inherited what absent fields are taken from; null: MOSN's defaults (15 s, 1 s, 6)
   */
  constructor(from: ObjectReader, inherited: Keepalive | null) {
    const keepalive = from.object("keepalive");
    const interval = inherited === null ? 15000 : inherited.intervalMs;
    const timeout = inherited === null ? 1000 : inherited.timeoutMs;
    const failures = inherited === null ? 6 : inherited.maxFailures;
    this.intervalMs = keepalive.integer("interval_ms", interval, 0, 3600000) as i32;
    this.timeoutMs = keepalive.integer("timeout_ms", timeout, 1, 3600000) as i32;
    this.maxFailures = keepalive.integer("max_failures", failures, 1, 1000) as i32;
    keepalive.finish();
  }
}

/** What the proxy knows of one of Envoy's clusters beside its name: one of `clusters`. Immutable. */
export class ClusterConfig {
  readonly lbType: LbType;
  /** Upstream connections of one downstream connection to one host, 1 to 64. */
  readonly connections: i32;
  /** Most requests under way in this VM; 0: no limit. So are the next two. */
  readonly maxRequests: u32;
  /** Most requests waiting for a connection. */
  readonly maxPendingRequests: u32;
  /** Most retries under way. */
  readonly maxRetries: u32;
  /** Whether all further tries of what was sent are in the budget, not only those that callers' timeouts cause. */
  readonly budgetsAll: bool;
  /** The budget: this part of the requests under way, or so many tries. */
  readonly retryPercent: f64;
  readonly minRetries: u32;
  /** How long Envoy tries to connect, milliseconds: as configured for its cluster. */
  readonly connectTimeoutMs: i32;
  readonly keepalive: Keepalive;
  /** Hosts as "IP:PORT" in their one spelling, and their weights (1 to 128); a host that is not listed has weight 1. */
  readonly weightedHosts: Bytes[] = [];
  readonly hostWeights: u32[] = [];

  /** Reads one of `clusters`; all defaults from an empty object. Absent fields of `keepalive` are those of `shared`. */
  constructor(
    readonly name: Bytes,
    from: ObjectReader,
    shared: Keepalive,
  ) {
    const limits = readThresholds(from);
    this.lbType = from.choice("lb_type", LbType.ROUND_ROBIN, LB_NAMES) as LbType;
    this.connections = agreed(from, limits, "connections", "max_connections", 1, 1, MAX_CONNECTIONS) as i32;
    this.maxRequests = limit(from, limits, "max_requests");
    this.maxPendingRequests = limit(from, limits, "max_pending_requests");
    this.maxRetries = limit(from, limits, "max_retries");
    this.budgetsAll = from.has("retry_budget");
    const budget = from.object("retry_budget");
    this.retryPercent = budget.float("budget_percent", RETRY_PERCENT, 0, 100);
    this.minRetries = budget.integer("min_retry_concurrency", MIN_RETRIES, 0, u32.MAX_VALUE) as u32;
    budget.finish();
    this.connectTimeoutMs = readConnectTimeout(from);
    this.keepalive = new Keepalive(from, shared);
    const weights = from.object("host_weights");
    from.finish();
    limits.finish();
    this.readWeights(from, weights);
  }

  /** How long the module waits for an upstream connection, milliseconds. */
  get openTimeoutMs(): i32 {
    return max(this.connectTimeoutMs + OPEN_GRACE_MS, MIN_OPEN_TIMEOUT_MS);
  }

  private readWeights(from: ObjectReader, weights: ObjectReader): void {
    const hosts = weights.value.members.keys();
    if (hosts.length > 0 && this.lbType != LbType.WEIGHTED_ROUND_ROBIN && !from.isWrong("lb_type")) {
      from.fail("host_weights", 'has no effect without "lb_type": "LB_WEIGHTED_ROUNDROBIN"');
    }
    for (let i = 0; i < hosts.length; i++) {
      const host = Bytes.of(hosts[i]);
      const good = address.parseEndpoint(host.ptr, host.length) && address.port > 0;
      if (!good) weights.fail(hosts[i], EXPECTED_HOST);
      const spelled = canonicalEndpoint(host);
      if (this.hasWeight(spelled)) weights.fail(hosts[i], `is ${spelled.toString()}, which has a weight already`);
      this.weightedHosts.push(spelled);
      this.hostWeights.push(weights.integer(hosts[i], 1, 1, MAX_WEIGHT) as u32);
    }
  }

  private hasWeight(host: Bytes): bool {
    for (let i = 0; i < this.weightedHosts.length; i++) {
      if (this.weightedHosts[i].equals(host.ptr, host.length)) return true;
    }
    return false;
  }
}

/** `circuit_breakers`: MOSN's list of one threshold, or the same under "Thresholds"; an empty reader without. */
function readThresholds(from: ObjectReader): ObjectReader {
  const breakers = from.raw("circuit_breakers");
  let list: ObjectReader[];
  if (breakers !== null && breakers.kind == JsonKind.ARRAY) list = from.objects("circuit_breakers");
  else {
    const object = from.object("circuit_breakers");
    list = object.objects("Thresholds");
    object.finish();
  }
  if (list.length > 1) from.fail("circuit_breakers", "expected at most one threshold");
  return list.length > 0 ? list[0] : new ObjectReader(null, "", from.errors);
}

/** A number that may be given under two names: if under both, it must be the same. 0 under the second is none. */
function agreed(
  from: ObjectReader,
  limits: ObjectReader,
  name: string,
  theirName: string,
  fallback: i64,
  least: i64,
  most: i64,
): i64 {
  const theirs = limits.integer(theirName, 0, 0, most);
  const ours = from.integer(name, theirs > 0 ? theirs : fallback, least, most);
  if (theirs > 0 && theirs != ours) limits.fail(theirName, `contradicts ${from.pathOf(name)}, which is ${ours}`);
  return ours;
}

function limit(from: ObjectReader, limits: ObjectReader, name: string): u32 {
  return agreed(from, limits, name, name, 0, 0, u32.MAX_VALUE) as u32;
}

function readConnectTimeout(from: ObjectReader): i32 {
  const ms = from.integer("connect_timeout_ms", DEFAULT_CONNECT_TIMEOUT_MS, 1, MAX_CONNECT_TIMEOUT_MS);
  const spelled = from.milliseconds("connect_timeout", ms, 1, MAX_CONNECT_TIMEOUT_MS);
  if (spelled != ms && from.has("connect_timeout_ms") && !from.isWrong("connect_timeout_ms")) {
    from.fail("connect_timeout", `contradicts connect_timeout_ms, which is ${ms}`);
  }
  return spelled as i32;
}
