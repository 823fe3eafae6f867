import { ObjectReader } from "../../../assembly/config/object";
import { FilterConfig } from "../../../assembly/stream/filter";

/** Most copies of one request. */
const MAX_AMPLIFICATION: i64 = 100;

/** Configuration of `mirror` (pkg/filter/stream/mirror/registry.go). */
export class MirrorConfig extends FilterConfig {
  /** Copies of each request that is mirrored. */
  readonly amplification: i32;
  /** One copy to each host instead, and the client gets an empty answer. */
  readonly broadcast: bool;

  constructor(from: ObjectReader) {
    super();
    this.amplification = from.integer("amplification", 1, 1, MAX_AMPLIFICATION) as i32;
    this.broadcast = from.bool("broadcast", false);
    if (this.broadcast && from.has("amplification")) {
      from.fail("amplification", "has no effect with broadcast: each host gets one copy");
    }
    from.finish();
  }
}
