// From sources to targets: changes are gathered, and written at most so often.
import type { Keeper } from "./keeper.ts";
import type { Source } from "./model.ts";
import type { Target } from "./targets/target.ts";

export interface LoopOptions {
  /** How long changes are gathered before they are written, in ms. */
  settleMs: number;
  /** The least time between two writes, in ms. */
  intervalMs: number;
}

/** For how long a start waits for its sources, before it writes what it has. */
const FIRST_WRITE_MS = 10_000;
const TICK_MS = 1000;
/** After a write that failed, the first and the longest wait. */
const RETRY_MS = [1000, 30_000];

export class Loop {
  /** Figures for the metrics. */
  readonly figures = { writes: 0, files: 0, failures: 0, lastWriteMs: 0, lastWriteAt: 0 };
  /** Why the last write failed; "": it did not. */
  failed = "";
  private timer?: NodeJS.Timeout;
  private ticker?: NodeJS.Timeout;
  private writing?: Promise<void>;
  private readonly begun = Date.now();
  private last = 0;
  private retryMs = RETRY_MS[0];
  private ending = false;

  constructor(
    private readonly keeper: Keeper,
    private readonly sources: Source[],
    private readonly targets: Target[],
    private readonly options: LoopOptions,
  ) {}

  /** Whether every source has told all that it has. */
  get synced(): boolean {
    return [...this.keeper.sources.values()].every((source) => source.synced);
  }

  /** Starts the sources. Throws what a source throws: a mistake of the user's. */
  async start(): Promise<void> {
    this.keeper.onChange = () => this.soon();
    const listeners = this.sources.map((source) => this.keeper.listener(source.name));
    if (this.keeper.dirty.size > 0) this.soon();
    for (const [i, source] of this.sources.entries()) await source.start(listeners[i]);
    this.ticker = setInterval(() => this.tick(), TICK_MS);
  }

  /** Writes what is left, and ends all sources. */
  async close(): Promise<void> {
    this.ending = true;
    clearInterval(this.ticker);
    clearTimeout(this.timer);
    await this.writing;
    if (this.keeper.dirty.size > 0 && this.synced) await this.write();
    await Promise.all(this.sources.map((source) => source.close()));
  }

  /** Writes once when all sources have told what they have, or after `limitMs`. Throws where that fails. */
  async once(limitMs: number): Promise<void> {
    const deadline = Date.now() + limitMs;
    while (!this.synced && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
    await this.writing;
    if (this.keeper.dirty.size > 0 || this.figures.writes === 0) await this.write();
    if (this.failed !== "") throw new Error(this.failed);
  }

  private tick(): void {
    this.keeper.tick();
    const due = Math.min(...this.targets.map((target) => target.due?.() ?? Infinity));
    // The first file says what there is, also where that is nothing.
    if (Date.now() >= due || (this.figures.writes === 0 && (this.synced || this.late))) this.soon();
  }

  private get late(): boolean {
    return Date.now() - this.begun > FIRST_WRITE_MS;
  }

  private soon(): void {
    if (this.timer !== undefined || this.writing || this.ending) return;
    const wait = Math.max(this.options.settleMs, this.last + this.options.intervalMs - Date.now());
    this.timer = setTimeout(() => {
      this.timer = undefined;
      // A first look at half a registry would take away what an earlier process has written.
      if (this.figures.writes === 0 && !this.synced && !this.late) return;
      this.writing = this.write().finally(() => {
        this.writing = undefined;
        if (this.keeper.dirty.size > 0) this.soon();
      });
    }, wait);
  }

  private async write(): Promise<void> {
    const { keeper } = this;
    const changed = new Set(keeper.dirty);
    keeper.dirty.clear();
    const changes = {
      changed,
      services: () => keeper.services(),
      service: (name: string) => keeper.service(name),
    };
    const start = performance.now();
    this.last = Date.now();
    try {
      for (const target of this.targets) this.figures.files += await target.write(changes);
      this.figures.writes++;
      this.figures.lastWriteMs = performance.now() - start;
      this.figures.lastWriteAt = Date.now();
      this.failed = "";
      this.retryMs = RETRY_MS[0];
    } catch (error) {
      // Nothing is lost: the same services are written with the next try.
      for (const name of changed) keeper.dirty.add(name);
      this.failed = (error as Error).message;
      this.figures.failures++;
      keeper.onSay("warning", `cannot write: ${this.failed}; next try in ${this.retryMs / 1000} s`);
      this.last = Date.now() + this.retryMs - this.options.intervalMs;
      this.retryMs = Math.min(this.retryMs * 2, RETRY_MS[1]);
    }
  }
}
