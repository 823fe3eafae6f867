import { arena } from "./arena";
import { AttributeSource } from "./attributes";
import { Compiler } from "./compiler";
import { Kind } from "./kind";
import { Node } from "./node";
import { Parser } from "./parser";
import { beginSteps } from "./steps";
import { Value } from "./value";

/** Outcome of `Expression.compile`. */
export class CompiledExpression {
  expression: Expression | null = null;
  /** Why there is none, with line and column in the expression. */
  error: string = "";
}

/**
 * An expression of MOSN's, compiled: bounded in length and depth, and its evaluation in steps, whatever the request's
 * texts. It never traps.
 */
export class Expression {
  private constructor(private readonly node: Node) {}

  /** Compiles an expression; its types are checked. */
  static compile(text: string): CompiledExpression {
    const out = new CompiledExpression();
    const parser = new Parser(text);
    const syntax = parser.parse();
    if (!parser.error.failed) {
      const node = new Compiler(parser.error).compile(syntax);
      if (!parser.error.failed) out.expression = new Expression(node);
    }
    out.error = parser.error.message;
    return out;
  }

  /** The type of its value. */
  get kind(): Kind {
    return this.node.kind;
  }

  /**
   * Its value for a request; null: there is none, and `lastFault` says why. Valid until any expression is evaluated.
   */
  evaluate(source: AttributeSource): Value | null {
    arena.reset();
    beginSteps();
    return this.node.evaluate(source);
  }
}
