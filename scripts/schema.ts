// `npm run schema`: the JSON schemas of the configuration, in envoy/schema.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { format, resolveConfig } from "prettier";
import type { RootName } from "./schema/filters.ts";
import { schemaOfRoot } from "./schema/roots.ts";

const root = join(import.meta.dirname, "..");
const ROOTS: RootName[] = ["proxy", "http"];

/** The files that there have to be, by their path from the root, and what is in them. */
export async function generatedSchemas(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const options = await resolveConfig(join(root, "package.json"));
  for (const name of ROOTS) {
    const path = `envoy/schema/${name}.schema.json`;
    const text = JSON.stringify(schemaOfRoot(name));
    files.set(path, await format(text, { ...options, filepath: join(root, path) }));
  }
  return files;
}

if (process.argv[1] === import.meta.filename) {
  for (const [path, text] of await generatedSchemas()) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    console.log(path);
  }
}
