import { noteGarbage } from "../abi/dispatch";
import { Destination } from "./cluster";
import { Owner } from "./owner";
import { Pool } from "./pool";
import { PooledConnection } from "./pooled_connection";
import { Traffic } from "./traffic";

/** Pools above which those that are idle go, and the objects that one leaves behind. */
const MAX_IDLE: i32 = 256;
const OBJECTS: i32 = 16;

/** The server connections of one owner, by where they go. */
export class Pools {
  private readonly all: Pool[] = [];

  constructor(private readonly owner: Owner) {}

  /** Those to a destination. A destination gets one kind of traffic alone. */
  to(destination: Destination, traffic: Traffic): Pool {
    for (let i = 0, n = this.all.length; i < n; i++) {
      const pool = unchecked(this.all[i]);
      if (pool.destination === destination) return pool;
    }
    if (this.all.length >= MAX_IDLE) this.dropIdle();
    const pool = new Pool(this.owner, destination, traffic, this);
    this.all.push(pool);
    return pool;
  }

  /** Ends a connection of this traffic that nothing waits on; false when there is none. */
  retireIdle(traffic: Traffic): bool {
    for (let i = 0, n = this.all.length; i < n; i++) {
      const pool = unchecked(this.all[i]);
      if (pool.traffic === traffic && pool.retireIdle()) return true;
    }
    return false;
  }

  /** Ends what is idle: clients may name ever new clusters and subsets. */
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

  /** Looks at frames whose rest has not come; returns whether there are any. */
  checkPartials(now: i64, timeout: i64): bool {
    let any = false;
    for (let i = 0; i < this.all.length; i++) if (unchecked(this.all[i]).checkPartials(now, timeout)) any = true;
    return any;
  }

  /** The connection with the largest frame whose rest has not come; null: there is none. */
  largestPartial(): PooledConnection | null {
    let best: PooledConnection | null = null;
    for (let i = 0; i < this.all.length; i++) best = unchecked(this.all[i]).largestPartial(best);
    return best;
  }

  /** The owner is gone. */
  dispose(): void {
    for (let i = 0; i < this.all.length; i++) unchecked(this.all[i]).dispose();
  }
}
