// What is refused while the VM's memory is short (docs/limits.md).
import { memoryIsFull, memoryIsShort } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";

/** A frame of which more than this has to be gathered counts as large. */
export const LARGE: i32 = 65536;
/** And while memory is full. */
export const LARGE_IF_FULL: i32 = 4096;

/** What is said of a request, or of a frame that would have to be gathered. */
export const OUT_OF_MEMORY = Bytes.of("out of buffer memory");

// What is said of clients that are refused, and of servers that are given up.
export const WINDOWS = Bytes.of(
  "memory is full: per_connection_buffer_limit_bytes is over half of initial_stream_window_size",
);
export const SLOW = Bytes.of("the rest of a frame does not come");
export const NOT_READ = Bytes.of("32 MiB of the proxy's own answers, and none of a server");
export const STUCK = Bytes.of("takes no bytes");
export const UNREAD = Bytes.of("sends requests, and reads no answers");

/** Whether there is no memory for a frame of which so many bytes have gathered: it is large, and memory is short. */
export function lacksMemory(gathered: i32): bool {
  return (gathered >= LARGE && memoryIsShort()) || (gathered >= LARGE_IF_FULL && memoryIsFull());
}

/**
 * Answers of the proxy's own that wait for a server. One that goes on asking and reads none of them would have them grow
 * without end.
 */
export class UnreadAnswers {
  /** The most that may wait, bytes. */
  static readonly MOST: i32 = 4 << 20;
  /** Bytes since what the server was sent had gone up to `from`. */
  private bytes: i32 = 0;
  private from: u64 = 0;

  /**
   * Counts an answer that has been added to the server's queue, which goes up to the place `position` now, and has gone up
   * to `gone`. Whether there are too many.
   */
  add(length: i32, position: u64, gone: u64): bool {
    if (gone >= this.from) {
      this.bytes = 0;
      this.from = position;
    }
    this.bytes += length;
    return this.bytes > UnreadAnswers.MOST || lacksMemory(this.bytes);
  }
}
