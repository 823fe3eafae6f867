import { randomBelow } from "../../host/random";
import { Host } from "../host";
import { Balancer, Candidates } from "./balancer";
import { RoundRobin } from "./round_robin";

/** Any host; where that one is down, the next in turn. */
export class Random extends Balancer {
  private readonly others: RoundRobin = new RoundRobin();

  choose(from: Candidates): Host | null {
    const host = from.at(randomBelow(from.count));
    return from.mayGet(host) ? host : this.others.choose(from);
  }
}
