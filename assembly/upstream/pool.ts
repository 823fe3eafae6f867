import { Bytes } from "../bytes/bytes";
import { StreamState } from "../tunnel/tunnel_stream";
import { Destination } from "./cluster";
import { Host } from "./host";
import { Owner } from "./owner";
import { ConnectionList, PooledConnection } from "./pooled_connection";
import { Pools } from "./pools";
import { Traffic } from "./traffic";
import { UpstreamConnection } from "./upstream_connection";

/** PooledConnection connections of one pool; consistent hashing may need more hosts than one owner's traffic is spread over. */
const MAX_CONNECTIONS: i32 = 128;

/** The connections of one owner to one destination, opened as exchanges need them. */
export class Pool extends ConnectionList {
  private readonly connections: PooledConnection[] = [];

  /** @param pools that it is one of */
  constructor(
    owner: Owner,
    destination: Destination,
    traffic: Traffic,
    private readonly pools: Pools,
  ) {
    super(owner, destination, traffic);
  }

  /**
   * The connection for the next request: to the host that the balancer chooses, not `exclude` if there is another.
   * Null when none can be had. The connection may still be opening.
   */
  pick(hash: u64, exclude: Host | null, now: i64): PooledConnection | null {
    const set = this.destination.set;
    const hosts = set.hosts.length;
    if (hosts > 0) {
      if (set.wantsSearch(now) && this.mayOpen) this.open(null);
      const span = min(hosts, this.traffic.maxSpan);
      const from = this.first(span);
      const host = set.choose(from, span, hash, exclude, now);
      if (host !== null) {
        const connection = this.of(host);
        if (connection !== null) return connection;
      }
    }
    return this.any();
  }

  /** The first of the `span` hosts that are this owner's. */
  private first(span: i32): i32 {
    const hosts = this.destination.set.hosts.length;
    return hosts > span ? ((((this.owner.context as u64) * (span as u64)) % (hosts as u64)) as i32) : 0;
  }

  /** How many hosts can be sent to at once; 0: none is known. */
  get spread(): i32 {
    return min(this.destination.set.hosts.length, this.traffic.maxConnections);
  }

  /** One of those hosts; null when it is not up. */
  hostAt(index: i32, now: i64): Host | null {
    const set = this.destination.set;
    const span = this.spread;
    if (index >= span) return null;
    if (index == 0 && set.wantsSearch(now) && this.mayOpen) this.open(null);
    const host = unchecked(set.hosts[(this.first(span) + index) % set.hosts.length]);
    return host.isUp(now) ? host : null;
  }

  /** The least busy connection to the host, or a new one while all are busy and there may be more. */
  of(host: Host): PooledConnection | null {
    let best: PooledConnection | null = null;
    let count = 0;
    for (let i = 0, n = this.connections.length; i < n; i++) {
      const connection = unchecked(this.connections[i]);
      if (connection.host !== host || !connection.usable) continue;
      count++;
      if (best === null || connection.active < best.active) best = connection;
    }
    const busy = best === null || best.active > 0;
    if (busy && count < this.destination.cluster.config.connections && this.mayOpen) return this.open(host);
    return best;
  }

  /**
   * No host is known to be up: what is open or opening, or else Envoy's own choice. A host that a filter has ejected
   * comes last: its own error is no worse than one that we would send.
   */
  private any(): PooledConnection | null {
    let best: PooledConnection | null = null;
    let bestEjected = true;
    for (let i = 0, n = this.connections.length; i < n; i++) {
      const connection = unchecked(this.connections[i]);
      const host = connection.host;
      if (!connection.usable || (host !== null && connection.state != StreamState.OPEN)) continue;
      const ejected = host !== null && host.record.ejected;
      if (best !== null && (ejected == bestEjected ? best.active <= connection.active : ejected)) continue;
      best = connection;
      bestEjected = ejected;
    }
    return best === null && this.mayOpen ? this.open(null) : best;
  }

  private get mayOpen(): bool {
    const tunnel = this.owner.tunnel;
    const traffic = this.traffic;
    if (tunnel.goAway) return false;
    if (traffic.secondary && tunnel.secondary.all.length >= traffic.maxConnections)
      return this.pools.retireIdle(traffic);
    return this.connections.length < MAX_CONNECTIONS || this.retireIdle();
  }

  /** Makes room by ending a connection that nothing waits on. */
  retireIdle(): bool {
    for (let i = 0, n = this.connections.length; i < n; i++) {
      const connection = unchecked(this.connections[i]);
      if (connection.active > 0 || connection.state != StreamState.OPEN) continue;
      connection.retire();
      return true;
    }
    return false;
  }

  private open(host: Host | null): PooledConnection {
    const connection = new PooledConnection(this, host);
    this.owner.tunnel.open(connection, this.destination.set.target, host === null ? Bytes.EMPTY : host.pin);
    this.connections.push(connection);
    return connection;
  }

  /** Ends all connections if none of them is in use; returns whether it has none then. */
  retire(): bool {
    for (let i = 0, n = this.connections.length; i < n; i++) {
      const connection = unchecked(this.connections[i]);
      if (connection.active > 0 || connection.state != StreamState.OPEN) return false;
    }
    while (this.connections.length > 0) this.connections[this.connections.length - 1].retire();
    return true;
  }

  /** Gives up connections whose servers take no bytes. */
  checkWrites(now: i64): void {
    // Those that are given up leave the list.
    for (let i = this.connections.length - 1; i >= 0; i--) {
      if (i < this.connections.length) unchecked(this.connections[i]).checkWrite(now);
    }
  }

  /** Looks at frames whose rest has not come; returns whether there are any. */
  checkPartials(now: i64, timeout: i64): bool {
    let any = false;
    // Those that are given up leave the list.
    for (let i = this.connections.length - 1; i >= 0; i--) {
      if (i < this.connections.length && unchecked(this.connections[i]).checkPartial(now, timeout)) any = true;
    }
    return any;
  }

  /** The connection with a larger frame whose rest has not come than `best`, else that one. */
  largestPartial(best: PooledConnection | null): PooledConnection | null {
    for (let i = 0, n = this.connections.length; i < n; i++) {
      const connection = unchecked(this.connections[i]);
      if (connection.partial > (best === null ? 0 : best.partial)) best = connection;
    }
    return best;
  }

  hasOther(connection: UpstreamConnection): bool {
    for (let i = 0, n = this.connections.length; i < n; i++) {
      const other = unchecked(this.connections[i]);
      if (other !== connection && other.host === connection.host && other.usable) return true;
    }
    return false;
  }

  remove(connection: UpstreamConnection): void {
    for (let i = 0, n = this.connections.length; i < n; i++) {
      if (unchecked(this.connections[i]) !== connection) continue;
      this.connections.splice(i, 1);
      return;
    }
  }

  /** Gives all connections' memory back when the owner is gone. */
  dispose(): void {
    while (this.connections.length > 0) this.connections.pop().dispose();
  }
}
