import { Claim } from "./claim";
import { Resource } from "./resource";
import { MAX_RULES } from "./rules";

/** A request that passes the rules of a resource, from `Engine.enter` to its end. Reused. */
export class Entry extends Claim {
  /** Null: there are no rules for the request, or it did not pass. */
  resource: Resource | null = null;
  /** Whether the system's counts have it. */
  inSystem: bool = false;
  /** The value of each rule on a parameter; 0: none. */
  readonly hotHashes: StaticArray<u64> = new StaticArray<u64>(MAX_RULES);
  readonly hotCosts: StaticArray<i64> = new StaticArray<i64>(MAX_RULES);
  /** The generation of its worker when it took slots of values. */
  generation: u32 = 0;
  /** Rules on parameters that it has passed. */
  hots: i32 = 0;

  clear(): void {
    this.resource = null;
    this.waitNs = 0;
    this.inSystem = this.leased = false;
    this.probes = 0;
    this.hots = 0;
  }
}
