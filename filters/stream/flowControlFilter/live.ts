import { Engine } from "../../../assembly/flow/engine";
import { processWorkers } from "../../../assembly/flow/shared_store";
import { BEAT_MS, Workers } from "../../../assembly/flow/workers";
import { currentMillis } from "../../../assembly/host/clock";
import { Timer } from "../../../assembly/host/timers";
import { FilterMetrics } from "../../../assembly/stream/metrics";
import { FilterPlugin } from "../../../assembly/stream/plugin";
import { busyMeter } from "./busy_meter";

/** An engine in use, and the plugin, known by its metrics: all that filters of routes see of it. */
class LiveEngine {
  constructor(
    readonly engine: Engine,
    readonly metrics: FilterMetrics,
  ) {}
}

/** The engines in use in this VM: of all plugins, those of routes from their first request on. */
const engines: LiveEngine[] = [];
const plugins: FilterPlugin[] = [];

/** Says that this worker lives, as long as its requests hold places. */
class Heart extends Timer {
  constructor(private readonly workers: Workers) {
    super();
  }

  /** To be called when requests may hold places. */
  // @ts-ignore: decorator
  @inline
  start(): void {
    if (this.workers.holding > 0 && this.slot < 0) this.arm();
  }

  private arm(): void {
    if (plugins.length > 0) plugins[0].setTimer(this, BEAT_MS);
  }

  onTimer(now: i64): void {
    if (this.workers.holding <= 0) return;
    this.workers.renew(currentMillis());
    this.arm();
  }
}

export const heart = new Heart(processWorkers);

/** A plugin begins. */
export function beginPlugin(plugin: FilterPlugin): void {
  plugins.push(plugin);
}

/** An engine is used in the plugin with these metrics. */
export function beginEngine(engine: Engine, metrics: FilterMetrics): void {
  engines.push(new LiveEngine(engine, metrics));
  busyMeter.add(engine);
  if (plugins.length > 0) busyMeter.start(plugins[0]);
}

/** A plugin ends, and its engines with it: what only their rules have counted is erased. */
export function endPlugin(plugin: FilterPlugin): void {
  const at = plugins.indexOf(plugin);
  if (at < 0) return;
  plugin.cancelTimer(heart);
  busyMeter.stop(plugin);
  plugins.splice(at, 1);
  heart.start();
  const ended: Engine[] = [];
  const left: Engine[] = [];
  for (let i = engines.length - 1; i >= 0; i--) {
    if (engines[i].metrics !== plugin.metrics) left.push(engines[i].engine);
    else ended.push(engines.splice(i, 1)[0].engine);
  }
  for (let i = 0; i < ended.length; i++) {
    busyMeter.remove(ended[i]);
    ended[i].end(left);
  }
  if (plugins.length > 0) busyMeter.start(plugins[0]);
}
