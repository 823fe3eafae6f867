import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { ObjectReader } from "../../../assembly/config/object";
import { FilterConfig, FilterType, StreamFilter } from "../../../assembly/stream/filter";
import { StreamHandler } from "../../../assembly/stream/handler";
import { bit, FilterStatus, Phase, ResponseFlag } from "../../../assembly/stream/phase";
import { PayloadLimitConfig } from "./config";

const TOO_LARGE = Bytes.of("the body is larger than payload_limit allows");

const body = new View();

/** Refuses requests with large bodies: MOSN's `payload_limit` (pkg/filter/stream/payloadlimit). */
class PayloadLimitFilter extends StreamFilter {
  constructor(private readonly config: PayloadLimitConfig) {
    super();
  }

  onReceive(handler: StreamHandler, phase: Phase): FilterStatus {
    const config = handler.configOf(payloadLimit, this.config) as PayloadLimitConfig;
    if (config.maxSize == 0) return FilterStatus.CONTINUE;
    handler.requestBody(body);
    if (body.length <= config.maxSize) return FilterStatus.CONTINUE;
    handler.flags |= ResponseFlag.REQ_ENTITY_TOO_LARGE;
    handler.hijack(config.status, TOO_LARGE);
    return FilterStatus.STOP;
  }
}

class PayloadLimitType extends FilterType {
  constructor() {
    super("payload_limit", bit(Phase.AFTER_ROUTE), true);
    this.needsRequestBody = true;
    this.protective = true;
  }

  parse(from: ObjectReader): FilterConfig {
    return new PayloadLimitConfig(from);
  }

  create(config: FilterConfig): StreamFilter {
    return new PayloadLimitFilter(config as PayloadLimitConfig);
  }
}

export const payloadLimit = new PayloadLimitType();
