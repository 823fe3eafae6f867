import { Host } from "../host";
import { Balancer, Candidates } from "./balancer";

/** One host after the other. O(1) while all hosts are up. */
export class RoundRobin extends Balancer {
  private next: u32 = 0;

  choose(from: Candidates): Host | null {
    const count = from.count;
    for (let i = 0; i < count; i++) {
      const host = from.at((this.next++ % (count as u32)) as i32);
      if (from.mayGet(host)) return host;
    }
    return null;
  }
}
