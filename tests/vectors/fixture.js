// Gives specs of as-pect the rows of tests/vectors, and counts what they ran.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = new URL(".", import.meta.url).pathname;

/** Names of the filters that have rows, sorted. */
export function filterNames() {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .map((file) => file.slice(0, -".json".length))
    .sort();
}

/** A filter's file: a list of rows, or {"roots", "rows"} where the filter is not for all roots of the module. */
export function vectorFile(filter) {
  const file = JSON.parse(readFileSync(join(folder, `${filter}.json`), "utf8"));
  return Array.isArray(file) ? { roots: ["proxy", "http"], rows: file } : file;
}

/**
 * The line that every host prints at the end, for scripts/test.ts to compare.
 * @param {string} host
 * @param {Map<string, number>} counts rows that were run, by filter
 */
export function report(host, counts) {
  const parts = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([filter, count]) => `${filter} ${count}`);
  console.log(`vectors ${host}: ${parts.join(", ")}`);
}

/**
 * Imports for a spec: one JSON text {"FILTER": [rows]}, and `ran` for each row that has been checked.
 * @param {() => ArrayBuffer} memory the spec's
 */
export function vectorImports(memory) {
  const names = filterNames();
  const text = Buffer.from(JSON.stringify(Object.fromEntries(names.map((name) => [name, vectorFile(name).rows]))));
  const counts = new Map();
  return {
    size: () => text.length,
    read: (at) => text.copy(Buffer.from(memory()), at),
    ran(filter) {
      if (counts.size === 0) process.once("exit", () => report("unit", counts));
      counts.set(names[filter], (counts.get(names[filter]) ?? 0) + 1);
    },
  };
}
