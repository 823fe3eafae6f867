import { GrpcCall, HttpCall } from "../host/call";
import { Callout, Callouts, CalloutShare, Outcome } from "../host/callout";

/** The callout that a request waits for. */
class WaitCallout extends Callout {
  constructor(private readonly waiting: Waiting) {
    super();
  }

  onEnd(): void {
    this.waiting.answered();
  }
}

/**
 * What a filter has its request wait for: a time, or the answer of a callout; the last that it asked for counts. The
 * filter asks, then returns WAIT, and the proxy begins to hold the request; then the wait ends, once, unless the request
 * ends before.
 */
export abstract class Waiting {
  private ms: i32 = 0;
  private calls: bool = false;
  private held: bool = false;
  /** No answer can be waited for now: callouts are not begun. */
  hurried: bool = false;
  private made: WaitCallout | null = null;

  /** The table of the plugin; null when there is none any more. */
  protected abstract get callouts(): Callouts | null;
  /** The host's id of the connection or stream. */
  protected abstract get context(): u32;
  /** The client's share of the callouts; null when there is none any more. */
  protected abstract get share(): CalloutShare | null;
  protected abstract startTimer(ms: i32): void;
  protected abstract stopTimer(): void;
  /** The request goes on; in a callback of the root. */
  abstract resume(): void;

  /** The latest callout; null when there was none. */
  get callout(): Callout | null {
    return this.made;
  }

  /** Bytes of memory that an answer takes. */
  get allocated(): i32 {
    const made = this.made;
    return made !== null ? made.allocated : 0;
  }

  /** Asks for a time. */
  wait(ms: i32): void {
    this.dropCallout();
    this.ms = max(ms, 0);
  }

  /** The time that was asked for is another one, from now on, ms. */
  rewait(ms: i32): void {
    this.ms = max(ms, 0);
    if (this.held && !this.calls) this.startTimer(this.ms);
  }

  /** Asks for the answer of a callout by HTTP; false when it is not begun. */
  callHttp(call: HttpCall): bool {
    const callout = this.make();
    const callouts = this.callouts;
    const share = this.share;
    if (callouts === null || share === null || this.hurried) callout.outcome = Outcome.UNREACHABLE;
    else this.calls = callouts.sendHttp(call, callout, this.context, share);
    return this.calls;
  }

  /** The same by gRPC. */
  callGrpc(call: GrpcCall): bool {
    const callout = this.make();
    const callouts = this.callouts;
    const share = this.share;
    if (callouts === null || share === null || this.hurried) callout.outcome = Outcome.UNREACHABLE;
    else this.calls = callouts.sendGrpc(call, callout, this.context, share);
    return this.calls;
  }

  /** Sends a callout by HTTP whose answer nobody waits for. */
  notifyHttp(call: HttpCall): bool {
    const callouts = this.callouts;
    const share = this.share;
    return callouts !== null && share !== null && callouts.sendHttp(call, null, this.context, share);
  }

  /** The same by gRPC. */
  notifyGrpc(call: GrpcCall): bool {
    const callouts = this.callouts;
    const share = this.share;
    return callouts !== null && share !== null && callouts.sendGrpc(call, null, this.context, share);
  }

  /** The callout to use: what it was used for before is dropped. */
  private make(): WaitCallout {
    const made = this.made;
    if (made !== null) {
      this.dropCallout();
      made.clear();
      return made;
    }
    const callout = new WaitCallout(this);
    this.made = callout;
    return callout;
  }

  /** The request is held from now on. */
  begin(): void {
    this.held = true;
    if (!this.calls) this.startTimer(this.ms);
  }

  /** The callout has ended. Where the filter did not wait for it after all, nothing follows. */
  answered(): void {
    this.calls = false;
    if (this.held) this.resume();
  }

  /** The wait is over: the filter is asked again. */
  over(): void {
    this.held = false;
  }

  /** Whether the request is held for an answer. */
  get awaitsAnswer(): bool {
    return this.held && this.calls;
  }

  /** The wait is cut short: an answer that has not come counts as too late. */
  hurry(): void {
    const made = this.made;
    const calls = this.calls;
    this.cancel();
    if (calls && made !== null) made.outcome = Outcome.TIMEOUT;
    this.hurried = true;
  }

  /** The request goes on for another reason, or ends: nothing is waited for any more. */
  cancel(): void {
    this.held = false;
    this.dropCallout();
    this.stopTimer();
  }

  /** Forgets the request: another one will use this. */
  end(): void {
    this.cancel();
    this.ms = 0;
    this.hurried = false;
    const made = this.made;
    if (made !== null) made.clear();
  }

  private dropCallout(): void {
    const made = this.made;
    const callouts = this.callouts;
    if (this.calls && made !== null && callouts !== null) callouts.cancel(made, this.context);
    this.calls = false;
  }

  /** Gives memory back that the collector does not know of. */
  free(): void {
    const made = this.made;
    if (made !== null) made.free();
  }
}
