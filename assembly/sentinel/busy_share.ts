import { MS } from "./rules";

/** The shortest time between two samples, ms: Envoy's slow ticks, every 500 ms, are never too early for one. */
export const SAMPLE_MS: i64 = 480;

/**
 * The share of its time that a worker spends in the module's callbacks, 0 to 1, over the last two samples: that is the second
 * in which Sentinel looks at the CPU, anew in each half of it.
 */
export class BusyShare {
  /** 0 until there is a sample. */
  value: f64 = 0;
  /** Samples that were taken; it may wrap. */
  samples: u32 = 0;
  /** When the last sample was taken, ns, and what had been spent by then; i64.MIN_VALUE: there is none. */
  private at: i64 = i64.MIN_VALUE;
  private known: i64 = 0;
  /** The time between the last two samples, and what was spent of it. */
  private length: i64 = 0;
  private part: i64 = 0;

  /** Time that has been spent in callbacks since some moment in the past, ns. */
  protected busyNs(): i64 {
    return 0;
  }

  /** Takes a sample if the last one is old enough. */
  // @ts-ignore: decorator
  @inline
  sample(nowNs: i64): void {
    if (this.at == i64.MIN_VALUE || nowNs - this.at >= SAMPLE_MS * MS) this.take(nowNs);
  }

  private take(nowNs: i64): void {
    const spent = this.busyNs();
    if (this.at != i64.MIN_VALUE) {
      const length = nowNs - this.at;
      const part = max<i64>(0, min(spent - this.known, length));
      this.value = ((part + this.part) as f64) / ((length + this.length) as f64);
      this.length = length;
      this.part = part;
      this.samples++;
    }
    this.at = nowNs;
    this.known = spent;
  }

  /** Forgets all samples: nothing is measured any more. */
  clear(): void {
    this.value = 0;
    this.samples++;
    this.at = i64.MIN_VALUE;
    this.length = this.part = 0;
  }
}
