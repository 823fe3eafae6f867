import { Shares } from "../bytes/shares";
import { Metric, Metrics } from "../host/metrics";
import { Destinations } from "../upstream/destinations";
import { UpstreamServices } from "../upstream/services";
import { ClusterStatsTable } from "../upstream/stats";
import { Codec } from "../xprotocol/codec";
import { Frame } from "../xprotocol/frame";
import { CodecList } from "../xprotocol/registry";
import { ClientReports } from "./client_reports";
import { ProxyConfig } from "./config";
import { Detour } from "./detour";
import { FrameInput } from "./frame_input";
import { MethodStatsTable, ProtocolStats } from "./stats";

/** Requests of one worker that may be under way, with mirrored ones: with its filters one takes some KiB. */
const MAX_REQUESTS: i32 = 131072;
/** More of them, shared out equally among the client connections: for those that come when others have used all. */
const RESERVED: i32 = 65536;

/** What clients and their requests need of the plugin that they belong to: one configuration in one worker. */
export abstract class Services extends UpstreamServices {
  /** The message that is dealt with, as rules and filters see it: scratch, one callback at a time uses it. */
  readonly input: FrameInput = new FrameInput();
  /** A request that is sent again: scratch. */
  readonly retryFrame: Frame = new Frame();
  /** Requests that are under way, with mirrored ones; the peers are the clients. */
  readonly shares: Shares = new Shares(MAX_REQUESTS, RESERVED);
  /** What may still be done for clients in this callback (reader.ts). */
  work: i32 = 0;

  readonly destinations: Destinations;
  readonly methods: MethodStatsTable;
  readonly clients: ClientReports;
  readonly detour: Detour;
  /** Requests whose route could not be decided, because an expression could not be searched for. */
  readonly undecidedRoutes: Metric;
  /** Times that a client gave something up because memory was short. */
  readonly shortages: Metric;
  private readonly codecsInUse: Codec[] = [];
  private readonly protocolStats: ProtocolStats[] = [];

  constructor(
    id: u32,
    metrics: Metrics,
    codecs: CodecList,
    public config: ProxyConfig,
  ) {
    super(id, metrics, codecs, config);
    this.destinations = new Destinations(new ClusterStatsTable(metrics), config);
    this.methods = new MethodStatsTable(metrics);
    this.clients = new ClientReports(metrics);
    this.detour = new Detour(metrics);
    this.undecidedRoutes = metrics.counter("moe.undecided_routes");
    this.shortages = metrics.counter("moe.memory_shortages");
  }

  /** Has a configuration in force from now on. */
  protected adopt(config: ProxyConfig, codecs: CodecList): void {
    this.config = config;
    this.upstreamConfig = config;
    this.destinations.config = config;
    this.codecs = codecs;
    this.chains = config.chains;
  }

  /** The numbers of a codec's protocol. */
  protocol(codec: Codec): ProtocolStats {
    for (let i = 0, n = this.codecsInUse.length; i < n; i++) {
      if (unchecked(this.codecsInUse[i]) === codec) return unchecked(this.protocolStats[i]);
    }
    const stats = new ProtocolStats(this.metrics, codec.name);
    this.codecsInUse.push(codec);
    this.protocolStats.push(stats);
    return stats;
  }
}
