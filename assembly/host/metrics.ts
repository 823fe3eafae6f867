import { proxy_define_metric, proxy_increment_metric, proxy_record_metric } from "../abi/imports";
import { MetricType, Result } from "../abi/types";
import { Bytes } from "../bytes/bytes";
import { GaugeLedger } from "./gauge_ledger";
import { Pace, Ticker } from "./ticker";

/** Time between two flushes, ms. */
const FLUSH_MS: i64 = 100;

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
    protected readonly id: u32,
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
    if (this.pending != 0) this.tell(this.pending);
    this.pending = 0;
  }

  protected tell(delta: i64): void {
    proxy_increment_metric(this.id, delta);
  }
}

/** A gauge: it is known what part of Envoy's value is this VM's. */
export class Gauge extends Metric {
  /** What this VM has added; and what of it `GaugeLedger` has on record. */
  total: i64 = 0;
  recorded: i64 = 0;

  constructor(
    owner: Metrics,
    id: u32,
    readonly name: Bytes,
  ) {
    super(owner, id);
  }

  protected tell(delta: i64): void {
    this.total += delta;
    this.correct(delta);
  }

  /** Changes Envoy's value by what is no part of this VM's. */
  correct(delta: i64): void {
    proxy_increment_metric(this.id, delta);
  }
}

/** The host's id of a metric; 0: it refused. */
function idOf(type: MetricType, name: Bytes): u32 {
  return proxy_define_metric(type, name.ptr, name.length, word) == Result.OK ? load<u32>(word) : 0;
}

/** The metrics of one plugin in one VM. Define each once: the host keeps every definition. */
export class Metrics {
  readonly gauges: Gauge[] = [];
  /** Metrics with changes that Envoy does not know. */
  private readonly changed: Metric[] = [];
  private readonly ledger: GaugeLedger = new GaugeLedger(this);
  private flushedAt: i64 = -FLUSH_MS;

  /** @param ticker whose owner calls `tick` with each of its ticks */
  constructor(readonly ticker: Ticker) {}

  /** The plugin is configured: looks for what dead VMs have left in gauges. */
  begin(now: i64): void {
    this.ledger.survey(now);
    if (this.ledger.waits) this.ticker.atLeast(Pace.SLOW);
  }

  /** Notes that a metric has changed. */
  add(metric: Metric): void {
    this.changed.push(metric);
    this.ticker.atLeast(Pace.SLOW);
  }

  /** Defines a metric; /stats shows it as `wasmcustom.NAME`. One that the host refuses counts into nothing. */
  define(type: MetricType, name: string): Metric {
    return type == MetricType.GAUGE ? this.newGauge(Bytes.of(name)) : new Metric(this, idOf(type, Bytes.of(name)));
  }

  private newGauge(name: Bytes): Gauge {
    const gauge = new Gauge(this, idOf(MetricType.GAUGE, name), name);
    this.gauges.push(gauge);
    return gauge;
  }

  counter(name: string): Metric {
    return this.define(MetricType.COUNTER, name);
  }

  gauge(name: string): Metric {
    return this.define(MetricType.GAUGE, name);
  }

  /** The gauge of this name, defined if it is not yet. */
  gaugeOf(name: Bytes): Gauge {
    for (let i = 0, n = this.gauges.length; i < n; i++) {
      const gauge = unchecked(this.gauges[i]);
      if (gauge.name.equals(name.ptr, name.length)) return gauge;
    }
    return this.newGauge(name);
  }

  /** A tick: flushes now and then. */
  tick(now: i64): void {
    if (now - this.flushedAt >= FLUSH_MS && this.changed.length > 0) {
      this.flushedAt = now;
      this.flush();
      this.ledger.write(now);
    }
    this.ledger.tick(now);
  }

  /** Whether ticks have to go on, at the slow pace. */
  get waits(): bool {
    return this.changed.length > 0 || this.ledger.waits;
  }

  /** The plugin ends: tells all. */
  end(now: i64): void {
    this.flush();
    this.ledger.write(now);
  }

  private flush(): void {
    for (let i = 0, n = this.changed.length; i < n; i++) unchecked(this.changed[i]).flush();
    this.changed.length = 0;
  }
}
