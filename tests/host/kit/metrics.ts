import { MetricType, Result } from "./abi.ts";

/** The process-wide stats that all workers share. */
export class MetricStore {
  private readonly counters = new Map<string, bigint>();
  private readonly gauges = new Map<string, bigint>();
  private readonly samples = new Map<string, bigint[]>();

  /** Value of a counter; 0 when nothing counted yet. */
  counter(name: string): number {
    return Number(this.counters.get(name) ?? 0n);
  }

  gauge(name: string): number {
    return Number(this.gauges.get(name) ?? 0n);
  }

  /** Values recorded in a histogram. */
  histogram(name: string): number[] {
    return (this.samples.get(name) ?? []).map(Number);
  }

  /** Names of everything defined, sorted. */
  names(): string[] {
    return [...this.counters.keys(), ...this.gauges.keys(), ...this.samples.keys()].sort();
  }

  define(type: MetricType, name: string): void {
    if (type === MetricType.Histogram) this.samples.set(name, this.samples.get(name) ?? []);
    else this.table(type).set(name, this.table(type).get(name) ?? 0n);
  }

  add(type: MetricType, name: string, delta: bigint): void {
    this.table(type).set(name, (this.table(type).get(name) ?? 0n) + delta);
  }

  set(name: string, value: bigint): void {
    this.gauges.set(name, value);
  }

  sample(name: string, value: bigint): void {
    this.samples.get(name)?.push(value);
  }

  read(type: MetricType, name: string): bigint {
    return this.table(type).get(name) ?? 0n;
  }

  private table(type: MetricType): Map<string, bigint> {
    return type === MetricType.Gauge ? this.gauges : this.counters;
  }
}

/** The metric ids of one VM, after Envoy's Context::defineMetric and its neighbours. */
export class MetricIds {
  private readonly names = new Map<number, string>();

  constructor(private readonly store: MetricStore) {}

  /** A new id each time, also for a name that has one; the low two bits are the type. Null for an unknown type. */
  define(type: number, name: string): number | null {
    if (type > MetricType.Histogram) return null;
    const id = (this.names.size + 1) * 4 + type;
    this.names.set(id, name);
    this.store.define(type, name);
    return id;
  }

  increment(id: number, offset: bigint): Result {
    const type: MetricType = id & 3;
    if (type > MetricType.Gauge) return Result.BadArgument;
    const name = this.names.get(id);
    if (name === undefined) return Result.NotFound;
    if (type === MetricType.Counter && offset <= 0n) return Result.BadArgument;
    this.store.add(type, name, offset);
    return Result.Ok;
  }

  record(id: number, value: bigint): Result {
    const name = this.names.get(id);
    if (name === undefined) return Result.NotFound;
    const type: MetricType = id & 3;
    if (type === MetricType.Counter) this.store.add(type, name, value);
    else if (type === MetricType.Gauge) this.store.set(name, value);
    else this.store.sample(name, value);
    return Result.Ok;
  }

  /** Null: no such counter or gauge. */
  get(id: number): bigint | null {
    const name = this.names.get(id);
    const type: MetricType = id & 3;
    return name === undefined || type === MetricType.Histogram ? null : this.store.read(type, name);
  }
}
