// Text that is built at run time costs garbage: on the hot path only behind a question whether it will be used.

const FUNCTIONS = /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/;
const GUARDS = new Set(["logs", "allows"]);

/** Whether an expression asks `logs(LEVEL)`, or `allows(…)` of a LimitedLog. */
function asks(node) {
  switch (node.type) {
    case "CallExpression":
      return GUARDS.has(node.callee.name ?? node.callee.property?.name);
    case "UnaryExpression":
      return asks(node.argument);
    case "LogicalExpression":
      return asks(node.left) || asks(node.right);
    default:
      return false;
  }
}

const leaves = (node) =>
  node.type === "ReturnStatement" || (node.type === "BlockStatement" && leaves(node.body.at(-1)));
const denies = (test) =>
  test.type === "UnaryExpression" || (test.type === "LogicalExpression" && test.operator === "||");

/** Whether a node only runs when such a question was answered with yes: inside `if (asks)`, or after `if (!asks) return`. */
export function guarded(node) {
  for (let inner = node; inner.parent && !FUNCTIONS.test(inner.type); inner = inner.parent) {
    const { parent } = inner;
    if (parent.type === "IfStatement" && parent.consequent === inner && asks(parent.test) && !denies(parent.test))
      return true;
    if (parent.type !== "BlockStatement") continue;
    const before = parent.body.slice(0, parent.body.indexOf(inner));
    const guard = (one) => one.type === "IfStatement" && asks(one.test) && denies(one.test) && leaves(one.consequent);
    if (before.some(guard)) return true;
  }
  return false;
}

/** Whether a text is built when the line runs. */
function built(node) {
  if (node.type === "TemplateLiteral") return node.expressions.length > 0;
  if (node.type === "BinaryExpression") return built(node.left) || built(node.right);
  return node.type !== "Literal";
}

/** `log(LEVEL, TEXT)` with a text that is built, and any line of a LimitedLog, need a guard. */
export const guardedLog = {
  meta: { type: "problem", schema: [] },
  create: (context) => ({
    CallExpression(node) {
      const { callee, arguments: given } = node;
      const line = callee.type === "Identifier" && callee.name === "log" && given.length === 2 && built(given[1]);
      const limited = callee.type === "MemberExpression" && callee.property.name === "warn";
      if (!line && !limited) return;
      if (guarded(node)) return;
      const how = limited ? "`if (!lines.allows(now)) return`" : "`if (logs(LEVEL))`";
      context.report({ node, message: `A log line is built without ${how} before it.` });
    },
  }),
};

/** No template with expressions, unless it is guarded. */
export const noBuiltText = {
  meta: { type: "problem", schema: [] },
  create: (context) => ({
    TemplateLiteral(node) {
      if (node.expressions.length === 0 || guarded(node)) return;
      context.report({ node, message: "A text is built on the hot path: write bytes, or ask `logs(LEVEL)` before." });
    },
  }),
};
