/** Whether a request is one that a condition means. */
export const enum Verdict {
  NO = 0,
  YES = 1,
  /** That cannot be told: who protects must not take it for either. */
  UNKNOWN = 2,
}

/** The opposite; what is not known stays so. */
// @ts-ignore: decorator
@inline
export function not(verdict: Verdict): Verdict {
  return verdict == Verdict.UNKNOWN ? Verdict.UNKNOWN : verdict == Verdict.YES ? Verdict.NO : Verdict.YES;
}

// @ts-ignore: decorator
@inline
export function verdictOf(is: bool): Verdict {
  return is ? Verdict.YES : Verdict.NO;
}
