// A transform of the AssemblyScript compiler. The runtime's allocator doubles a module's memory whenever it is used up,
// and WebAssembly never gives memory back: here it grows by an eighth, or a MiB, or what is asked for.
import { Parser } from "assemblyscript";
import { Transform } from "assemblyscript/transform";

const ALLOCATOR = "~lib/rt/tlsf";
/** In place of the first operand of `max(pagesBefore, pagesNeeded)`. */
const STEP = "max(pagesBefore >> 3, 16);";

/** Has an expression and its parts stand in the place of another one. */
function place(expression, range) {
  expression.range = range;
  const { left, right, expression: callee, args = [] } = expression;
  for (const part of [left, right, callee, ...args]) if (part) place(part, range);
  return expression;
}

/** The one expression of a text. */
function expressionOf(text) {
  const parser = new Parser();
  parser.parseFile(text, "memory_growth.ts", false);
  return parser.sources[0].statements[0].expression;
}

export default class MemoryGrowth extends Transform {
  /** Changes the allocator. Throws when it is not as it was: then this has to be looked at again. */
  afterParse(parser) {
    const source = parser.sources.find(({ internalPath }) => internalPath === ALLOCATOR);
    const grow = source?.statements.find(({ name }) => name?.text === "growMemory");
    const variables = grow?.body.statements.flatMap(({ declarations }) => declarations ?? []);
    const wanted = variables?.find(({ name }) => name.text === "pagesWanted")?.initializer;
    const [first, second] = wanted?.args ?? [];
    if (wanted?.expression?.text !== "max" || first?.text !== "pagesBefore" || second?.text !== "pagesNeeded")
      throw new Error(`${ALLOCATOR}: growMemory is not what scripts/lib/memory_growth.js knows`);
    wanted.args[0] = place(expressionOf(STEP), first.range);
  }
}
