import { CharClass } from "./class";

/** What a part of a pattern is. */
export const enum NodeKind {
  EMPTY = 0,
  LITERAL = 1,
  CLASS = 2,
  ANY = 3,
  ANY_NOT_NEWLINE = 4,
  ASSERT = 5,
  CONCAT = 6,
  ALTERNATE = 7,
  CAPTURE = 8,
  REPEAT = 9,
}

/** Conditions on a place between two characters. */
export const enum Assert {
  TEXT_START = 0,
  TEXT_END = 1,
  LINE_START = 2,
  LINE_END = 3,
  WORD_BOUNDARY = 4,
  NOT_WORD_BOUNDARY = 5,
}

/** One part of a parsed pattern. */
export class Node {
  /** LITERAL: the code point. ASSERT: which. CAPTURE: the group's number, from 1. */
  value: u32 = 0;
  set: CharClass | null = null;
  children: Node[] = [];
  /** REPEAT: bounds; a `most` below 0 is none. */
  least: i32 = 0;
  most: i32 = 0;
  lazy: bool = false;

  constructor(readonly kind: NodeKind) {}

  static of(kind: NodeKind, value: u32): Node {
    const node = new Node(kind);
    node.value = value;
    return node;
  }

  /** Whether this part can match no character at all. */
  get nullable(): bool {
    const children = this.children;
    switch (this.kind) {
      case NodeKind.EMPTY:
      case NodeKind.ASSERT:
        return true;
      case NodeKind.CONCAT:
      case NodeKind.CAPTURE:
        for (let i = 0; i < children.length; i++) if (!children[i].nullable) return false;
        return true;
      case NodeKind.ALTERNATE:
        for (let i = 0; i < children.length; i++) if (children[i].nullable) return true;
        return false;
      case NodeKind.REPEAT:
        return this.least == 0 || children[0].nullable;
      default:
        return false;
    }
  }
}
