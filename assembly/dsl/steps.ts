/** Most steps of one evaluation, some milliseconds: bytes that functions and comparisons look at. */
const MAX_STEPS: i64 = 1 << 22;

let left: i64 = 0;

/** An evaluation begins. */
export function beginSteps(): void {
  left = MAX_STEPS;
}

/** Takes steps of the evaluation that runs; false: there are none left. */
// @ts-ignore: decorator
@inline
export function spend(steps: i64): bool {
  left -= steps;
  return left >= 0;
}
