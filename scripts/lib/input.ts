// The configurations that commands take: Envoy's, or MOSN's, which is converted first.
import { existsSync, readFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { parse } from "yaml";
import { convert } from "../convert/convert.ts";
import type { Report } from "../convert/report.ts";
import { build, isDebugBuild, moduleFile } from "../build.ts";
import { type Bootstrap, type PluginConfig, readBootstrap } from "./bootstrap.ts";
import { MODULE, PACKAGE, shown } from "./package.ts";
import { projectFolder } from "./project.ts";

export interface Input {
  bootstrap: Bootstrap;
  /** What the conversion has to say; undefined: the file is Envoy's own. */
  report?: Report;
  /** The folder that the bootstrap's relative paths start from, where Envoy is started. */
  cwd: string;
}

/** Reads a bootstrap, or converts a file of MOSN. Throws with what is wrong with it. */
export function readInput(file: string): Input {
  const cwd = isShipped(file) ? PACKAGE : process.cwd();
  const text = readFileSync(file, "utf8");
  if (!isMosn(text)) return { bootstrap: readBootstrap(file), cwd };
  const { bootstrap, report } = convert(text, shown(file), { module: MODULE });
  return { bootstrap: bootstrap as unknown as Bootstrap, report, cwd };
}

/** Whether a file belongs to this package: then its paths start from the package's folder. */
export function isShipped(file: string): boolean {
  const path = relative(resolve(PACKAGE, "envoy"), file);
  return path !== "" && !path.startsWith("..");
}

/** Whether a text is a configuration of MOSN: what it names is MOSN's, not Envoy's. */
export function isMosn(text: string): boolean {
  let fields: unknown;
  try {
    fields = parse(text, { merge: true, logLevel: "silent" });
  } catch {
    return false;
  }
  return typeof fields === "object" && fields !== null && "servers" in fields;
}

/**
 * The file of a plugin's module, made anew where it is this package's or the project's and a source is newer; undefined: it
 * comes from elsewhere. Throws where it is missing.
 */
export function moduleOf(plugin: PluginConfig, cwd: string, say: (line: string) => void): string | undefined {
  const named = plugin.vm_config?.code?.local?.filename;
  if (named === undefined) return undefined;
  const file = resolve(cwd, named);
  const project = projectFolder();
  if (file === MODULE) return build("release", say);
  if (project !== undefined && file === moduleFile(project, "release")) return provideProject(project, file, say);
  if (existsSync(file)) return file;
  throw new Error(
    `The module ${named} is missing, seen from ${shown(cwd) || "."}. The package's own is ${shown(MODULE)}.`,
  );
}

/** A project's module: as it is where it is newer than its sources, or else made for debugging. */
function provideProject(project: string, file: string, say: (line: string) => void): string {
  const target = existsSync(file) && !isDebugBuild(file) ? "release" : "debug";
  return moduleFile(project, target) === file ? build(target, say, project) : build("release", say, project);
}
