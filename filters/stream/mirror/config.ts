import { Bytes } from "../../../assembly/bytes/bytes";
import { ObjectReader } from "../../../assembly/config/object";
import { FilterConfig, FilterRoots } from "../../../assembly/stream/filter";

/** Most copies of one request. */
const MAX_AMPLIFICATION: i64 = 100;

const IN_THE_ROUTE = "is for HTTP; on RPC it is in the route's request_mirror_policies";

/** Configuration of `mirror` (pkg/filter/stream/mirror/registry.go). */
export class MirrorConfig extends FilterConfig {
  /** Copies of each request that is mirrored. */
  readonly amplification: i32;
  /** One copy to each host instead, and the client gets an empty answer. */
  readonly broadcast: bool;
  /** On HTTP, whose routes are Envoy's: the cluster for the copies, empty where there are none. */
  readonly cluster: Bytes;
  /** And how many of a hundred requests are mirrored. */
  readonly percent: i32;

  constructor(from: ObjectReader, root: FilterRoots) {
    super();
    this.amplification = from.integer("amplification", 1, 1, MAX_AMPLIFICATION) as i32;
    this.broadcast = from.bool("broadcast", false);
    this.cluster = from.bytes("cluster");
    this.percent = from.integer("percent", 0, 0, 100) as i32;
    if (root == FilterRoots.HTTP) this.checkHttp(from);
    else {
      if (from.has("cluster")) from.fail("cluster", IN_THE_ROUTE);
      if (from.has("percent")) from.fail("percent", IN_THE_ROUTE);
    }
    if (this.broadcast && from.has("amplification")) {
      from.fail("amplification", "has no effect with broadcast: each host gets one copy");
    }
    from.finish();
  }

  private checkHttp(from: ObjectReader): void {
    if (this.broadcast) from.fail("broadcast", "is for RPC: on HTTP the hosts of a cluster are not known");
    if (from.has("cluster") && this.cluster.length == 0) from.fail("cluster", "must not be empty");
    if (from.has("cluster") != from.has("percent")) from.refuse("cluster and percent go together");
  }
}
