import { RootContext } from "../abi/context";
import { BufferType } from "../abi/types";
import { View } from "../bytes/view";
import { ConfigErrors } from "../config/errors";
import { readBuffer } from "../host/buffers";
import { Callouts } from "../host/callout";
import { currentMillis } from "../host/clock";
import { refreshLogLevel } from "../host/log";
import { Metrics } from "../host/metrics";
import { Pace, Ticker } from "../host/ticker";
import { Timer, TimerWheel } from "../host/timers";
import { FilterChains } from "./chain";
import { logMistakes } from "./mistakes";
import { PluginFilterMetrics } from "./metrics";
import { MirrorStats } from "./mirror_stats";
import { FilterPlugin } from "./plugin";

/** The root as filters see it. */
class RootPlugin extends FilterPlugin {
  constructor(private readonly root: PluginRoot) {
    super(root.filterMetrics);
  }

  setTimer(timer: Timer, ms: i64): void {
    this.root.setTimer(timer, this.root.now() + ms, false);
  }

  cancelTimer(timer: Timer): void {
    this.root.cancelTimer(timer);
  }
}

/**
 * A root that runs stream filters: their chains, and the time, the timers, the numbers and the callouts of one plugin
 * configuration in one worker.
 */
export abstract class PluginRoot extends RootContext {
  /** The stream filters of the configuration. */
  chains: FilterChains = new FilterChains([]);
  readonly callouts: Callouts;
  readonly filterMetrics: PluginFilterMetrics;
  protected readonly ticker: Ticker;
  private copyStats: MirrorStats | null = null;
  private readonly wheel: TimerWheel = new TimerWheel();
  private time: i64 = 0;

  /** @param metrics made by the subclass, which counts in them, too: its constructor cannot ask for fields of this one */
  constructor(
    id: u32,
    protected readonly metrics: Metrics,
  ) {
    super(id);
    this.ticker = metrics.ticker;
    this.filterMetrics = new PluginFilterMetrics(metrics);
    this.callouts = new Callouts(id, metrics);
  }

  /** Takes on the configuration, `chains` with it; false, and the reason in `errors`, when it is refused. */
  protected abstract configure(text: View, errors: ConfigErrors): bool;

  /** Has those called that wait for a tick, as many as one may; returns whether there are more. */
  protected abstract runDue(): bool;

  onConfigure(size: i32): bool {
    refreshLogLevel();
    const text = new View();
    readBuffer(BufferType.PLUGIN_CONFIGURATION, size, text);
    const errors = new ConfigErrors();
    if (!this.configure(text, errors)) {
      logMistakes("configuration refused", errors);
      return false;
    }
    this.enter();
    this.metrics.begin(this.now());
    this.chains.begin(new RootPlugin(this));
    return true;
  }

  /** A callback begins. */
  // @ts-ignore: decorator
  @inline
  enter(): void {
    this.time = 0;
  }

  /** The time, ms, the same all through a callback. */
  // @ts-ignore: decorator
  @inline
  now(): i64 {
    if (this.time == 0) this.time = currentMillis();
    return this.time;
  }

  /** Sets a timer for `deadline`, ms; only a precise one fires within milliseconds. */
  // @ts-ignore: decorator
  @inline
  setTimer(timer: Timer, deadline: i64, precise: bool): void {
    this.wheel.set(timer, deadline, precise);
    this.ticker.atLeast(precise ? Pace.REQUESTS : Pace.SLOW);
  }

  /** Cancels a timer; nothing happens when it is not set. */
  // @ts-ignore: decorator
  @inline
  cancelTimer(timer: Timer): void {
    this.wheel.cancel(timer);
  }

  onTick(): void {
    this.enter();
    const now = this.now();
    refreshLogLevel();
    this.wheel.advance(now);
    const more = this.runDue();
    this.metrics.tick(now);
    if (more) this.ticker.set(Pace.NOW);
    else if (this.wheel.preciseCount > 0) this.ticker.set(Pace.REQUESTS);
    else if (this.wheel.count > 0 || this.metrics.waits) this.ticker.set(Pace.SLOW);
    else this.ticker.set(Pace.NEVER);
  }

  onHttpCallResponse(call: u32, headers: i32, bodySize: i32, trailers: i32): void {
    this.enter();
    this.callouts.onHttpResponse(call, headers, bodySize, trailers);
  }

  onGrpcReceive(call: u32, size: i32): void {
    this.enter();
    this.callouts.onGrpcMessage(call, size);
  }

  onGrpcClose(call: u32, status: i32): void {
    this.enter();
    this.callouts.onGrpcClose(call, status);
  }

  onDone(): bool {
    this.enter();
    this.chains.end();
    this.metrics.end(this.now());
    return true;
  }

  /** The numbers of mirrored requests, made when the first one is: most configurations mirror none. */
  get mirrorStats(): MirrorStats {
    const known = this.copyStats;
    if (known !== null) return known;
    const made = new MirrorStats(this.metrics);
    this.copyStats = made;
    return made;
  }
}
