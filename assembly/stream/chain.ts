import { StreamFilter, FilterConfig, FilterType } from "./filter";
import { StreamHandler } from "./handler";
import { bit, FilterStatus, Phase } from "./phase";

/** One configured filter. */
export class ChainEntry {
  constructor(
    readonly type: FilterType,
    readonly config: FilterConfig,
  ) {}
}

/**
 * The configured filters of one request, and where it stands in them: MOSN's chain (pkg/streamfilter/chain.go). One flat
 * list in the order of the configuration, in both directions; a phase runs the filters that name it.
 */
export class FilterChain {
  private readonly filters: StaticArray<StreamFilter>;
  /** Filter that the next run of the request side starts with, and of the response side. */
  private next: i32 = 0;
  private nextSender: i32 = 0;
  /** The next chain that is not in use. */
  spare: FilterChain | null = null;

  constructor(private readonly entries: StaticArray<ChainEntry>) {
    const filters = new StaticArray<StreamFilter>(entries.length);
    for (let i = 0; i < entries.length; i++) filters[i] = entries[i].type.create(entries[i].config);
    this.filters = filters;
  }

  /**
   * Runs a phase before the request is sent. STOP and TERMINATION start the next phase from the first filter; after
   * REMATCH_ROUTE and RECHOOSE_HOST the same filter runs again, where the phase honours them, and after WAIT
   * `resume` goes on.
   */
  receive(handler: StreamHandler, phase: Phase): FilterStatus {
    const mask = bit(phase);
    for (let i = this.next; i < this.filters.length; i++) {
      if ((unchecked(this.entries[i]).type.phases & mask) == 0) continue;
      const status = unchecked(this.filters[i]).onReceive(handler, phase);
      if (status != FilterStatus.CONTINUE) return this.stopped(status, i, phase);
    }
    this.next = 0;
    return FilterStatus.CONTINUE;
  }

  /** The filter that waited goes on, and the phase with it. */
  resume(handler: StreamHandler, phase: Phase): FilterStatus {
    if (phase == Phase.BEFORE_SEND) return this.resumeSend(handler);
    const i = this.next;
    if (i >= this.filters.length) return FilterStatus.CONTINUE;
    const status = unchecked(this.filters[i]).onResume(handler, phase);
    if (status != FilterStatus.CONTINUE) return this.stopped(status, i, phase);
    this.next = i + 1;
    return this.receive(handler, phase);
  }

  private stopped(status: FilterStatus, at: i32, phase: Phase): FilterStatus {
    const again =
      status == FilterStatus.WAIT ||
      (status == FilterStatus.REMATCH_ROUTE && phase == Phase.AFTER_ROUTE) ||
      (status == FilterStatus.RECHOOSE_HOST && phase == Phase.AFTER_CHOOSE_HOST);
    // MOSN keeps the place also where the status is not honoured, and so skips filters of the next phase.
    this.next = again ? at : 0;
    return status;
  }

  /** Runs the filters of the response. */
  send(handler: StreamHandler): FilterStatus {
    for (let i = this.nextSender; i < this.filters.length; i++) {
      if ((unchecked(this.entries[i]).type.phases & bit(Phase.BEFORE_SEND)) == 0) continue;
      const status = unchecked(this.filters[i]).append(handler);
      if (status == FilterStatus.CONTINUE) continue;
      this.nextSender = status == FilterStatus.WAIT ? i : 0;
      return status;
    }
    this.nextSender = 0;
    return FilterStatus.CONTINUE;
  }

  private resumeSend(handler: StreamHandler): FilterStatus {
    const i = this.nextSender;
    if (i >= this.filters.length) return FilterStatus.CONTINUE;
    const status = unchecked(this.filters[i]).onResume(handler, Phase.BEFORE_SEND);
    if (status != FilterStatus.CONTINUE) {
      this.nextSender = status == FilterStatus.WAIT ? i : 0;
      return status;
    }
    this.nextSender = i + 1;
    return this.send(handler);
  }

  /** The request is over. */
  log(handler: StreamHandler): void {
    for (let i = 0; i < this.filters.length; i++) {
      if ((unchecked(this.entries[i]).type.phases & bit(Phase.ACCESS_LOG)) != 0)
        unchecked(this.filters[i]).onLog(handler);
    }
  }

  /** Makes it ready for another request. */
  reset(): void {
    for (let i = 0; i < this.filters.length; i++) unchecked(this.filters[i]).onDestroy();
    this.next = 0;
    this.nextSender = 0;
  }
}

/** Chains kept for reuse. */
const KEEP: i32 = 1024;

/** The configured filters of a listener, and the chains made of them. */
export class FilterChains {
  private readonly entries: StaticArray<ChainEntry>;
  private spare: FilterChain | null = null;
  private count: i32 = 0;

  constructor(entries: ChainEntry[]) {
    this.entries = StaticArray.fromArray(entries);
  }

  get empty(): bool {
    return this.entries.length == 0;
  }

  /** A chain for a request. */
  take(): FilterChain {
    const chain = this.spare;
    if (chain === null) return new FilterChain(this.entries);
    this.spare = chain.spare;
    chain.spare = null;
    this.count--;
    return chain;
  }

  /** Takes a chain back. */
  give(chain: FilterChain): void {
    chain.reset();
    if (this.count >= KEEP) return;
    chain.spare = this.spare;
    this.spare = chain;
    this.count++;
  }
}
