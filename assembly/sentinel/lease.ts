import { Claim } from "./claim";
import { ResourceRules } from "./resource_rules";
import { MS } from "./rules";
import { Change, Committed, Decision, ENTER_TRIES, RecordStore, SharedRecord } from "./store";
import { FlowVerdict } from "./verdict";

/** A lease takes at most this part of what is left: so little lies idle near the limit. */
const PART: i64 = 8;

/**
 * Tokens of a resource that this worker has taken from the shared record in advance, to pass requests without asking for
 * each. All of them count as passed: workers together never pass more than the limit. What a worker does not use goes
 * back with its next lease; so at most `most - 1` tokens of each worker are missed in a window.
 */
export class Lease extends Change {
  private spare: i32 = 0;
  /** The buckets that the tokens are of, and when they were taken, ms. */
  private epoch: i64 = -1;
  private takenMs: i64 = 0;
  /** The lease that is being taken: when, ns, and how many tokens. */
  private nowNs: i64 = 0;
  private tokens: i32 = 0;

  /** @param most tokens of one lease, above 0 */
  constructor(
    private readonly rules: ResourceRules,
    private readonly store: RecordStore,
    private readonly most: i64,
  ) {
    super();
  }

  enter(claim: Claim, nowNs: i64): FlowVerdict {
    const epoch = this.rules.epoch(nowNs / MS);
    claim.waitNs = 0;
    if (this.spare > 0 && epoch == this.epoch) this.spare--;
    else {
      this.nowNs = nowNs;
      const committed = this.store.commit(this.rules.record, this, ENTER_TRIES);
      if (committed != Committed.WRITTEN) return committed == Committed.KEPT ? FlowVerdict.FLOW : FlowVerdict.UNKNOWN;
      this.spare = this.tokens - 1;
      this.epoch = epoch;
      this.takenMs = nowNs / MS;
    }
    claim.leased = true;
    return FlowVerdict.PASS;
  }

  /** Gives back what is spare, and takes tokens. */
  apply(record: SharedRecord): Decision {
    const rules = this.rules;
    rules.locate();
    if (this.spare > 0) rules.uncount(this.takenMs, this.spare);
    const left = rules.left(this.nowNs, this.most * PART);
    if (left <= 0) return Decision.KEEP;
    this.tokens = min(this.most, max<i64>(1, left / PART)) as i32;
    rules.count(this.nowNs / MS, this.tokens);
    return Decision.WRITE;
  }

  /** A request that took a token is not made after all. */
  giveBack(claim: Claim): void {
    if (this.rules.epoch(claim.startNs / MS) == this.epoch) this.spare++;
  }
}
