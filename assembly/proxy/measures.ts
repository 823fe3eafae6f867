import { MILLISECOND } from "../config/duration";
import { currentTime } from "../host/clock";
import { Part } from "../stream/handler";

/** Sizes of an RPC and of its response, and when it came. */
export class Measures {
  /** Bytes by `Part`. */
  private readonly sizes: StaticArray<i32> = new StaticArray<i32>(4);
  /** When the request came: by the module's time, ms, and by the wall clock, ns; 0: not asked for yet. */
  private beganAt: i64 = 0;
  private wallTime: i64 = 0;

  /** A request has come now, by the module's time, ms. */
  begin(now: i64): void {
    this.beganAt = now;
    this.wallTime = 0;
  }

  /**
   * Notes what there is of a request or a response, bytes.
   * @param part REQUEST_BODY or RESPONSE_BODY
   * @param body bytes of the content
   * @param all bytes of the frame
   */
  // @ts-ignore: decorator
  @inline
  measure(part: Part, body: i32, all: i32): void {
    unchecked((this.sizes[part as i32] = body));
    unchecked((this.sizes[(part as i32) + 1] = all));
  }

  /** Bytes of a part. */
  size(part: Part): i64 {
    return unchecked(this.sizes[part as i32]) as i64;
  }

  /** When the request came, ns since 1970; `now`: the module's time, ms. The clock is read once. */
  startTime(now: i64): i64 {
    if (this.wallTime == 0) this.wallTime = (currentTime() as i64) - (now - this.beganAt) * MILLISECOND;
    return this.wallTime;
  }
}
