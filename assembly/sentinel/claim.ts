import { Waiter } from "./queue";
import { MAX_RULES } from "./rules";

/** What a request takes of the rules of a resource, to be given back when it is not made after all. Reused. */
export class Claim extends Waiter {
  /** When it entered, ns. */
  startNs: i64 = 0;
  /** So long it has to wait before it is sent, ns. */
  waitNs: i64 = 0;
  /** Whether it took a token that its worker had leased. */
  leased: bool = false;
  /** What it took of the queue of each throttling rule, ns. */
  readonly costs: StaticArray<i64> = new StaticArray<i64>(MAX_RULES);
  /** Whether it is the probe of a breaker: bits. */
  probes: u32 = 0;
}
