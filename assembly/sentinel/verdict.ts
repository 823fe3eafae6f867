/** What an entry came to. */
export const enum FlowVerdict {
  PASS = 0,
  FLOW = 1,
  ISOLATION = 2,
  HOT_PARAM = 3,
  BREAKER = 4,
  SYSTEM = 5,
  /** The shared records could not be read or written: nobody knows. */
  UNKNOWN = 6,
}

/** How a request that passed ended. */
export const enum FlowOutcome {
  GOOD = 0,
  FAILED = 1,
  /** Its client left, or it has no answer: that says nothing of who answers. */
  UNKNOWN = 2,
}
