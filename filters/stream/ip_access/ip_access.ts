import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { IpAddress } from "../../../assembly/config/ip_address";
import { ObjectReader } from "../../../assembly/config/object";
import { FilterConfig, FilterType, StreamFilter } from "../../../assembly/stream/filter";
import { StreamHandler } from "../../../assembly/stream/handler";
import { bit, FilterStatus, Phase } from "../../../assembly/stream/phase";
import { Code } from "../../../assembly/message/code";
import { IpAccessConfig } from "./config";

const DENIED = Bytes.of("denied by ip_access");

const view = new View();
const address = new IpAddress();

/** Lets requests pass by the client's address: MOSN's `ip_access` (pkg/filter/stream/ipaccess). */
class IpAccessFilter extends StreamFilter {
  constructor(private readonly config: IpAccessConfig) {
    super();
  }

  onReceive(handler: StreamHandler, phase: Phase): FilterStatus {
    let config = this.config;
    if (phase != Phase.BEFORE_ROUTE) {
      const routed = handler.routeConfig(ipAccess);
      if (routed === null) return FilterStatus.CONTINUE;
      config = routed as IpAccessConfig;
    }
    if (allows(config, handler)) return FilterStatus.CONTINUE;
    handler.hijack(Code.PERMISSION_DENIED, DENIED);
    return FilterStatus.STOP;
  }
}

/** Whether a request may pass; one whose address cannot be read may not where there are lists. */
function allows(config: IpAccessConfig, handler: StreamHandler): bool {
  if (config.lists.length == 0) return config.allowsOthers;
  if (readAddress(config, handler)) return config.allows(address);
  handler.countFailure(ipAccess);
  return false;
}

function readAddress(config: IpAccessConfig, handler: StreamHandler): bool {
  const headers = config.header.length > 0 ? handler.requestHeaders : null;
  const named = headers !== null && headers.get(config.header.ptr, config.header.length, view) && view.length > 0;
  return (named || handler.sourceAddress(view)) && address.parseEndpoint(view.ptr, view.length);
}

class IpAccessType extends FilterType {
  constructor() {
    // Routes' own lists are asked once the route is known.
    super("ip_access", bit(Phase.BEFORE_ROUTE) | bit(Phase.AFTER_ROUTE), true);
    this.setsLabels = false;
    this.protective = true;
  }

  parse(from: ObjectReader): FilterConfig {
    return new IpAccessConfig(from);
  }

  create(config: FilterConfig): StreamFilter {
    return new IpAccessFilter(config as IpAccessConfig);
  }
}

export const ipAccess = new IpAccessType();
