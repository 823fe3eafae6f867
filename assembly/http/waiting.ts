import { currentMillis } from "../host/clock";
import { Callouts } from "../host/callout";
import { Timer } from "../host/timers";
import { Waiting } from "../stream/waiting";
import { resumeStream } from "./exchange";
import { HttpStream } from "./stream";

/** Tells the root when the stream's time has come. */
export class StreamTimer extends Timer {
  constructor(private readonly stream: HttpStream) {
    super();
  }

  /** Has it fire in `ms` milliseconds. */
  start(ms: i32): void {
    const root = this.stream.root;
    // Not the time of the callback, which may be long ago: nobody is released too early, or before others.
    root.setTimer(this, currentMillis() + (ms as i64), true);
  }

  stop(): void {
    this.stream.root.cancelTimer(this);
  }

  onTimer(now: i64): void {
    this.stream.root.enqueue(this.stream);
  }
}

/** What the filters of an HTTP stream wait for. */
export class HttpWaiting extends Waiting {
  constructor(private readonly stream: HttpStream) {
    super();
  }

  protected get callouts(): Callouts | null {
    return this.stream.root.callouts;
  }

  protected get context(): u32 {
    return this.stream.id;
  }

  protected startTimer(ms: i32): void {
    this.stream.timer.start(ms);
  }

  protected stopTimer(): void {
    this.stream.timer.stop();
  }

  /** One stream in this callback of its own, so that nothing nests. */
  resume(): void {
    if (this.stream.enter()) resumeStream(this.stream);
  }
}
