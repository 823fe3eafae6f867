// The module's configurations in the files of an Envoy, and what the module says of each.
import { basename, resolve } from "node:path";
import { LoadError } from "../../tests/host/kit/errors.ts";
import { Host } from "../../tests/host/kit/host.ts";
import { isObject } from "../lib/values.ts";
import { type ConfigFile, type Finding, walk } from "./config_files.ts";

type Fields = Record<string, unknown>;

/** The ends of the types of Envoy's wasm filters, on connections and on HTTP. */
const WASM = ["envoy.extensions.filters.network.wasm.v3.Wasm", "envoy.extensions.filters.http.wasm.v3.Wasm"];
const ROOTS = ["proxy", "http"] as const;
type Root = (typeof ROOTS)[number];

/** One configuration of the module. */
export interface Plugin {
  file: string;
  path: string;
  config: Fields;
  root: string;
}

/** What a route gives a stream filter in place of its own configuration. */
interface RouteConfig {
  file: string;
  path: string;
  type: string;
  text: unknown;
}

/** Every wasm filter in a file, wherever it stands: chains, internal listeners, what discovery brings, wrapped or not. */
export function pluginsOf({ path: file, value }: ConfigFile): Plugin[] {
  const found: Plugin[] = [];
  walk(value, (object, path) => {
    const type = String(object["@type"] ?? "");
    // As a TypedStruct it has its type beside it.
    const typed = type.endsWith(".TypedStruct") && isObject(object.value);
    const fields = typed ? (object.value as Fields) : object;
    const name = typed ? String(object.type_url ?? "") : type;
    if (!WASM.some((each) => name.endsWith(each)) || !isObject(fields.config)) return;
    found.push({ file, path, config: fields.config, root: String(fields.config.root_id ?? "") });
  });
  return found;
}

/** What the metadata of routes in a file has for the module. */
function routeConfigsOf({ path: file, value }: ConfigFile): RouteConfig[] {
  const found: RouteConfig[] = [];
  walk(value, (object, path) => {
    const { filter_metadata: metadata } = object;
    if (!path.endsWith("metadata") || !isObject(metadata) || !isObject(metadata.moe)) return;
    for (const [type, text] of Object.entries(metadata.moe)) {
      found.push({ file, path: `${path}.filter_metadata.moe.${type}`, type, text });
    }
  });
  return found;
}

/** A plugin's configuration as text or object; undefined: there is none. */
function configurationOf({ config }: Plugin): object | string | undefined {
  const { "@type": type, value, ...fields } = (config.configuration ?? {}) as Fields;
  if (type === undefined && value === undefined) return undefined;
  if (String(type).endsWith(".BytesValue")) return Buffer.from(String(value), "base64").toString();
  return (value ?? fields) as object | string;
}

/** The file of the module that a plugin names; undefined: it is not in a file. */
export function moduleFile({ config }: Plugin, folder: string): string | undefined {
  const code = isObject(config.vm_config) && isObject(config.vm_config.code) ? config.vm_config.code : {};
  const name = isObject(code.local) ? code.local.filename : undefined;
  return typeof name === "string" ? resolve(folder, name) : undefined;
}

/** Whether a plugin runs our module: by the name of its file, or where it has none by the root that it asks for. */
export function isOurs(plugin: Plugin, folder: string): boolean {
  const file = moduleFile(plugin, folder);
  return file === undefined ? ROOTS.some((root) => root === plugin.root) : basename(file).includes("moe");
}

/** What the module says of a configuration, a line a mistake. */
export async function complaints(module: string, root: Root, config: object | string | undefined): Promise<string[]> {
  try {
    (await Host.start({ module, root: root as "proxy", config })).close();
    return [];
  } catch (error) {
    if (!(error instanceof LoadError)) throw error;
    const said = error.logs.flatMap((line) => /moe-wasm: configuration refused: (.*)$/.exec(line)?.[1] ?? []);
    return said.length > 0 ? said : [error.message];
  }
}

/** How a finding names its plugin: by root and name, and by its place where another one in the file has the same. */
function labelOf(plugin: Plugin, all: Plugin[]): string {
  const label = ({ root, config }: Plugin) => `${root} (${String(config.name ?? "no name")})`;
  const own = label(plugin);
  const alike = all.filter((each) => each.file === plugin.file && label(each) === own);
  return alike.length > 1 ? `${own} at ${plugin.path}` : own;
}

/** All mistakes of the plugins in these files; `modules` has those that are ours, with the module to ask for each. */
export async function pluginMistakes(files: ConfigFile[], modules: Map<Plugin, string>): Promise<Finding[]> {
  const plugins = [...modules.keys()];
  const found: Finding[] = [];
  for (const [plugin, module] of modules) {
    const where = labelOf(plugin, plugins);
    if (!ROOTS.some((root) => root === plugin.root)) {
      const said = plugin.root === "" ? "is missing" : `is ${JSON.stringify(plugin.root)}`;
      found.push({
        file: plugin.file,
        text: `${plugin.path}.config.root_id: it ${said}; allowed: ${ROOTS.join(", ")}`,
      });
      continue;
    }
    const lines = await complaints(module, plugin.root as Root, configurationOf(plugin));
    found.push(...lines.map((line) => ({ file: plugin.file, text: `${where}: ${line}` })));
  }
  return [...found, ...(await routeMistakes(files, modules))];
}

/** The same of what routes on HTTP have for the stream filters. */
async function routeMistakes(files: ConfigFile[], modules: Map<Plugin, string>): Promise<Finding[]> {
  const http = [...modules].filter(([{ root }]) => root === "http");
  const types = new Set(http.flatMap(([plugin]) => filterTypes(plugin)));
  const found: Finding[] = [];
  for (const { file, path, type, text } of files.flatMap(routeConfigsOf)) {
    const say = (what: string) => found.push({ file, text: `${path}: ${what}` });
    if (typeof text !== "string") say("expected a text of JSON: Envoy tells a module no types of an object");
    else if (!types.has(type)) say(`no plugin of root http in these files has the stream filter "${type}"`);
    else {
      try {
        const config = { stream_filters: [{ type, config: JSON.parse(text) as unknown }] };
        const lines = await complaints(http[0][1], "http", config);
        for (const line of lines) say(line.replace(/^stream_filters\[0\]\.config[.:]?\s*/, ""));
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        say(`it is no JSON: ${error.message}`);
      }
    }
  }
  return found;
}

/** The types in a plugin's list of stream filters. */
function filterTypes(plugin: Plugin): string[] {
  let config = configurationOf(plugin);
  try {
    if (typeof config === "string") config = JSON.parse(config) as object;
  } catch {
    return [];
  }
  const filters = isObject(config) ? config.stream_filters : undefined;
  return Array.isArray(filters) ? filters.flatMap((each) => (isObject(each) ? String(each.type) : [])) : [];
}
