// The files of a configuration: a bootstrap, and what it names with `path_config_source`, as far as that goes.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parse } from "yaml";
import { isObject } from "../lib/values.ts";

/** One file that was read: YAML or JSON. */
export interface ConfigFile {
  path: string;
  value: unknown;
}

/** Something to say of a file. */
export interface Finding {
  file: string;
  text: string;
}

export interface Files {
  /** The bootstrap first. */
  read: ConfigFile[];
  /** Files that are missing or cannot be read, in the words of whoever names them. */
  mistakes: Finding[];
  /** What is not looked at. */
  notes: Finding[];
}

type Fields = Record<string, unknown>;

/** Where listeners, filters and routes come from. */
const SOURCES = new Set(["lds_config", "config_source", "config_discovery", "rds", "cds_config"]);
const READABLE = /\.(ya?ml|json)$/;

/** Calls `visit` for every object in a document, the outer ones first, with its path. */
export function walk(value: unknown, visit: (object: Fields, path: string) => void, path = ""): void {
  if (Array.isArray(value)) {
    value.forEach((each, index) => walk(each, visit, `${path}[${index}]`));
  } else if (isObject(value)) {
    visit(value, path);
    for (const [key, each] of Object.entries(value)) {
      const name = /^\w+$/.test(key) ? key : JSON.stringify(key);
      walk(each, visit, path === "" ? name : `${path}.${name}`);
    }
  }
}

/** Reads YAML as Envoy does, or JSON. Throws where it is neither. */
function readYaml(path: string): unknown {
  return parse(readFileSync(path, "utf8"), { merge: true });
}

/**
 * The bootstrap `file` and all files that it names, and those that they name, each once. Relative paths start at `folder`,
 * where Envoy runs. Throws where the bootstrap itself is none.
 */
export function readFiles(file: string, folder: string): Files {
  const bootstrap = readYaml(file);
  if (!isObject(bootstrap) || !(isObject(bootstrap.static_resources) || isObject(bootstrap.dynamic_resources))) {
    throw new Error("it is no Envoy bootstrap: static_resources and dynamic_resources are missing");
  }
  const files: Files = { read: [{ path: file, value: bootstrap }], mistakes: [], notes: [] };
  // Grows while it is walked over.
  for (const each of files.read) addNamed(each, folder, files);
  return files;
}

/** Adds the files that one names. */
function addNamed({ path: file, value }: ConfigFile, folder: string, files: Files): void {
  walk(value, (object, path) => {
    const source = object.path_config_source;
    if (isObject(source) && typeof source.path === "string") addFile(file, `${path}.path_config_source`, source.path);
    const last = path.slice(path.lastIndexOf(".") + 1);
    const remote = ["api_config_source", "ads"].find((name) => object[name] !== undefined);
    if (remote && SOURCES.has(last)) {
      files.notes.push({ file, text: `${path}: what comes from a discovery service (${remote}) is not checked` });
    }
  });

  function addFile(from: string, path: string, name: string): void {
    const found = resolve(folder, name);
    if (files.read.some((each) => each.path === found)) return;
    if (!READABLE.test(found)) {
      files.notes.push({ file: from, text: `${path}: ${name} is not checked: it is neither .yaml nor .json` });
      return;
    }
    try {
      files.read.push({ path: found, value: readYaml(found) });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const missing = `${path}: the file ${name} is missing; relative paths start at ${folder}`;
      files.mistakes.push(code === "ENOENT" ? { file: from, text: missing } : { file: found, text: message });
    }
  }
}

/** The resources of a file that discovery reads; none where it is a bootstrap or something else. */
export function resourcesOf({ value }: ConfigFile): Fields[] {
  if (!isObject(value) || !Array.isArray(value.resources)) return [];
  // A resource may be wrapped in one with a name and a version.
  return value.resources.filter(isObject).map((each) => (isObject(each.resource) ? each.resource : each));
}
