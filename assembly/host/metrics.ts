import { proxy_define_metric, proxy_increment_metric, proxy_record_metric } from "../abi/imports";
import { MetricType, Result } from "../abi/types";
import { Bytes } from "../bytes/bytes";
import { Pace, Ticker } from "./ticker";

const word: usize = heap.alloc(4);

/**
 * A counter, a gauge that is moved up and down, or a histogram of Envoy's statistics. Changes gather here and reach Envoy
 * by `Metrics.flush`: a host call each would be the dearest part of a request.
 */
export class Metric {
  private pending: i64 = 0;
  private queued: bool = false;

  constructor(
    private readonly owner: Metrics,
    private readonly id: u32,
  ) {}

  /** Adds `delta`; negative for gauges only. */
  // @ts-ignore: decorator
  @inline
  add(delta: i64): void {
    this.pending += delta;
    if (!this.queued) this.enqueue();
  }

  /** Notes a value of a histogram, at once: a host call. */
  record(value: i64): void {
    proxy_record_metric(this.id, value);
  }

  private enqueue(): void {
    this.queued = true;
    this.owner.add(this);
  }

  /** Tells Envoy. */
  flush(): void {
    this.queued = false;
    if (this.pending != 0) proxy_increment_metric(this.id, this.pending);
    this.pending = 0;
  }
}

/** The metrics of one plugin in one VM. Define each once: the host keeps every definition. */
export class Metrics {
  /** Metrics with changes that Envoy does not know. */
  private readonly changed: Metric[] = [];

  /** @param ticker whose owner calls `flush` now and then */
  constructor(readonly ticker: Ticker) {}

  /** Notes that a metric has changed. */
  add(metric: Metric): void {
    this.changed.push(metric);
    this.ticker.atLeast(Pace.SLOW);
  }

  /** Defines a metric; /stats shows it as `wasmcustom.NAME`. One that the host refuses counts into nothing. */
  define(type: MetricType, name: string): Metric {
    const text = Bytes.of(name);
    const ok = proxy_define_metric(type, text.ptr, text.length, word) == Result.OK;
    return new Metric(this, ok ? load<u32>(word) : 0);
  }

  counter(name: string): Metric {
    return this.define(MetricType.COUNTER, name);
  }

  gauge(name: string): Metric {
    return this.define(MetricType.GAUGE, name);
  }

  get dirty(): bool {
    return this.changed.length > 0;
  }

  flush(): void {
    for (let i = 0, n = this.changed.length; i < n; i++) unchecked(this.changed[i]).flush();
    this.changed.length = 0;
  }
}
