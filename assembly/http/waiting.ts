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
    this.stream.root.setTimer(this.stream.timer, ms);
  }

  protected stopTimer(): void {
    this.stream.root.cancelTimer(this.stream.timer);
  }

  /** One stream in this callback of its own, so that nothing nests. */
  resume(): void {
    if (this.stream.enter()) resumeStream(this.stream);
  }
}
