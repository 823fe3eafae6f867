import { noteGarbage } from "../abi/dispatch";
import { Context } from "../abi/context";
import { Bytes } from "../bytes/bytes";
import { hashBytes } from "../bytes/hash";
import { labelOf } from "../bytes/name_table";
import { StringMap } from "../bytes/string_map";
import { View } from "../bytes/view";
import { ConfigErrors } from "../config/errors";
import { quoteJson } from "../config/value";
import { LimitedLog } from "../host/log";
import { Metric, Metrics } from "../host/metrics";
import { random } from "../host/random";
import { enterContext } from "../host/stream";
import { Pace, Ticker } from "../host/ticker";
import { ClusterChoice } from "../router/clusters";
import { Router } from "../router/router";
import { LabelSet } from "../stream/labels";
import { PluginRoot } from "../stream/plugin_root";
import { FilterRegistry } from "../stream/registry";
import { ConnectTarget } from "../tunnel/connect";
import { declareKeys } from "../tunnel/key";
import { Codec } from "../xprotocol/codec";
import { Frame, FrameKind } from "../xprotocol/frame";
import { CodecList, CodecRegistry } from "../xprotocol/registry";
import { Cluster, Destination } from "../upstream/cluster";
import { DEFAULT_CLUSTER, ProxyConfig } from "./config";
import { Connection } from "./connection";
import { FrameInput } from "./frame_input";
import { HostRecords } from "../upstream/host_records";
import { LabelledDestinations } from "../upstream/labelled";
import { Request, RequestPool } from "./request";
import { RpcStream } from "./rpc_stream";
import { Server } from "./server";
import { ClusterStatsTable } from "../upstream/stats";
import { MethodStatsTable, ProtocolStats } from "./stats";

const NO_HTTP2 = Bytes.of("the switchboard behind the filter violates HTTP/2");
const SERVER = Bytes.of("upstream_host");

/** Connections pushed in one tick: each push re-enters Envoy, and they nest (docs/reference/envoy.md#pushing). */
const MAX_PUSHES: i32 = 16;
/**
 * What may be done for one client in a callback of its own, about 1,000 small calls (reader.ts), and in a tick for all
 * those that have sent more at once: about 250.
 */
const WORK: i32 = 2 << 20;
const WORK_OF_TICK: i32 = 512 << 10;
/** Clusters that requests may name (cluster_header, cluster_variable) or routes use. */
const MAX_CLUSTERS: i32 = 4096;
/** Objects that one of them leaves behind. */
const OBJECTS_PER_DESTINATION: i32 = 16;

/** The plugin `proxy`: MOSN's proxy for the connections of one listener configuration in one worker. */
export class ProxyRoot extends PluginRoot {
  private config: ProxyConfig | null = null;
  router: Router = Router.toCluster(DEFAULT_CLUSTER);
  codecs: CodecList;
  fallback: ConnectTarget | null = null;
  private fallbackChoice: ClusterChoice | null = null;
  /** How long the connection to the fallback's cluster may take. */
  fallbackTimeoutMs: i64 = 0;
  maxFrameBytes: i32 = 0;
  maxConnectionBytes: i32 = 0;
  detectTimeoutMs: i64 = 0;
  maxRequestTimeoutMs: i64 = 0;
  minCountedTimeoutMs: i64 = 0;
  sendsGoAway: bool = false;
  strictChanges: bool = false;
  drainCheckMs: i64 = 0;
  exceptionsAreErrors: bool = false;
  frameTimeoutMs: i64 = 0;
  /** What may still be done for clients in this callback. */
  work: i32 = 0;

  // Scratch objects of the request path: one callback at a time uses them.
  readonly frame: Frame = new Frame();
  readonly retryFrame: Frame = new Frame();
  readonly input: FrameInput = new FrameInput();
  readonly requestPool: RequestPool = new RequestPool();

  readonly methods: MethodStatsTable;
  private readonly clusterStats: ClusterStatsTable;
  private readonly protocolCodecs: Codec[] = [];
  private readonly protocolStats: ProtocolStats[] = [];
  private readonly refusedConnections: Metric;
  private readonly serverGarbageFrames: Metric;
  private readonly undecidedRoutes: Metric;
  private readonly stuckServers: Metric;
  /** Frames whose rest did not come in time. */
  readonly frameTimeouts: Metric;
  /** Times that a connection gave something up because memory was short. */
  readonly shortages: Metric;
  private readonly badClients: LimitedLog = new LimitedLog();
  private readonly forbiddenLines: LimitedLog = new LimitedLog();
  private readonly badServers: LimitedLog = new LimitedLog();
  private readonly stuckLines: LimitedLog = new LimitedLog();
  private readonly lostChanges: LimitedLog = new LimitedLog();
  private readonly name: View = new View();
  private readonly unknownClusters: LimitedLog = new LimitedLog();

  private readonly clusters: StringMap<Cluster> = new StringMap<Cluster>();
  /** Destinations by cluster and labels, and by the router's choices, of which several may mean the same. */
  private readonly destinations: StringMap<Destination> = new StringMap<Destination>();
  private readonly byChoice: Map<ClusterChoice, Destination> = new Map<ClusterChoice, Destination>();
  private readonly byLabels: LabelledDestinations = new LabelledDestinations();
  private readonly mirrors: Map<ClusterChoice, Destination> = new Map<ClusterChoice, Destination>();
  private scheduled: Connection[] = [];
  private scheduledAt: i32 = 0;
  private heartbeatId: u32 = 0;

  constructor(
    id: u32,
    private readonly registry: CodecRegistry,
    private readonly filters: FilterRegistry,
  ) {
    const metrics = new Metrics(new Ticker());
    super(id, metrics);
    this.codecs = registry.all();
    this.methods = new MethodStatsTable(metrics);
    this.clusterStats = new ClusterStatsTable(metrics);
    this.refusedConnections = metrics.counter("moe.refused_connections");
    this.serverGarbageFrames = metrics.counter("moe.server_garbage");
    this.undecidedRoutes = metrics.counter("moe.undecided_routes");
    this.stuckServers = metrics.counter("moe.stuck_servers");
    this.frameTimeouts = metrics.counter("moe.frame_timeouts");
    this.shortages = metrics.counter("moe.memory_shortages");
  }

  protected configure(text: View, errors: ConfigErrors): bool {
    const config = ProxyConfig.parse(text.ptr, text.length, errors, this.registry.names, this.filters, random());
    if (config === null) return false;
    this.config = config;
    declareKeys();
    this.router = config.router;
    this.chains = config.chains;
    const chosen = this.registry.select(config.protocols);
    this.codecs = chosen !== null ? chosen : this.registry.all();
    const fallback = config.fallbackCluster;
    if (fallback !== null) {
      this.fallback = new ConnectTarget(fallback, [], []);
      this.fallbackChoice = new ClusterChoice(fallback, null);
      this.fallbackTimeoutMs = config.cluster(fallback).openTimeoutMs as i64;
    }
    this.maxFrameBytes = config.maxFrameBytes;
    this.maxConnectionBytes = config.maxConnectionBytes;
    this.detectTimeoutMs = config.detectTimeoutMs as i64;
    this.maxRequestTimeoutMs = config.maxRequestTimeoutMs;
    this.minCountedTimeoutMs = config.minCountedTimeoutMs;
    this.sendsGoAway = config.goaway;
    this.strictChanges = config.strictChanges;
    this.exceptionsAreErrors = config.exceptionsAreErrors;
    this.drainCheckMs = config.drainCheckMs as i64;
    this.frameTimeoutMs = config.frameTimeoutMs as i64;
    return true;
  }

  createContext(id: u32): Context {
    this.chains.onConnection();
    this.requestPool.shares.peers++;
    return new Connection(id, this);
  }

  /** A callback for one client's bytes begins. */
  // @ts-ignore: decorator
  @inline
  beginWork(): void {
    this.work = WORK;
  }

  /** Has a tick push the connection. */
  schedule(connection: Connection): void {
    connection.scheduled = true;
    this.scheduled.push(connection);
    this.ticker.atLeast(Pace.NOW);
  }

  /** Pushes the connections that were scheduled before this tick, oldest first, as many as one tick may. */
  protected runDue(): bool {
    const end = min(this.scheduled.length, this.scheduledAt + MAX_PUSHES);
    this.work = WORK_OF_TICK;
    while (this.scheduledAt < end) {
      const connection = unchecked(this.scheduled[this.scheduledAt++]);
      connection.scheduled = false;
      if (enterContext(connection.id)) connection.onScheduled();
    }
    this.dropPushed();
    return this.scheduledAt < this.scheduled.length;
  }

  private dropPushed(): void {
    if (this.scheduledAt == this.scheduled.length) this.scheduled.length = 0;
    else if (this.scheduledAt >= 1024) this.scheduled = this.scheduled.slice(this.scheduledAt);
    else return;
    this.scheduledAt = 0;
  }

  /** The numbers of a codec's protocol. */
  protocol(codec: Codec): ProtocolStats {
    for (let i = 0, n = this.protocolCodecs.length; i < n; i++) {
      if (unchecked(this.protocolCodecs[i]) === codec) return unchecked(this.protocolStats[i]);
    }
    const stats = new ProtocolStats(this.metrics, codec.name);
    this.protocolCodecs.push(codec);
    this.protocolStats.push(stats);
    return stats;
  }

  /** Gives a request its filters. */
  beginStream(request: Request, frame: Frame): void {
    let stream = request.stream;
    if (stream === null) {
      stream = new RpcStream(request, this.filterMetrics);
      request.stream = stream;
    }
    stream.begin(frame, this.chains);
  }

  /** Where a route's choice leads with labels that filters have set; null as for `destination`. */
  labelled(choice: ClusterChoice | null, labels: LabelSet): Destination | null {
    const whole = this.destination(choice);
    return choice === null || whole === null ? null : this.byLabels.find(choice, labels, whole);
  }

  /** Where a route's choice leads; null when it names no cluster, one that requests may not name, or one too many. */
  destination(choice: ClusterChoice | null): Destination | null {
    if (choice === null || choice.name.length == 0 || choice.forbidden) return null;
    if (this.byChoice.has(choice)) return this.byChoice.get(choice);
    const metadata = choice.metadata;
    const name = choice.name.toString();
    const key = metadata === null ? name : name + metadata.text;
    const known = this.destinations.get(key);
    const destination = known !== null ? known : this.addDestination(key, name, choice);
    if (destination === null) return null;
    // Requests that name clusters make new choices all the time.
    if (this.byChoice.size >= MAX_CLUSTERS) this.byChoice.clear();
    this.byChoice.set(choice, destination);
    return destination;
  }

  /**
   * Where the copies of a mirror policy go: apart from what is sent to the same cluster otherwise, with limits of its
   * own. Null when there are too many clusters.
   */
  mirrorDestination(choice: ClusterChoice): Destination | null {
    if (this.mirrors.has(choice)) return this.mirrors.get(choice);
    const shared = this.destination(choice);
    if (shared === null) return null;
    const cluster = new Cluster(shared.cluster.config, shared.cluster.stats, shared.cluster.records);
    const mirror = new Destination(cluster, choice.metadata, true);
    this.mirrors.set(choice, mirror);
    return mirror;
  }

  private addDestination(key: string, name: string, choice: ClusterChoice): Destination | null {
    if (this.destinations.size >= MAX_CLUSTERS && !this.dropUnused()) return null;
    const config = this.config;
    if (config === null) return null;
    let cluster = this.clusters.get(name);
    if (cluster === null) {
      const records = new HostRecords(choice.name);
      cluster = new Cluster(config.cluster(choice.name), this.clusterStats.of(choice.name), records);
      this.clusters.set(name, cluster);
    }
    const destination = new Destination(cluster, choice.metadata);
    this.destinations.set(key, destination);
    return destination;
  }

  /** Forgets destinations that never had a host: names that clients made up. False when there is none. */
  private dropUnused(): bool {
    const keys = this.destinations.keys();
    for (let i = 0; i < keys.length; i++) {
      const destination = this.destinations.get(keys[i]);
      if (destination === null) continue;
      if (destination.set.hosts.length > 0 || destination.cluster.active > 0) continue;
      this.destinations.delete(keys[i]);
      this.clusters.delete(destination.cluster.name.toString());
    }
    noteGarbage(keys.length * OBJECTS_PER_DESTINATION);
    this.byChoice.clear();
    this.byLabels.clear();
    return this.destinations.size < MAX_CLUSTERS;
  }

  /** Ids of our own heartbeats: below those of requests. */
  nextHeartbeatId(): u32 {
    this.heartbeatId = (this.heartbeatId + 1) & 0xffff;
    return this.heartbeatId;
  }

  /** A client sent what is refused: a count, and a line in the log if there are not too many. */
  refused(connection: Connection, why: Bytes): void {
    this.refusedConnections.add(1);
    enterContext(connection.id);
    if (!this.badClients.allows(this.now(), connection.sourceHost)) return;
    this.badClients.warn(`moe-wasm: client ${connection.sourceAddress.toString()}: ${why.toString()}`);
  }

  /** A request names a cluster that it may not: a line in the log if there are not too many. */
  forbiddenCluster(connection: Connection, choice: ClusterChoice): void {
    enterContext(connection.id);
    if (!this.forbiddenLines.allows(this.now(), connection.sourceHost)) return;
    const who = `client ${connection.sourceAddress.toString()} names cluster ${choice.name.toString()}`;
    this.forbiddenLines.warn(`moe-wasm: ${who}, which no route and neither clusters nor allowed_clusters has`);
  }

  /** An expression could not be searched for in a request: it has no route. */
  undecided(): void {
    this.undecidedRoutes.add(1);
  }

  /** A server sent what is no good frame of the protocol spoken with it. */
  serverGarbage(server: Server, why: Bytes): void {
    this.serverGarbageFrames.add(1);
    this.warnOf(server, why, this.badServers);
  }

  /** A server takes no bytes: its connection is given up. */
  stuckServer(server: Server, why: Bytes): void {
    this.stuckServers.add(1);
    this.warnOf(server, why, this.stuckLines);
  }

  private warnOf(server: Server, why: Bytes, lines: LimitedLog): void {
    const address = server.address;
    if (!lines.allows(this.now(), hashBytes(address.ptr, address.length))) return;
    const cluster = server.pool.destination.cluster.name.toString();
    lines.warn(`moe-wasm: server ${server.address.toString()} of cluster ${cluster}: ${why.toString()}`);
  }

  /** A frame cannot carry what rules or filters have changed of the message that the input is bound to. */
  lostChange(connection: Connection, codec: Codec, frame: Frame): void {
    this.protocol(codec).lostChanges.add(1);
    if (!this.lostChanges.allows(this.now(), connection.sourceHost)) return;
    const answer = frame.kind == FrameKind.RESPONSE;
    if (!answer) this.input.path(this.name);
    else if (!this.input.variable(SERVER, this.name)) this.name.set(0, 0);
    const what = `${codec.name} ${answer ? "response of" : "request"} ${labelOf(this.name)}`;
    const why = codec.refusal.toString();
    const end = this.strictChanges ? "it is refused" : "its changes are lost";
    this.lostChanges.warn(`moe-wasm: client ${connection.sourceAddress.toString()}: ${what}: ${why}; ${end}`);
  }

  /** Envoy has no cluster of the name that a route, a mirror policy or a request gives. */
  unknownCluster(cluster: Cluster): void {
    cluster.stats.countUnknown();
    const name = cluster.name;
    if (!this.unknownClusters.allows(this.now(), hashBytes(name.ptr, name.length))) return;
    this.unknownClusters.warn(`moe-wasm: Envoy has no cluster ${quoteJson(name.toString())}`);
  }

  /** The same of the cluster of `fallback`. */
  unknownFallback(): void {
    const choice = this.fallbackChoice;
    const destination = this.destination(choice);
    if (destination !== null) this.unknownCluster(destination.cluster);
  }

  /** The switchboard wrote what is no HTTP/2: a defect, or a filter in between. */
  tunnelBroken(connection: Connection): void {
    this.refused(connection, NO_HTTP2);
    connection.linger();
  }
}
