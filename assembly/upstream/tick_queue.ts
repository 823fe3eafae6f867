import { enterContext } from "../host/stream";
import { Pace, Ticker } from "../host/ticker";

/** Tasks that are done before the memory for them is given back. */
const DROP_AT: i32 = 1024;

/** Something that the next tick has to do for one of the host's contexts. */
export abstract class TickTask {
  /** Whether it is in the queue. */
  scheduled: bool = false;

  /** @param context the host's id of the context, which is the effective one in `onTick` */
  constructor(readonly context: u32) {}

  /** The tick has come. */
  abstract onTick(): void;
}

/** What ticks have to do: first come, first served, so many in each tick. */
export class TickQueue {
  private tasks: TickTask[] = [];
  private done: i32 = 0;

  constructor(private readonly ticker: Ticker) {}

  /** Adds a task that is not scheduled. */
  add(task: TickTask): void {
    task.scheduled = true;
    this.tasks.push(task);
    this.ticker.atLeast(Pace.NOW);
  }

  /** Does the oldest tasks that were there before, `most` at most; returns whether there are others. */
  run(most: i32): bool {
    const end = min(this.tasks.length, this.done + most);
    while (this.done < end) {
      const task = unchecked(this.tasks[this.done++]);
      task.scheduled = false;
      if (enterContext(task.context)) task.onTick();
    }
    this.dropDone();
    return this.done < this.tasks.length;
  }

  private dropDone(): void {
    if (this.done == this.tasks.length) this.tasks.length = 0;
    else if (this.done >= DROP_AT) this.tasks = this.tasks.slice(this.done);
    else return;
    this.done = 0;
  }
}
