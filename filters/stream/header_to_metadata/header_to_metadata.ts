import { View } from "../../../assembly/bytes/view";
import { ObjectReader } from "../../../assembly/config/object";
import { FilterConfig, FilterType, StreamFilter } from "../../../assembly/stream/filter";
import { StreamHandler } from "../../../assembly/stream/handler";
import { bit, FilterStatus, Phase } from "../../../assembly/stream/phase";
import { Headers } from "../../../assembly/message/headers";
import { HeaderRule, HeaderToMetadataConfig } from "./config";

const view = new View();

/** Makes labels that choose hosts of headers: MOSN's `header_to_metadata` (pkg/filter/stream/headertometadata). */
class HeaderToMetadataFilter extends StreamFilter {
  constructor(private readonly config: HeaderToMetadataConfig) {
    super();
  }

  onReceive(handler: StreamHandler, phase: Phase): FilterStatus {
    const config = handler.configOf(headerToMetadata, this.config) as HeaderToMetadataConfig;
    const headers = config.rules.length > 0 ? handler.requestHeaders : null;
    if (headers === null) return FilterStatus.CONTINUE;
    for (let i = 0; i < config.rules.length; i++) apply(unchecked(config.rules[i]), headers, handler);
    return FilterStatus.CONTINUE;
  }
}

function apply(rule: HeaderRule, headers: Headers, handler: StreamHandler): void {
  const name = rule.header;
  const isPresent = headers.get(name.ptr, name.length, view);
  const label = isPresent ? rule.present : rule.missing;
  if (label !== null) {
    if (label.value.length > 0) view.set(label.value.ptr, label.value.length);
    if (!handler.setLabel(label.key, view.ptr, view.length)) handler.countFailure(headerToMetadata);
  }
  if (isPresent && rule.remove) headers.remove(name.ptr, name.length);
}

class HeaderToMetadataType extends FilterType {
  constructor() {
    super("header_to_metadata", bit(Phase.AFTER_ROUTE), true);
  }

  parse(from: ObjectReader): FilterConfig {
    return new HeaderToMetadataConfig(from);
  }

  create(config: FilterConfig): StreamFilter {
    return new HeaderToMetadataFilter(config as HeaderToMetadataConfig);
  }
}

export const headerToMetadata = new HeaderToMetadataType();
