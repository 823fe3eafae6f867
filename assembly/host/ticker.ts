import { setTickPeriod } from "./stream";

/** How soon the next tick has to come. */
export const enum Pace {
  /** As soon as the host can: bytes wait to be pushed. */
  NOW = 1,
  /** While requests wait for answers. */
  REQUESTS = 16,
  /** While only keepalive and such is due, or counts wait to be flushed. */
  SLOW = 500,
  /** Nothing to do. */
  NEVER = 0,
}

/** The tick of one root context, armed only while it is needed. */
export class Ticker {
  private period: i32 = 0;

  /** Makes ticks come at least at this pace. Costs a host call only when they do not yet. */
  // @ts-ignore: decorator
  @inline
  atLeast(pace: Pace): void {
    if (this.period == 0 || (pace as i32) < this.period) this.set(pace);
  }

  /** Sets the pace, slower or faster; to be called by the tick itself. */
  set(pace: Pace): void {
    if (this.period == (pace as i32)) return;
    this.period = pace;
    setTickPeriod(pace);
  }
}
