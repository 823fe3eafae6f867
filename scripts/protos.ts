// `npm run protos`: for each .proto file in a folder `protos` the message classes, in the folder `generated` beside it.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { format, resolveConfig } from "prettier";
import { messageClasses } from "./lib/protos.ts";

const root = join(import.meta.dirname, "..");
const FOLDERS = ["assembly", "filters", "tests/host/guests"];

/** The files that there have to be, by their path from the root, and what is in them. */
export async function generated(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const options = await resolveConfig(join(root, "package.json"));
  for (const folder of FOLDERS) {
    for (const name of readdirSync(join(root, folder), { recursive: true }).map(String).sort()) {
      const path = join(folder, name);
      if (!path.endsWith(".proto") || basename(dirname(path)) !== "protos") continue;
      const to = join(dirname(path), "../generated", `${basename(path, ".proto")}.ts`);
      const text = readFileSync(join(root, path), "utf8");
      const module = relative(dirname(to), "assembly");
      const source = relative(dirname(to), path);
      // Only what ships is linted as AssemblyScript.
      const unchecked = folder.startsWith("tests")
        ? "/* eslint-disable @typescript-eslint/ban-ts-comment */\n// @ts-nocheck AssemblyScript\n"
        : "";
      const made = unchecked + messageClasses(text, source, module);
      files.set(to, await format(made, { ...options, filepath: join(root, to) }));
    }
  }
  return files;
}

if (process.argv[1] === import.meta.filename) {
  for (const [path, text] of await generated()) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    console.log(path);
  }
}
