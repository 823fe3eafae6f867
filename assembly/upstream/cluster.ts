import { Bytes } from "../bytes/bytes";
import { unknownCluster } from "../router/clusters";
import { MetadataMatch } from "../router/metadata";
import { ConnectTarget } from "../tunnel/connect";
import { ClusterConfig } from "./cluster_config";
import { HostRecords } from "./host_records";
import { HostSet } from "./host_set";
import { ClusterStats } from "./stats";

/** A cluster of Envoy as this VM uses it: what its limits count (per worker, that is), and its numbers. */
export class Cluster {
  /** Requests in flight; those of them that wait for a connection; those that are retries. */
  active: i32 = 0;
  pending: i32 = 0;
  retries: i32 = 0;
  private unknown: Bytes = Bytes.EMPTY;
  /** Further tries of requests in flight that servers may still be at work on. */
  private tries: i32 = 0;

  constructor(
    readonly config: ClusterConfig,
    readonly stats: ClusterStats,
    readonly records: HostRecords,
  ) {}

  get name(): Bytes {
    return this.config.name;
  }

  /** What clients are told where Envoy has no such cluster. */
  get unknownText(): Bytes {
    if (this.unknown.length == 0) this.unknown = unknownCluster(this.name);
    return this.unknown;
  }

  /** Whether its budget allows another try of a request that was sent. */
  get mayTry(): bool {
    const config = this.config;
    const share = ((this.active as f64) * config.retryPercent) / 100;
    return (this.tries as f64) < max(share, config.minRetries as f64);
  }

  /** So many more, or fewer, tries count in its budget. */
  countTries(delta: i32): void {
    this.tries += delta;
  }
}

/** Where a route sends requests: a cluster, or one subset of its hosts. */
export class Destination {
  readonly set: HostSet;
  /** Of mirrored requests: none is sent until this time, ms. */
  restUntil: i64 = 0;

  constructor(
    readonly cluster: Cluster,
    labels: MetadataMatch | null,
  ) {
    const keys: Bytes[] = labels === null ? [] : labels.keys;
    const values: Bytes[] = labels === null ? [] : labels.values;
    this.set = new HostSet(new ConnectTarget(cluster.name, keys, values), cluster.config, cluster.records);
  }
}

/** Whether a limit of a cluster is reached; 0 is none. */
// @ts-ignore: decorator
@inline
export function isFull(count: i32, limit: u32): bool {
  return limit > 0 && (count as u32) >= limit;
}
