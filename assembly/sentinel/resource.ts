import { Bytes } from "../bytes/bytes";
import { Claim } from "./claim";
import { HotParamController } from "./hot_param";
import { recordKey } from "./keys";
import { Lease } from "./lease";
import { WaitQueue } from "./queue";
import { Layout } from "./record";
import { ResourceRules } from "./resource_rules";
import { BreakerRule, FlowRule, IsolationRule, MAX_RULES, MS } from "./rules";
import { Change, Committed, Decision, ENTER_TRIES, LEAVE_TRIES, RecordStore, SharedRecord } from "./store";
import { FlowOutcome, FlowVerdict } from "./verdict";
import { Workers } from "./workers";

/** What who uses the rules keeps with a resource. */
export abstract class Attachment {}

/** A request enters: all rules are asked, and take what it needs. */
class Entering extends Change {
  claim: Claim | null = null;
  nowNs: i64 = 0;
  memoryBytes: i64 = 0;
  /** What the rules say. */
  verdict: FlowVerdict = FlowVerdict.UNKNOWN;

  constructor(
    private readonly rules: ResourceRules,
    private readonly store: RecordStore,
  ) {
    super();
  }

  apply(record: SharedRecord): Decision {
    const claim = this.claim;
    const rules = this.rules;
    if (claim === null || !rules.readRelated(this.store)) return Decision.FAIL;
    rules.locate();
    this.verdict = rules.check(this.nowNs, this.memoryBytes);
    if (this.verdict != FlowVerdict.PASS) return Decision.KEEP;
    rules.take(claim, this.nowNs);
    return Decision.WRITE;
  }
}

/** A request that passed is over, or is not made after all. */
class Leaving extends Change {
  claim: Claim | null = null;
  nowNs: i64 = 0;
  outcome: FlowOutcome = FlowOutcome.UNKNOWN;
  undone: bool = false;
  /** The rule in whose queue requests wait, -1: none; and the time there that is free now, ns, 0: none. */
  queued: i32 = -1;
  freeNs: i64 = 0;

  constructor(private readonly rules: ResourceRules) {
    super();
  }

  apply(record: SharedRecord): Decision {
    const claim = this.claim;
    const rules = this.rules;
    if (claim === null) return Decision.FAIL;
    rules.locate();
    const slots = rules.slots;
    if (slots !== null) slots.settle(record.ptr);
    if (this.undone) rules.undo(claim, this.nowNs, this.queued, this.freeNs);
    else rules.complete(claim, this.nowNs, this.outcome);
    return Decision.WRITE;
  }
}

/** The rules are gone: of the record stays what the layouts of others know. */
class Clearing extends Change {
  constructor(private readonly layouts: Layout[]) {
    super();
  }

  apply(record: SharedRecord): Decision {
    return Layout.clear(record, this.layouts) ? Decision.WRITE : Decision.KEEP;
  }
}

/** A resource with its rules, and the record of its counts that all workers share. */
export class Resource {
  readonly rules: ResourceRules;
  readonly hots: HotParamController[] = [];
  /** Who waits in this worker, where a single rule has requests wait: then those behind one that leaves move up. */
  private queue: WaitQueue | null = null;
  /** Tokens of this worker; null: it has none, and asks the record each time. */
  lease: Lease | null = null;
  private readonly entering: Entering;
  private readonly leaving: Leaving;
  /** The user's own; all of one engine are of one class. */
  attachment: Attachment | null = null;
  /** Whether rules name it, or all that find no room share it: it never makes room for another one. */
  fixed: bool = false;
  /** Requests that passed and are not over, and when it was last asked for, ns. */
  users: i32 = 0;
  usedNs: i64 = 0;
  /** `hashBytes` of its name. */
  slotHash: u64 = 0;

  constructor(
    readonly name: Bytes,
    readonly hash: u64,
    private readonly store: RecordStore,
    private readonly workers: Workers,
  ) {
    const rules = new ResourceRules(new SharedRecord(recordKey(hash, 0)));
    this.rules = rules;
    this.entering = new Entering(rules, store);
    this.leaving = new Leaving(rules);
  }

  /** Adds a rule; beyond MAX_RULES of a kind none are added. `related` is the resource whose requests it counts. */
  addFlow(rule: FlowRule, related: Resource | null): void {
    this.rules.addFlow(rule, related !== null ? related.rules : null);
    this.findQueue();
  }

  addIsolation(rule: IsolationRule): void {
    this.rules.addIsolation(rule, this.workers, this.hash);
  }

  addBreaker(rule: BreakerRule): void {
    this.rules.addBreaker(rule);
  }

  addHotParam(controller: HotParamController): void {
    if (this.hots.length >= MAX_RULES) return;
    this.hots.push(controller);
    this.findQueue();
  }

  /** Finds out whether a single rule has requests wait. */
  private findQueue(): void {
    const single = this.rules.throttling == 1 && this.hots.length == 0;
    this.leaving.queued = single ? this.rules.lastThrottling : -1;
    this.queue = single ? new WaitQueue() : null;
  }

  /** Whether it has that rule on a parameter. */
  hasHotParam(key: u32): bool {
    for (let i = 0; i < this.hots.length; i++) if (this.hots[i].rule.key == key) return true;
    return false;
  }

  /** Has it lease so many tokens at once, above 0. */
  lend(most: i64): void {
    this.lease = new Lease(this.rules, this.store, most);
  }

  /** Lets a request pass if all rules in the record do. */
  enter(claim: Claim, nowNs: i64, memoryBytes: i64): FlowVerdict {
    const lease = this.lease;
    if (lease !== null) return lease.enter(claim, nowNs);
    const slots = this.rules.slots;
    if (slots !== null) this.workers.beat(nowNs / MS);
    const entering = this.entering;
    entering.claim = claim;
    entering.nowNs = nowNs;
    entering.memoryBytes = memoryBytes;
    const committed = this.store.commit(this.rules.record, entering, ENTER_TRIES);
    if (committed != Committed.WRITTEN) return committed == Committed.KEPT ? entering.verdict : FlowVerdict.UNKNOWN;
    if (slots !== null) slots.taken();
    const queue = this.queue;
    if (queue !== null && claim.waitNs > 0) claim.waitNs = queue.add(claim, nowNs + claim.waitNs) - nowNs;
    return FlowVerdict.PASS;
  }

  /** A request that passed is over. False: it could not be noted, or will be later. */
  exit(claim: Claim, nowNs: i64, outcome: FlowOutcome): bool {
    if (claim.leased || !this.rules.needsEnd) return true;
    return this.leave(claim, nowNs, outcome, false, 0);
  }

  /** A request that passed is not made after all: it leaves no trace, and those behind it in a queue wait less. */
  cancel(claim: Claim, nowNs: i64): bool {
    const queue = claim.queue;
    const freeNs = queue !== null ? queue.leave(claim) : 0;
    const lease = this.lease;
    if (lease === null || !claim.leased) return this.leave(claim, nowNs, FlowOutcome.UNKNOWN, true, freeNs);
    lease.giveBack(claim);
    return true;
  }

  private leave(claim: Claim, nowNs: i64, outcome: FlowOutcome, undone: bool, freeNs: i64): bool {
    const slots = this.rules.slots;
    if (slots !== null) slots.release();
    const leaving = this.leaving;
    leaving.claim = claim;
    leaving.nowNs = nowNs;
    leaving.outcome = outcome;
    leaving.undone = undone;
    leaving.freeNs = freeNs;
    if (this.store.commit(this.rules.record, leaving, LEAVE_TRIES) != Committed.WRITTEN) return false;
    if (slots !== null) slots.saved();
    return true;
  }

  /** Its rules are gone, and those of all other engines: nothing is kept of it. */
  erase(): void {
    this.store.erase(this.rules.record);
  }

  /** It is no longer used: to be called once. */
  end(): void {
    if (this.rules.slots !== null) this.workers.forget(this.hash);
  }

  /** Its rules are gone: of the record stays what the layouts, those of other engines, know. */
  eraseBut(layouts: Layout[]): void {
    if (this.rules.record.version == 0) return;
    this.store.commit(this.rules.record, new Clearing(layouts), ENTER_TRIES, true);
  }
}
