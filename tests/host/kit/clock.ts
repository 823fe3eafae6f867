import type { EventLoop } from "./loop.ts";

class Timer implements TimerHandle {
  constructor(
    private readonly clock: Clock,
    readonly due: number,
    readonly order: number,
    readonly fire: () => void,
  ) {}

  cancel(): void {
    this.clock.forget(this);
  }
}

/** Handle of a timer that has not fired. */
export interface TimerHandle {
  cancel(): void;
}

/**
 * Virtual time. Nothing passes unless the test says so. Timers fire on multiples of the resolution, as Envoy's do with
 * a coarse kernel clock (4 ms with CONFIG_HZ=250).
 */
export class Clock {
  /** Milliseconds since the clock started; starts off the timer grid on purpose. */
  private elapsed = 1;
  private order = 0;
  private readonly timers: Timer[] = [];

  constructor(
    private readonly loop: EventLoop,
    readonly resolutionMs = 4,
    /** Wall clock at the start, milliseconds since 1970. */
    private epochMs = 1_700_000_000_000,
  ) {}

  /** Monotonic milliseconds. */
  get nowMs(): number {
    return this.elapsed;
  }

  /** Wall clock, nanoseconds since 1970. */
  get realtimeNs(): bigint {
    return BigInt(this.epochMs + this.elapsed) * 1_000_000n;
  }

  /** Wall clock, milliseconds since 1970; setting it is a step that the monotonic clock does not see. */
  get wallMs(): number {
    return this.epochMs + this.elapsed;
  }

  set wallMs(ms: number) {
    this.epochMs = ms - this.elapsed;
  }

  /** Monotonic clock, nanoseconds. */
  get monotonicNs(): bigint {
    return BigInt(this.elapsed) * 1_000_000n;
  }

  /** Calls `fire` once, `ms` from now, rounded up to the resolution. */
  after(ms: number, fire: () => void): TimerHandle {
    const step = this.resolutionMs;
    const timer = new Timer(this, Math.ceil((this.elapsed + ms) / step) * step, this.order++, fire);
    this.timers.push(timer);
    return timer;
  }

  /** Forgets a timer, if it has not fired. */
  forget(timer: TimerHandle): void {
    const at = this.timers.indexOf(timer as Timer);
    if (at >= 0) this.timers.splice(at, 1);
  }

  /** Lets `ms` milliseconds pass; every timer that falls due is an event of the loop, at its own time. */
  advance(ms: number): void {
    const end = this.elapsed + ms;
    for (let next = this.next(end); next !== null; next = this.next(end)) {
      this.forget(next);
      this.elapsed = Math.max(this.elapsed, next.due);
      this.loop.enter(next.fire);
    }
    this.elapsed = end;
  }

  /** Lets time pass while something runs, such as a callback that is slow: timers that fall due fire late, with `advance`. */
  spend(ms: number): void {
    this.elapsed += ms;
  }

  private next(end: number): Timer | null {
    let best: Timer | null = null;
    for (const timer of this.timers) {
      if (timer.due > end) continue;
      if (best === null || timer.due < best.due || (timer.due === best.due && timer.order < best.order)) best = timer;
    }
    return best;
  }
}
