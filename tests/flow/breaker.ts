// A circuit breaker over all workers: closed, open, half open with one probe, open again, closed.
import { setTimeout as sleep } from "node:timers/promises";
import type { Scope } from "../e2e/kit/scope.ts";
import { WAIT_MS, waitUntil } from "../e2e/kit/wait.ts";
import { nowMs } from "./clock.ts";
import { type Call, callOnce } from "./load.ts";
import type { Outcome } from "./outcome.ts";
import { type Caller, FlowStage, RESOURCE } from "./stage.ts";

/** Good calls, then as many errors: half of all, at which it opens. */
const GOOD = 20;
const RETRY_MS = 1000;
const PAUSE_MS = 20;
/** Calls of one try while the breaker may be half open. */
const TRY = 10;

export async function runBreaker(scope: Scope, workers: number): Promise<Outcome> {
  const rule = {
    resource: RESOURCE.bolt,
    strategy: 1,
    threshold: 0.5,
    minRequestAmount: GOOD,
    statIntervalMs: 60_000,
    retryTimeoutMs: RETRY_MS,
  };
  const stage = await FlowStage.start(scope, { workers, rules: { circuit_breaker_rules: [rule] } });
  const play = new Play(stage, await stage.connect(4 * workers));
  await play.closed(GOOD);
  stage.server.fails = true;
  await play.opens();
  await play.probe();
  stage.server.fails = false;
  await play.probe();
  await play.closed(GOOD);
  return { facts: play.facts.join("; "), wrong: play.wrong };
}

class Play {
  readonly facts: string[] = [];
  readonly wrong: string[] = [];
  private next = 0;
  /** When the breaker opened at the earliest, ms. */
  private openedMs = 0;

  constructor(
    private readonly stage: FlowStage,
    private readonly callers: Caller[],
  ) {}

  private call(): Promise<Call> {
    return callOnce(this.callers[this.next++ % this.callers.length]);
  }

  private expect(what: string, got: number, want: number): void {
    this.facts.push(`${what} ${got}`);
    if (got !== want) this.wrong.push(`${what} ${got}, not ${want}`);
  }

  /** All calls pass. */
  async closed(count: number): Promise<void> {
    const calls = await Promise.all(Array.from({ length: count }, () => this.call()));
    this.expect("closed: passed", calls.filter((one) => one.passed).length, count);
  }

  /** One call after the other, until one does not reach the server. */
  async opens(): Promise<void> {
    const { server } = this.stage;
    const before = server.calls;
    let from = 0;
    do from = nowMs();
    while ((await this.call()).passed && server.calls - before < 3 * GOOD);
    this.openedMs = server.arrivals[server.arrivals.length - 1].ms;
    this.expect("opened after errors:", server.calls - before, GOOD);
    if (from < this.openedMs) this.wrong.push("a call was refused before the breaker can have opened");
  }

  /** Calls until one gets through, which the server holds until all others of its try are refused. */
  async probe(): Promise<void> {
    const { server } = this.stage;
    let release = () => {};
    server.hold = () => new Promise<void>((done) => (release = done));
    let refused = 0;
    for (;;) {
      let ended = 0;
      const calls = Array.from({ length: TRY }, () => this.call().finally(() => ended++));
      await waitUntil(
        () => ended + server.active >= TRY,
        WAIT_MS,
        () => `${ended} answers, ${server.active} held`,
      );
      const held = server.active;
      refused += ended;
      if (held > 0) {
        this.expect("half open: probes", held, 1);
        const { ms } = server.arrivals[server.arrivals.length - 1];
        if (ms < this.openedMs + RETRY_MS) this.wrong.push("the probe came too early");
        this.openedMs = nowMs();
        server.hold = undefined;
        release();
        await Promise.all(calls);
        break;
      }
      await sleep(PAUSE_MS);
    }
    this.facts.push(`${refused} refused before`);
  }
}
