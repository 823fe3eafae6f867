import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { ObjectReader } from "../../../assembly/config/object";
import { draws } from "../../../assembly/host/random";
import { Found } from "../../../assembly/regex/budget";
import { FilterConfig, FilterType, StreamFilter } from "../../../assembly/stream/filter";
import { StreamHandler } from "../../../assembly/stream/handler";
import { bit, FilterStatus, Phase, ResponseFlag } from "../../../assembly/stream/phase";
import { FaultConfig, FaultHeader } from "./config";

const METHOD = Bytes.of("method");
const METHOD_VARIABLE = Bytes.of("x-mosn-method");
const ABORTED = Bytes.of("fault filter abort");

const view = new View();

/** Delays and aborts requests that match: MOSN's `fault` (pkg/filter/stream/faultinject). */
class FaultFilter extends StreamFilter {
  private aborts: FaultConfig | null = null;

  constructor(private readonly config: FaultConfig) {
    super();
  }

  onReceive(handler: StreamHandler, phase: Phase): FilterStatus {
    const config = handler.configOf(fault, this.config) as FaultConfig;
    if (!matches(config, handler)) return FilterStatus.CONTINUE;
    if (config.delayMs > 0 && draws(config.delayPercent)) {
      handler.flags |= ResponseFlag.DELAY_INJECTED;
      this.aborts = config;
      handler.wait(config.delayMs);
      return FilterStatus.WAIT;
    }
    return abort(config, handler);
  }

  onResume(handler: StreamHandler, phase: Phase): FilterStatus {
    const config = this.aborts;
    this.aborts = null;
    return config === null ? FilterStatus.CONTINUE : abort(config, handler);
  }

  onDestroy(): void {
    this.aborts = null;
  }
}

/** The draw for the abort is apart from that for the delay. */
function abort(config: FaultConfig, handler: StreamHandler): FilterStatus {
  if (!draws(config.abortPercent)) return FilterStatus.CONTINUE;
  handler.flags |= ResponseFlag.FAULT_INJECTED;
  handler.hijack(config.abortStatus, ABORTED);
  return FilterStatus.STOP;
}

function matches(config: FaultConfig, handler: StreamHandler): bool {
  const cluster = config.upstreamCluster;
  // Before a cluster is chosen, as in MOSN without a route, every request counts as one to it.
  if (cluster.length > 0 && handler.clusterName(view) && !cluster.equals(view.ptr, view.length)) return false;
  for (let i = 0; i < config.headers.length; i++) {
    if (!headerMatches(unchecked(config.headers[i]), handler)) return false;
  }
  return true;
}

function headerMatches(header: FaultHeader, handler: StreamHandler): bool {
  if (METHOD.equals(header.name.ptr, header.name.length)) {
    return handler.variable(METHOD_VARIABLE, view) && header.value.equals(view.ptr, view.length);
  }
  const headers = handler.requestHeaders;
  if (headers === null || !headers.get(header.name.ptr, header.name.length, view)) return false;
  const regex = header.regex;
  if (regex === null) return header.value.equals(view.ptr, view.length);
  const found = regex.search(view.ptr, view.length);
  if (found == Found.FAILED) handler.countFailure(fault);
  return found == Found.YES;
}

class FaultType extends FilterType {
  constructor() {
    super("fault", bit(Phase.AFTER_ROUTE), true);
    this.setsLabels = false;
  }

  parse(from: ObjectReader): FilterConfig {
    return new FaultConfig(from);
  }

  create(config: FilterConfig): StreamFilter {
    return new FaultFilter(config as FaultConfig);
  }
}

export const fault = new FaultType();
