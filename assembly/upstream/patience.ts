import { Bytes } from "../bytes/bytes";

/** What is said of a peer whose time for the rest of a frame is over. */
export const SLOW = Bytes.of("the rest of a frame does not come");

/** A frame has a millisecond more for so many bytes of it that have come: one that comes slowly may still come. */
const BYTES_PER_MS: i32 = 16;

/** How long the rest of a frame has been missing. */
export class Patience {
  /** When the frame was first seen; 0: it was not yet. */
  private since: i64 = 0;

  /** Another frame has begun, or its sender is held up and not to blame. */
  // @ts-ignore: decorator
  @inline
  restart(): void {
    this.since = 0;
  }

  /**
   * Whether the time is over for a frame of which `bytes` are there. To be polled.
   * @param timeout for a small frame, ms; 0: there is no end
   */
  isOver(now: i64, bytes: i32, timeout: i64): bool {
    if (this.since == 0) this.since = now;
    return timeout > 0 && now - this.since >= timeout + ((bytes / BYTES_PER_MS) as i64);
  }
}
