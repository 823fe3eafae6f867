/** Width of a slot, ms: the resolution of the host's clock ticks. */
const SLOT_MS: i64 = 4;
/** Slots of the wheel: 16 s. Later timers stay in their slot and are looked at once a turn. */
const SLOTS: i32 = 4096;

/** Something that is due at a time. Setting and cancelling cost the same whatever the number of timers. */
export abstract class Timer {
  /** Links of the wheel's slot; the wheel's own. */
  nextTimer: Timer | null = null;
  prevTimer: Timer | null = null;
  /** Slot that holds this timer; -1 when it is not set. */
  slot: i32 = -1;
  /** Time it is due, ms. */
  deadline: i64 = 0;
  /** Whether it has to fire within milliseconds; others may be late by a second. */
  precise: bool = false;

  /** The timer is due; it is no longer set. It may set or cancel any timer. */
  abstract onTimer(now: i64): void;
}

/**
 * A hashed timing wheel. The timers belong to their owners, which cancel them before they go. Those of a slot fire in the
 * order in which they were set, and after those of the slots before: requests in a queue keep their order.
 */
export class TimerWheel {
  private readonly slots: StaticArray<Timer | null> = new StaticArray<Timer | null>(SLOTS);
  private due: Timer | null = null;
  /** The last one that is due. */
  private lastDue: Timer | null = null;
  /** The last slot that was looked at, counted from the clock's origin. */
  private position: i64 = 0;
  /** Timers that are set. */
  count: i32 = 0;
  /** Those of them that are precise. */
  preciseCount: i32 = 0;

  /** Sets, or sets anew, a timer for `deadline` (ms on the clock that `advance` is told). */
  set(timer: Timer, deadline: i64, precise: bool): void {
    if (timer.slot >= 0) this.cancel(timer);
    timer.deadline = deadline;
    timer.precise = precise;
    // A deadline in a slot that has passed already is looked at with the next one.
    const at = max(deadline / SLOT_MS + 1, this.position + 1);
    const slot = (at & (SLOTS - 1)) as i32;
    const head = unchecked(this.slots[slot]);
    timer.slot = slot;
    timer.prevTimer = null;
    timer.nextTimer = head;
    if (head !== null) head.prevTimer = timer;
    unchecked((this.slots[slot] = timer));
    this.count++;
    if (precise) this.preciseCount++;
  }

  /** Cancels a timer; nothing happens when it is not set. */
  cancel(timer: Timer): void {
    if (timer.slot < 0) return;
    this.unlink(timer);
    timer.slot = -1;
    this.count--;
    if (timer.precise) this.preciseCount--;
  }

  /** Fires what is due at `now`, ms. */
  advance(now: i64): void {
    const to = now / SLOT_MS;
    if (to <= this.position) return;
    if (this.count > 0) {
      const from = max(this.position + 1, to - SLOTS + 1);
      for (let at = from; at <= to; at++) this.collect((at & (SLOTS - 1)) as i32, now);
    }
    this.position = to;
    for (let timer = this.due; timer !== null; timer = this.due) {
      this.cancel(timer);
      timer.onTimer(now);
    }
  }

  /** Moves what is due in a slot to the end of the due list: firing one timer may cancel any other. */
  private collect(slot: i32, now: i64): void {
    const before = this.lastDue;
    let timer = unchecked(this.slots[slot]);
    while (timer !== null) {
      const next = timer.nextTimer;
      if (timer.deadline <= now) {
        this.unlink(timer);
        timer.slot = SLOTS;
        this.insertDue(timer, before);
      }
      timer = next;
    }
  }

  /** Puts a timer behind another in the due list, which may be none: a slot has the one that was set last first. */
  private insertDue(timer: Timer, before: Timer | null): void {
    const after = before !== null ? before.nextTimer : this.due;
    timer.prevTimer = before;
    timer.nextTimer = after;
    if (before !== null) before.nextTimer = timer;
    else this.due = timer;
    if (after !== null) after.prevTimer = timer;
    else this.lastDue = timer;
  }

  private unlink(timer: Timer): void {
    const next = timer.nextTimer;
    const prev = timer.prevTimer;
    if (this.lastDue === timer) this.lastDue = prev;
    if (next !== null) next.prevTimer = prev;
    if (prev !== null) prev.nextTimer = next;
    else if (timer.slot == SLOTS) this.due = next;
    else unchecked((this.slots[timer.slot] = next));
    timer.nextTimer = null;
    timer.prevTimer = null;
  }
}
