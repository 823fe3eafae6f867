import { noteGarbage } from "../abi/dispatch";
import { Connection } from "./connection";
import { Pool } from "./pool";
import { Destination } from "../upstream/cluster";
import { Server } from "./server";

/** Pools above which those that are idle go, and the objects that one leaves behind. */
const MAX_IDLE: i32 = 256;
const OBJECTS: i32 = 16;

/** The upstream connections of one client connection, by where they go. */
export class Pools {
  private readonly all: Pool[] = [];

  constructor(private readonly connection: Connection) {}

  /** Those to a destination. */
  to(destination: Destination): Pool {
    for (let i = 0, n = this.all.length; i < n; i++) {
      const pool = unchecked(this.all[i]);
      if (pool.destination === destination) return pool;
    }
    if (this.all.length >= MAX_IDLE) this.dropIdle();
    const pool = new Pool(this.connection, destination);
    this.all.push(pool);
    return pool;
  }

  /** Ends a connection for copies that nothing waits on; false when there is none. */
  retireMirror(): bool {
    for (let i = 0, n = this.all.length; i < n; i++) {
      const pool = unchecked(this.all[i]);
      if (pool.destination.mirror && pool.retireIdle()) return true;
    }
    return false;
  }

  /** Ends what is idle: a client may name ever new clusters and subsets. */
  private dropIdle(): void {
    let kept = 0;
    for (let i = 0; i < this.all.length; i++) {
      const pool = unchecked(this.all[i]);
      if (!pool.retire()) unchecked((this.all[kept++] = pool));
    }
    noteGarbage((this.all.length - kept) * OBJECTS);
    this.all.length = kept;
  }

  /** Gives up connections whose servers take no bytes. */
  checkWrites(now: i64): void {
    // What is given up may send its requests to another pool, and so make one.
    for (let i = 0; i < this.all.length; i++) unchecked(this.all[i]).checkWrites(now);
  }

  /** Looks at frames of servers whose rest has not come; returns whether there are any. */
  lookAtHalves(now: i64, timeout: i64): bool {
    let any = false;
    for (let i = 0; i < this.all.length; i++) if (unchecked(this.all[i]).lookAtHalves(now, timeout)) any = true;
    return any;
  }

  /** The server with the largest frame whose rest has not come; null: there is none. */
  largestHalf(): Server | null {
    let best: Server | null = null;
    for (let i = 0; i < this.all.length; i++) best = unchecked(this.all[i]).largestHalf(best);
    return best;
  }

  /** The client has gone. */
  dispose(): void {
    for (let i = 0; i < this.all.length; i++) unchecked(this.all[i]).dispose();
  }
}
