import { random } from "../host/random";
import { RouteInput } from "../router/input";
import { Route } from "../router/route";
import { Cluster } from "../upstream/cluster";
import { LbType } from "../upstream/cluster_config";

/**
 * What a consistent hash goes by for the request that the input is bound to; 0 where the cluster does not hash. A request
 * that nothing tells from others goes anywhere: not all of those to one host.
 */
export function hashOf(input: RouteInput, route: Route, cluster: Cluster): u64 {
  if (cluster.config.lbType != LbType.MAGLEV) return 0;
  const hash = route.hash(input);
  return hash != 0 ? hash : random();
}
