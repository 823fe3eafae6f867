// Flow control of HTTP/2 (RFC 9113 §5.2, §6.9): one pair of windows for the connection and one for each stream.
import { MAX_WINDOW } from "./constants";

/** How many bytes of DATA we may still send. */
export class SendWindow {
  private left: i32;

  /** Starts at the peer's SETTINGS_INITIAL_WINDOW_SIZE for a stream, at 65,535 for the connection. */
  constructor(initial: i32) {
    this.left = initial;
  }

  /** Bytes that may be sent now; below 0 after the peer has lowered the window under what was sent. */
  // @ts-ignore: decorator
  @inline
  get available(): i32 {
    return this.left;
  }

  /** Counts `n` bytes as sent, at most `available`. */
  // @ts-ignore: decorator
  @inline
  sent(n: i32): void {
    this.left -= n;
  }

  /** Adds a WINDOW_UPDATE. False when the window passes 2^31 - 1: FLOW_CONTROL_ERROR (§6.9.1); it is then unchanged. */
  increase(increment: u32): bool {
    return this.change(increment as i64);
  }

  /** Follows a stream's window to a new SETTINGS_INITIAL_WINDOW_SIZE (§6.9.2). False as for `increase`. */
  adjust(oldInitial: i32, newInitial: i32): bool {
    return this.change((newInitial as i64) - (oldInitial as i64));
  }

  private change(by: i64): bool {
    const left = (this.left as i64) + by;
    if (left > (MAX_WINDOW as i64) || left < -(MAX_WINDOW as i64)) return false;
    this.left = left as i32;
    return true;
  }
}

/** How many bytes of DATA the peer may still send, and when to allow more. */
export class ReceiveWindow {
  private size: i32;
  private left: i32;
  private consumed: i32 = 0;

  /** Starts at our SETTINGS_INITIAL_WINDOW_SIZE for a stream, at 65,535 for the connection. */
  constructor(size: i32) {
    this.size = this.left = size;
  }

  /** Bytes that the peer may still send. */
  get available(): i32 {
    return this.left;
  }

  /** Counts a DATA frame (its whole length with padding). False when the peer passed the window: FLOW_CONTROL_ERROR. */
  // @ts-ignore: decorator
  @inline
  received(n: i32): bool {
    if (n > this.left) return false;
    this.left -= n;
    return true;
  }

  /**
   * Counts `n` received bytes as dealt with, so that the peer may send as many more. Returns the increment to announce
   * now by WINDOW_UPDATE, or 0 while less than half of the window waits to be announced.
   */
  // @ts-ignore: decorator
  @inline
  release(n: i32): i32 {
    this.consumed += n;
    return this.consumed >= (this.size + 1) >> 1 ? this.grant() : 0;
  }

  /** Widens the window to `size` bytes and returns the increment to announce now; 0 when it is not wider. */
  widen(size: i32): i32 {
    if (size <= this.size) return 0;
    this.consumed += size - this.size;
    this.size = size;
    return this.grant();
  }

  private grant(): i32 {
    // Never beyond the window, whatever the caller released.
    const increment = min(this.consumed, this.size - this.left);
    this.consumed = 0;
    this.left += increment;
    return increment;
  }
}
