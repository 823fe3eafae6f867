import { Bytes } from "../../../assembly/bytes/bytes";
import { readDecimal } from "../../../assembly/bytes/decimal";
import { View } from "../../../assembly/bytes/view";
import { ObjectReader } from "../../../assembly/config/object";
import { FilterConfig, FilterType, StreamFilter } from "../../../assembly/stream/filter";
import { StreamHandler } from "../../../assembly/stream/handler";
import { bit, FilterStatus, Phase, ResponseFlag } from "../../../assembly/stream/phase";
import { PayloadLimitConfig } from "./config";

const TOO_LARGE = Bytes.of("the body is larger than payload_limit allows");

const CONTENT_LENGTH = Bytes.of("content-length");
const TRANSFER_ENCODING = Bytes.of("transfer-encoding");

const body = new View();
const value = new View();

/** Refuses requests with large bodies: MOSN's `payload_limit` (pkg/filter/stream/payloadlimit). */
class PayloadLimitFilter extends StreamFilter {
  constructor(private readonly config: PayloadLimitConfig) {
    super();
  }

  onReceive(handler: StreamHandler, phase: Phase): FilterStatus {
    const config = handler.configOf(payloadLimit, this.config) as PayloadLimitConfig;
    if (config.maxSize == 0) return FilterStatus.CONTINUE;
    handler.requestBody(body);
    if (body.length <= config.maxSize && !(handler.tunnels && declaresMore(handler, config.maxSize))) {
      return FilterStatus.CONTINUE;
    }
    handler.flags |= ResponseFlag.REQ_ENTITY_TOO_LARGE;
    handler.hijack(config.status, TOO_LARGE);
    return FilterStatus.STOP;
  }
}

/**
 * Whether an upgrade or CONNECT says that it has a body, and not one of so few bytes. Envoy passes it on without anybody
 * seeing it; a server that does not upgrade would take it for an ordinary one.
 */
function declaresMore(handler: StreamHandler, maxSize: i32): bool {
  const headers = handler.requestHeaders;
  if (headers === null) return false;
  if (headers.get(TRANSFER_ENCODING.ptr, TRANSFER_ENCODING.length, value)) return true;
  if (!headers.get(CONTENT_LENGTH.ptr, CONTENT_LENGTH.length, value)) return false;
  const declared = readDecimal(value.ptr, value.length);
  return declared < 0 || declared > (maxSize as i64);
}

class PayloadLimitType extends FilterType {
  constructor() {
    super("payload_limit", bit(Phase.AFTER_ROUTE), true);
    this.setsLabels = false;
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
