import { currentNanos, currentTime } from "../../../assembly/host/clock";

const SECOND: i64 = 1000000000;

/** The time by the wall clock and by the one that nobody sets, when the former was latest; ns. */
let base: i64 = 0;
let steadyBase: i64 = 0;

/** The earliest and the latest that it may be, s since 1970. */
export class Now {
  earliest: i64 = 0;
  latest: i64 = 0;

  /**
   * Asks both clocks, two host calls. A wall clock that is set back does not make a token good again that has expired: time goes
   * on from where it was.
   */
  read(): void {
    const wall = currentTime() as i64;
    const steady = currentNanos();
    const expected = base + max(steady - steadyBase, 0);
    if (base == 0 || wall >= expected) {
      base = wall;
      steadyBase = steady;
    }
    this.earliest = wall / SECOND;
    this.latest = (base == wall ? wall : expected) / SECOND;
  }
}
