import { Ticker } from "../host/ticker";
import { Metrics } from "../host/metrics";
import { PluginRoot } from "../stream/plugin_root";
import { HttpClients, Turns } from "./clients";
import { HeaderHold } from "./config";
import { HttpMirrors } from "./mirror_calls";
import { RouteConfigs } from "./route_configs";
import { HttpStats } from "./stats";

/** What the streams of one plugin configuration in one worker have in common; the root `http` for them. */
export abstract class HttpPlugin extends PluginRoot {
  /** Whether headers can be held until the body is complete. */
  hold: HeaderHold = HeaderHold.UNKNOWN;
  /** Whether headers `x-moe-KEY` mean something behind the filters. */
  setsLabels: bool = false;
  strictChanges: bool = false;
  minCountedTimeoutMs: i64 = 0;
  readonly routeConfigs: RouteConfigs = new RouteConfigs();
  readonly stats: HttpStats;
  /** The connections whose streams wait, or hold much. */
  readonly clients: HttpClients = new HttpClients();
  /** Streams whose time has come. */
  readonly turns: Turns = new Turns();
  private mirrorTable: HttpMirrors | null = null;

  constructor(id: u32) {
    const metrics = new Metrics(new Ticker());
    super(id, metrics);
    this.stats = new HttpStats(metrics);
  }

  /** Made when the first request is mirrored: most configurations mirror none. */
  get mirrors(): HttpMirrors {
    const known = this.mirrorTable;
    if (known !== null) return known;
    const made = new HttpMirrors(this.callouts, this.mirrorStats);
    this.mirrorTable = made;
    return made;
  }
}
