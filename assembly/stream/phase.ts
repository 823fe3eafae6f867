/** Where in a request's life a filter runs (MOSN's api.ReceiverFilterPhase and SenderFilterPhase). */
export const enum Phase {
  BEFORE_ROUTE = 0,
  AFTER_ROUTE = 1,
  AFTER_CHOOSE_HOST = 2,
  /** Responses, local replies among them. */
  BEFORE_SEND = 3,
  /** The request is over; `StreamFilter.onLog`. */
  ACCESS_LOG = 4,
}

/** The bit of a phase in `FilterType.phases`. */
// @ts-ignore: decorator
@inline
export function bit(phase: Phase): u32 {
  return 1 << (phase as u32);
}

/** What a filter answers (MOSN's api.StreamFilterStatus). */
export const enum FilterStatus {
  /** The next filter, then the next phase. */
  CONTINUE = 0,
  /** No more filters of this phase. The request goes on unless the filter has answered it. */
  STOP = 1,
  /** The request ends without an answer. */
  TERMINATION = 2,
  /** Match the route again, then this filter again; only in AFTER_ROUTE. */
  REMATCH_ROUTE = 3,
  /** Choose a host again, then this filter again; only in AFTER_CHOOSE_HOST. */
  RECHOOSE_HOST = 4,
  /**
   * The filter waits (a goroutine that blocks, in MOSN): only this request is held. `StreamHandler.wait` says for how
   * long; then `StreamFilter.onResume` gives the real status.
   */
  WAIT = 5,
  /**
   * The chain's own: the next filter looks at a body that is not complete (`StreamHandler.lacksBody`); it runs when the
   * phase is run again.
   */
  NEEDS_BODY = 6,
}

/** MOSN's response flags (mosn.io/api request.go): why a request ended as it did. */
export const enum ResponseFlag {
  NO_HEALTHY_UPSTREAM = 0x2,
  UPSTREAM_REQUEST_TIMEOUT = 0x4,
  UPSTREAM_LOCAL_RESET = 0x8,
  UPSTREAM_REMOTE_RESET = 0x10,
  UPSTREAM_CONNECTION_FAILURE = 0x20,
  UPSTREAM_CONNECTION_TERMINATION = 0x40,
  UPSTREAM_OVERFLOW = 0x80,
  NO_ROUTE_FOUND = 0x100,
  DELAY_INJECTED = 0x200,
  FAULT_INJECTED = 0x400,
  RATE_LIMITED = 0x800,
  REQ_ENTITY_TOO_LARGE = 0x1000,
  DOWNSTREAM_TERMINATE = 0x2000,
}
