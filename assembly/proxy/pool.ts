import { Bytes } from "../bytes/bytes";
import { StreamState } from "../tunnel/tunnel_stream";
import { Destination } from "../upstream/cluster";
import { Connection } from "./connection";
import { Host } from "../upstream/host";
import { Server } from "./server";

/** Hosts of a large cluster that one client connection spreads its requests over. */
const MAX_SPAN: i32 = 16;
/** The same for copies of requests, and the server connections for them of one client connection, whatever their clusters. */
const MIRROR_SPAN: i32 = 4;
const MAX_MIRRORS: i32 = 8;
/** Server connections of one pool; consistent hashing may need more hosts than MAX_SPAN. */
const MAX_SERVERS: i32 = 128;

/** The upstream connections of one client connection to one destination, opened as requests need them. */
export class Pool {
  private readonly servers: Server[] = [];

  constructor(
    private readonly connection: Connection,
    readonly destination: Destination,
  ) {}

  /**
   * The connection for the next request: to the host that the balancer chooses, not `exclude` if there is another.
   * Null when none can be had. The connection may still be opening.
   */
  pick(hash: u64, exclude: Host | null, now: i64): Server | null {
    const set = this.destination.set;
    const hosts = set.hosts.length;
    if (hosts > 0) {
      if (set.wantsSearch(now) && this.mayOpen) this.open(null);
      const span = min(hosts, this.maxSpan);
      const from = this.first(span);
      const host = set.choose(from, span, hash, exclude, now);
      if (host !== null) {
        const server = this.of(host);
        if (server !== null) return server;
      }
    }
    return this.any();
  }

  private get maxSpan(): i32 {
    return this.destination.mirror ? MIRROR_SPAN : MAX_SPAN;
  }

  /** The first of so many hosts that are this client connection's. */
  private first(span: i32): i32 {
    const hosts = this.destination.set.hosts.length;
    return hosts > span ? ((((this.connection.id as u64) * (span as u64)) % (hosts as u64)) as i32) : 0;
  }

  /** How many hosts this client connection can send copies to at once; 0: none is known. */
  get spread(): i32 {
    return min(this.destination.set.hosts.length, MAX_MIRRORS);
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
  of(host: Host): Server | null {
    let best: Server | null = null;
    let count = 0;
    for (let i = 0, n = this.servers.length; i < n; i++) {
      const server = unchecked(this.servers[i]);
      if (server.host !== host || !server.usable) continue;
      count++;
      if (best === null || server.active < best.active) best = server;
    }
    const busy = best === null || best.active > 0;
    if (busy && count < this.destination.cluster.config.connections && this.mayOpen) return this.open(host);
    return best;
  }

  /**
   * No host is known to be up: what is open or opening, or else Envoy's own choice. A host that a filter has ejected
   * comes last: an error of its is no worse than ours.
   */
  private any(): Server | null {
    let best: Server | null = null;
    let bestEjected = true;
    for (let i = 0, n = this.servers.length; i < n; i++) {
      const server = unchecked(this.servers[i]);
      const host = server.host;
      if (!server.usable || (host !== null && server.state != StreamState.OPEN)) continue;
      const ejected = host !== null && host.record.ejected;
      if (best !== null && (ejected == bestEjected ? best.active <= server.active : ejected)) continue;
      best = server;
      bestEjected = ejected;
    }
    return best === null && this.mayOpen ? this.open(null) : best;
  }

  private get mayOpen(): bool {
    if (this.connection.tunnel.goAway) return false;
    if (this.destination.mirror && this.connection.tunnel.secondary.all.length >= MAX_MIRRORS) {
      return this.connection.pools.retireMirror();
    }
    return this.servers.length < MAX_SERVERS || this.retireIdle();
  }

  /** Makes room by ending a connection that nothing waits on. */
  retireIdle(): bool {
    for (let i = 0, n = this.servers.length; i < n; i++) {
      const server = unchecked(this.servers[i]);
      if (server.active > 0 || server.state != StreamState.OPEN) continue;
      server.retire();
      return true;
    }
    return false;
  }

  private open(host: Host | null): Server {
    const connection = this.connection;
    const server = new Server(connection, this, host);
    connection.tunnel.open(server, this.destination.set.target, host === null ? Bytes.EMPTY : host.pin);
    this.servers.push(server);
    return server;
  }

  /** Ends all connections if none of them is in use; returns whether it has none then. */
  retire(): bool {
    for (let i = 0, n = this.servers.length; i < n; i++) {
      const server = unchecked(this.servers[i]);
      if (server.active > 0 || server.state != StreamState.OPEN) return false;
    }
    while (this.servers.length > 0) this.servers[this.servers.length - 1].retire();
    return true;
  }

  /** Gives up connections whose servers take no bytes. */
  checkWrites(now: i64): void {
    // Those that are given up leave the list.
    for (let i = this.servers.length - 1; i >= 0; i--) {
      if (i < this.servers.length) unchecked(this.servers[i]).checkWrite(now);
    }
  }

  /** Looks at frames of servers whose rest has not come; returns whether there are any. */
  lookAtHalves(now: i64, timeout: i64): bool {
    let any = false;
    // Those that are given up leave the list.
    for (let i = this.servers.length - 1; i >= 0; i--) {
      if (i < this.servers.length && unchecked(this.servers[i]).lookAtHalf(now, timeout)) any = true;
    }
    return any;
  }

  /** The server with a larger frame whose rest has not come than `best`, else that one. */
  largestHalf(best: Server | null): Server | null {
    for (let i = 0, n = this.servers.length; i < n; i++) {
      const server = unchecked(this.servers[i]);
      if (server.half > (best === null ? 0 : best.half)) best = server;
    }
    return best;
  }

  /** Whether another usable connection goes to the same host, so that a newly found one is not needed. */
  hasOther(one: Server): bool {
    for (let i = 0, n = this.servers.length; i < n; i++) {
      const server = unchecked(this.servers[i]);
      if (server !== one && server.host === one.host && server.usable) return true;
    }
    return false;
  }

  remove(server: Server): void {
    const i = this.servers.indexOf(server);
    if (i >= 0) this.servers.splice(i, 1);
  }

  /** Gives all connections' memory back when the client is gone. */
  dispose(): void {
    while (this.servers.length > 0) this.servers.pop().dispose();
  }
}
