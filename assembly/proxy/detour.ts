// Where Envoy's tcp_proxy stands behind the filter, as in Istio: it is sent to the switchboard instead of to its own cluster.
import { Bytes } from "../bytes/bytes";
import { setFilterState } from "../host/foreign";
import { LifeSpan } from "../host/generated/foreign";
import { LimitedLog } from "../host/log";
import { Metric, Metrics } from "../host/metrics";
import { closeDownstream } from "../host/stream";
import { Tunnel } from "../tunnel/tunnel";
import { ConnectionInfo } from "./connection_info";
import { Services } from "./services";

const TCP_PROXY_CLUSTER = Bytes.of("envoy.tcp_proxy.cluster");
/** How long after its beginning a silent connection is closed for want of a switchboard, ms: Envoy tries it for two seconds. */
const CONNECT_MS: i64 = 5000;
/** Envoy closes the connection, not its client (proxy-wasm's PeerType). */
const LOCAL: i32 = 1;

/** The way to the switchboard of one plugin. */
export class Detour {
  /** Connections that ended before a switchboard said anything. */
  private readonly lost: Metric;
  private readonly lines: LimitedLog = new LimitedLog();

  constructor(metrics: Metrics) {
    this.lost = metrics.counter("moe.no_switchboard");
  }

  /**
   * Has the tcp_proxy behind the filter connect to a cluster with the switchboard, which then learns where the client wanted
   * to go; to be called before there are bytes.
   * @returns the time, ms; 0: the switchboard itself stands behind the filter; -1: Envoy cannot, and the connection closes
   */
  begin(services: Services, tunnel: Tunnel, client: ConnectionInfo): i64 {
    const cluster = services.config.switchboard;
    if (cluster.length == 0) return 0;
    const result = setFilterState(TCP_PROXY_CLUSTER, cluster.ptr, cluster.length, LifeSpan.DOWNSTREAM_CONNECTION);
    if (result != 0) {
      closeDownstream();
      return -1;
    }
    tunnel.destination = client.localAddress;
    services.enter();
    return services.now();
  }

  /** A connection that began at `begun` has closed: says so where that was because no switchboard answered. */
  ended(services: Services, tunnel: Tunnel, closeType: i32, begun: i64, client: ConnectionInfo): void {
    services.enter();
    const now = services.now();
    if (closeType != LOCAL || tunnel.met || (now - begun > CONNECT_MS && !tunnel.started)) return;
    this.lost.add(1);
    if (!this.lines.allows(now, client.sourceHost)) return;
    this.lines.warn("moe-wasm: no switchboard answers at the cluster of `switchboard`, so a client was closed");
  }
}
