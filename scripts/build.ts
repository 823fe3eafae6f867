// `npm run build`: compiles filters/network/moe.ts to build/moe.wasm (`--debug`: build/moe.debug.wasm, with names).
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from "node:fs";
import { join, relative } from "node:path";

const root = new URL("..", import.meta.url).pathname;
/** The transform that every build of the module has. */
export const GROWTH = join(root, "scripts/lib/memory_growth.js");

/** Newest modification time below the folder, milliseconds. */
function newest(folder: string): number {
  let time = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) time = Math.max(time, statSync(join(entry.parentPath, entry.name)).mtimeMs);
  }
  return time;
}

/**
 * Compiles the module when a source is newer than it; returns its path. `say` hears of it, as it takes a while. Throws with
 * the compiler's output.
 */
export function build(target: "release" | "debug" = "release", say: (line: string) => void = () => {}): string {
  const output = join(root, "build", target === "release" ? "moe.wasm" : "moe.debug.wasm");
  const sources = Math.max(
    ...["assembly", "filters"].map((folder) => newest(join(root, folder))),
    ...[join(root, "asconfig.json"), GROWTH].map((file) => statSync(file).mtimeMs),
  );
  if (existsSync(output) && statSync(output).mtimeMs > sources) return output;
  say(`Compiling ${relative(root, output)}; this takes a while.`);
  mkdirSync(join(root, "build"), { recursive: true });
  // Tests in other processes may be reading the module, or building it too.
  const made = `${output}.${process.pid}`;
  const asc = join(root, "node_modules/assemblyscript/bin/asc.js");
  execFileSync(process.execPath, [asc, "--target", target, "--outFile", made, "--transform", GROWTH], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  });
  renameSync(made, output);
  return output;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  console.log(build(process.argv.includes("--debug") ? "debug" : "release"));
}
