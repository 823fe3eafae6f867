import { NameTable } from "../bytes/name_table";
import { Metric, Metrics } from "../host/metrics";
import { CallStats } from "../upstream/stats";

/** Most methods that have numbers of their own; the rest count as `other`, but for as many more that servers have answered. */
const MAX_METHODS: i32 = 512;

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

/** The numbers of calls by service and method, `moe.service.SERVICE.method.METHOD.*`; bounded. */
export class MethodStatsTable extends NameTable<CallStats> {
  constructor(private readonly metrics: Metrics) {
    super(MAX_METHODS);
  }

  protected make(service: string, method: string): CallStats {
    return new CallStats(this.metrics, `moe.service.${service}.method.${method}.`);
  }
}
