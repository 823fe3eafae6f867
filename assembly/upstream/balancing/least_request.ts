import { randomBelow } from "../../host/random";
import { Host } from "../host";
import { Balancer, Candidates } from "./balancer";
import { RoundRobin } from "./round_robin";

/** Draws for each request; MOSN's default choice_count. */
const CHOICES: i32 = 2;

/** The less busy one of two hosts that are drawn; where both are down, the next in turn. */
export class LeastRequest extends Balancer {
  private readonly others: RoundRobin = new RoundRobin();

  choose(from: Candidates): Host | null {
    let best: Host | null = null;
    for (let i = 0; i < CHOICES; i++) {
      const host = from.at(randomBelow(from.count));
      if (from.mayGet(host) && (best === null || host.active < best.active)) best = host;
    }
    return best !== null ? best : this.others.choose(from);
  }
}
