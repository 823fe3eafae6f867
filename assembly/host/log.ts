import { noteGarbage } from "../abi/dispatch";
import { proxy_get_log_level, proxy_log } from "../abi/imports";
import { LogLevel } from "../abi/types";

const word: usize = heap.alloc(4);
let level: i32 = LogLevel.INFO;

/** Asks the host for its log level: the host can change it at run time, and asking costs a call. */
export function refreshLogLevel(): void {
  if (proxy_get_log_level(word) == 0) level = load<i32>(word);
}

/** Whether a line of this level would be seen; build the text only then. */
// @ts-ignore: decorator
@inline
export function logs(at: LogLevel): bool {
  return (at as i32) >= level;
}

/** Writes one line to Envoy's log (component `wasm`), if its level is on. */
export function log(at: LogLevel, text: string): void {
  if (!logs(at)) return;
  noteGarbage(4);
  const bytes = String.UTF8.encode(text);
  proxy_log(at, changetype<usize>(bytes), bytes.byteLength);
}

/**
 * Lines of one kind that a hostile peer can cause, at most `burst` in any second; the next one that passes tells how
 * many were left out.
 */
export class LimitedLog {
  private second: i64 = 0;
  private written: i32 = 0;
  private dropped: i32 = 0;

  constructor(private readonly burst: i32 = 5) {}

  /** Whether a line may be written at this time, ms; when not, it is counted as left out. */
  allows(now: i64): bool {
    const second = now / 1000;
    if (second != this.second) {
      this.second = second;
      this.written = 0;
    }
    if (this.written >= this.burst) {
      this.dropped++;
      return false;
    }
    this.written++;
    return true;
  }

  warn(text: string): void {
    const more = this.dropped > 0 ? ` (${this.dropped} similar lines left out)` : "";
    this.dropped = 0;
    if (logs(LogLevel.WARN)) log(LogLevel.WARN, text + more);
  }
}
