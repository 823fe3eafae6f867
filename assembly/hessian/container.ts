// What is left of a container that is being read: a count of values, or one of these.

/** Values, until the end tag. */
export const UNTIL_END: i32 = -1;
/** Keys and values, until the end tag: a key or the tag is next. */
export const KEY_OR_END: i32 = -2;
/** The same: the value of a key is next. */
export const VALUE: i32 = -3;
/** Of what a value contains: nothing that can be read. */
export const CANNOT: i32 = -4;

/** What is left of a container behind one more value. */
// @ts-ignore: decorator
@inline
export function behind(left: i32): i32 {
  if (left > 0) return left - 1;
  return left == UNTIL_END ? UNTIL_END : KEY_OR_END + VALUE - left;
}
