import { ObjectReader } from "../../../assembly/config/object";
import { RequestAttributes } from "../../../assembly/dsl/request";
import { FilterConfig, FilterType, StreamFilter } from "../../../assembly/stream/filter";
import { StreamHandler } from "../../../assembly/stream/handler";
import { bit, FilterStatus, Phase } from "../../../assembly/stream/phase";
import { DslConfig } from "./config";

const attributes = new RequestAttributes();

/** Evaluates an expression in each phase that has one: MOSN's `dsl` (pkg/filter/stream/dsl). */
class DslFilter extends StreamFilter {
  constructor(private readonly config: DslConfig) {
    super();
  }

  onReceive(handler: StreamHandler, phase: Phase): FilterStatus {
    this.run(handler, phase);
    return FilterStatus.CONTINUE;
  }

  append(handler: StreamHandler): FilterStatus {
    this.run(handler, Phase.BEFORE_SEND);
    return FilterStatus.CONTINUE;
  }

  onLog(handler: StreamHandler): void {
    this.run(handler, Phase.ACCESS_LOG);
  }

  /** What the expression comes to does not matter, only what it does to the request. */
  private run(handler: StreamHandler, phase: Phase): void {
    const config = handler.configOf(dsl, this.config) as DslConfig;
    const expression = config.at(phase);
    if (expression === null) return;
    attributes.begin(handler);
    if (expression.evaluate(attributes) === null) handler.countFailure(dsl);
    attributes.end();
  }
}

/** Of all phases it takes part in those for which some configuration has an expression. */
class DslType extends FilterType {
  constructor() {
    // On HTTP a route's configuration is first heard of when the route is known.
    super("dsl", bit(Phase.AFTER_ROUTE), true);
    this.setsLabels = false;
  }

  parse(from: ObjectReader): FilterConfig {
    const config = new DslConfig(from);
    this.phases |= config.phases;
    return config;
  }

  create(config: FilterConfig): StreamFilter {
    return new DslFilter(config as DslConfig);
  }
}

export const dsl = new DslType();
