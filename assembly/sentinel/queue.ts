import { noteGarbage } from "../abi/dispatch";
import { Entry } from "./entry";

/** Times that have gone are dropped from the list when there are so many. */
const COMPACT: i32 = 1024;

/**
 * The requests of this worker that wait for their turn by a throttling rule, in the order in which they came, and the times
 * at which one of them may go. Times belong to nobody: when one comes, the first request goes. So when a request leaves,
 * those behind it move up, and the last of the worker's times is free. Adding, going and leaving cost the same however many
 * wait; only a time that another one gave back is put between others.
 */
export class WaitQueue {
  private first: Entry | null = null;
  private last: Entry | null = null;
  /** From `start` on in ascending order, as many as there are requests; ns. */
  private times: i64[] = [];
  private start: i32 = 0;

  /** Requests that wait. */
  get length(): i32 {
    return this.times.length - this.start;
  }

  /** A request waits, and there is a time more; returns when it goes. */
  add(entry: Entry, time: i64): i64 {
    const times = this.times;
    times.push(time);
    for (let i = times.length - 1; i > this.start && unchecked(times[i - 1]) > time; i--) {
      unchecked((times[i] = times[i - 1]));
      unchecked((times[i - 1] = time));
    }
    const last = this.last;
    entry.previous = last;
    entry.next = null;
    if (last !== null) last.next = entry;
    else this.first = entry;
    this.last = entry;
    entry.queue = this;
    entry.told = unchecked(times[times.length - 1]);
    this.tell();
    return entry.told;
  }

  /** A request goes, at the first of the times. */
  go(entry: Entry): void {
    this.unlink(entry);
    if (this.length > 0) this.start++;
    if (this.length == 0) this.times.length = this.start = 0;
    if (this.start >= COMPACT) {
      this.times = this.times.slice(this.start);
      this.start = 0;
      noteGarbage(1);
    }
    this.tell();
  }

  /** A request leaves; returns the time that is free now, ns. */
  leave(entry: Entry): i64 {
    this.unlink(entry);
    const free = this.length > 0 ? this.times.pop() : 0;
    this.tell();
    return free;
  }

  /** Tells the first request when its turn comes, if that is sooner than it knows. */
  private tell(): void {
    const first = this.first;
    if (first === null || this.length <= 0) return;
    const time = unchecked(this.times[this.start]);
    if (time >= first.told) return;
    first.told = time;
    first.onMoved(time);
  }

  private unlink(entry: Entry): void {
    const next = entry.next;
    const previous = entry.previous;
    if (next !== null) next.previous = previous;
    else this.last = previous;
    if (previous !== null) previous.next = next;
    else this.first = next;
    entry.next = null;
    entry.previous = null;
    entry.queue = null;
  }
}
