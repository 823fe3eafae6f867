// `npm pack` begins with this: the module, and the emulator and the commands as JavaScript, because Node takes no TypeScript
// below node_modules.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { build as esbuild } from "esbuild";
import { compileGuest } from "../tests/host/kit/guest.ts";
import { build } from "./build.ts";

const root = resolve(import.meta.dirname, "..");
const kit = join(root, "build/kit");
const cli = join(root, "build/cli");

/** What runs as a process of its own, or is imported by others. */
const ENTRIES = ["scripts/moe.ts", "scripts/testing.ts", "scripts/samples/services.ts"];
const BENCH_ENTRIES = ["echo", "http_echo", "load"].map((name) => `tests/bench/${name}.ts`);

/** Runs the compiler of TypeScript. */
function tsc(...args: string[]): void {
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [compiler, ...args], { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
}

/** Has types name each other by what runs: the compiler rewrites the imports of that, not those of types. */
function renameImports(folder: string): void {
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".d.ts")) continue;
    const path = join(folder, file);
    writeFileSync(path, readFileSync(path, "utf8").replace(/(["'])(\.{1,2}\/[^"']+)\.ts\1/g, "$1$2.js$1"));
  }
}

/** Compiles tests/host/kit to build/kit. */
export function buildKit(): void {
  rmSync(kit, { recursive: true, force: true });
  tsc("-p", "tests/host/kit");
  renameImports(kit);
}

/** Compiles the command `moe`, and what projects' tests import, to build/cli. */
export async function buildCommands(): Promise<void> {
  rmSync(cli, { recursive: true, force: true });
  const { errors, warnings } = await esbuild({
    absWorkingDir: root,
    entryPoints: [...ENTRIES, ...BENCH_ENTRIES].map((path) => ({ in: path, out: basename(path, ".ts") })),
    outdir: cli,
    bundle: true,
    splitting: true,
    packages: "external",
    platform: "node",
    target: "node20.12",
    format: "esm",
    logLevel: "warning",
  });
  if (errors.length + warnings.length > 0) throw new Error("build/cli is not as it should be");
  tsc(
    ..."scripts/testing.ts --declaration --emitDeclarationOnly --skipLibCheck --types node --rootDir .".split(" "),
    ..."--target es2022 --module nodenext --strict --allowImportingTsExtensions --outDir build/cli/types".split(" "),
  );
  renameImports(join(cli, "types"));
}

if (process.argv[1] === import.meta.filename) {
  console.error(build());
  buildKit();
  await Promise.all([buildCommands(), compileGuest("nothing")]);
}
