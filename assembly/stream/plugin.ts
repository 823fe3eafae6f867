import { Timer } from "../host/timers";
import { FilterMetrics } from "./metrics";

/** What filters have beside their requests: the plugin that they run in. There is one in each VM. */
export abstract class FilterPlugin {
  constructor(readonly metrics: FilterMetrics) {}

  /** Sets, or sets anew, a timer of a filter's own, in `ms` milliseconds; it may be late by half a second. */
  abstract setTimer(timer: Timer, ms: i64): void;

  /** Cancels a timer; nothing happens when it is not set. */
  abstract cancelTimer(timer: Timer): void;
}
