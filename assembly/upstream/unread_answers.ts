import { lacksMemory } from "./memory";

/** The most that may wait, bytes. */
const MOST: i32 = 4 << 20;

/** The proxy's own answers that wait for a server: one that goes on asking and reads none of them is given up. */
export class UnreadAnswers {
  /** Bytes since the time that everything before the place `from` had been sent. */
  private bytes: i32 = 0;
  private from: u64 = 0;

  /**
   * Counts an answer that has been added to the server's queue; returns whether there are too many.
   * @param position the place where the queue ends now
   * @param gone the place up to which it has been sent
   */
  add(length: i32, position: u64, gone: u64): bool {
    if (gone >= this.from) {
      this.bytes = 0;
      this.from = position;
    }
    this.bytes += length;
    return this.bytes > MOST || lacksMemory(this.bytes);
  }
}
