import { noteGarbage } from "../abi/dispatch";
import { Context } from "../abi/context";
import { BufferType, LogLevel } from "../abi/types";
import { View } from "../bytes/view";
import { ConfigErrors } from "../config/errors";
import { readBuffer } from "../host/buffers";
import { Callouts } from "../host/callout";
import { CalloutRoot } from "../host/callout_root";
import { currentMillis } from "../host/clock";
import { log, logs, refreshLogLevel } from "../host/log";
import { Metrics } from "../host/metrics";
import { Pace, Ticker } from "../host/ticker";
import { Timer, TimerWheel } from "../host/timers";
import { FilterChains } from "../stream/chain";
import { PluginFilterMetrics } from "../stream/metrics";
import { FilterRegistry } from "../stream/registry";
import { HeaderHold, HttpConfig } from "./config";
import { HttpContext } from "./context";
import { resumeStream } from "./exchange";
import { HttpMirrors } from "./mirror";
import { onProbe } from "./probe";
import { RouteConfigs } from "./route_configs";
import { HttpStats } from "./stats";
import { HttpStream, Stage } from "./stream";

/** Streams that go on in one tick: what follows in Envoy nests, and its stack is not endless (design.md §2.3). */
const MAX_RESUMED: i32 = 16;
/** Streams kept for reuse, and the objects that one of the others leaves behind. */
const KEEP: i32 = 4096;
const OBJECTS_PER_STREAM: i32 = 48;
/** Time between two flushes of the metrics, ms. */
const FLUSH_MS: i64 = 100;

/** The plugin `http`: MOSN's stream filters on the HTTP streams of one filter configuration in one worker. */
export class HttpRoot extends CalloutRoot {
  chains: FilterChains = new FilterChains([]);
  /** Whether headers can be held until the body is complete. */
  hold: HeaderHold = HeaderHold.UNKNOWN;
  readonly routeConfigs: RouteConfigs = new RouteConfigs();
  private readonly ticker: Ticker = new Ticker();
  private readonly metrics: Metrics = new Metrics(this.ticker);
  private readonly calloutTable: Callouts = new Callouts(this, this.metrics);
  readonly filterMetrics: PluginFilterMetrics = new PluginFilterMetrics(this.metrics);
  readonly stats: HttpStats = new HttpStats(this.metrics);
  private mirrorTable: HttpMirrors | null = null;
  private readonly wheel: TimerWheel = new TimerWheel();
  private spare: HttpStream | null = null;
  private spares: i32 = 0;
  /** Streams whose time has come, oldest first. */
  private firstDue: HttpStream | null = null;
  private lastDue: HttpStream | null = null;
  private time: i64 = 0;
  private flushedAt: i64 = 0;

  constructor(
    id: u32,
    private readonly filters: FilterRegistry,
  ) {
    super(id);
  }

  onConfigure(size: i32): bool {
    refreshLogLevel();
    const text = new View();
    readBuffer(BufferType.PLUGIN_CONFIGURATION, size, text);
    const errors = new ConfigErrors();
    const config = HttpConfig.parse(text.ptr, text.length, errors, this.filters);
    if (config === null) {
      if (logs(LogLevel.ERROR)) log(LogLevel.ERROR, `moe-wasm: configuration refused: ${errors.message}`);
      return false;
    }
    this.chains = config.chains;
    this.hold = config.hold;
    return true;
  }

  get callouts(): Callouts {
    return this.calloutTable;
  }

  /** Made when the first request is mirrored: most configurations mirror none. */
  get mirrors(): HttpMirrors {
    const known = this.mirrorTable;
    if (known !== null) return known;
    const made = new HttpMirrors(this.calloutTable, this.metrics);
    this.mirrorTable = made;
    return made;
  }

  createContext(id: u32): Context {
    return new HttpContext(id, this);
  }

  /** A callback begins. */
  // @ts-ignore: decorator
  @inline
  enter(): void {
    this.time = 0;
  }

  /** The time, ms, the same all through a callback. */
  now(): i64 {
    if (this.time == 0) this.time = currentMillis();
    return this.time;
  }

  /** Sets a timer that fires in `ms` milliseconds. */
  setTimer(timer: Timer, ms: i32): void {
    this.wheel.set(timer, this.now() + (ms as i64), true);
    this.ticker.atLeast(Pace.REQUESTS);
  }

  cancelTimer(timer: Timer): void {
    this.wheel.cancel(timer);
  }

  /** A stream to use for a request. */
  take(): HttpStream {
    const stream = this.spare;
    if (stream === null) return new HttpStream(this);
    this.spare = stream.spare;
    stream.spare = null;
    this.spares--;
    return stream;
  }

  /** Takes back a stream whose request is over. */
  give(stream: HttpStream): void {
    stream.end();
    // One that is in the queue is taken back when its turn comes.
    if (!stream.isDue) this.keep(stream);
  }

  private keep(stream: HttpStream): void {
    if (this.spares >= KEEP) {
      stream.free();
      noteGarbage(OBJECTS_PER_STREAM);
      return;
    }
    stream.spare = this.spare;
    this.spare = stream;
    this.spares++;
  }

  /** Has a tick call the stream. */
  enqueue(stream: HttpStream): void {
    if (stream.isDue) return;
    stream.isDue = true;
    const last = this.lastDue;
    if (last === null) this.firstDue = stream;
    else last.nextDue = stream;
    this.lastDue = stream;
  }

  onTick(): void {
    this.enter();
    refreshLogLevel();
    this.wheel.advance(this.now());
    this.callDue();
    if (this.now() - this.flushedAt >= FLUSH_MS && this.metrics.dirty) {
      this.flushedAt = this.now();
      this.metrics.flush();
    }
    if (this.firstDue !== null) this.ticker.set(Pace.NOW);
    else if (this.wheel.count > 0) this.ticker.set(Pace.REQUESTS);
    else this.ticker.set(this.metrics.dirty ? Pace.SLOW : Pace.NEVER);
  }

  /** Calls the streams that were due before, oldest first, as many as one tick may. */
  private callDue(): void {
    for (let i = 0; i < MAX_RESUMED; i++) {
      const stream = this.firstDue;
      if (stream === null) return;
      this.firstDue = stream.nextDue;
      if (this.firstDue === null) this.lastDue = null;
      stream.nextDue = null;
      stream.isDue = false;
      if (stream.id == 0) this.keep(stream);
      else if (stream.enter()) call(stream);
    }
  }

  onDone(): bool {
    this.metrics.flush();
    return true;
  }
}

/** The timer of a stream has fired. */
function call(stream: HttpStream): void {
  if (stream.waiting.awaitsAnswer) return;
  if (stream.responseStage == Stage.HELD || stream.requestStage == Stage.HELD) resumeStream(stream);
  else if (stream.requestStage == Stage.COLLECTING) onProbe(stream);
}
