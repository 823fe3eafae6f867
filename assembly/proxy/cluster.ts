import { Bytes } from "../bytes/bytes";
import { MetadataMatch } from "../router/metadata";
import { ConnectTarget } from "../tunnel/connect";
import { ClusterConfig, KeepaliveConfig } from "./config";
import { LbType } from "./balancer";
import { HostSet } from "./host_set";
import { CallStats } from "./stats";

/** What Envoy's answer may take longer than its own connect timeout, ms. */
const OPEN_MARGIN_MS: i64 = 250;

/** A cluster of Envoy as this VM uses it: its limits and its numbers. */
export class Cluster {
  /** Requests in flight, and those of them that are retries: what the limits count. Per VM, that is per worker. */
  active: i32 = 0;
  retries: i32 = 0;
  readonly lbType: LbType;
  readonly connections: i32;
  readonly maxRequests: u32;
  readonly maxRetries: u32;
  readonly openTimeoutMs: i64;
  readonly keepalive: KeepaliveConfig;

  constructor(
    readonly name: Bytes,
    config: ClusterConfig,
    readonly stats: CallStats,
  ) {
    this.lbType = config.lbType;
    this.connections = config.connections;
    this.maxRequests = config.maxRequests;
    this.maxRetries = config.maxRetries;
    this.openTimeoutMs = config.connectTimeoutMs + OPEN_MARGIN_MS;
    this.keepalive = config.keepalive;
  }
}

/** Where a route sends requests: a cluster, or one subset of its hosts. */
export class Destination {
  readonly set: HostSet;

  constructor(
    readonly cluster: Cluster,
    weights: Map<string, i32> | null,
    labels: MetadataMatch | null,
  ) {
    const keys: Bytes[] = labels === null ? [] : labels.keys;
    const values: Bytes[] = labels === null ? [] : labels.values;
    this.set = new HostSet(new ConnectTarget(cluster.name, keys, values), weights);
  }
}
