import { noteGarbage } from "../abi/dispatch";
import { Spares } from "../bytes/spares";
import { View } from "../bytes/view";
import { Admission, StreamFilter, FilterConfig, FilterType } from "./filter";
import { StreamHandler } from "./handler";
import { FilterMetrics } from "./metrics";
import { bit, FilterStatus, Phase } from "./phase";
import { FilterPlugin } from "./plugin";

/** One configured filter. */
export class ChainEntry {
  constructor(
    readonly type: FilterType,
    readonly config: FilterConfig,
  ) {}

  /** Whether the filter looks at the body of this request. */
  readsRequestBody(handler: StreamHandler): bool {
    return this.type.needsRequestBody && handler.configOf(this.type, this.config).readsRequestBody;
  }

  /** Whether it looks at the body of its response. */
  readsResponseBody(handler: StreamHandler): bool {
    return this.type.needsResponseBody && handler.configOf(this.type, this.config).readsResponseBody;
  }
}

/**
 * The configured filters of one request, and where it stands in them: MOSN's chain (pkg/streamfilter/chain.go). One flat
 * list in the order of the configuration, in both directions; a phase runs the filters that name it.
 */
export class FilterChain {
  private readonly filters: StaticArray<StreamFilter>;
  /** Filter that the next run of the request side starts with. */
  private next: i32 = 0;
  /** The last filter that ran on the response. */
  private sender: i32 = 0;

  constructor(private readonly entries: StaticArray<ChainEntry>) {
    const filters = new StaticArray<StreamFilter>(entries.length);
    for (let i = 0; i < entries.length; i++) filters[i] = entries[i].type.create(entries[i].config);
    this.filters = filters;
  }

  /**
   * Runs a phase before the request is sent. STOP and TERMINATION start the next phase from the first filter; after
   * REMATCH_ROUTE and RECHOOSE_HOST, where the phase honours them, and NEEDS_BODY the same filter runs again, and after
   * WAIT `resume` goes on.
   */
  receive(handler: StreamHandler, phase: Phase): FilterStatus {
    const mask = bit(phase);
    for (let i = this.next; i < this.filters.length; i++) {
      const entry = unchecked(this.entries[i]);
      if ((entry.type.phases & mask) == 0) continue;
      if (handler.lacksBody && entry.readsRequestBody(handler)) {
        this.next = i;
        return FilterStatus.NEEDS_BODY;
      }
      const status = unchecked(this.filters[i]).onReceive(handler, phase);
      if (status != FilterStatus.CONTINUE) return this.stopped(status, i, phase);
    }
    this.next = 0;
    return FilterStatus.CONTINUE;
  }

  /** Whether any of the filters looks at the body of this request. */
  readsRequestBody(handler: StreamHandler): bool {
    for (let i = 0; i < this.entries.length; i++) {
      if (unchecked(this.entries[i]).readsRequestBody(handler)) return true;
    }
    return false;
  }

  /** Whether any of them looks at the body of its response. */
  readsResponseBody(handler: StreamHandler): bool {
    for (let i = 0; i < this.entries.length; i++) {
      if (unchecked(this.entries[i]).readsResponseBody(handler)) return true;
    }
    return false;
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

  /** Runs the filters of a response, all of them: also where those of an earlier one were held. */
  send(handler: StreamHandler): FilterStatus {
    return this.sendFrom(0, handler);
  }

  /** The response's body is complete: the filter that needed it runs, and those after it. */
  sendOn(handler: StreamHandler): FilterStatus {
    return this.sendFrom(this.sender, handler);
  }

  private sendFrom(first: i32, handler: StreamHandler): FilterStatus {
    for (let i = first; i < this.filters.length; i++) {
      const entry = unchecked(this.entries[i]);
      if ((entry.type.phases & bit(Phase.BEFORE_SEND)) == 0) continue;
      this.sender = i;
      if (handler.lacksBody && entry.readsResponseBody(handler)) return FilterStatus.NEEDS_BODY;
      const status = unchecked(this.filters[i]).append(handler);
      if (status != FilterStatus.CONTINUE) return status;
    }
    return FilterStatus.CONTINUE;
  }

  private resumeSend(handler: StreamHandler): FilterStatus {
    const i = this.sender;
    if (i >= this.filters.length) return FilterStatus.CONTINUE;
    const status = unchecked(this.filters[i]).onResume(handler, Phase.BEFORE_SEND);
    return status == FilterStatus.CONTINUE ? this.sendFrom(i + 1, handler) : status;
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
    this.sender = 0;
  }
}

/** Chains kept for reuse. */
const KEEP: i32 = 4096;

/** The configured filters of a listener, and the chains made of them. */
export class FilterChains {
  private readonly entries: StaticArray<ChainEntry>;
  private readonly spares: Spares<FilterChain> = new Spares<FilterChain>(KEEP);

  constructor(entries: ChainEntry[]) {
    this.entries = StaticArray.fromArray(entries);
  }

  /** Bits of the phases that any of the filters runs in; they may become more (`FilterType.phases`). */
  get phases(): u32 {
    let phases: u32 = 0;
    for (let i = 0, n = this.entries.length; i < n; i++) phases |= unchecked(this.entries[i]).type.phases;
    return phases;
  }

  get empty(): bool {
    return this.entries.length == 0;
  }

  /** Whether a filter of this type is among them. */
  has(type: FilterType): bool {
    for (let i = 0; i < this.entries.length; i++) if (this.entries[i].type === type) return true;
    return false;
  }

  /** Whether changes of any of them must not be lost (`FilterConfig.needsChanges`). */
  get needsChanges(): bool {
    for (let i = 0, n = this.entries.length; i < n; i++) {
      if (unchecked(this.entries[i]).config.needsChanges) return true;
    }
    return false;
  }

  /** Whether any of them may set labels. */
  get setsLabels(): bool {
    for (let i = 0, n = this.entries.length; i < n; i++) if (unchecked(this.entries[i]).type.setsLabels) return true;
    return false;
  }

  /**
   * Whether a client may use its connection for what is no request (`FilterConfig.admits`), by the filters' own
   * configurations. One that could not tell is counted.
   */
  admits(address: View, raw: bool, metrics: FilterMetrics): bool {
    for (let i = 0; i < this.entries.length; i++) {
      const entry = this.entries[i];
      const answer = entry.config.admits(address, raw);
      if (answer == Admission.UNDECIDED) metrics.count(entry.type.failures, 1);
      if (answer != Admission.GRANTED) return false;
    }
    return true;
  }

  /** The plugin begins to run these filters. */
  begin(plugin: FilterPlugin): void {
    for (let i = 0; i < this.entries.length; i++) this.entries[i].config.begin(plugin);
  }

  /** A new connection goes by these filters. */
  onConnection(): void {
    for (let i = 0; i < this.entries.length; i++) this.entries[i].config.onConnection();
  }

  /** The plugin ends. */
  end(): void {
    for (let i = 0; i < this.entries.length; i++) this.entries[i].config.end();
  }

  /** A chain for a request. */
  take(): FilterChain {
    const chain = this.spares.take();
    return chain === null ? new FilterChain(this.entries) : chain;
  }

  /** Takes a chain back. */
  give(chain: FilterChain): void {
    chain.reset();
    if (!this.spares.keep(chain)) noteGarbage(this.entries.length + 2);
  }
}
