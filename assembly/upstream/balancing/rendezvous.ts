import { Host } from "../host";
import { Balancer, Candidates } from "./balancer";

/**
 * Rendezvous hashing over all hosts, not only the candidates' share: a value stays with its host whatever the order in
 * which hosts were learned, and moves only when that host goes.
 */
export class Rendezvous extends Balancer {
  choose(from: Candidates): Host | null {
    const hosts = from.hosts;
    const hash = from.hash;
    let best: Host | null = null;
    let bestScore: u64 = 0;
    for (let i = 0, n = hosts.length; i < n; i++) {
      const host = unchecked(hosts[i]);
      if (!from.mayGet(host)) continue;
      let score = (host.hash ^ hash) * 0xff51afd7ed558ccd;
      score = (score ^ (score >> 32)) * 0xc4ceb9fe1a85ec53;
      score ^= score >> 32;
      if (best === null || score > bestScore) {
        best = host;
        bestScore = score;
      }
    }
    return best;
  }
}
