import { Entry, Verdict } from "./entry";
import { Resource } from "./resource";
import { MS } from "./rules";
import { Saved } from "./store";

const TRIES: i32 = 64;
/** A lease takes at most this part of what is left: so little lies idle near the limit. */
const PART: i64 = 8;

/**
 * Tokens of a resource that this worker has taken from the shared record in advance, to pass requests without asking for
 * each. All of them count as passed: workers together never pass more than the limit. What a worker does not use goes
 * back with its next lease; so at most `most - 1` tokens of each worker are missed in a window.
 */
export class Lease {
  private spare: i32 = 0;
  /** The buckets that the tokens are of, and when they were taken, ms. */
  private epoch: i64 = -1;
  private takenMs: i64 = 0;

  /** @param most tokens of one lease, above 0 */
  constructor(private readonly most: i64) {}

  enter(resource: Resource, entry: Entry, nowNs: i64): Verdict {
    const nowMs = nowNs / MS;
    const epoch = resource.epoch(nowMs);
    entry.waitNs = 0;
    if (this.spare > 0 && epoch == this.epoch) {
      this.spare--;
      entry.leased = true;
      return Verdict.PASS;
    }
    return this.renew(resource, entry, nowNs, epoch);
  }

  private renew(resource: Resource, entry: Entry, nowNs: i64, epoch: i64): Verdict {
    const nowMs = nowNs / MS;
    for (let i = 0; i < TRIES; i++) {
      if (!resource.read()) return Verdict.UNKNOWN;
      if (this.spare > 0) resource.uncount(this.takenMs, this.spare);
      const left = resource.left(nowNs, this.most * PART);
      if (left <= 0) {
        if (resource.record.guessed) continue;
        return Verdict.FLOW;
      }
      const taken = min(this.most, max<i64>(1, left / PART)) as i32;
      resource.count(nowMs, taken);
      const saved = resource.write();
      if (saved == Saved.FAILED) return Verdict.UNKNOWN;
      if (saved == Saved.CONFLICT) continue;
      this.spare = taken - 1;
      this.epoch = epoch;
      this.takenMs = nowMs;
      entry.leased = true;
      return Verdict.PASS;
    }
    return Verdict.UNKNOWN;
  }

  /** A request that took a token is not made after all. */
  giveBack(resource: Resource, entry: Entry): bool {
    if (resource.epoch(entry.startNs / MS) == this.epoch) this.spare++;
    return true;
  }
}
