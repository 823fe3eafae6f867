import { noteGarbage } from "../abi/dispatch";
import { proxy_get_log_level, proxy_log } from "../abi/imports";
import { LogLevel } from "../abi/types";
import { hashBytes } from "../bytes/hash";
import { Shares } from "../bytes/shares";

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

const COLON: u8 = 0x3a;

/** What tells the hosts of addresses "IP:PORT" apart. */
export function hostOf(ptr: usize, length: i32): u64 {
  let end = length;
  while (end > 0 && load<u8>(ptr + (end as usize) - 1) != COLON) end--;
  return hashBytes(ptr, end > 0 ? end : length);
}

/** Lines of one kind in a second, of which one peer may have half; and peers that have one line at least. */
const BURST: i32 = 10;

/**
 * Lines of one kind that hostile peers can cause: a peer may write as many in a second as are left for all, so that no
 * one of them hides what is said of others. The next one that passes tells how many were left out.
 */
export class LimitedLog {
  private second: i64 = 0;
  private readonly lines: Shares = new Shares(BURST, 0);
  /** The peers of this second's lines, and how many each has. */
  private readonly peers: StaticArray<u64> = new StaticArray<u64>(BURST);
  private readonly counts: StaticArray<i32> = new StaticArray<i32>(BURST);
  private dropped: i32 = 0;

  /** Whether a line about this peer may be written at this time, ms; when not, it is counted as left out. */
  allows(now: i64, peer: u64): bool {
    const lines = this.lines;
    const second = now / 1000;
    if (second != this.second) {
      this.second = second;
      lines.used = lines.peers = 0;
    }
    let i = 0;
    while (i < lines.peers && unchecked(this.peers[i]) != peer) i++;
    const known = i < lines.peers;
    if (known ? !lines.allows(unchecked(this.counts[i])) : i >= this.peers.length) {
      this.dropped++;
      return false;
    }
    if (!known) {
      unchecked((this.peers[i] = peer));
      unchecked((this.counts[i] = 0));
      lines.peers++;
    }
    unchecked(this.counts[i]++);
    lines.used++;
    return true;
  }

  warn(text: string): void {
    this.write(LogLevel.WARN, text);
  }

  /** Writes a line that `allows` has let pass. */
  write(at: LogLevel, text: string): void {
    const more = this.dropped > 0 ? ` (${this.dropped} similar lines left out)` : "";
    this.dropped = 0;
    if (logs(at)) log(at, text + more);
  }
}
