/** Longest text that is searched, bytes. */
export const MAX_TEXT: i32 = 65536;
/** Most steps of one search, some five milliseconds: a step is an instruction of the program at a character, or a byte compared. */
const MAX_STEPS: i32 = 1 << 20;

/** Outcome of a search. */
export const enum Found {
  NO = 0,
  YES = 1,
  /** The text is too long, or takes too many steps: who asks must not take it for either. */
  FAILED = 2,
}

/** What is left of the steps of the search that runs: there is never more than one. */
class Budget {
  left: i32 = 0;

  /** A search begins. */
  begin(): void {
    this.left = MAX_STEPS;
  }

  /** Takes steps; false: there are none left. */
  // @ts-ignore: decorator
  @inline
  spend(steps: i32): bool {
    this.left -= steps;
    return this.left >= 0;
  }

  /** Steps that the search has taken. */
  get spent(): i32 {
    return MAX_STEPS - this.left;
  }
}

export const budget = new Budget();
