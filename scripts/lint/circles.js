// Which files of assembly/ import each other in a circle: two may, where each is half of one idea; more may not.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const IMPORT = /^(?:import|export)\b[^;"]*"(\.{1,2}\/[^"]+)"/gm;
/** Most files of a circle. */
const MOST = 2;

/** The relative imports of a file's text, as paths from the root; `file` is the file's own. */
function importsOf(file, text) {
  return [...text.matchAll(IMPORT)].map(([, to]) => join(dirname(file), to).split(sep).join("/") + ".ts");
}

/** All files of assembly/ and what they import, by their paths from the root. */
function readGraph() {
  const graph = new Map();
  for (const entry of readdirSync(join(root, "assembly"), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".ts") || entry.name.endsWith(".spec.ts")) continue;
    const path = join(entry.parentPath, entry.name);
    const file = relative(root, path).split(sep).join("/");
    graph.set(file, importsOf(file, readFileSync(path, "utf8")));
  }
  return graph;
}

/** Files that `from` leads to, over any number of imports. */
function reached(graph, from) {
  const found = new Set();
  const open = [from];
  while (open.length > 0) {
    for (const to of graph.get(open.pop()) ?? []) {
      if (found.has(to) || !graph.has(to)) continue;
      found.add(to);
      open.push(to);
    }
  }
  return found;
}

/** The files, in order, that a file imports and that import it, directly or not; the file is one of them, or there are none. */
export function circleOf(graph, file) {
  const forth = reached(graph, file);
  if (!forth.has(file)) return [];
  return [...forth].filter((other) => reached(graph, other).has(file)).sort();
}

let known;

/** No file is in an import circle of more than two. */
export const circles = {
  meta: { type: "problem", schema: [] },
  create(context) {
    const file = relative(root, context.filename).split(sep).join("/");
    return {
      Program(node) {
        known ??= readGraph();
        // The text at hand may be newer than the file.
        const graph = new Map(known).set(file, importsOf(file, context.sourceCode.text));
        const circle = circleOf(graph, file);
        if (circle.length <= MOST) return;
        context.report({ node, message: `${circle.length} files import each other in a circle: ${circle.join(", ")}` });
      },
    };
  },
};
