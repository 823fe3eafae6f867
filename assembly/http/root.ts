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
import { HttpClients, Turns } from "./clients";
import { HeaderHold, HttpConfig } from "./config";
import { HttpContext } from "./context";
import { HttpMirrors } from "./mirror";
import { RouteConfigs } from "./route_configs";
import { HttpStats } from "./stats";
import { HttpStream } from "./stream";

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
  /** The connections whose streams wait. */
  readonly clients: HttpClients = new HttpClients();
  /** Streams whose time has come. */
  readonly turns: Turns = new Turns();

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

  /** Calls streams whose turn has come, as many as one tick may. */
  protected runDue(): bool {
    for (let i = 0; i < MAX_RESUMED; i++) {
      const turn = this.turns.take();
      if (turn === null) return false;
      turn.onTurn();
    }
    return !this.turns.empty;
  }
}
