import { MetricType } from "../abi/types";
import { NameTable } from "../bytes/name_table";
import { View } from "../bytes/view";
import { Metric, Metrics } from "../host/metrics";

/** Most pairs of names from the wire that have counters of their own, of one table. */
const MAX_NAMES: i32 = 512;

/**
 * A counter, gauge or histogram of a type of filters: `moe.filter.TYPE.NAME`. A filter makes each once, as a constant of
 * its file, and names it to `StreamHandler.metrics`.
 */
export class FilterMetric {
  /** The whole name. */
  readonly name: string;

  /**
   * @param type the filter type's name
   * @param name lower-case words with _ between them, not `failures`
   */
  constructor(
    type: string,
    readonly kind: MetricType,
    name: string,
  ) {
    this.name = `moe.filter.${type}.${name}`;
  }

  /** A number that only grows. */
  static counter(type: string, name: string): FilterMetric {
    return new FilterMetric(type, MetricType.COUNTER, name);
  }

  /** A number that goes up and down. */
  static gauge(type: string, name: string): FilterMetric {
    return new FilterMetric(type, MetricType.GAUGE, name);
  }

  /** The distribution of a value. */
  static histogram(type: string, name: string): FilterMetric {
    return new FilterMetric(type, MetricType.HISTOGRAM, name);
  }
}

/**
 * Counters by two names that peers choose: `moe.filter.TYPE.[FIXED.]FIRST.x.SECOND.y.COUNTER`. The names are bounded: the
 * first 512 pairs have counters of their own, the rest count as `other`, but for 512 more that are known to be real; 200
 * bytes of each are kept. One for each filter, or for each configuration.
 */
export class FilterMetricTable {
  /**
   * @param fixed names that are the same for all, such as "listener.rpc"; or none
   * @param first what the first name is, such as "service"
   * @param second the same for the second
   * @param counters their names
   * @param gauges names of gauges, which are defined when they are first moved; their places follow the counters'
   * @param histograms the same of histograms, after the gauges
   * @param proof the place of a counter that only grows for names which are not made up; -1: there is none
   */
  constructor(
    readonly type: string,
    readonly fixed: string,
    readonly first: string,
    readonly second: string,
    readonly counters: string[],
    readonly gauges: string[] = [],
    readonly histograms: string[] = [],
    readonly proof: i32 = -1,
  ) {}

  /** What comes before a counter's name. */
  prefix(first: string, second: string): string {
    const fixed = this.fixed.length > 0 ? this.fixed + "." : "";
    return `moe.filter.${this.type}.${fixed}${this.first}.${first}.${this.second}.${second}.`;
  }
}

/** The numbers for one pair of names of a table, by their places in it; as long as the plugin. */
export abstract class NamedMetrics {
  /** Adds to a counter; to a gauge also what is negative. */
  abstract count(at: i32, delta: i64): void;

  /** Notes a value of a histogram. A call to Envoy. */
  abstract record(at: i32, value: i64): void;
}

/** Where filters count. Nothing is made of text, or allocated, but the first time that a number or a name is seen. */
export abstract class FilterMetrics {
  /** Adds to a counter; to a gauge also what is negative. */
  abstract count(metric: FilterMetric, delta: i64): void;

  /** Notes a value of a histogram. A call to Envoy. */
  abstract record(metric: FilterMetric, value: i64): void;

  /** Adds 1 to a counter of a table, by its place in the table's list. */
  abstract countNamed(table: FilterMetricTable, first: View, second: View, counter: i32): void;

  /** The numbers of a table for two names, for those who keep them. */
  abstract named(table: FilterMetricTable, first: View, second: View): NamedMetrics;

  /** The same for names that are not made up, as a configuration has them: they have places that are reserved. */
  reserved(table: FilterMetricTable, first: View, second: View): NamedMetrics {
    return this.named(table, first, second);
  }
}

/** The numbers for one pair of names in Envoy's statistics. */
class NamedCounters extends NamedMetrics {
  readonly counters: StaticArray<Metric>;
  private readonly others: StaticArray<Metric | null>;

  constructor(
    private readonly metrics: Metrics,
    private readonly table: FilterMetricTable,
    private readonly prefix: string,
  ) {
    super();
    const names = table.counters;
    const counters = new StaticArray<Metric>(names.length);
    for (let i = 0; i < names.length; i++) unchecked((counters[i] = metrics.counter(prefix + names[i])));
    this.counters = counters;
    this.others = new StaticArray<Metric | null>(table.gauges.length + table.histograms.length);
  }

  count(at: i32, delta: i64): void {
    if (at >= 0 && at < this.counters.length) return unchecked(this.counters[at]).add(delta);
    const metric = this.other(at - this.counters.length);
    if (metric !== null) metric.add(delta);
  }

  record(at: i32, value: i64): void {
    const metric = this.other(at - this.counters.length);
    if (metric !== null) metric.record(value);
  }

  private other(i: i32): Metric | null {
    if (i < 0 || i >= this.others.length) return null;
    const known = unchecked(this.others[i]);
    if (known !== null) return known;
    const gauges = this.table.gauges;
    const isGauge = i < gauges.length;
    const name = isGauge ? gauges[i] : this.table.histograms[i - gauges.length];
    const made = this.metrics.define(isGauge ? MetricType.GAUGE : MetricType.HISTOGRAM, this.prefix + name);
    unchecked((this.others[i] = made));
    return made;
  }
}

/** A table in one plugin. */
class NamedTable extends NameTable<NamedCounters> {
  constructor(
    readonly table: FilterMetricTable,
    private readonly metrics: Metrics,
  ) {
    super(MAX_NAMES);
  }

  protected make(first: string, second: string): NamedCounters {
    return new NamedCounters(this.metrics, this.table, this.table.prefix(first, second));
  }
}

/** The numbers of the filters of one plugin in one VM, in Envoy's statistics. */
export class PluginFilterMetrics extends FilterMetrics {
  private readonly known: FilterMetric[] = [];
  private readonly defined: Metric[] = [];
  private readonly tables: NamedTable[] = [];

  constructor(private readonly metrics: Metrics) {
    super();
  }

  count(metric: FilterMetric, delta: i64): void {
    this.find(metric).add(delta);
  }

  record(metric: FilterMetric, value: i64): void {
    this.find(metric).record(value);
  }

  private find(metric: FilterMetric): Metric {
    for (let i = 0, n = this.known.length; i < n; i++) {
      if (unchecked(this.known[i]) === metric) return unchecked(this.defined[i]);
    }
    const defined = this.metrics.define(metric.kind, metric.name);
    this.known.push(metric);
    this.defined.push(defined);
    return defined;
  }

  countNamed(table: FilterMetricTable, first: View, second: View, counter: i32): void {
    if (counter < 0 || counter >= table.counters.length) return;
    const own = this.tableOf(table);
    unchecked(own.of(first, second).counters[counter]).add(1);
    if (counter == table.proof && own.unplaced != 0) own.prove(own.unplaced);
  }

  named(table: FilterMetricTable, first: View, second: View): NamedMetrics {
    return this.tableOf(table).of(first, second);
  }

  reserved(table: FilterMetricTable, first: View, second: View): NamedMetrics {
    return this.tableOf(table).of(first, second, true);
  }

  private tableOf(table: FilterMetricTable): NamedTable {
    for (let i = 0, n = this.tables.length; i < n; i++) {
      const one = unchecked(this.tables[i]);
      if (one.table === table) return one;
    }
    const made = new NamedTable(table, this.metrics);
    this.tables.push(made);
    return made;
  }
}
