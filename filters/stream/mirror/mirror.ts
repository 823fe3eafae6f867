import { Bytes } from "../../../assembly/bytes/bytes";
import { ObjectReader } from "../../../assembly/config/object";
import { draws } from "../../../assembly/host/random";
import { FilterConfig, FilterRoots, FilterType, StreamFilter } from "../../../assembly/stream/filter";
import { StreamHandler } from "../../../assembly/stream/handler";
import { bit, FilterStatus, Phase } from "../../../assembly/stream/phase";
import { Code } from "../../../assembly/message/code";
import { MirrorConfig } from "./config";

/** What `StreamHandler.mirror` takes for one copy to each host. */
const TO_ALL: i32 = 0;

/** Sends copies of requests to the cluster of their route's mirror policy: MOSN's `mirror` (pkg/filter/stream/mirror). */
class MirrorFilter extends StreamFilter {
  constructor(private readonly config: MirrorConfig) {
    super();
  }

  onReceive(handler: StreamHandler, phase: Phase): FilterStatus {
    const config = handler.configOf(mirror, this.config) as MirrorConfig;
    if (config.cluster.length > 0) {
      if (draws(config.percent)) handler.mirrorTo(config.cluster, config.amplification);
      return FilterStatus.CONTINUE;
    }
    if (!draws(handler.mirrorPercent)) return FilterStatus.CONTINUE;
    handler.mirror(config.broadcast ? TO_ALL : config.amplification);
    if (!config.broadcast) return FilterStatus.CONTINUE;
    handler.hijack(Code.SUCCESS, Bytes.EMPTY);
    return FilterStatus.STOP;
  }
}

class MirrorType extends FilterType {
  constructor() {
    super("mirror", bit(Phase.AFTER_ROUTE), true);
    this.setsLabels = false;
  }

  parse(from: ObjectReader): FilterConfig {
    return this.parseFor(from, FilterRoots.PROXY);
  }

  parseFor(from: ObjectReader, root: FilterRoots): FilterConfig {
    return new MirrorConfig(from, root);
  }

  create(config: FilterConfig): StreamFilter {
    return new MirrorFilter(config as MirrorConfig);
  }
}

export const mirror = new MirrorType();
