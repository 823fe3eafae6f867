// A stream filter: it answers requests that have a header, and counts them.
import { Bytes } from "moe-wasm/assembly/bytes/bytes";
import { View } from "moe-wasm/assembly/bytes/view";
import { ObjectReader } from "moe-wasm/assembly/config/object";
import { FilterConfig, FilterType, StreamFilter } from "moe-wasm/assembly/stream/filter";
import { StreamHandler } from "moe-wasm/assembly/stream/handler";
import { FilterMetric } from "moe-wasm/assembly/stream/metrics";
import { bit, FilterStatus, Phase } from "moe-wasm/assembly/stream/phase";

const REFUSED = FilterMetric.counter("refuse_header", "refused");
const MESSAGE = Bytes.of("refused by refuse_header");

/** Where a header's value is read to: one for all requests, because one callback runs at a time. */
const view = new View();

class RefuseHeaderConfig extends FilterConfig {
  readonly header: Bytes;
  /** MOSN's code of the answer. */
  readonly code: i32;

  constructor(from: ObjectReader) {
    super();
    this.header = Bytes.of(from.required("header"));
    this.code = from.integer("code", 403, 200, 599) as i32;
    from.finish();
  }
}

class RefuseHeaderFilter extends StreamFilter {
  constructor(private readonly config: RefuseHeaderConfig) {
    super();
  }

  onReceive(handler: StreamHandler, phase: Phase): FilterStatus {
    const header = this.config.header;
    const headers = handler.requestHeaders;
    if (headers === null || !headers.get(header.ptr, header.length, view)) return FilterStatus.CONTINUE;
    handler.metrics.count(REFUSED, 1);
    handler.hijack(this.config.code, MESSAGE);
    return FilterStatus.STOP;
  }
}

class RefuseHeaderType extends FilterType {
  constructor() {
    super("refuse_header", bit(Phase.AFTER_ROUTE), false);
  }

  parse(from: ObjectReader): FilterConfig {
    return new RefuseHeaderConfig(from);
  }

  create(config: FilterConfig): StreamFilter {
    return new RefuseHeaderFilter(config as RefuseHeaderConfig);
  }
}

export const refuseHeader = new RefuseHeaderType();
