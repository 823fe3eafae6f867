/** Resets at once, and per second after that, ms between two: Envoy closes a client's connection for more (docs/reference/envoy.md#resets). */
const BURST: i32 = 100;
const INTERVAL_MS: i64 = 100;

/** A token bucket for RST_STREAM on one HTTP/2 connection. */
export class ResetBudget {
  private tokens: i32 = BURST;
  private filledAt: i64 = 0;

  /** Whether there is a token at this time, ms. */
  has(now: i64): bool {
    const filled = (now - this.filledAt) / INTERVAL_MS;
    if (filled > 0) {
      this.tokens = min(BURST as i64, (this.tokens as i64) + filled) as i32;
      this.filledAt = now;
    }
    return this.tokens > 0;
  }

  /** Takes one token; false when there is none at this time, ms. */
  take(now: i64): bool {
    if (!this.has(now)) return false;
    this.tokens--;
    return true;
  }
}
