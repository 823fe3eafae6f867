// What Envoy's own validation says of a bootstrap, and of the files that it names.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { type Bootstrap, writeBootstrap } from "../lib/bootstrap.ts";
import { findEnvoy } from "../lib/envoy.ts";
import { isObject } from "../lib/values.ts";
import { type ConfigFile, type Files, type Finding, resourcesOf } from "./config_files.ts";

const run = promisify(execFile);

/** What a resource of discovery is, by the end of its type's name. */
const LISTENER = ".Listener";
const CLUSTER = ".Cluster";
const EXTENSION = ".TypedExtensionConfig";

type Fields = Record<string, unknown>;

/** Runs Envoy's validate mode on one file. */
async function complaints(binary: string, file: string, cwd: string): Promise<string[]> {
  try {
    await run(binary, ["--mode", "validate", "-c", file, "-l", "error"], { cwd });
    return [];
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    const lines = `${stdout ?? ""}\n${stderr ?? ""}`.split("\n").filter((line) => line.trim() !== "");
    const severe = lines.filter((line) => /\]\[(critical|error)\]/.test(line) && !line.includes("wasm log"));
    return (severe.length > 0 ? severe : lines.slice(-3)).map((line) =>
      line.replace(/^(\[[^\]]*\])+ (\[[^\]]*\] )?/, ""),
    );
  }
}

function without(object: Fields, field: string): Fields {
  return Object.fromEntries(Object.entries(object).filter(([key]) => key !== field));
}

/** The resources of one kind in a file, without their type. */
function resources(file: ConfigFile, kind: string): Fields[] {
  return resourcesOf(file)
    .filter((each) => String(each["@type"]).endsWith(kind))
    .map((each) => without(each, "@type"));
}

/** A copy in which filters that come from these files stand where they are used. */
function inlined(value: unknown, extensions: Map<string, unknown>): unknown {
  if (Array.isArray(value)) return value.map((each) => inlined(each, extensions));
  if (!isObject(value)) return value;
  const { config_discovery: discovery, ...rest } = value;
  const found = discovery === undefined ? undefined : extensions.get(String(value.name));
  const fields = found === undefined ? value : { ...rest, typed_config: found };
  return Object.fromEntries(Object.entries(fields).map(([key, each]) => [key, inlined(each, extensions)]));
}

/**
 * Checks the bootstrap as it is, then each file of listeners or clusters in the place of the static ones, then all with
 * the filters that files bring. Paths start at `folder`. One that has been `converted` is in no file.
 */
export async function envoyMistakes(
  files: Files,
  folder: string,
  converted: boolean,
  say: (line: string) => void,
): Promise<Finding[]> {
  const binary = await findEnvoy(say);
  const [main, ...others] = files.read;
  const found: Finding[] = [];
  const check = async (file: string, path: string) => {
    const lines = await complaints(binary, path, folder);
    found.push(...lines.map((text) => ({ file, text })));
    return lines.length === 0;
  };
  const scratch = mkdtempSync(join(tmpdir(), "moe-validate-"));
  try {
    const bootstrap = main.value as Bootstrap;
    const own = converted ? resolve(scratch, "converted.yaml") : main.path;
    if (converted) writeFileSync(own, writeBootstrap(bootstrap));
    if (!(await check(main.path, own))) return found;
    const clusters = others.flatMap((each) => resources(each, CLUSTER));
    const statics = bootstrap.static_resources as Partial<Bootstrap["static_resources"]> | undefined;
    const stage = (listeners: unknown[], own: Fields[] = clusters) => {
      const all = [...(statics?.clusters ?? []), ...own];
      const path = resolve(scratch, "envoy.yaml");
      const written = {
        ...without(bootstrap, "dynamic_resources"),
        static_resources: { ...statics, listeners, clusters: all },
      };
      writeFileSync(path, writeBootstrap(written as unknown as Bootstrap));
      return path;
    };
    const extensions = new Map<string, unknown>();
    for (const file of others) {
      const own = resources(file, CLUSTER);
      if (own.length > 0) await check(file.path, stage([], own));
      for (const { name, typed_config } of resources(file, EXTENSION)) extensions.set(String(name), typed_config);
    }
    if (found.length > 0) return found;
    for (const file of others) {
      const listeners = resources(file, LISTENER);
      if (listeners.length > 0) await check(file.path, stage(listeners));
    }
    if (found.length > 0 || extensions.size === 0) return found;
    const all = [...(statics?.listeners ?? []), ...others.flatMap((each) => resources(each, LISTENER))];
    const where = others.filter((each) => resources(each, EXTENSION).length > 0).map(({ path }) => path);
    const path = stage(inlined(all, extensions) as unknown[]);
    for (const text of await complaints(binary, path, folder)) found.push({ file: where.join(", "), text });
    return found;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}
