import { memoryIsFull, memoryIsShort, memoryShare } from "../bytes/buffer";
import { Holding, relieve } from "../bytes/holders";
import { Connection } from "./connection";
import { FrameWatch, Patience } from "./frame_watch";
import { LARGE, OUT_OF_MEMORY, SLOW } from "./memory";

/** What a request with filters takes beside its bytes, about, bytes. */
const REQUEST_BYTES: i32 = 2048;

/** What a client connection holds: frames whose rest has not come, messages, copies, and what waits to be sent. */
class ConnectionHolding extends Holding {
  constructor(private readonly connection: Connection) {
    super();
  }

  giveUp(): void {
    this.connection.share.giveUp();
  }
}

/** What one client connection holds of the worker's memory, how long it may, and what it gives up while that is short. */
export class Share {
  /** Bytes of servers' frames whose rest has not come. */
  gathered: i32 = 0;
  /** Bytes of the client's frame whose rest has not come, and the memory for it. */
  readonly patience: Patience = new Patience();
  private readonly watch: FrameWatch;
  private readonly holding: ConnectionHolding;

  constructor(private readonly connection: Connection) {
    this.watch = new FrameWatch(connection);
    this.holding = new ConnectionHolding(connection);
  }

  /**
   * Whether so many bytes may be held that can be refused, beside `now` others: no more than `most` in all, and of much
   * no more than half of the memory that is left.
   */
  allows(now: i32, more: i32, most: i32): bool {
    if (more > most - now) return false;
    return more <= LARGE - now ? !memoryIsFull() : more <= memoryShare() - now;
  }

  /** Whether there is room for more of servers' large frames. */
  get mayGather(): bool {
    return this.gathered <= this.connection.root.maxConnectionBytes;
  }

  /** Counts what is held now. The last act of a callback: the host's effective context may be another one after it. */
  settle(): void {
    const connection = this.connection;
    if (connection.closed) return;
    this.count();
    if (connection.waiting > 0 || this.gathered > 0) this.watch.begin();
    if (memoryIsShort()) relieve();
  }

  private count(): void {
    const connection = this.connection;
    const tunnel = connection.tunnel;
    let bytes = connection.unread + this.gathered + connection.keptBytes + connection.toClient.length;
    bytes += tunnel.backlog + tunnel.secondary.backlog;
    if (!connection.root.chains.empty) bytes += connection.requests.count * REQUEST_BYTES;
    this.holding.update(bytes);
  }

  /**
   * Memory is short, and this connection holds most of it: the largest frame of a server that is not whole goes, or the
   * copies for retries, or else the connection.
   */
  giveUp(): void {
    const connection = this.connection;
    const half = this.holding.bytes >> 1;
    const server = this.gathered > half ? connection.pools.largestHalf() : null;
    connection.root.shortages.add(1);
    if (server !== null) server.dropHalf();
    else if (connection.keptBytes <= half || !this.dropCopies()) {
      connection.refuse(OUT_OF_MEMORY);
      this.holding.leave();
      connection.closeSoon();
      return;
    }
    this.count();
  }

  /** Drops what is kept for retries: those requests are sent once. False when there is nothing. */
  private dropCopies(): bool {
    const connection = this.connection;
    const before = connection.keptBytes;
    for (let i = 0; i < connection.requests.capacity; i++) {
      const request = connection.requests.at(i);
      if (request === null || request.copy.length == 0) continue;
      connection.keptBytes -= request.copy.length;
      request.copy.free();
    }
    return connection.keptBytes < before;
  }

  /** Looks at frames whose rest has not come: those that take too long are given up. Returns whether there are others. */
  look(now: i64): bool {
    const connection = this.connection;
    const root = connection.root;
    const servers = connection.pools.lookAtHalves(now, root.frameTimeoutMs);
    const bytes = connection.waiting;
    if (bytes == 0) return servers;
    if (connection.isHeldUp) this.patience.restart();
    else if (this.patience.isOver(now, bytes, root.frameTimeoutMs)) {
      root.frameTimeouts.add(1);
      connection.refuse(SLOW);
      return servers;
    }
    return true;
  }

  /** The connection is over. */
  end(): void {
    this.connection.root.cancelTimer(this.watch);
    this.holding.end();
  }
}
