import { currentMillis } from "../host/clock";
import { Callouts, CalloutShare } from "../host/callout";
import { Timer } from "../host/timers";
import { Waiting } from "../stream/waiting";
import { resume } from "./exchange";
import { RpcStream } from "./rpc_stream";

/** The time that a filter waits for. */
class WaitTimer extends Timer {
  constructor(private readonly waiting: RpcWaiting) {
    super();
  }

  onTimer(now: i64): void {
    this.waiting.resume();
  }
}

/** What the filters of an RPC request wait for. */
export class RpcWaiting extends Waiting {
  private readonly timer: WaitTimer = new WaitTimer(this);

  constructor(private readonly stream: RpcStream) {
    super();
  }

  protected get callouts(): Callouts | null {
    const connection = this.stream.request.connection;
    return connection === null ? null : connection.root.callouts;
  }

  protected get context(): u32 {
    const connection = this.stream.request.connection;
    return connection === null ? 0 : connection.id;
  }

  protected get share(): CalloutShare | null {
    const connection = this.stream.request.connection;
    return connection === null ? null : connection.callouts;
  }

  protected startTimer(ms: i32): void {
    const connection = this.stream.request.connection;
    if (connection === null) return;
    const root = connection.root;
    // Not the time of the callback, which may be long ago: nobody is released too early, or before others.
    root.setTimer(this.timer, currentMillis() + (ms as i64), true);
  }

  protected stopTimer(): void {
    const connection = this.stream.request.connection;
    if (connection !== null) connection.root.cancelTimer(this.timer);
  }

  resume(): void {
    resume(this.stream.request);
  }
}
