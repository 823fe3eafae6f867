import { Bytes } from "../bytes/bytes";
import { hashBytes } from "../bytes/hash";
import { quoteJson } from "../config/value";
import { LimitedLog } from "../host/log";
import { Metric, Metrics } from "../host/metrics";
import { Cluster } from "./cluster";
import { UpstreamConnection } from "./upstream_connection";

/** Counts what servers do wrong, and logs it where there are not too many lines already. `now`: the module's time, ms. */
export class ServerReports {
  private readonly badFrames: Metric;
  private readonly stuckServers: Metric;
  private readonly badFrameLines: LimitedLog = new LimitedLog();
  private readonly stuckLines: LimitedLog = new LimitedLog();
  private readonly unknownClusters: LimitedLog = new LimitedLog();

  constructor(metrics: Metrics) {
    this.badFrames = metrics.counter("moe.server_garbage");
    this.stuckServers = metrics.counter("moe.stuck_servers");
  }

  /** A server sent an invalid frame. */
  badFrame(connection: UpstreamConnection, why: Bytes, now: i64): void {
    this.badFrames.add(1);
    warn(connection, why, now, this.badFrameLines);
  }

  /** A server takes no bytes, or sends no rest of a frame: its connection is given up. */
  stuck(connection: UpstreamConnection, why: Bytes, now: i64): void {
    this.stuckServers.add(1);
    warn(connection, why, now, this.stuckLines);
  }

  /** Envoy has no cluster of the name that a route, a mirror policy or a request gives. */
  unknownCluster(cluster: Cluster, now: i64): void {
    cluster.stats.countUnknown();
    const name = cluster.name;
    if (!this.unknownClusters.allows(now, hashBytes(name.ptr, name.length))) return;
    this.unknownClusters.warn(`moe-wasm: Envoy has no cluster ${quoteJson(name.toString())}`);
  }
}

function warn(connection: UpstreamConnection, why: Bytes, now: i64, lines: LimitedLog): void {
  const address = connection.address;
  if (!lines.allows(now, hashBytes(address.ptr, address.length))) return;
  const cluster = connection.destination.cluster.name.toString();
  lines.warn(`moe-wasm: server ${address.toString()} of cluster ${cluster}: ${why.toString()}`);
}
