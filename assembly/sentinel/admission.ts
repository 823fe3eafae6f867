import { Sketch } from "../bytes/sketch";
import { MS } from "./rules";
import { Resource } from "./resource";

/** A resource that was not asked for as long is idle: any other may take its place. */
const IDLE_NS: i64 = 60000 * MS;
/** One that was not for as long is cold: one that was asked for so many times lately may. */
const COLD_NS: i64 = 1000 * MS;
const OFTEN: i32 = 3;
/** How many are looked at for the one that was not asked for the longest. */
const LOOKED_AT: i32 = 8;
/** Cold ones that are displaced at once, and the time until there may be one more. */
const COLD_AT_ONCE: i64 = 64;
const REFILL_NS: i64 = 1000 * MS;
/**
 * Displaced in one engine in all: each leaves a key in the data that workers share, which Envoy never forgets (some 30 MiB
 * then). From then on resources stay.
 */
export const MAX_DISPLACED: i32 = 100000;

/** How many may be displaced: so many at once, and one more each second. */
class Allowance {
  private left: i64;
  private at: i64 = 0;

  constructor(private readonly most: i64) {
    this.left = most;
  }

  take(nowNs: i64): bool {
    const more = (nowNs - this.at) / REFILL_NS;
    if (more > 0) {
      this.left = min(this.most, this.left + more);
      this.at = nowNs;
    }
    if (this.left <= 0) return false;
    this.left--;
    return true;
  }
}

/**
 * Which resource of patterns makes room for a new one when there is none: peers choose the names, and those they make up must
 * not keep the others out. One that has requests under way, or was asked for within the last second, never does.
 */
export class Admission {
  private readonly seen: Sketch = new Sketch();
  private readonly cold: Allowance = new Allowance(COLD_AT_ONCE);
  private readonly idle: Allowance;
  private hand: i32 = 0;
  private displaced: i32 = 0;

  /** @param most resources that there may be */
  constructor(most: i32) {
    this.idle = new Allowance(most as i64);
  }

  /** The place of the one that goes; -1: none does. `hash` is of the new one's name. */
  displace(resources: Resource[], hash: u64, nowNs: i64): i32 {
    const often = this.seen.count(hash) >= OFTEN;
    if (this.displaced >= MAX_DISPLACED || resources.length == 0) return -1;
    const at = this.longestIdle(resources);
    if (at < 0) return -1;
    const idleNs = nowNs - unchecked(resources[at]).usedNs;
    const goes = idleNs >= IDLE_NS ? this.idle.take(nowNs) : idleNs >= COLD_NS && often && this.cold.take(nowNs);
    if (!goes) return -1;
    this.displaced++;
    return at;
  }

  /** Of the next few, the one that was not asked for the longest and has no requests under way. */
  private longestIdle(resources: Resource[]): i32 {
    let best = -1;
    for (let i = 0; i < LOOKED_AT; i++) {
      if (++this.hand >= resources.length) this.hand = 0;
      const one = unchecked(resources[this.hand]);
      if (one.fixed || one.users > 0) continue;
      if (best < 0 || one.usedNs < unchecked(resources[best]).usedNs) best = this.hand;
    }
    return best;
  }
}
