import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { ObjectReader } from "../../../assembly/config/object";
import { FilterConfig, FilterRoots, FilterType, StreamFilter } from "../../../assembly/stream/filter";
import { StreamHandler } from "../../../assembly/stream/handler";
import { FilterMetric, FilterMetricTable } from "../../../assembly/stream/metrics";
import { bit, FilterStatus, Phase } from "../../../assembly/stream/phase";
import { Code } from "../../../assembly/message/code";
import { Payload } from "../../../assembly/message/payload";
import { HessianAllowlistConfig } from "./config";
import { Finding, found, inspect } from "./inspect";

const NAME = "hessian_allowlist";
const DENIED = FilterMetric.counter(NAME, "denied");
const REPORTED = FilterMetric.counter(NAME, "reported");
const OTHER = FilterMetric.counter(NAME, "other");
/** Messages by the class that was the first that may not be, and where it was. */
const CLASSES = new FilterMetricTable(NAME, "", "class", "in", ["denied", "reported"]);
const IN_REQUEST = Bytes.of("request");
const IN_RESPONSE = Bytes.of("response");

const CLASS_TEXT = Bytes.of("a class is not allowed (hessian_allowlist)");
const UNREADABLE_TEXT = Bytes.of("the body cannot be read (hessian_allowlist)");
const OTHER_TEXT = Bytes.of("the serialization is not allowed (hessian_allowlist)");

const payload = new Payload();
const where = new View();

/** Lets pass only what names no classes but those on a list: ours, MOSN has none. */
class HessianAllowlistFilter extends StreamFilter {
  /** The request is a generic call: clients take its answer as servers take its arguments. */
  private generic: bool = false;

  constructor(private readonly config: HessianAllowlistConfig) {
    super();
  }

  onReceive(handler: StreamHandler, phase: Phase): FilterStatus {
    const config = handler.configOf(hessianAllowlist, this.config) as HessianAllowlistConfig;
    if (!handler.payload(payload)) return FilterStatus.CONTINUE;
    this.generic = payload.isGeneric;
    return judge(handler, config, IN_REQUEST, this.generic);
  }

  append(handler: StreamHandler): FilterStatus {
    const config = handler.configOf(hessianAllowlist, this.config) as HessianAllowlistConfig;
    // Without a payload it is an answer of the proxy's own.
    if (!config.responses || !handler.payload(payload)) return FilterStatus.CONTINUE;
    return judge(handler, config, IN_RESPONSE, this.generic);
  }
}

/** Counts what is found in the message at hand, of which `payload` is; answers what may not pass. */
function judge(handler: StreamHandler, config: HessianAllowlistConfig, place: Bytes, generic: bool): FilterStatus {
  const finding = inspect(payload, config, generic);
  if (finding == Finding.ALLOWED || (finding == Finding.OTHER && config.passesOthers)) return FilterStatus.CONTINUE;
  if (finding == Finding.OTHER) handler.metrics.count(OTHER, 1);
  else if (finding == Finding.UNREADABLE) handler.countFailure(hessianAllowlist);
  handler.metrics.count(config.onlyReports ? REPORTED : DENIED, 1);
  if (finding == Finding.DENIED) {
    where.set(place.ptr, place.length);
    handler.metrics.countNamed(CLASSES, found, where, config.onlyReports ? 1 : 0);
  }
  if (config.onlyReports) return FilterStatus.CONTINUE;
  handler.hijack(Code.PERMISSION_DENIED, textOf(finding));
  return FilterStatus.STOP;
}

function textOf(finding: Finding): Bytes {
  if (finding == Finding.DENIED) return CLASS_TEXT;
  return finding == Finding.OTHER ? OTHER_TEXT : UNREADABLE_TEXT;
}

class HessianAllowlistType extends FilterType {
  constructor() {
    super(NAME, bit(Phase.AFTER_ROUTE), true);
    this.setsLabels = false;
    this.protective = true;
    this.roots = FilterRoots.PROXY;
  }

  parse(from: ObjectReader): FilterConfig {
    const config = new HessianAllowlistConfig(from);
    if (config.responses) this.phases |= bit(Phase.BEFORE_SEND);
    return config;
  }

  create(config: FilterConfig): StreamFilter {
    return new HessianAllowlistFilter(config as HessianAllowlistConfig);
  }
}

export const hessianAllowlist = new HessianAllowlistType();
