import { Lexer, SyntaxError, Token } from "./lexer";
import { Form, Syntax } from "./syntax";

/** Longest expression, characters; its most parts, and levels of parts in parts. */
export const MAX_LENGTH: i32 = 8192;
const MAX_PARTS: i32 = 1024;
const MAX_DEPTH: i32 = 100;

const NO_PARTS: Syntax[] = [];

/** Go's precedence of an operator of two parts; 0: it is none. */
function precedence(lexer: Lexer): i32 {
  if (lexer.token != Token.MARK) return 0;
  const mark = lexer.text;
  if (mark == "||") return 1;
  if (mark == "&&") return 2;
  if (mark == "==" || mark == "!=" || mark == "<" || mark == "<=" || mark == ">" || mark == ">=") return 3;
  if (mark == "+" || mark == "-" || mark == "|") return 4;
  return mark == "*" || mark == "/" || mark == "%" ? 5 : 0;
}

/**
 * Reads expressions in the syntax of Go's that MOSN takes (pkg/cel/cexl/translate.go): names, numbers, texts, `a.b`,
 * `a[b]`, `f(a)`, `a.f(b)`, parentheses, `!` and `-`, and the operators above.
 */
export class Parser {
  readonly error: SyntaxError;
  private readonly lexer: Lexer;
  private parts: i32 = 0;
  private level: i32 = 0;

  constructor(private readonly source: string) {
    const error = new SyntaxError(source);
    this.error = error;
    this.lexer = new Lexer(source, error);
  }

  /** Reads all of the expression; `error` says what is wrong with it, and then the result means nothing. */
  parse(): Syntax {
    if (this.source.length > MAX_LENGTH) this.error.add(0, `longer than ${MAX_LENGTH} characters`);
    this.lexer.read();
    const all = this.binary(1);
    if (!this.error.failed && this.lexer.token != Token.END) this.unexpected("an operator");
    return all;
  }

  private unexpected(wanted: string): void {
    const lexer = this.lexer;
    const found = lexer.token == Token.END ? "the end" : `"${this.source.substring(lexer.at, lexer.at + 16)}"`;
    this.error.add(lexer.at, `expected ${wanted}, got ${found}`);
  }

  private make(form: Form, at: i32, text: string, parts: Syntax[]): Syntax {
    const made = new Syntax(form, at, text, parts);
    if (++this.parts > MAX_PARTS) this.error.add(at, `more than ${MAX_PARTS} parts`);
    if (made.depth > MAX_DEPTH) this.error.add(at, `more than ${MAX_DEPTH} levels`);
    return made;
  }

  private nothing(): Syntax {
    return new Syntax(Form.IDENTIFIER, this.lexer.at, "", NO_PARTS);
  }

  /** Operators of at least this precedence, the left ones first. */
  private binary(least: i32): Syntax {
    let left = this.unary();
    while (!this.error.failed) {
      const strength = precedence(this.lexer);
      if (strength < least || strength == 0) break;
      const at = this.lexer.at;
      const operator = this.lexer.text;
      this.lexer.read();
      left = this.make(Form.BINARY, at, operator, [left, this.binary(strength + 1)]);
    }
    return left;
  }

  private unary(): Syntax {
    if (this.error.failed) return this.nothing();
    if (++this.level > MAX_DEPTH) this.error.add(this.lexer.at, `more than ${MAX_DEPTH} levels`);
    let out: Syntax;
    if (this.lexer.is("!") || this.lexer.is("-")) {
      const at = this.lexer.at;
      const operator = this.lexer.text;
      this.lexer.read();
      out = this.make(Form.UNARY, at, operator, [this.unary()]);
    } else {
      out = this.postfix(this.operand());
    }
    this.level--;
    return out;
  }

  private operand(): Syntax {
    const lexer = this.lexer;
    const at = lexer.at;
    const text = lexer.text;
    switch (lexer.token) {
      case Token.IDENTIFIER:
        lexer.read();
        if (lexer.is("(")) return this.make(Form.CALL, at, text, this.operands([]));
        return this.make(Form.IDENTIFIER, at, text, NO_PARTS);
      case Token.INT:
      case Token.DOUBLE: {
        const form = lexer.token == Token.INT ? Form.INT : Form.DOUBLE;
        lexer.read();
        return this.make(form, at, text, NO_PARTS);
      }
      case Token.STRING: {
        const form = lexer.isDuration ? Form.DURATION : Form.STRING;
        lexer.read();
        return this.make(form, at, text, NO_PARTS);
      }
      default:
        break;
    }
    if (!lexer.is("(")) {
      this.unexpected("a name, a number, a text or a parenthesis");
      return this.nothing();
    }
    lexer.read();
    const inner = this.binary(1);
    this.take(")");
    return inner;
  }

  private take(mark: string): void {
    if (this.error.failed) return;
    if (this.lexer.is(mark)) this.lexer.read();
    else this.unexpected(`"${mark}"`);
  }

  /** What follows an operand: fields, indexes and methods. */
  private postfix(operand: Syntax): Syntax {
    let out = operand;
    const lexer = this.lexer;
    while (!this.error.failed) {
      if (lexer.is(".")) {
        lexer.read();
        const at = lexer.at;
        const name = lexer.text;
        if (lexer.token != Token.IDENTIFIER) {
          this.unexpected("a name");
          return out;
        }
        lexer.read();
        if (lexer.is("(")) out = this.make(Form.METHOD, at, name, this.operands([out]));
        else out = this.make(Form.SELECT, at, name, [out]);
      } else if (lexer.is("[")) {
        const at = lexer.at;
        lexer.read();
        out = this.make(Form.INDEX, at, "", [out, this.binary(1)]);
        this.take("]");
      } else return out;
    }
    return out;
  }

  /** The arguments of a call, after those there are; Go allows a comma behind the last one. */
  private operands(parts: Syntax[]): Syntax[] {
    this.lexer.read();
    while (!this.error.failed && !this.lexer.is(")")) {
      parts.push(this.binary(1));
      if (!this.lexer.is(",")) break;
      this.lexer.read();
    }
    this.take(")");
    return parts;
  }
}
