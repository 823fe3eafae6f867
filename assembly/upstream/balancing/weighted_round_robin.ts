import { Host } from "../host";
import { Balancer, Candidates } from "./balancer";

/** Smooth weighted round robin: each host gains its weight, and the richest one pays the sum. */
export class WeightedRoundRobin extends Balancer {
  choose(from: Candidates): Host | null {
    let best: Host | null = null;
    let total: i32 = 0;
    for (let i = 0, n = from.count; i < n; i++) {
      const host = from.at(i);
      if (!from.mayGet(host)) continue;
      total += host.weight;
      host.credit += host.weight;
      if (best === null || host.credit > best.credit) best = host;
    }
    if (best !== null) best.credit -= total;
    return best;
  }
}
