import { ObjectReader } from "../../../assembly/config/object";
import { FilterConfig, FilterRoots, FilterType, StreamFilter } from "../../../assembly/stream/filter";
import { StreamHandler } from "../../../assembly/stream/handler";
import { bit, FilterStatus, Phase, ResponseFlag } from "../../../assembly/stream/phase";
import { Code } from "../../../assembly/message/code";
import { FaultToleranceConfig } from "./config";

/** What is our own doing: it says nothing about the host. */
const OURS: u32 = ResponseFlag.UPSTREAM_OVERFLOW | ResponseFlag.DOWNSTREAM_TERMINATE;

/** Ejects hosts whose calls fail more often than others': MOSN's `fault_tolerance` (pkg/filter/stream/faulttolerance). */
class FaultToleranceFilter extends StreamFilter {
  constructor(private readonly config: FaultToleranceConfig) {
    super();
  }

  append(handler: StreamHandler): FilterStatus {
    const config = this.config;
    if (!config.enabled || handler.impatient || (handler.flags & OURS) != 0) return FilterStatus.CONTINUE;
    const host = handler.upstreamHost;
    if (host === null) return FilterStatus.CONTINUE;
    const failed = config.isException(codeOf(handler)) || (config.exceptionsAreErrors && handler.isException);
    if (!config.regulator.call(host, failed)) handler.countFailure(faultTolerance);
    return FilterStatus.CONTINUE;
  }
}

/** MOSN's code of the response. A connection that the server closed is 500 there, and 502 where a reset is. */
function codeOf(handler: StreamHandler): i32 {
  const closed = (handler.flags & ResponseFlag.UPSTREAM_CONNECTION_TERMINATION) != 0;
  return closed ? Code.NO_HEALTH_UPSTREAM : handler.responseCode;
}

class FaultToleranceType extends FilterType {
  constructor() {
    super("fault_tolerance", bit(Phase.BEFORE_SEND), false);
    this.setsLabels = false;
    this.roots = FilterRoots.PROXY;
    this.instead = "Envoy's outlier_detection in the cluster";
  }

  parse(from: ObjectReader): FilterConfig {
    return new FaultToleranceConfig(from);
  }

  create(config: FilterConfig): StreamFilter {
    return new FaultToleranceFilter(config as FaultToleranceConfig);
  }
}

export const faultTolerance = new FaultToleranceType();
