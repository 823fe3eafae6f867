// Sources with a call before each statement that notes that it ran: a copy, so that the release build knows nothing of it.
import ts from "typescript";

const CALL = "__hit__";

/** What is called, for so many statements from the first on: the import `coverage.hit` (see hits.js) hears of each once. */
const declaration = (first: number, count: number): string => `
// @ts-ignore: decorator
@lazy
const __seen__ = memory.data(${count});
// @ts-ignore: decorator
@external("coverage", "hit")
declare function __first__(statement: i32): void;
function __note__(statement: i32): void {
  store<u8>(__seen__ + statement - ${first}, 1);
  __first__(statement);
}
// @ts-ignore: decorator
@inline
function ${CALL}(statement: i32): void {
  if (load<u8>(__seen__ + statement - ${first}) == 0) __note__(statement);
}
`;

export interface Instrumented {
  text: string;
  /** Lines of the statements, in the order of their numbers. */
  lines: number[];
}

/**
 * Statements of function bodies are counted, and `declare`d or top-level ones are not.
 * @param first number of the first statement
 */
export function instrument(text: string, first: number): Instrumented {
  const source = ts.createSourceFile("source.ts", text, ts.ScriptTarget.Latest, true);
  const inserts: { at: number; text: string }[] = [];
  const lines: number[] = [];
  const call = (statement: ts.Statement): string => {
    lines.push(source.getLineAndCharacterOfPosition(statement.getStart()).line + 1);
    return `${CALL}(${first + lines.length - 1});`;
  };
  const list = (statements: readonly ts.Statement[]): void => {
    for (const statement of statements) {
      if (ts.isEmptyStatement(statement) || ts.isFunctionDeclaration(statement)) continue;
      // Nothing may come before super().
      const at = isSuper(statement) ? statement.getEnd() : statement.getStart();
      inserts.push({ at, text: call(statement) });
    }
  };
  const body = (statement: ts.Statement | undefined): void => {
    if (statement === undefined || ts.isBlock(statement)) return;
    inserts.push({ at: statement.getStart(), text: `{${call(statement)}` }, { at: statement.getEnd(), text: "}" });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isBlock(node) || ts.isCaseOrDefaultClause(node)) list(node.statements);
    if (ts.isIfStatement(node)) [node.thenStatement, node.elseStatement].forEach(body);
    if (ts.isIterationStatement(node, false)) body(node.statement);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return { text: lines.length === 0 ? text : applied(text, inserts) + declaration(first, lines.length), lines };
}

function isSuper(statement: ts.Statement): boolean {
  if (!ts.isExpressionStatement(statement) || !ts.isCallExpression(statement.expression)) return false;
  return statement.expression.expression.kind === ts.SyntaxKind.SuperKeyword;
}

/** Inserts at the same place stay in the order in which they were noted, closing braces first. */
function applied(text: string, inserts: { at: number; text: string }[]): string {
  const parts: string[] = [];
  let from = 0;
  const order = (insert: string) => (insert === "}" ? 0 : 1);
  for (const { at, text: insert } of inserts.sort((a, b) => a.at - b.at || order(a.text) - order(b.text))) {
    parts.push(text.slice(from, at), insert);
    from = at;
  }
  return [...parts, text.slice(from)].join("");
}
