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

  /** Whether a peer that has `own` of them may have one more. */
  // @ts-ignore: decorator
  @inline
  allows(own: i32): bool {
    return own < this.most - this.used || own < this.reserved / max(this.peers, 1);
  }

  /** Whether one more may be had that is of less worth than others: a quarter of what is free. */
  spares(own: i32): bool {
    return own < (this.most - this.used) >> 2;
  }
}
