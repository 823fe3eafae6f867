import { Bytes } from "../bytes/bytes";
import { labelOf } from "../bytes/name_table";
import { View } from "../bytes/view";
import { Metric, Metrics } from "../host/metrics";

/** Most clusters that have numbers of their own; the others share one set, named `other`. */
const MAX_CLUSTERS: i32 = 256;

/** Numbers of calls: of one method of one service, or of one cluster. */
export class CallStats {
  readonly requests: Metric;
  /** Answers of a server with a status that maps to a code below 500. */
  readonly ok: Metric;
  /** Answers of a server with another status, and local replies. */
  readonly errors: Metric;

  constructor(metrics: Metrics, prefix: string) {
    this.requests = metrics.counter(prefix + "requests");
    this.ok = metrics.counter(prefix + "ok");
    this.errors = metrics.counter(prefix + "errors");
  }
}

/** Numbers of one cluster: `moe.cluster.CLUSTER.*`. */
export class ClusterStats extends CallStats {
  private unknown: Metric | null = null;

  constructor(
    private readonly metrics: Metrics,
    private readonly prefix: string,
  ) {
    super(metrics, prefix);
  }

  /** Counts a connection that Envoy refused because it has no such cluster: a counter that few clusters ever need. */
  countUnknown(): void {
    let unknown = this.unknown;
    if (unknown === null) {
      unknown = this.metrics.counter(this.prefix + "unknown");
      this.unknown = unknown;
    }
    unknown.add(1);
  }
}

/** The numbers by cluster; bounded. */
export class ClusterStatsTable {
  private count: i32 = 0;
  private other: ClusterStats | null = null;

  constructor(private readonly metrics: Metrics) {}

  /** New numbers `moe.cluster.CLUSTER.*`, to be asked for once a cluster. */
  of(name: Bytes): ClusterStats {
    if (this.count < MAX_CLUSTERS) {
      this.count++;
      const view = new View();
      view.set(name.ptr, name.length);
      return new ClusterStats(this.metrics, `moe.cluster.${labelOf(view)}.`);
    }
    let stats = this.other;
    if (stats === null) {
      stats = new ClusterStats(this.metrics, "moe.cluster.other.");
      this.other = stats;
    }
    return stats;
  }
}
