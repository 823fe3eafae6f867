import { Timer } from "../host/timers";
import { Connection } from "./connection";

/** Time between two looks at frames whose rest has not come, ms. */
const LOOK_MS: i64 = 1000;
/** For so many bytes of it that have come a frame has a millisecond more: a frame that comes slowly still comes. */
const BYTES_PER_MS: i32 = 16;

/** How long the rest of a frame has not come. */
export class Patience {
  /** When the frame was first seen; 0: it was not yet. */
  private since: i64 = 0;

  /** Another frame has begun, or its sender is held up and so is not to blame. */
  // @ts-ignore: decorator
  @inline
  restart(): void {
    this.since = 0;
  }

  /**
   * Whether it is at an end with a frame of which so many bytes are there. To be asked again and again.
   * @param timeout for what is small, ms; 0: there is no end
   */
  isOver(now: i64, bytes: i32, timeout: i64): bool {
    if (this.since == 0) this.since = now;
    return timeout > 0 && now - this.since >= timeout + ((bytes / BYTES_PER_MS) as i64);
  }
}

/** Looks at the frames of a client connection whose rest has not come: the client's own, and those of its servers. */
export class FrameWatch extends Timer {
  constructor(private readonly connection: Connection) {
    super();
  }

  /** There is such a frame. */
  // @ts-ignore: decorator
  @inline
  begin(): void {
    if (this.slot < 0) this.again();
  }

  private again(): void {
    const root = this.connection.root;
    root.setTimer(this, root.now() + LOOK_MS, false);
  }

  onTimer(now: i64): void {
    if (this.connection.share.look(now)) this.again();
  }
}
