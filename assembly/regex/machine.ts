import { isAlphanumeric } from "../bytes/ascii";
import { decodeRune } from "../bytes/utf8";
import { budget, Found } from "./budget";
import { Assert } from "./node";
import { NOWHERE, Op, Program } from "./program";
import { Threads } from "./threads";

/** What a step came to. */
const enum Step {
  GOES_ON = 0,
  /** A match; threads preferred to it go on. */
  MATCHED = 1,
  /** A match, and nobody asked which. */
  FOUND = 2,
}

/** Entries of the stack from here on restore a place. */
const RESTORE: u32 = 0x80000000;
/** Stands for the byte beyond an end. */
const NOTHING: u32 = 0x100;

/**
 * Runs programs over bytes in time linear in both (Pike's simulation): one for the whole VM, with memory for the
 * largest program prepared; a run allocates nothing.
 */
class Machine {
  /** Places of the last match found by a run with slots; -1: the group took no part. */
  found: StaticArray<i32> = new StaticArray<i32>(0);
  private now: Threads = new Threads();
  private soon: Threads = new Threads();
  private stack: StaticArray<u32> = new StaticArray<u32>(0);
  /** Saved places to restore, parallel to `stack`. */
  private restored: StaticArray<i32> = new StaticArray<i32>(0);
  private current: StaticArray<i32> = new StaticArray<i32>(0);
  private ptr: usize = 0;
  private length: i32 = 0;
  private slots: i32 = 0;

  /** Makes room for runs of `program`; with `slots` also for its groups. */
  prepare(program: Program, slots: i32): void {
    const n = program.length;
    this.now.grow(n, n * slots);
    this.soon.grow(n, n * slots);
    if (this.stack.length < n + 1) {
      this.stack = new StaticArray<u32>(n + 1);
      this.restored = new StaticArray<i32>(n + 1);
    }
    if (this.current.length < slots) {
      this.current = new StaticArray<i32>(slots);
      this.found = new StaticArray<i32>(slots);
    }
  }

  /**
   * Searches the `length` bytes at `ptr` from offset `from` on. With `slots` (prepared for) it finds the leftmost match
   * that the pattern prefers and puts its places into `found`; with 0 it only tells whether there is one. Takes its steps
   * from the budget.
   */
  run(program: Program, ptr: usize, length: i32, from: i32, slots: i32): Found {
    this.ptr = ptr;
    this.length = length;
    this.slots = slots;
    this.now.size = 0;
    let matched = false;
    let at = from;
    while (at <= length) {
      if (!matched && (at == 0 || !program.anchored)) {
        if (this.now.size == 0) {
          at = program.skip(ptr, length, at);
          if (at < 0) return at == NOWHERE ? Found.NO : Found.FAILED;
        }
        for (let i = 0; i < slots; i++) unchecked((this.current[i] = -1));
        if (this.follow(program, this.now, 0, at)) return Found.YES;
      }
      if (this.now.size == 0) break;
      if (!budget.spend(this.now.size * (1 + slots))) return Found.FAILED;
      this.soon.size = 0;
      const rune = at < length ? decodeRune(ptr + (at as usize), length - at) : 0;
      const step = this.step(program, rune, at);
      if (step == Step.FOUND) return Found.YES;
      if (step == Step.MATCHED) matched = true;
      // At the end no thread is left and nothing moves on.
      at += max(rune & 7, 1);
      const other = this.now;
      this.now = this.soon;
      this.soon = other;
    }
    return matched ? Found.YES : Found.NO;
  }

  /** Moves every thread over one character (`decodeRune`'s; 0 at the end). */
  private step(program: Program, rune: u32, at: i32): Step {
    const slots = this.slots;
    const next = at + ((rune & 7) as i32);
    for (let i = 0; i < this.now.size; i++) {
      const pc = unchecked(this.now.dense[i]);
      const op = unchecked(program.ops[pc]) as Op;
      if (op == Op.MATCH) {
        this.copyPlaces(this.found, 0, this.now.places, pc * slots);
        return Step.MATCHED;
      }
      if (rune == 0 || !program.accepts(pc, rune >> 3)) continue;
      if (slots > 0) this.copyPlaces(this.current, 0, this.now.places, pc * slots);
      if (this.follow(program, this.soon, pc + 1, next)) return Step.FOUND;
    }
    return Step.GOES_ON;
  }

  private copyPlaces(to: StaticArray<i32>, toAt: u32, from: StaticArray<i32>, fromAt: u32): void {
    for (let i: u32 = 0; i < (this.slots as u32); i++) unchecked((to[toAt + i] = from[fromAt + i]));
  }

  /**
   * Adds to `threads` what is reached from `start` without a character. True when that is a match and nobody asked
   * for the places. Each instruction is visited once, so the stack never outgrows the program.
   */
  private follow(program: Program, threads: Threads, start: u32, at: i32): bool {
    let depth = 1;
    unchecked((this.stack[0] = start));
    while (depth > 0) {
      depth--;
      let pc = unchecked(this.stack[depth]);
      if (pc >= RESTORE) {
        unchecked((this.current[pc - RESTORE] = this.restored[depth]));
        continue;
      }
      while (!threads.has(pc)) {
        threads.add(pc);
        const op = unchecked(program.ops[pc]) as Op;
        const x = unchecked(program.xs[pc]);
        if (op == Op.JUMP) pc = x;
        else if (op == Op.SPLIT) {
          unchecked((this.stack[depth++] = program.ys[pc]));
          pc = x;
        } else if (op == Op.SAVE) {
          if (x < (this.slots as u32)) {
            unchecked((this.stack[depth] = RESTORE + x));
            unchecked((this.restored[depth++] = this.current[x]));
            unchecked((this.current[x] = at));
          }
          pc++;
        } else if (op == Op.ASSERT) {
          if (!this.holds(x, at)) break;
          pc++;
        } else {
          if (op == Op.MATCH && this.slots == 0) return true;
          this.copyPlaces(threads.places, pc * this.slots, this.current, 0);
          break;
        }
      }
    }
    return false;
  }

  private holds(condition: u32, at: i32): bool {
    if (condition == Assert.TEXT_START) return at == 0;
    if (condition == Assert.TEXT_END) return at == this.length;
    const before: u32 = at > 0 ? load<u8>(this.ptr + ((at - 1) as usize)) : NOTHING;
    const after: u32 = at < this.length ? load<u8>(this.ptr + (at as usize)) : NOTHING;
    if (condition == Assert.LINE_START) return before == NOTHING || before == 0x0a;
    if (condition == Assert.LINE_END) return after == NOTHING || after == 0x0a;
    return (isWord(before) != isWord(after)) == (condition == Assert.WORD_BOUNDARY);
  }
}

function isWord(c: u32): bool {
  return isAlphanumeric(c) || c == 0x5f;
}

/** The machine of this VM. */
export const machine: Machine = new Machine();
