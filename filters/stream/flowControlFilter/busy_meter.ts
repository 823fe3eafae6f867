import { ignoreBusy, measureBusy } from "../../../assembly/host/busy";
import { SAMPLE_MS } from "../../../assembly/sentinel/busy_share";
import { Engine } from "../../../assembly/sentinel/engine";
import { processBusy, processWorkers } from "../../../assembly/sentinel/shared_store";
import { callbackNanos } from "../../../assembly/host/clock";
import { Timer } from "../../../assembly/host/timers";
import { FilterMetric, FilterMetrics } from "../../../assembly/stream/metrics";
import { FilterPlugin } from "../../../assembly/stream/plugin";

const NAME: string = "flowControlFilter";
/** The share of this VM: Envoy adds up those of all workers; and how it is distributed over workers and time. */
const LOAD = FilterMetric.gauge(NAME, "load_permille");
const CPU_USAGE = FilterMetric.histogram(NAME, "cpu_usage_permille");

/** Engines in use with rules on it, and those of them that go by all workers'. */
let engines: i32 = 0;
let sharing: i32 = 0;
/** The meter that measures; null: none does yet. */
let measuring: BusyMeter | null = null;

/** An engine is used from now on. */
export function countBusy(engine: Engine): void {
  if (!engine.needsBusy) return;
  measureBusy();
  engines++;
  if (engine.sharesLoad) sharing++;
}

/** It is no longer used. */
export function uncountBusy(engine: Engine): void {
  if (!engine.needsBusy) return;
  ignoreBusy();
  engines--;
  if (engine.sharesLoad) sharing--;
  if (engines == 0) processBusy.clear();
}

/**
 * Has this VM's share of time measured as long as rules go by it, and tells other workers and operators of it: one meter
 * for each plugin with such rules, because ticks are those of the root that is called, and one of them at a time measures.
 */
export class BusyMeter extends Timer {
  private plugin: FilterPlugin | null = null;
  /** What the gauge has of this VM. */
  private shown: i64 = 0;

  /** To be called in the plugin's own callbacks, when an engine with such rules is used in it. */
  start(plugin: FilterPlugin | null): void {
    if (plugin === null || this.slot >= 0) return;
    this.plugin = plugin;
    plugin.setTimer(this, SAMPLE_MS);
  }

  /** The plugin ends. */
  stop(plugin: FilterPlugin): void {
    plugin.cancelTimer(this);
    this.plugin = null;
    this.leave(plugin);
  }

  private leave(plugin: FilterPlugin): void {
    if (measuring !== this) return;
    this.show(plugin.metrics, 0);
    measuring = null;
  }

  onTimer(now: i64): void {
    const plugin = this.plugin;
    if (plugin === null) return;
    if (engines == 0) return this.leave(plugin);
    if (measuring === null) measuring = this;
    if (measuring === this) this.measure(plugin);
    plugin.setTimer(this, SAMPLE_MS);
  }

  private measure(plugin: FilterPlugin): void {
    const nanos = callbackNanos();
    processBusy.sample(nanos);
    if (sharing > 0) processWorkers.load(nanos);
    const permille = Math.round(processBusy.value * 1000) as i64;
    this.show(plugin.metrics, permille);
    plugin.metrics.record(CPU_USAGE, permille);
  }

  private show(metrics: FilterMetrics, permille: i64): void {
    if (permille != this.shown) metrics.count(LOAD, permille - this.shown);
    this.shown = permille;
  }
}
