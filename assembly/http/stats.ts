import { Metric, Metrics } from "../host/metrics";

/** Numbers of HTTP and gRPC: `moe.http.*`. */
export class HttpStats {
  readonly requests: Metric;
  /** Responses of servers, and Envoy's own. */
  readonly responses: Metric;
  /** Answers of filters. */
  readonly localReplies: Metric;
  readonly active: Metric;
  /** Changes of headers or bodies that came too late, or that HTTP cannot carry. */
  readonly lostChanges: Metric;
  /** Streams that were given up because memory was short. */
  readonly memoryShortages: Metric;

  constructor(metrics: Metrics) {
    this.requests = metrics.counter("moe.http.requests");
    this.responses = metrics.counter("moe.http.responses");
    this.localReplies = metrics.counter("moe.http.local_replies");
    this.active = metrics.gauge("moe.http.active");
    this.memoryShortages = metrics.counter("moe.http.memory_shortages");
    this.lostChanges = metrics.counter("moe.http.lost_changes");
  }
}
