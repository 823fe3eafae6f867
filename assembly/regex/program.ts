import { Bytes } from "../bytes/bytes";
import { encodeRune } from "../bytes/utf8";
import { budget } from "./budget";
import { CharSet } from "./class";
import { Assert } from "./node";

/** Instructions: an operation and two operands. */
export const enum Op {
  MATCH = 0,
  /** x: the code point. */
  RUNE = 1,
  /** x: index into the sets. */
  SET = 2,
  ANY = 3,
  ANY_NOT_NEWLINE = 4,
  /** x: where to go on. */
  JUMP = 5,
  /** x, y: where to go on, the preferred first. */
  SPLIT = 6,
  /** x: the slot that takes the place. */
  SAVE = 7,
  /** x: the condition (`Assert`). */
  ASSERT = 8,
}

/** What is no offset (`Program.skip`). */
export const NOWHERE: i32 = -1;
export const UNKNOWN: i32 = -2;

/** A compiled pattern. Immutable. */
export class Program {
  /** Whether it matches at the start of the text only. */
  readonly anchored: bool;
  /** Bytes that every match starts with. */
  readonly prefix: Bytes;
  /** Whether `prefix` is all there is to match. */
  readonly literal: bool;

  constructor(
    readonly ops: StaticArray<u8>,
    readonly xs: StaticArray<u32>,
    readonly ys: StaticArray<u32>,
    readonly sets: StaticArray<CharSet>,
  ) {
    const text = heap.alloc(4 * (ops.length as usize));
    let n = 0;
    let anchored = false;
    let literal = false;
    for (let pc = 0; pc < ops.length; pc++) {
      const op = ops[pc] as Op;
      if (op == Op.SAVE) continue;
      if (op != Op.RUNE) {
        anchored = n == 0 && op == Op.ASSERT && xs[pc] == Assert.TEXT_START;
        literal = op == Op.MATCH;
        break;
      }
      n += encodeRune(xs[pc], text + (n as usize));
    }
    this.anchored = anchored;
    this.literal = literal;
    this.prefix = Bytes.copy(text, n);
    heap.free(text);
  }

  get length(): i32 {
    return this.ops.length;
  }

  /** Whether the instruction at `pc` steps over the character `rune`. */
  accepts(pc: u32, rune: u32): bool {
    const op = unchecked(this.ops[pc]) as Op;
    if (op == Op.RUNE) return rune == unchecked(this.xs[pc]);
    if (op == Op.SET) return unchecked(this.sets[unchecked(this.xs[pc])]).has(rune);
    return op == Op.ANY || (op == Op.ANY_NOT_NEWLINE && rune != 0x0a);
  }

  /** The first offset from `at` on where a match may start; `NOWHERE`, or `UNKNOWN`: the budget is used up. */
  skip(ptr: usize, length: i32, at: i32): i32 {
    const prefix = this.prefix.ptr;
    const n = this.prefix.length;
    if (n == 0) return at;
    const first = load<u8>(prefix);
    for (; length - at >= n; at++) {
      const here = ptr + (at as usize);
      if (load<u8>(here) != first) continue;
      let same = 1;
      while (same < n && load<u8>(here + (same as usize)) == load<u8>(prefix + (same as usize))) same++;
      if (same == n) return at;
      if (!budget.spend(same)) return UNKNOWN;
    }
    return NOWHERE;
  }
}
