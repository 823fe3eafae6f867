/**
 * What is bounded for all peers together, such as requests under way: a peer may have as many as are still free, so that
 * its share shrinks as they are used up; and `reserved` more are there for those that come when others have used them up,
 * shared out equally.
 */
export class Shares {
  /** How many are in use. */
  used: i32 = 0;
  /** Peers that there are. */
  peers: i32 = 0;

  /**
   * @param most that are in use by whoever comes first
   * @param reserved for peers that have less than their equal part of these
   */
  constructor(
    private readonly most: i32,
    private readonly reserved: i32,
  ) {}

  /** Whether a peer that has `own` of them may have one more, or `more`. */
  // @ts-ignore: decorator
  @inline
  allows(own: i32, more: i32 = 1): bool {
    return own <= this.most - this.used - more || own <= this.reserved / max(this.peers, 1) - more;
  }

  /** A peer has `more` of them, which it may. */
  take(part: Part, more: i32): void {
    if (part.own == 0 && more > 0) this.peers++;
    part.own += more;
    this.used += more;
  }

  /** A peer has so many less. */
  give(part: Part, less: i32): void {
    part.own -= less;
    this.used -= less;
    if (part.own == 0 && less > 0) this.peers--;
  }

  /** Whether one more may be had that is of less worth than others: a quarter of what is free. */
  spares(own: i32): bool {
    return own < (this.most - this.used) >> 2;
  }
}

/** What one peer has of `Shares`. */
export class Part {
  own: i32 = 0;
}
