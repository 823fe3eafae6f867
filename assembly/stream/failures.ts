import { Metric, Metrics } from "../host/metrics";
import { FilterType } from "./filter";

/** How often filters could not do their work: `moe.filter.TYPE.failures`, of one plugin in one VM. */
export class FilterFailures {
  private readonly types: FilterType[] = [];
  private readonly counters: Metric[] = [];

  constructor(private readonly metrics: Metrics) {}

  /** Counts a failure of a filter of this type. */
  count(type: FilterType): void {
    let i = this.types.indexOf(type);
    if (i < 0) {
      i = this.types.length;
      this.types.push(type);
      this.counters.push(this.metrics.counter(`moe.filter.${type.name}.failures`));
    }
    this.counters[i].add(1);
  }
}
