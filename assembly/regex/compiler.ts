import { CharSet } from "./class";
import { Node, NodeKind } from "./node";
import { Op, Program } from "./program";

/** Most instructions of a program: repetitions in braces are written out. */
const MAX_PROGRAM: i32 = 8192;
/** Most parts compiled, also of those that need no instruction. */
const MAX_STEPS: i32 = 65536;

/** Compiles a pattern into a program for `Machine`. */
export class Compiler {
  private ops: u8[] = [];
  private xs: u32[] = [];
  private ys: u32[] = [];
  private sets: CharSet[] = [];
  private overflow: bool = false;
  private steps: i32 = 0;

  /** The whole pattern, with slots 0 and 1 around it; null when it is too large. */
  program(pattern: Node): Program | null {
    this.emit(Op.SAVE, 0);
    this.part(pattern);
    this.emit(Op.SAVE, 1);
    this.emit(Op.MATCH, 0);
    if (this.overflow) return null;
    return new Program(
      StaticArray.fromArray<u8>(this.ops),
      StaticArray.fromArray<u32>(this.xs),
      StaticArray.fromArray<u32>(this.ys),
      StaticArray.fromArray<CharSet>(this.sets),
    );
  }

  private emit(op: Op, x: u32): i32 {
    if (this.ops.length >= MAX_PROGRAM) this.overflow = true;
    else {
      this.ops.push(op as u8);
      this.xs.push(x);
      this.ys.push(0);
    }
    return this.ops.length - 1;
  }

  /** The address of the next instruction. */
  private get next(): u32 {
    return this.ops.length as u32;
  }

  private part(node: Node): void {
    if (this.overflow || ++this.steps > MAX_STEPS) {
      this.overflow = true;
      return;
    }
    const set = node.set;
    switch (node.kind) {
      case NodeKind.EMPTY:
        return;
      case NodeKind.LITERAL:
        this.emit(Op.RUNE, node.value);
        return;
      case NodeKind.CLASS:
        this.emit(Op.SET, this.sets.length);
        if (set !== null) this.sets.push(set.compile());
        return;
      case NodeKind.ANY:
        this.emit(Op.ANY, 0);
        return;
      case NodeKind.ANY_NOT_NEWLINE:
        this.emit(Op.ANY_NOT_NEWLINE, 0);
        return;
      case NodeKind.ASSERT:
        this.emit(Op.ASSERT, node.value);
        return;
      case NodeKind.CAPTURE:
        this.emit(Op.SAVE, node.value * 2);
        this.all(node.children);
        this.emit(Op.SAVE, node.value * 2 + 1);
        return;
      case NodeKind.ALTERNATE:
        return this.alternate(node.children);
      case NodeKind.REPEAT:
        return this.repeat(node);
      default:
        this.all(node.children);
    }
  }

  private all(nodes: Node[]): void {
    for (let i = 0; i < nodes.length; i++) this.part(nodes[i]);
  }

  private alternate(nodes: Node[]): void {
    const ends: i32[] = [];
    for (let i = 0; i < nodes.length; i++) {
      const last = i == nodes.length - 1;
      const split = last ? -1 : this.emit(Op.SPLIT, this.next + 1);
      this.part(nodes[i]);
      if (last || this.overflow) break;
      ends.push(this.emit(Op.JUMP, 0));
      this.ys[split] = this.next;
    }
    for (let i = 0; i < ends.length; i++) this.xs[ends[i]] = this.next;
  }

  private repeat(node: Node): void {
    const body = node.children[0];
    if (node.most < 0) {
      for (let i = 1; i < node.least && !this.overflow; i++) this.part(body);
      if (node.least > 0) this.oneOrMore(body, node.lazy);
      else this.anyNumber(body, node.lazy);
      return;
    }
    for (let i = 0; i < node.least && !this.overflow; i++) this.part(body);
    // Optional ones nest: x{0,2} is (x(x)?)?
    const splits: i32[] = [];
    for (let i = node.least; i < node.most && !this.overflow; i++) {
      splits.push(this.emit(Op.SPLIT, 0));
      this.part(body);
    }
    if (this.overflow) return;
    for (let i = 0; i < splits.length; i++) this.aim(splits[i], splits[i] + 1, this.next, node.lazy);
  }

  /** Sets the targets of a SPLIT: into the repetition, and past it. */
  private aim(split: i32, into: u32, past: u32, lazy: bool): void {
    this.xs[split] = lazy ? past : into;
    this.ys[split] = lazy ? into : past;
  }

  private oneOrMore(body: Node, lazy: bool): void {
    const start = this.next;
    this.part(body);
    const split = this.emit(Op.SPLIT, 0);
    if (!this.overflow) this.aim(split, start, this.next, lazy);
  }

  private anyNumber(body: Node, lazy: bool): void {
    const split = this.emit(Op.SPLIT, 0);
    if (body.nullable) {
      // x* as (x+)? prefers what RE2 prefers when x matches nothing.
      this.oneOrMore(body, lazy);
    } else {
      this.part(body);
      this.emit(Op.JUMP, split);
    }
    if (!this.overflow) this.aim(split, split + 1, this.next, lazy);
  }
}
