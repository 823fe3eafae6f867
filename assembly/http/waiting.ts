import { currentMillis } from "../host/clock";
import { Callouts, CalloutShare } from "../host/callout";
import { Waiting } from "../stream/waiting";
import { ClientStream } from "./clients";
import { HttpTransaction } from "./transaction";

/** What the filters of an HTTP stream wait for. */
export class HttpWaiting extends Waiting {
  constructor(
    private readonly stream: HttpTransaction,
    private readonly timer: StreamTimer,
  ) {
    super();
  }

  protected get callouts(): Callouts | null {
    return this.stream.plugin.callouts;
  }

  protected get context(): u32 {
    return this.stream.id;
  }

  protected get share(): CalloutShare | null {
    return this.stream.joinClient();
  }

  protected startTimer(ms: i32): void {
    this.timer.start(ms);
  }

  protected stopTimer(): void {
    this.timer.stop();
  }

  /** One stream in this callback of its own, so that nothing nests. */
  resume(): void {
    if (this.stream.enter()) this.stream.resumeHeld();
  }
}

/** The time that a stream waits for, and then its turn. */
export class StreamTimer extends ClientStream {
  constructor(private readonly stream: HttpTransaction) {
    super();
  }

  /** Has it fire in `ms` milliseconds; in a callback of the stream. */
  start(ms: i32): void {
    const plugin = this.stream.plugin;
    this.stream.joinClient();
    // Not the time of the callback, which may be long ago: nobody is released too early, or before others.
    plugin.setTimer(this, currentMillis() + (ms as i64), true);
  }

  stop(): void {
    this.stream.plugin.cancelTimer(this);
  }

  /** The stream is over. */
  end(): void {
    this.stop();
    this.stream.plugin.turns.remove(this);
    const client = this.client;
    if (client !== null) client.leave(this);
  }

  onTimer(now: i64): void {
    this.stream.plugin.turns.add(this);
  }

  onTurn(): void {
    if (this.stream.enter()) this.stream.onTurn();
  }

  giveUp(): void {
    if (this.stream.enter()) this.stream.giveUp();
  }
}
