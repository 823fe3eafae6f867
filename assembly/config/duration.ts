/** Nanoseconds in a millisecond. */
export const MILLISECOND: i64 = 1000000;

/**
 * A duration as Go's time.ParseDuration reads it ("300ms", "-1.5h", "2h45m", "0"): units ns, us (or µs), ms, s, m, h.
 */
export class Duration {
  nanoseconds: i64 = 0;
  /** Whether the text was a duration within 64 bits of nanoseconds. */
  valid: bool = false;
}

/** Parses `text`; see `Duration`. */
export function parseDuration(text: string): Duration {
  const out = new Duration();
  let at = 0;
  const negative = text.startsWith("-");
  if (negative || text.startsWith("+")) at = 1;
  if (at + 1 == text.length && text.charCodeAt(at) == 0x30) {
    out.valid = true;
    return out;
  }
  const reader = new DurationReader(text, at);
  let total: i64 = 0;
  do {
    const part = reader.part();
    if (part < 0) return out;
    if (part > i64.MAX_VALUE - total) return out;
    total += part;
  } while (!reader.done);
  out.nanoseconds = negative ? -total : total;
  out.valid = true;
  return out;
}

/** A duration of whole milliseconds, for messages: "1500ms", "3s", "-1s", "2m", "1h". */
export function formatDuration(nanoseconds: i64): string {
  if (nanoseconds == 0) return "0";
  const ms = nanoseconds / MILLISECOND;
  if (ms % 3600000 == 0) return `${ms / 3600000}h`;
  if (ms % 60000 == 0) return `${ms / 60000}m`;
  return ms % 1000 == 0 ? `${ms / 1000}s` : `${ms}ms`;
}

class DurationReader {
  constructor(
    private readonly text: string,
    private at: i32,
  ) {}

  get done(): bool {
    return this.at >= this.text.length;
  }

  /** One number with its unit, nanoseconds; -1 when there is none or it is too large. */
  part(): i64 {
    let whole: u64 = 0;
    const from = this.at;
    while (this.digit() >= 0) {
      if (whole > 922337203685477580) return -1;
      whole = whole * 10 + (this.digit() as u64);
      this.at++;
    }
    let fraction: f64 = 0;
    let scale: f64 = 1;
    let digits = this.at - from;
    if (this.at < this.text.length && this.text.charCodeAt(this.at) == 0x2e) {
      this.at++;
      for (; this.digit() >= 0; this.at++, digits++) {
        // Digits below the precision of nanoseconds in an hour change nothing.
        if (scale < 1e17) {
          fraction = fraction * 10 + (this.digit() as f64);
          scale *= 10;
        }
      }
    }
    const unit = digits > 0 ? this.unit() : 0;
    if (unit == 0 || whole > 9223372036854775807 / unit) return -1;
    const value = whole * unit + ((fraction * ((unit as f64) / scale)) as u64);
    return value > 9223372036854775807 ? -1 : (value as i64);
  }

  private digit(): i32 {
    if (this.at >= this.text.length) return -1;
    const c = this.text.charCodeAt(this.at) - 0x30;
    return c >= 0 && c <= 9 ? c : -1;
  }

  /** Nanoseconds of the unit that follows; 0: none that is known. */
  private unit(): u64 {
    const from = this.at;
    while (this.at < this.text.length && this.digit() < 0 && this.text.charCodeAt(this.at) != 0x2e) this.at++;
    const name = this.text.substring(from, this.at);
    if (name == "ns") return 1;
    if (name == "us" || name == "\u00b5s" || name == "\u03bcs") return 1000;
    if (name == "ms") return 1000000;
    if (name == "s") return 1000000000;
    if (name == "m") return 60000000000;
    return name == "h" ? 3600000000000 : 0;
  }
}
