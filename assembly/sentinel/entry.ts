import { WaitQueue } from "./queue";
import { Resource } from "./resource";

/** Most rules of one kind for one resource. */
export const MAX_RULES: i32 = 16;

/** What an entry came to. */
export const enum Verdict {
  PASS = 0,
  FLOW = 1,
  ISOLATION = 2,
  HOT_PARAM = 3,
  BREAKER = 4,
  SYSTEM = 5,
  /** The shared records could not be read or written: nobody knows. */
  UNKNOWN = 6,
}

/** How a request that passed ended. */
export const enum Outcome {
  GOOD = 0,
  FAILED = 1,
  /** Its client left, or it has no answer: that says nothing of who answers. */
  UNKNOWN = 2,
}

/** A request that passes the rules of a resource, from `Engine.enter` to its end. Reused. */
export class Entry {
  /** Null: there are no rules for the request, or it did not pass. */
  resource: Resource | null = null;
  /** When it entered, ns. */
  startNs: i64 = 0;
  /** So long it has to wait before it is sent, ns. */
  waitNs: i64 = 0;
  /** Whether the system's counts have it. */
  inSystem: bool = false;
  /** Whether it took a token that its worker had leased. */
  leased: bool = false;
  /** What it took of the queue of each throttling rule, ns. */
  readonly costs: StaticArray<i64> = new StaticArray<i64>(MAX_RULES);
  /** Whether it is the probe of a breaker: bits. */
  probes: u32 = 0;
  /** The value of each rule on a parameter; 0: none. */
  readonly hotHashes: StaticArray<u64> = new StaticArray<u64>(MAX_RULES);
  readonly hotCosts: StaticArray<i64> = new StaticArray<i64>(MAX_RULES);
  /** The generation of its worker when it took places of values. */
  generation: u32 = 0;
  /** Rules on parameters that it has passed. */
  hots: i32 = 0;

  /** Where it waits, and its neighbours there; null: it does not wait for its turn. */
  queue: WaitQueue | null = null;
  next: Entry | null = null;
  previous: Entry | null = null;
  /** When its turn comes as far as it knows, ns. */
  told: i64 = 0;

  /** It has to wait only until `time`, ns, because one before it has left. */
  onMoved(time: i64): void {}

  clear(): void {
    this.resource = null;
    this.waitNs = 0;
    this.inSystem = this.leased = false;
    this.probes = 0;
    this.hots = 0;
  }
}
