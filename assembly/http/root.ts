import { noteGarbage } from "../abi/dispatch";
import { Context } from "../abi/context";
import { Bytes } from "../bytes/bytes";
import { labelOf } from "../bytes/name_table";
import { Spares } from "../bytes/spares";
import { View } from "../bytes/view";
import { ConfigErrors } from "../config/errors";
import { Metrics } from "../host/metrics";
import { hostOf, LimitedLog } from "../host/log";
import { Ticker } from "../host/ticker";
import { PluginRoot } from "../stream/plugin_root";
import { FilterRegistry } from "../stream/registry";
import { HeaderHold, HttpConfig } from "./config";
import { HttpContext } from "./context";
import { resumeStream } from "./exchange";
import { HttpMirrors } from "./mirror";
import { onProbe } from "./probe";
import { RouteConfigs } from "./route_configs";
import { HttpStats } from "./stats";
import { HttpStream, Stage } from "./stream";

/** Streams that go on in one tick: what follows in Envoy nests, and its stack is not endless (docs/reference/envoy.md#pushing). */
const MAX_RESUMED: i32 = 16;
/** Streams kept for reuse, and the objects that one of the others leaves behind. */
const KEEP: i32 = 4096;
const OBJECTS_PER_STREAM: i32 = 48;
const PATH = Bytes.of(":path");

const text = new View();

/** The plugin `http`: MOSN's stream filters on the HTTP streams of one filter configuration in one worker. */
export class HttpRoot extends PluginRoot {
  /** Whether headers can be held until the body is complete. */
  hold: HeaderHold = HeaderHold.UNKNOWN;
  /** Whether headers `x-moe-KEY` mean something behind the filters. */
  setsLabels: bool = false;
  strictChanges: bool = false;
  minCountedTimeoutMs: i64 = 0;
  readonly routeConfigs: RouteConfigs = new RouteConfigs();
  readonly stats: HttpStats;
  private readonly lostLines: LimitedLog = new LimitedLog();
  private mirrorTable: HttpMirrors | null = null;
  private readonly spares: Spares<HttpStream> = new Spares<HttpStream>(KEEP);
  /** Streams whose time has come, oldest first. */
  private firstDue: HttpStream | null = null;
  private lastDue: HttpStream | null = null;

  constructor(
    id: u32,
    private readonly filters: FilterRegistry,
  ) {
    const metrics = new Metrics(new Ticker());
    super(id, metrics);
    this.stats = new HttpStats(metrics);
  }

  protected configure(text: View, errors: ConfigErrors): bool {
    const config = HttpConfig.parse(text.ptr, text.length, errors, this.filters);
    if (config === null) return false;
    this.chains = config.chains;
    this.setsLabels = config.chains.setsLabels;
    this.hold = config.hold;
    this.strictChanges = config.strictChanges;
    this.minCountedTimeoutMs = config.minCountedTimeoutMs;
    return true;
  }

  /** Made when the first request is mirrored: most configurations mirror none. */
  get mirrors(): HttpMirrors {
    const known = this.mirrorTable;
    if (known !== null) return known;
    const made = new HttpMirrors(this.callouts, this.mirrorStats);
    this.mirrorTable = made;
    return made;
  }

  createContext(id: u32): Context {
    return new HttpContext(id, this);
  }

  /** A stream to use for a request. */
  take(): HttpStream {
    const stream = this.spares.take();
    return stream === null ? new HttpStream(this) : stream;
  }

  /** Takes back a stream whose request is over. */
  give(stream: HttpStream): void {
    stream.end();
    // One that is in the queue is taken back when its turn comes.
    if (!stream.isDue) this.keep(stream);
  }

  private keep(stream: HttpStream): void {
    if (this.spares.keep(stream)) return;
    stream.free();
    noteGarbage(OBJECTS_PER_STREAM);
  }

  /** Changes of a stream have been lost: a line in the log if there are not too many. */
  lostChanges(stream: HttpStream): void {
    const known = stream.properties.source.read(text);
    if (!this.lostLines.allows(this.now(), known ? hostOf(text.ptr, text.length) : 0)) return;
    const client = known ? labelOf(text) : "";
    const path = stream.request.headers.find(PATH, text) ? labelOf(text) : "";
    const end = this.strictChanges ? "" : "; they are lost";
    const what = `${stream.lost} changes came too late, or HTTP cannot carry them`;
    this.lostLines.warn(`moe-wasm: client ${client}: http request ${path}: ${what}${end}`);
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

  /** Calls the streams that were due before, oldest first, as many as one tick may. */
  protected runDue(): bool {
    for (let i = 0; i < MAX_RESUMED; i++) {
      const stream = this.firstDue;
      if (stream === null) return false;
      this.firstDue = stream.nextDue;
      if (this.firstDue === null) this.lastDue = null;
      stream.nextDue = null;
      stream.isDue = false;
      if (stream.id == 0) this.keep(stream);
      else if (stream.enter()) call(stream);
    }
    return this.firstDue !== null;
  }
}

/** The timer of a stream has fired. */
function call(stream: HttpStream): void {
  if (stream.waiting.awaitsAnswer) return;
  if (stream.responseStage == Stage.HELD || stream.requestStage == Stage.HELD) resumeStream(stream);
  else if (stream.requestStage == Stage.COLLECTING) onProbe(stream);
}
