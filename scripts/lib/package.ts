// Where the files of this package are: below the same folder for the sources and, in the published package, for what is
// compiled from them (build/cli).
import { basename, relative, resolve } from "node:path";

/** The package's folder: two above scripts/lib, and two above build/cli. */
export const PACKAGE = resolve(import.meta.dirname, "../..");

/** Whether this is the published package, where scripts are JavaScript. */
export const PUBLISHED = !import.meta.filename.endsWith(".ts");

/** The module that the package ships. */
export const MODULE = resolve(PACKAGE, "build/moe.wasm");

/** A path from where the user is: where npm was started, or else the working directory. */
export const here = (path: string): string => resolve(process.env.INIT_CWD ?? ".", path);

/** A path as a user reads it: from the working directory where it lies below, or else whole. */
export function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith("..") ? path : short;
}

/** A script that runs in a process of its own, by its path below the package's folder: its file, and Node's options. */
export function ownProcess(script: string): { file: string; execArgv: string[] } {
  if (!PUBLISHED) return { file: resolve(PACKAGE, script), execArgv: ["--import", "tsx"] };
  return { file: resolve(PACKAGE, "build/cli", basename(script, ".ts") + ".js"), execArgv: [] };
}
