import { Metric, Metrics } from "../host/metrics";

/** Numbers of mirrored requests: `moe.mirror.*`. */
export class MirrorStats {
  /** Copies that were sent. */
  readonly requests: Metric;
  /** Answers, dropped. */
  readonly responses: Metric;
  /** Copies that were not answered in time. */
  readonly timeouts: Metric;
  /** Copies whose connection could not be opened or was lost. */
  readonly lost: Metric;
  /** Copies that were not sent: a limit, or no connection. */
  readonly dropped: Metric;
  /** Copies that wait for an answer. */
  readonly active: Metric;

  constructor(metrics: Metrics) {
    this.requests = metrics.counter("moe.mirror.requests");
    this.responses = metrics.counter("moe.mirror.responses");
    this.timeouts = metrics.counter("moe.mirror.timeouts");
    this.lost = metrics.counter("moe.mirror.lost");
    this.dropped = metrics.counter("moe.mirror.dropped");
    this.active = metrics.gauge("moe.mirror.active");
  }
}
