import { noteGarbage } from "../abi/dispatch";

/** Times that have gone are dropped from the list when there are so many. */
const COMPACT: i32 = 1024;

/** A request that may wait for its turn. */
export class Waiter {
  /** Where it waits, and its neighbours there; null: it does not wait. */
  queue: WaitQueue | null = null;
  next: Waiter | null = null;
  previous: Waiter | null = null;
  /** When its turn comes, as far as it has been told, ns. */
  dueNs: i64 = 0;

  /** It has to wait only until `time`, ns, because one before it has left. */
  onMoved(time: i64): void {}
}

/**
 * The requests of this worker that wait for their turn by a throttling rule, in the order in which they came, and the times
 * at which one of them may go. Times belong to nobody: when one comes, the first request goes. So when a request leaves,
 * those behind it move up, and the last of the worker's times is free. Adding, going and leaving cost the same however many
 * wait; only a time that another one gave back is put between others.
 */
export class WaitQueue {
  private first: Waiter | null = null;
  private last: Waiter | null = null;
  /** From `start` on in ascending order, as many as there are requests; ns. */
  private times: i64[] = [];
  private start: i32 = 0;

  /** Requests that wait. */
  get length(): i32 {
    return this.times.length - this.start;
  }

  /** A request waits, and there is a time more; returns when it goes. */
  add(waiter: Waiter, time: i64): i64 {
    const times = this.times;
    times.push(time);
    for (let i = times.length - 1; i > this.start && unchecked(times[i - 1]) > time; i--) {
      unchecked((times[i] = times[i - 1]));
      unchecked((times[i - 1] = time));
    }
    const last = this.last;
    waiter.previous = last;
    waiter.next = null;
    if (last !== null) last.next = waiter;
    else this.first = waiter;
    this.last = waiter;
    waiter.queue = this;
    waiter.dueNs = unchecked(times[times.length - 1]);
    this.tell();
    return waiter.dueNs;
  }

  /** A request goes, at the first of the times. */
  go(waiter: Waiter): void {
    this.unlink(waiter);
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
  leave(waiter: Waiter): i64 {
    this.unlink(waiter);
    const free = this.length > 0 ? this.times.pop() : 0;
    this.tell();
    return free;
  }

  /** Tells the first request when its turn comes, if that is sooner than it knows. */
  private tell(): void {
    const first = this.first;
    if (first === null || this.length <= 0) return;
    const time = unchecked(this.times[this.start]);
    if (time >= first.dueNs) return;
    first.dueNs = time;
    first.onMoved(time);
  }

  private unlink(waiter: Waiter): void {
    const next = waiter.next;
    const previous = waiter.previous;
    if (next !== null) next.previous = previous;
    else this.last = previous;
    if (previous !== null) previous.next = next;
    else this.first = next;
    waiter.next = null;
    waiter.previous = null;
    waiter.queue = null;
  }
}
