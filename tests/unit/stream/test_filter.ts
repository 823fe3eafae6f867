// A filter type for tests: it accepts any configuration and does what its script says.
import { ObjectReader } from "../../../assembly/config/object";
import { FilterConfig, FilterType, StreamFilter } from "../../../assembly/stream/filter";

/** A configuration, as JSON text. */
export class TextConfig extends FilterConfig {
  constructor(readonly text: string) {
    super();
  }
}

export class TestFilterType extends FilterType {
  parse(from: ObjectReader): FilterConfig {
    return new TextConfig(from.value.toJson());
  }

  create(config: FilterConfig): StreamFilter {
    return new IdleFilter();
  }
}

class IdleFilter extends StreamFilter {}
