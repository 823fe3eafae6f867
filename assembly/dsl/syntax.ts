/** What a part of an expression is, by its spelling alone. */
export const enum Form {
  /** `text` is its name. */
  IDENTIFIER = 0,
  INT = 1,
  DOUBLE = 2,
  STRING = 3,
  /** A text in double quotes that is a Go duration. */
  DURATION = 4,
  /** `parts[0].text` */
  SELECT = 5,
  /** `parts[0][parts[1]]` */
  INDEX = 6,
  /** `text(parts…)` */
  CALL = 7,
  /** `parts[0].text(parts[1]…)` */
  METHOD = 8,
  /** The operator `text` with one part or two. */
  UNARY = 9,
  BINARY = 10,
}

/** A part of an expression, with the parts it is made of. */
export class Syntax {
  /** Levels of parts in it, itself among them. */
  readonly depth: i32;

  /** @param at where it starts, or its operator: a character of the expression */
  constructor(
    readonly form: Form,
    readonly at: i32,
    readonly text: string,
    readonly parts: Syntax[],
  ) {
    let depth = 0;
    for (let i = 0; i < parts.length; i++) depth = max(depth, parts[i].depth);
    this.depth = depth + 1;
  }
}
