// The balancers by `lb_type`. A new one is a file beside this one, a name in cluster_config.ts, and a line here.
import { LbType } from "../cluster_config";
import { Balancer } from "./balancer";
import { LeastRequest } from "./least_request";
import { Random } from "./random";
import { Rendezvous } from "./rendezvous";
import { RoundRobin } from "./round_robin";
import { WeightedRoundRobin } from "./weighted_round_robin";

/** A balancer for one set of hosts. */
export function newBalancer(type: LbType): Balancer {
  switch (type) {
    case LbType.RANDOM:
      return new Random();
    case LbType.WEIGHTED_ROUND_ROBIN:
      return new WeightedRoundRobin();
    case LbType.LEAST_REQUEST:
      return new LeastRequest();
    case LbType.MAGLEV:
      return new Rendezvous();
    default:
      return new RoundRobin();
  }
}
