// Writes vectors.ts: random patterns of the syntax that JavaScript and RE2 share, and what Node's RegExp makes of
// them. Run again after a change: `node tests/unit/regex/vectors.mjs`.
import { writeFileSync } from "node:fs";

const COUNT = 800;
let state = 20240607;

/** A number below `n`; the same sequence on every machine. */
function random(n) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * n);
}

const pick = (items) => items[random(items.length)];

// A part is its text and whether it can match nothing. Repetitions of what can match nothing are left out: there the
// two languages differ by design.
function atom(depth) {
  const kind = random(depth > 0 ? 12 : 9);
  if (kind < 5)
    return { text: pick(["a", "b", "c", "A", "B", "1", "-", "_", "é", "日", "\\.", "\\x61"]), nullable: false };
  if (kind < 6) return { text: pick([".", "\\d", "\\w", "\\D", "\\W", "\\n"]), nullable: false };
  if (kind < 8) return { text: charClass(), nullable: false };
  if (kind < 9) return { text: pick(["^", "$", "\\b", "\\B", ""]), nullable: true };
  const inner = alternation(depth - 1);
  return { text: pick(["(", "(?:"]) + inner.text + ")", nullable: inner.nullable };
}

function charClass() {
  let text = random(3) === 0 ? "[^" : "[";
  for (let i = random(3); i >= 0; i--)
    text += pick(["a", "b-d", "A-C", "0-9", "\\d", "\\w", "\\W", "é", "à-ü", "_", "\\n", "日"]);
  return text + "]";
}

function repeated(depth) {
  const part = atom(depth);
  if (part.nullable || random(5) < 3) return part;
  const [text, nullable] = pick([
    ["*", true],
    ["+", false],
    ["?", true],
    ["{2}", false],
    ["{0,2}", true],
    ["{1,}", false],
    ["{1,3}", false],
  ]);
  return { text: part.text + text + pick(["", "", "?"]), nullable };
}

function concatenation(depth) {
  let text = "";
  let nullable = true;
  for (let i = random(4); i >= 0; i--) {
    const part = repeated(depth);
    text += part.text;
    nullable = nullable && part.nullable;
  }
  return { text, nullable };
}

function alternation(depth) {
  let { text, nullable } = concatenation(depth);
  while (random(3) === 0) {
    const more = concatenation(depth);
    text += "|" + more.text;
    nullable = nullable || more.nullable;
  }
  return { text, nullable };
}

function sample() {
  let text = "";
  for (let i = random(9); i > 0; i--)
    text += pick(["a", "a", "b", "b", "c", "d", "A", "B", "C", "1", "9", "-", "_", "é", "日", "\n", ".", " "]);
  return text;
}

/** Every match in "<>", chosen as Go does: one after the other, an empty one not right after another. */
function marked(pattern, text) {
  const regex = new RegExp(pattern, "gu");
  let out = "";
  let copied = 0;
  for (let from = 0; from <= text.length;) {
    regex.lastIndex = from;
    const found = regex.exec(text);
    if (found === null) break;
    const end = found.index + found[0].length;
    out += text.slice(copied, found.index);
    if (end > copied || found.index === 0) out += `<${found[0]}>`;
    copied = end;
    from = Math.max(end, from + 1);
  }
  return out + text.slice(copied);
}

const rows = [];
while (rows.length < COUNT) {
  const pattern = alternation(2).text;
  const text = sample();
  rows.push([pattern, text, new RegExp(pattern, "u").test(text) ? "1" : "0", marked(pattern, text)]);
}
const lines = rows.map((row) => "  " + JSON.stringify(JSON.stringify(row)) + ",");
writeFileSync(
  new URL("vectors.ts", import.meta.url),
  `// Written by vectors.mjs: do not edit. Each row, as JSON: pattern, text, whether it matches, the text with its matches in "<>".
// prettier-ignore
export const REGEX_VECTORS: string[] = [
${lines.join("\n")}
];
`,
);
