import { Engine } from "../../../assembly/sentinel/engine";
import { processWorkers } from "../../../assembly/sentinel/shared_store";
import { BEAT_MS } from "../../../assembly/sentinel/workers";
import { currentMillis } from "../../../assembly/host/clock";
import { Timer } from "../../../assembly/host/timers";
import { FilterMetrics } from "../../../assembly/stream/metrics";
import { FilterPlugin } from "../../../assembly/stream/plugin";
import { BusyMeter, countBusy, uncountBusy } from "./busy_meter";

/** Says that this worker lives, as long as its requests hold places: a timer of the plugin that took some. */
class Heart extends Timer {
  /** Null before it has begun. */
  plugin: FilterPlugin | null = null;

  /** To be called in the plugin's own callbacks, when requests may hold places. */
  // @ts-ignore: decorator
  @inline
  start(): void {
    if (processWorkers.holding > 0 && this.slot < 0) this.arm();
  }

  private arm(): void {
    const plugin = this.plugin;
    if (plugin !== null) plugin.setTimer(this, BEAT_MS);
  }

  onTimer(now: i64): void {
    if (processWorkers.holding <= 0) return;
    processWorkers.beat(currentMillis());
    this.arm();
  }
}

/** A plugin, known by its metrics: all that filters of routes see of it. */
export class PluginUse {
  readonly heart: Heart = new Heart();
  readonly meter: BusyMeter = new BusyMeter();
  /** Its requests are all over, and no more will come. */
  ended: bool = false;

  constructor(readonly metrics: FilterMetrics) {}
}

/** An engine, from its first use in a plugin to the end of its last request. */
export class EngineUse {
  /** Requests that it let in and that are not over; with `live_rules` they may be another plugin's. */
  requests: i32 = 0;
  /** Its plugin has. */
  ended: bool = false;

  constructor(
    readonly engine: Engine,
    readonly metrics: FilterMetrics,
  ) {}

  /** A request that it let in is over. */
  leave(): void {
    this.requests--;
    if (this.ended && this.requests <= 0) endEngine(this);
  }
}

/** The plugins in this VM, and their engines, those of routes from their first request on. */
const plugins: PluginUse[] = [];
const engines: EngineUse[] = [];

/** The plugin with these metrics. */
export function pluginOf(metrics: FilterMetrics): PluginUse {
  for (let i = 0; i < plugins.length; i++) if (plugins[i].metrics === metrics) return plugins[i];
  const made = new PluginUse(metrics);
  plugins.push(made);
  return made;
}

/** A plugin begins. */
export function beginPlugin(plugin: FilterPlugin): void {
  pluginOf(plugin.metrics).heart.plugin = plugin;
}

/** An engine is used in the plugin with these metrics. */
export function beginEngine(engine: Engine, metrics: FilterMetrics): EngineUse {
  const use = new EngineUse(engine, metrics);
  engines.push(use);
  countBusy(engine);
  const one = pluginOf(metrics);
  if (engine.needsBusy) one.meter.start(one.heart.plugin);
  return use;
}

/**
 * A plugin ends, and its engines with it: what only their rules have counted is erased. One that has requests of other
 * plugins under way ends with them.
 */
export function endPlugin(plugin: FilterPlugin): void {
  for (let i = plugins.length - 1; i >= 0; i--) {
    const one = plugins[i];
    if (one.metrics !== plugin.metrics) continue;
    one.ended = true;
    plugin.cancelTimer(one.heart);
    one.meter.stop(plugin);
    plugins.splice(i, 1);
  }
  const ended: EngineUse[] = [];
  for (let i = 0; i < engines.length; i++) {
    if (engines[i].metrics !== plugin.metrics) continue;
    engines[i].ended = true;
    if (engines[i].requests <= 0) ended.push(engines[i]);
  }
  // None of them keeps what another has rules for.
  for (let i = 0; i < ended.length; i++) engines.splice(engines.indexOf(ended[i]), 1);
  for (let i = 0; i < ended.length; i++) erase(ended[i]);
}

function endEngine(use: EngineUse): void {
  const at = engines.indexOf(use);
  if (at < 0) return;
  engines.splice(at, 1);
  erase(use);
}

/** Erases what none of the engines that are left counts. */
function erase(use: EngineUse): void {
  uncountBusy(use.engine);
  const left: Engine[] = [];
  for (let i = 0; i < engines.length; i++) left.push(engines[i].engine);
  use.engine.end(left);
}
