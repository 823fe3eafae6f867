// Which folder may import from which: the order of the table "Layers" in docs/architecture.md.
import { readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const ROW = /^\| ((?:assembly|filters)\/[\w/]+) +\|/gm;
const LAYERS = [...readFileSync(join(root, "docs/architecture.md"), "utf8").matchAll(ROW)].map(([, folder]) => folder);

/** Folders of filters that build on another one: from, to. */
const ALLOWED = new Map([["filters/codec/boltv2", "filters/codec/bolt"]]);

/** The layer that a file of the module (path from the root) belongs to; null: none. */
function layerOf(path) {
  const parts = path.split("/");
  if (parts[0] === "assembly" && parts.length > 2) return known(`assembly/${parts[1]}`, `assembly/${parts[1]}`);
  if (parts[0] !== "filters" || parts.length < 3) return null;
  if (parts[1] === "network") return known("filters/network", "filters/network");
  return known(`filters/${parts[1]}/NAME`, parts.slice(0, 3).join("/"));
}

function known(row, folder) {
  const rank = LAYERS.indexOf(row);
  return rank < 0 ? null : { rank, folder };
}

/** What is wrong with an import of `to` by `from` (paths from the root); "" if nothing. */
export function importFault(from, to) {
  const own = layerOf(from);
  const other = layerOf(to);
  if (own === null) return `${dirname(from)} is no layer: add it to the table in docs/architecture.md`;
  if (other === null) return `${to} is no layer of the module (docs/architecture.md)`;
  if (own.folder === other.folder || own.rank > other.rank || ALLOWED.get(own.folder) === other.folder) return "";
  if (own.rank === other.rank) return `${own.folder} and ${other.folder} must not know each other`;
  return `${own.folder} is below ${other.folder} (docs/architecture.md)`;
}

/** A relative import must lead to the same layer or one before it. */
export const layers = {
  meta: { type: "problem", schema: [] },
  create(context) {
    const file = relative(root, context.filename).split(sep).join("/");
    const check = (node) => {
      const name = node.source?.value;
      if (typeof name !== "string" || !name.startsWith(".")) return;
      const message = importFault(file, join(dirname(file), name).split(sep).join("/"));
      if (message !== "") context.report({ node, message });
    };
    return { ImportDeclaration: check, ExportNamedDeclaration: check, ExportAllDeclaration: check };
  },
};
