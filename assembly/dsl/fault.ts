import { Value } from "./value";

/** Why an evaluation failed. */
export const enum Fault {
  NONE = 0,
  /** A map has no such key. */
  NO_KEY = 1,
  /** A number, a time or a duration is out of its range. */
  OVERFLOW = 2,
  DIVISION_BY_ZERO = 3,
  /** A value cannot be made one of the other type: `int("x")`. */
  CONVERSION = 4,
  /** There is no such place in a text. */
  NO_INDEX = 5,
  /** The texts of the evaluation are too long together, or take too many steps. */
  TOO_LONG = 6,
}

let last: Fault = Fault.NONE;

/** Why the evaluation that has just failed did so. */
export function lastFault(): Fault {
  return last;
}

/** Notes why the evaluation fails; gives what stands for a value that there is not. */
export function fail(fault: Fault): Value | null {
  last = fault;
  return null;
}
