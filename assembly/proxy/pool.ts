import { Bytes } from "../bytes/bytes";
import { UpstreamState } from "../tunnel/upstream";
import { chooseHost } from "./balancer";
import { Destination } from "./cluster";
import { Connection } from "./connection";
import { Host } from "./host";
import { Server } from "./server";

/** Hosts of a large cluster that one client connection spreads its requests over. */
const MAX_SPAN: i32 = 16;
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
      const span = min(hosts, MAX_SPAN);
      const from = hosts > MAX_SPAN ? (this.connection.id * MAX_SPAN) % hosts : 0;
      const type = this.destination.cluster.config.lbType;
      const host = chooseHost(type, set, from, span, hash, exclude, now);
      if (host !== null) {
        const server = this.of(host);
        if (server !== null) return server;
      }
    }
    return this.any();
  }

  /** The least busy connection to the host, or a new one while all are busy and there may be more. */
  private of(host: Host): Server | null {
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

  /** No host is known to be up: what is open or opening, or else Envoy's own choice. */
  private any(): Server | null {
    let best: Server | null = null;
    for (let i = 0, n = this.servers.length; i < n; i++) {
      const server = unchecked(this.servers[i]);
      if (!server.usable || (best !== null && best.active <= server.active)) continue;
      const host = server.host;
      if (host === null || server.state == UpstreamState.OPEN) best = server;
    }
    return best === null && this.mayOpen ? this.open(null) : best;
  }

  private get mayOpen(): bool {
    if (this.connection.tunnel.goAway) return false;
    return this.servers.length < MAX_SERVERS || this.retireIdle();
  }

  /** Makes room by ending a connection that nothing waits on. */
  private retireIdle(): bool {
    for (let i = 0, n = this.servers.length; i < n; i++) {
      const server = unchecked(this.servers[i]);
      if (server.active > 0 || server.state != UpstreamState.OPEN) continue;
      server.retire();
      return true;
    }
    return false;
  }

  private open(host: Host | null): Server {
    const connection = this.connection;
    const server = new Server(connection, this, host, connection.tunnel);
    connection.tunnel.open(server, this.destination.set.target, host === null ? Bytes.EMPTY : host.pin);
    this.servers.push(server);
    return server;
  }

  /** Ends all connections if none of them is in use; returns whether it has none then. */
  retire(): bool {
    for (let i = 0, n = this.servers.length; i < n; i++) {
      const server = unchecked(this.servers[i]);
      if (server.active > 0 || server.state != UpstreamState.OPEN) return false;
    }
    while (this.servers.length > 0) this.servers[this.servers.length - 1].retire();
    return true;
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
