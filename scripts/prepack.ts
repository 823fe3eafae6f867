// `npm pack` begins with this: the module, and the emulator as JavaScript with its types, because Node takes no TypeScript
// below node_modules.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "./build.ts";

const root = resolve(import.meta.dirname, "..");
const kit = join(root, "build/kit");

/** Compiles tests/host/kit to build/kit. */
export function buildKit(): void {
  rmSync(kit, { recursive: true, force: true });
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", "tests/host/kit"], { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  // The compiler rewrites the imports of what runs, not those of types.
  for (const file of readdirSync(kit, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".d.ts")) continue;
    const path = join(kit, file);
    writeFileSync(path, readFileSync(path, "utf8").replace(/(["'])(\.{1,2}\/[^"']+)\.ts\1/g, "$1$2.js$1"));
  }
}

if (process.argv[1] === import.meta.filename) {
  console.error(build());
  buildKit();
}
