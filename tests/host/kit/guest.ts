import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { PACKAGE } from "../../../scripts/lib/package.ts";

/** What guests are made of: this tree, or MOE_TREE, such as a copy with instrumented sources. */
const root = process.env.MOE_TREE ?? PACKAGE;
const guests = join(root, "tests/host/guests");
const build = join(root, "build/guests");

/** Newest modification time of the files in a folder and those below it, milliseconds. */
function newest(folder: string): number {
  return Math.max(
    ...readdirSync(folder, { recursive: true }).map((file) => statSync(join(folder, String(file))).mtimeMs),
  );
}

/**
 * Compiles an AssemblyScript guest of tests/host/guests where its sources are newer, or those in `folders`, from the
 * root, of which it is made; throws with the compiler's messages. `abort` is the function that AssemblyScript calls where
 * it would throw, as a path from the guests' folder; without it there is only the trap.
 */
export async function compileGuest(name: string, folders: string[] = [], abort = ""): Promise<Uint8Array> {
  const output = join(build, `${name}.wasm`);
  const changed = Math.max(...[guests, ...folders.map((folder) => join(root, folder))].map(newest));
  if (!existsSync(output) || statSync(output).mtimeMs < changed) {
    const running = compiling.get(output) ?? compile(name, output, abort);
    compiling.set(output, running);
    await running;
    compiling.delete(output);
  }
  return readFileSync(output);
}

/** What this process compiles, by file: several parts of a test may ask for the same guest. */
const compiling = new Map<string, Promise<void>>();

async function compile(name: string, output: string, abort: string): Promise<void> {
  mkdirSync(build, { recursive: true });
  // Test files run in parallel: each writes a file of its own and moves it into place.
  const part = `${output}.${process.pid}`;
  // The base directory keeps the project's own asconfig.json out.
  const flags = ["--runtime", "minimal", "--exportStart", "_initialize", "--use", `abort=${abort}`, "-O1"];
  const { main } = await import("assemblyscript/asc");
  const { error, stderr } = await main([`${name}.ts`, "--baseDir", guests, "--outFile", part, ...flags]);
  if (error !== null) throw new Error(`${name}: ${error.message}\n${stderr.toString()}`);
  renameSync(part, output);
}
