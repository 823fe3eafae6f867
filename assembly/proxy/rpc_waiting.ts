import { currentMillis } from "../host/clock";
import { Callouts } from "../host/callout";
import { Timer } from "../host/timers";
import { Waiting } from "../stream/waiting";
import { Services } from "./services";

/** What the filters of an RPC request wait for. */
export abstract class RpcWaiting extends Waiting {
  private readonly timer: WaitTimer = new WaitTimer(this);

  protected abstract get services(): Services;

  protected get callouts(): Callouts | null {
    return this.services.callouts;
  }

  protected startTimer(ms: i32): void {
    // Not the time of the callback, which may be long ago: nobody is released too early, or before others.
    this.services.setTimer(this.timer, currentMillis() + (ms as i64), true);
  }

  protected stopTimer(): void {
    this.services.cancelTimer(this.timer);
  }
}

/** The time that a filter waits for. */
class WaitTimer extends Timer {
  constructor(private readonly waiting: RpcWaiting) {
    super();
  }

  onTimer(now: i64): void {
    this.waiting.resume();
  }
}
