/**
 * Envoy's dispatcher, reduced to its order of events: one event at a time, events caused by an event come after it.
 * Whatever nests inside an event in Envoy nests here on the JavaScript stack.
 */
export class EventLoop {
  private readonly events: (() => void)[] = [];
  private running = false;

  /** Queues an event; it runs before the outermost `enter` returns. */
  post(event: () => void): void {
    this.events.push(event);
  }

  /** Runs an event now, with all that follows from it; inside another event it is queued. */
  enter(event: () => void): void {
    this.events.push(event);
    if (this.running) return;
    this.running = true;
    try {
      for (let next = this.events.shift(); next !== undefined; next = this.events.shift()) next();
    } catch (error) {
      this.events.length = 0; // the test is over; do not run the rest in a broken world
      throw error;
    } finally {
      this.running = false;
    }
  }
}
