import { ignoreBusy, measureBusy } from "../../../assembly/abi/busy";
import { SAMPLE_MS } from "../../../assembly/flow/busy_share";
import { Engine } from "../../../assembly/flow/engine";
import { processBusy, processWorkers } from "../../../assembly/flow/shared_store";
import { callbackNanos } from "../../../assembly/host/clock";
import { Timer } from "../../../assembly/host/timers";
import { FilterMetric, FilterMetrics } from "../../../assembly/stream/metrics";
import { FilterPlugin } from "../../../assembly/stream/plugin";

const NAME: string = "flowControlFilter";
/** The share of this VM: Envoy adds up those of all workers; and how it is distributed over workers and time. */
const LOAD = FilterMetric.gauge(NAME, "load_permille");
const CPU_USAGE = FilterMetric.histogram(NAME, "cpu_usage_permille");

/** Has this VM's share of time measured as long as rules go by it, and tells other workers and operators of it. */
class BusyMeter extends Timer {
  /** Engines with such rules, and those of them that go by all workers'. */
  private engines: i32 = 0;
  private sharing: i32 = 0;
  /** The plugin whose timer and gauge it uses; null: there is none. */
  private plugin: FilterPlugin | null = null;
  /** What the gauge has of this VM. */
  private shown: i64 = 0;

  /** An engine is used from now on. */
  add(engine: Engine): void {
    if (!engine.needsBusy) return;
    measureBusy();
    this.engines++;
    if (engine.sharesLoad) this.sharing++;
  }

  /** It is no longer used. */
  remove(engine: Engine): void {
    if (!engine.needsBusy) return;
    ignoreBusy();
    this.engines--;
    if (engine.sharesLoad) this.sharing--;
    if (this.engines == 0) processBusy.clear();
  }

  /** Goes on in a plugin, if there is anything to measure. */
  start(plugin: FilterPlugin): void {
    if (this.engines == 0 || this.plugin !== null) return;
    this.plugin = plugin;
    plugin.setTimer(this, SAMPLE_MS);
  }

  /** A plugin ends: nothing of it is used any more. */
  stop(plugin: FilterPlugin): void {
    if (this.plugin !== plugin) return;
    this.show(plugin.metrics, 0);
    plugin.cancelTimer(this);
    this.plugin = null;
  }

  onTimer(now: i64): void {
    const plugin = this.plugin;
    if (plugin === null) return;
    const nanos = callbackNanos();
    processBusy.sample(nanos);
    if (this.sharing > 0) processWorkers.load(nanos);
    const permille = Math.round(processBusy.value * 1000) as i64;
    this.show(plugin.metrics, permille);
    plugin.metrics.record(CPU_USAGE, permille);
    plugin.setTimer(this, SAMPLE_MS);
  }

  private show(metrics: FilterMetrics, permille: i64): void {
    if (permille != this.shown) metrics.count(LOAD, permille - this.shown);
    this.shown = permille;
  }
}

export const busyMeter = new BusyMeter();
