import { Bytes } from "../bytes/bytes";
import { labelOf, NameTable } from "../bytes/name_table";
import { View } from "../bytes/view";
import { Metric, Metrics } from "../host/metrics";

/**
 * Most methods and most clusters that have numbers of their own; the rest count as `other`, but for as many methods more to
 * which servers have answered.
 */
const MAX_METHODS: i32 = 512;
const MAX_CLUSTERS: i32 = 256;

/** Numbers of one protocol: `moe.PROTOCOL.*`. */
export class ProtocolStats {
  readonly requests: Metric;
  readonly responses: Metric;
  readonly oneway: Metric;
  readonly heartbeats: Metric;
  readonly decodeErrors: Metric;
  readonly ambiguous: Metric;
  readonly localReplies: Metric;
  readonly active: Metric;
  readonly retries: Metric;
  /** Tries that a limit or budget of the cluster did not allow. */
  readonly retryOverflow: Metric;
  readonly timeouts: Metric;
  readonly lateResponses: Metric;
  readonly serverRequests: Metric;
  /** Messages whose changes their frame could not carry. */
  readonly lostChanges: Metric;

  constructor(metrics: Metrics, protocol: string) {
    const prefix = `moe.${protocol}.`;
    this.requests = metrics.counter(prefix + "requests");
    this.responses = metrics.counter(prefix + "responses");
    this.oneway = metrics.counter(prefix + "oneway");
    this.heartbeats = metrics.counter(prefix + "heartbeats");
    this.decodeErrors = metrics.counter(prefix + "decode_errors");
    this.ambiguous = metrics.counter(prefix + "ambiguous");
    this.localReplies = metrics.counter(prefix + "local_replies");
    this.active = metrics.gauge(prefix + "active");
    this.retries = metrics.counter(prefix + "retries");
    this.retryOverflow = metrics.counter(prefix + "retry_overflow");
    this.timeouts = metrics.counter(prefix + "timeouts");
    this.lateResponses = metrics.counter(prefix + "late_responses");
    this.serverRequests = metrics.counter(prefix + "server_requests");
    this.lostChanges = metrics.counter(prefix + "lost_changes");
  }
}

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

/** The numbers `moe.service.SERVICE.method.METHOD.*`. */
class MethodTable extends NameTable<CallStats> {
  constructor(private readonly metrics: Metrics) {
    super(MAX_METHODS);
  }

  protected make(service: string, method: string): CallStats {
    return new CallStats(this.metrics, `moe.service.${service}.method.${method}.`);
  }
}

/** The numbers by service and method, and by cluster; bounded. */
export class CallStatsTable {
  private readonly methods: MethodTable = new MethodTable(this.metrics);
  private clusters: i32 = 0;
  private otherCluster: ClusterStats | null = null;

  constructor(private readonly metrics: Metrics) {}

  /** The numbers `moe.service.SERVICE.method.METHOD.*`. */
  // @ts-ignore: decorator
  @inline
  ofMethod(service: View, method: View): CallStats {
    return this.methods.of(service, method);
  }

  /** What `prove` takes of the method that was asked for last; 0: it has numbers of its own. */
  get unplaced(): u64 {
    return this.methods.unplaced;
  }

  /** A server has answered well to a method without numbers of its own. */
  prove(unplaced: u64): void {
    this.methods.prove(unplaced);
  }

  /** New numbers `moe.cluster.CLUSTER.*`, to be asked for once a cluster. */
  ofCluster(name: Bytes): ClusterStats {
    if (this.clusters < MAX_CLUSTERS) {
      this.clusters++;
      const view = new View();
      view.set(name.ptr, name.length);
      return new ClusterStats(this.metrics, `moe.cluster.${labelOf(view)}.`);
    }
    let stats = this.otherCluster;
    if (stats === null) {
      stats = new ClusterStats(this.metrics, "moe.cluster.other.");
      this.otherCluster = stats;
    }
    return stats;
  }
}
