// `npm run build` and `moe build`: compiles a module, this package's or that of a project (`moe new project`), as the asconfig.json of
// its folder says.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, watch } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { Command, Option } from "commander";
import { FAILURE, runScript } from "./lib/command.ts";
import { MODULE, PACKAGE, PUBLISHED, shown } from "./lib/package.ts";
import { needProject } from "./lib/project.ts";

/** The transform that every build of a module has. */
export const GROWTH = join(PACKAGE, "scripts/lib/memory_growth.js");
/** What names a debug build in its bytes: where its source map is. */
const DEBUG_MARK = "sourceMappingURL";
/** The folders that have sources, those that there are. */
const SOURCES = ["assembly", "filters", "codecs"];
/** An editor may write a file in several steps. */
const SETTLE_MS = 100;

export type Target = "release" | "debug";

/** The compiler said what is wrong already. */
export class BuildFailed extends Error {}

/** Newest modification time below the folder, milliseconds. */
function newest(folder: string): number {
  let time = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) time = Math.max(time, statSync(join(entry.parentPath, entry.name)).mtimeMs);
  }
  return time;
}

const sourceFolders = (folder: string) => SOURCES.map((name) => join(folder, name)).filter(existsSync);

/** Newest modification time of what a module of this folder is made of. */
function newestSource(folder: string): number {
  const folders = sourceFolders(folder);
  const files = [join(folder, "asconfig.json"), join(folder, "package.json"), GROWTH];
  if (folder === PACKAGE) files.splice(1, 1);
  return Math.max(...folders.map(newest), ...files.map((file) => statSync(file).mtimeMs));
}

/** The file that a folder's asconfig.json names for a target. Throws where it names none. */
export function moduleFile(folder: string, target: Target): string {
  const file = join(folder, "asconfig.json");
  const { targets } = JSON.parse(readFileSync(file, "utf8")) as { targets?: Record<string, { outFile?: string }> };
  const output = targets?.[target]?.outFile;
  if (typeof output !== "string") throw new Error(`${shown(file)}: targets.${target}.outFile is missing`);
  return resolve(folder, output);
}

/** The project's own compiler. Throws where it is not installed. */
function compiler(folder: string): string {
  try {
    return join(
      dirname(createRequire(join(folder, "package.json")).resolve("assemblyscript/package.json")),
      "bin/asc.js",
    );
  } catch {
    throw new Error(
      `The compiler assemblyscript is not installed in ${shown(folder) || "."}: \`npm install\` does it.`,
    );
  }
}

/** Whether a module was built for debugging. */
export function isDebugBuild(file: string): boolean {
  return readFileSync(file).includes(DEBUG_MARK);
}

/** Whether a file is there, of this target, and newer than its sources. */
function isCurrent(file: string, target: Target, folder: string): boolean {
  if (!existsSync(file) || statSync(file).mtimeMs <= newestSource(folder)) return false;
  return isDebugBuild(file) === (target === "debug");
}

/**
 * Compiles a folder's module when a source is newer than it, or when it is another target's; returns its path. `say` hears of
 * it, as it takes a while. Throws BuildFailed after the compiler's output. The published package's own module is never made
 * anew.
 */
export function build(target: Target = "release", say: (line: string) => void = () => {}, folder = PACKAGE): string {
  if (PUBLISHED && folder === PACKAGE) return MODULE;
  const output = moduleFile(folder, target);
  if (isCurrent(output, target, folder)) return output;
  say(`Compiling ${relative(folder, output)}; this takes a while.`);
  mkdirSync(dirname(output), { recursive: true });
  // Tests in other processes may be reading the module, or building it too.
  const part = join(dirname(output), `.part-${process.pid}`);
  const made = join(part, relative(dirname(output), output));
  const map = target === "debug" ? ["--sourceMap", `./${relative(dirname(output), output)}.map`] : [];
  const args = ["--target", target, "--outFile", made, "--transform", GROWTH, ...map];
  try {
    execFileSync(process.execPath, [compiler(folder), ...args], {
      cwd: folder,
      stdio: ["ignore", "inherit", "inherit"],
    });
    if (target === "debug") renameSync(`${made}.map`, `${output}.map`);
    renameSync(made, output);
  } catch (error) {
    throw (error as { status?: number }).status === undefined ? error : new BuildFailed("The module did not compile.");
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
  if (target === "release") rmSync(`${output}.map`, { force: true });
  return output;
}

/** Builds, and says what came of it; whether it compiled. */
function buildOnce(target: Target, folder: string): boolean {
  const begun = Date.now();
  try {
    const file = build(target, (line) => console.error(line), folder);
    const kib = Math.ceil(statSync(file).size / 1024);
    console.log(`${shown(file)}  ${kib} KiB, ${target}, ${((Date.now() - begun) / 1000).toFixed(1)} s`);
    return true;
  } catch (error) {
    if (!(error instanceof BuildFailed)) throw error;
    console.error(error.message);
    return false;
  }
}

/** Builds again when a source changes, until it is stopped. */
function buildAndWatch(target: Target, folder: string): void {
  let timer: NodeJS.Timeout | undefined;
  const again = () => {
    clearTimeout(timer);
    timer = setTimeout(() => buildOnce(target, folder), SETTLE_MS);
  };
  // Only these: a watch on node_modules would need more inotify watches than many machines allow.
  for (const sources of sourceFolders(folder)) {
    watch(sources, { recursive: true }, (_, name) => name?.endsWith(".ts") && again());
  }
  watch(folder, (_, name) => name === "asconfig.json" && again());
  // What changes while it builds is told by the watches after it.
  buildOnce(target, folder);
  console.log("Waiting for changes; Ctrl-C ends it.");
}

/** The command; without an option it builds for `byDefault`. */
export function buildCommand(name: string, byDefault: Target = "debug"): Command {
  return new Command(name)
    .description(
      "Compiles the module of this folder, as its asconfig.json says, if a source has changed. A debug build takes seconds, and its traps name " +
        "file and line; a release build is what Envoy gets in production.",
    )
    .option("--release", `optimised, without names${byDefault === "release" ? "; the default" : ""}`)
    .addOption(
      new Option("--debug", `with names and a source map${byDefault === "debug" ? "; the default" : ""}`).conflicts(
        "release",
      ),
    )
    .option("--watch", "build again whenever a source changes, until Ctrl-C")
    .addHelpText("after", `\nExamples:\n  ${name}\n  ${name} --watch\n  ${name} --release`)
    .action(({ release, debug, watch: watching }: { release?: boolean; debug?: boolean; watch?: boolean }) => {
      const target = release ? "release" : debug ? "debug" : byDefault;
      const folder = needProject();
      if (watching) buildAndWatch(target, folder);
      else if (!buildOnce(target, folder)) process.exitCode = FAILURE;
    });
}

await runScript(import.meta, (name) => buildCommand(name, "release"), "npm run build --");
