import { Metric, Metrics } from "../host/metrics";
import { PluginRoot } from "../stream/plugin_root";
import { Frame } from "../xprotocol/frame";
import { CodecList } from "../xprotocol/registry";
import { ServerReports } from "./server_reports";
import { TickQueue } from "./tick_queue";
import { UpstreamConfig } from "./upstream_config";

/** What server connections need of the plugin that they belong to: time and timers, codecs, limits, and its ticks. */
export abstract class UpstreamServices extends PluginRoot {
  readonly ticks: TickQueue;
  readonly reports: ServerReports;
  /** Frames whose rest did not come in time. */
  readonly frameTimeouts: Metric;
  /** The frame that was decoded last: scratch, one callback at a time uses it. */
  readonly frame: Frame = new Frame();
  private heartbeatId: u32 = 0;

  /**
   * @param codecs the protocols that are spoken
   * @param upstreamConfig of the configuration in force
   */
  constructor(
    id: u32,
    metrics: Metrics,
    public codecs: CodecList,
    public upstreamConfig: UpstreamConfig,
  ) {
    super(id, metrics);
    this.ticks = new TickQueue(metrics.ticker);
    this.reports = new ServerReports(metrics);
    this.frameTimeouts = metrics.counter("moe.frame_timeouts");
  }

  /** Ids of our own heartbeats: below those of requests. */
  nextHeartbeatId(): u32 {
    this.heartbeatId = (this.heartbeatId + 1) & 0xffff;
    return this.heartbeatId;
  }
}
