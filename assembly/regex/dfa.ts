import { noteGarbage } from "../abi/dispatch";
import { decodeRune } from "../bytes/utf8";
import { budget, Found } from "./budget";
import { Assert } from "./node";
import { NOWHERE, Op, Program } from "./program";
import { Threads } from "./threads";

/** Most states that are kept; when there are more, all are dropped. */
const MAX_STATES: i32 = 128;
/** States that a new automaton has room for; the room doubles. */
const FIRST_STATES: i32 = 8;
/**
 * Drops after which the machine alone is used: this pattern and these texts make too many states. One is forgotten with
 * so many searches, so that odd texts have their effect no longer than they come.
 */
const MAX_DROPS: i32 = 16;
const FORGET: i32 = 64;
/** Objects of a state that is dropped. */
const OBJECTS: i32 = 2;
/** Longest program, instructions. */
const MAX_PROGRAM: i32 = 1024;

/** What a state and a character lead to; larger numbers are states. */
const enum Next {
  /** Not known yet. */
  UNKNOWN = 0,
  /** No match is possible any more. */
  DEAD = 1,
  MATCHED = 2,
  /** There are too many states, or no steps left. */
  FULL = 3,
  STATES = 4,
}

/** A set of instructions that wait for a character, or for the end of the text. */
class State {
  constructor(
    readonly threads: StaticArray<u32>,
    /** Whether the text may end here. */
    readonly matchesAtEnd: bool,
  ) {}
}

const scratch = new Threads();
const ending = new Threads();
const stack: u32[] = [];
/** The instructions that wait, in order, and how many they are. */
let waiting = new StaticArray<u32>(0);
let waits: i32 = 0;

/**
 * Tells whether a pattern matches by a deterministic automaton that is built as texts need it: a table look-up for each
 * ASCII character, once it is warm. For patterns without word and line boundaries.
 */
export class Dfa {
  /** One of `Next` for each state and ASCII character. */
  private table: StaticArray<u8> = new StaticArray<u8>(FIRST_STATES * 128);
  private readonly states: State[] = [];
  private readonly starts: StaticArray<u8> = new StaticArray<u8>(2);
  private drops: i32 = 0;
  /** Searches since a drop was forgotten. */
  private searches: i32 = 0;
  /** Whether the last closure came to the end of the pattern. */
  private matched: bool = false;

  private constructor(private readonly program: Program) {
    scratch.grow(program.length, 0);
    ending.grow(program.length, 0);
    if (waiting.length < program.length) waiting = new StaticArray<u32>(program.length);
  }

  /** The automaton of a program; null where it cannot have one. */
  static of(program: Program): Dfa | null {
    if (program.length > MAX_PROGRAM) return null;
    for (let pc = 0; pc < program.length; pc++) {
      const condition = program.xs[pc];
      const isAssert = program.ops[pc] == Op.ASSERT;
      if (isAssert && condition != Assert.TEXT_START && condition != Assert.TEXT_END) return null;
    }
    return new Dfa(program);
  }

  /** Whether the automaton is worth asking for one more search. */
  worthwhile(): bool {
    if (this.drops == 0) return true;
    if (++this.searches >= FORGET) {
      this.searches = 0;
      this.drops--;
    }
    return this.drops < MAX_DROPS;
  }

  /** Whether the pattern matches in the bytes (`Found`), or -1: ask the machine. Takes its steps from the budget. */
  search(ptr: usize, length: i32): i32 {
    let at = this.program.skip(ptr, length, 0);
    if (at < 0) return at == NOWHERE ? Found.NO : Found.FAILED;
    let next = this.start(at == 0);
    while (at < length && next >= Next.STATES) {
      const rune = decodeRune(ptr + (at as usize), length - at);
      at += rune & 7;
      const state = next - Next.STATES;
      next = rune < 0x400 ? (unchecked(this.table[(state << 7) | (rune >> 3)]) as i32) : Next.UNKNOWN;
      if (next == Next.UNKNOWN) next = this.step(state, rune >> 3);
    }
    if (next >= Next.STATES) return unchecked(this.states[next - Next.STATES]).matchesAtEnd ? Found.YES : Found.NO;
    if (next == Next.MATCHED) return Found.YES;
    if (next == Next.DEAD) return Found.NO;
    if (budget.left < 0) return Found.FAILED;
    this.drop();
    return -1;
  }

  private start(first: bool): i32 {
    const index = first ? 1 : 0;
    let next = unchecked(this.starts[index]) as i32;
    if (next != Next.UNKNOWN) return next;
    this.matched = false;
    scratch.size = 0;
    this.close(scratch, 0, first, false);
    next = this.outcome(first);
    unchecked((this.starts[index] = next as u8));
    return next;
  }

  /** Finds out, and remembers, what a character leads to. */
  private step(state: i32, rune: u32): i32 {
    if (!budget.spend(this.program.length + this.states.length)) return Next.FULL;
    const threads = unchecked(this.states[state]).threads;
    this.matched = false;
    scratch.size = 0;
    for (let i = 0; i < threads.length; i++) {
      const pc = unchecked(threads[i]);
      if (this.program.accepts(pc, rune)) this.close(scratch, pc + 1, false, false);
    }
    if (!this.program.anchored) this.close(scratch, 0, false, false);
    const next = this.outcome(false);
    if (rune < 128 && next != Next.FULL) unchecked((this.table[(state << 7) | (rune as i32)] = next as u8));
    return next;
  }

  /**
   * Adds what is reached from `pc` without a character.
   * @param first whether the text starts here
   * @param last whether it ends here
   */
  private close(threads: Threads, pc: u32, first: bool, last: bool): void {
    const program = this.program;
    stack.push(pc);
    while (stack.length > 0) {
      const at = stack.pop();
      if (threads.has(at)) continue;
      threads.add(at);
      const op = unchecked(program.ops[at]) as Op;
      const x = unchecked(program.xs[at]);
      if (op == Op.MATCH) this.matched = true;
      else if (op == Op.JUMP) stack.push(x);
      else if (op == Op.SAVE) stack.push(at + 1);
      else if (op == Op.SPLIT) {
        stack.push(unchecked(program.ys[at]));
        stack.push(x);
      } else if (op == Op.ASSERT && (x == Assert.TEXT_START ? first : last)) stack.push(at + 1);
    }
  }

  /** The state of the threads in `scratch`. */
  private outcome(first: bool): i32 {
    if (this.matched) return Next.MATCHED;
    const program = this.program;
    waits = 0;
    for (let pc = 0; pc < program.length; pc++) {
      if (!scratch.has(pc)) continue;
      const op = unchecked(program.ops[pc]) as Op;
      const isWaiting = op == Op.ASSERT ? program.xs[pc] == Assert.TEXT_END : op <= Op.ANY_NOT_NEWLINE;
      if (isWaiting) unchecked((waiting[waits++] = pc));
    }
    if (waits == 0) return program.anchored ? Next.DEAD : this.stateOf(false);
    return this.stateOf(this.endsAt(first));
  }

  /** Whether the text may end where those that wait are. */
  private endsAt(first: bool): bool {
    ending.size = 0;
    this.matched = false;
    for (let i = 0; i < waits; i++) {
      const pc = unchecked(waiting[i]);
      if (unchecked(this.program.ops[pc]) == Op.ASSERT) this.close(ending, pc, first, true);
    }
    return this.matched;
  }

  /** The number of the state of those that wait, a new one if there is none yet. */
  private stateOf(matchesAtEnd: bool): i32 {
    for (let i = 0; i < this.states.length; i++) {
      const state = unchecked(this.states[i]);
      if (state.matchesAtEnd == matchesAtEnd && isWaiting(state.threads)) return Next.STATES + i;
    }
    if (this.states.length >= MAX_STATES) return Next.FULL;
    const threads = new StaticArray<u32>(waits);
    memory.copy(changetype<usize>(threads), changetype<usize>(waiting), (waits as usize) << 2);
    this.states.push(new State(threads, matchesAtEnd));
    if (this.states.length * 128 > this.table.length) this.grow();
    return Next.STATES + this.states.length - 1;
  }

  private grow(): void {
    const table = new StaticArray<u8>(this.table.length * 2);
    memory.copy(changetype<usize>(table), changetype<usize>(this.table), this.table.length);
    this.table = table;
  }

  private drop(): void {
    this.drops++;
    this.searches = 0;
    noteGarbage(OBJECTS * this.states.length);
    this.states.length = 0;
    memory.fill(changetype<usize>(this.table), 0, this.table.length);
    memory.fill(changetype<usize>(this.starts), 0, this.starts.length);
  }
}

/** Whether these are those that wait. */
function isWaiting(threads: StaticArray<u32>): bool {
  if (threads.length != waits) return false;
  for (let i = 0; i < waits; i++) if (unchecked(threads[i]) != unchecked(waiting[i])) return false;
  return true;
}
