import { currentMillis } from "../host/clock";
import { Callouts, CalloutShare } from "../host/callout";
import { Waiting } from "../stream/waiting";
import { Turn } from "./clients";
import { resumeStream } from "./exchange";
import { onProbe } from "./probe";
import { HttpStream, Stage } from "./stream";

/** The time that a stream waits for, and then its turn. */
export class StreamTimer extends Turn {
  constructor(private readonly stream: HttpStream) {
    super();
  }

  /** Has it fire in `ms` milliseconds; in a callback of the stream. */
  start(ms: i32): void {
    const root = this.stream.root;
    this.stream.joinClient();
    // Not the time of the callback, which may be long ago: nobody is released too early, or before others.
    root.setTimer(this, currentMillis() + (ms as i64), true);
  }

  stop(): void {
    this.stream.root.cancelTimer(this);
  }

  /** The stream is over. */
  end(): void {
    this.stop();
    this.stream.root.turns.remove(this);
    const client = this.client;
    this.client = null;
    if (client !== null) client.leave();
  }

  onTimer(now: i64): void {
    this.stream.root.turns.add(this);
  }

  onTurn(): void {
    const stream = this.stream;
    if (!stream.enter() || stream.waiting.awaitsAnswer) return;
    if (stream.responseStage == Stage.HELD || stream.requestStage == Stage.HELD) resumeStream(stream);
    else if (stream.requestStage == Stage.COLLECTING) onProbe(stream);
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

  protected get share(): CalloutShare | null {
    return this.stream.joinClient();
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
