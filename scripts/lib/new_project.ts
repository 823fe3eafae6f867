// What `moe new project` writes beside a filter and a codec: files of templates, and a bootstrap made of the shipped one.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { Document, isScalar, parseDocument, YAMLMap, type YAMLSeq } from "yaml";
import { here, PACKAGE, PUBLISHED } from "./package.ts";
import { type CodecNames, type Names, render } from "./scaffold.ts";

const TEMPLATES = join(PACKAGE, "scripts/templates/project");
const SUFFIX = ".template";
/** npm leaves files of this name out of packages. */
const DOT_FILES = ["gitignore"];

export interface NewProject {
  /** Its folder. */
  base: string;
  /** Its files, by path. */
  files: Map<string, string>;
  /** What its user does now. */
  next: string;
}

interface Manifest {
  version: string;
  devDependencies: Record<string, string>;
}

const manifest = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8")) as Manifest;

/** A project that has this codec and this filter. Throws where the folder has something in it, or a name that cannot be. */
export function newProject(folder: string, codec: CodecNames, filter: Names): NewProject {
  const base = here(folder);
  const name = basename(base);
  if (!/^[a-z0-9][a-z0-9._-]{0,60}$/.test(name)) {
    throw new Error(
      `${name}: the folder's name becomes the package's: up to 61 lower-case letters, digits, and . _ - after the first.`,
    );
  }
  if (existsSync(base) && (!statSync(base).isDirectory() || readdirSync(base).length > 0)) {
    throw new Error(`${folder} is there already, and not an empty folder.`);
  }
  const values = {
    project: name,
    version: manifest.version,
    dependency: dependencyOf(base),
    assemblyscript: manifest.devDependencies.assemblyscript,
    aspect: manifest.devDependencies["@as-pect/cli"],
    codec: codec.name,
    codecFile: codec.file,
    codecInstance: codec.instance,
    magic: codec.magic,
    filter: filter.name,
    filterFile: filter.file,
    filterInstance: filter.instance,
  };
  const files = new Map<string, string>();
  for (const path of readdirSync(TEMPLATES, { recursive: true, encoding: "utf8" }).sort()) {
    if (!path.endsWith(SUFFIX)) continue;
    const target = path.slice(0, -SUFFIX.length);
    const dotted = DOT_FILES.includes(target) ? `.${target}` : target;
    files.set(join(base, dotted), render(readFileSync(join(TEMPLATES, path), "utf8"), values));
  }
  files.set(join(base, "envoy.yaml"), bootstrapOf(codec.name, filter.name));
  const enter = relative(process.cwd(), base) || ".";
  return {
    base,
    files,
    next: `\n  cd ${enter} && npm install\n  npx moe build && npx moe test\n  npx moe run\n      README.md says what is what`,
  };
}

/**
 * What the project's package.json asks for: this version, or the very file that this package was installed from, which npm notes
 * beside the packages.
 */
function dependencyOf(base: string): string {
  const from = (path: string) => `file:${relative(base, path)}`;
  if (!PUBLISHED) return from(PACKAGE);
  const home = dirname(dirname(PACKAGE));
  const noted = join(home, "node_modules/.package-lock.json");
  if (!existsSync(noted)) return `^${manifest.version}`;
  const { packages } = JSON.parse(readFileSync(noted, "utf8")) as { packages?: Record<string, { resolved?: string }> };
  const resolved = packages?.["node_modules/moe-wasm"]?.resolved ?? "";
  return resolved.startsWith("file:") ? from(resolve(home, resolved.slice("file:".length))) : `^${manifest.version}`;
}

const HEAD = ` This project's module in Envoy, on RPC and HTTP, on one port. Made of envoy/envoy.yaml and envoy/http.yaml of moe-wasm.

   npx moe run               builds what has changed, starts the sample servers, and Envoy with this file
   npx moe validate envoy.yaml
   envoy -c envoy.yaml       from this folder, after npx moe build`;

const configuration = (codec: string, filter: string) => `
"@type": type.googleapis.com/google.protobuf.Struct
value:
  # Protocols to recognise, in this order.
  protocols: [${codec}, bolt, dubbo]
  router:
    virtual_hosts:
      - name: all
        domains: ["*"]
        routers:
          # Every call goes to one cluster; docs/configuration.md of moe-wasm has all that routes can do.
          - route: { cluster_name: services, timeout: 3s, retry_policy: { num_retries: 3 } }
${streamFilters(filter, "  ")}`;

const streamFilters = (filter: string, indent: string) =>
  `
stream_filters:
  - type: ${filter}
    config: { header: user, value: eve }`.replaceAll("\n", `\n${indent}`);

const CLUSTERS = `
# The servers of samples/servers.js.
- name: services
  type: STATIC
  connect_timeout: 2s
  load_assignment:
    cluster_name: services
    endpoints:
      - lb_endpoints:
          - endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: 12201 } } }
- name: web
  type: STATIC
  connect_timeout: 2s
  load_assignment:
    cluster_name: web
    endpoints:
      - lb_endpoints:
          - endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: 12211 } } }
`;

/** A text as a node of a document. */
const node = (text: string) => parseDocument(text).contents;

/** The shipped bootstrap with the project's module, its codec and its filter, on RPC and on HTTP. */
function bootstrapOf(codec: string, filter: string): string {
  const shipped = parseDocument(readFileSync(join(PACKAGE, "envoy/envoy.yaml"), "utf8"));
  const http = parseDocument(readFileSync(join(PACKAGE, "envoy/http.yaml"), "utf8"));
  shipped.commentBefore = HEAD;
  const chain = (document: Document, at: number) => {
    const listener = ["static_resources", "listeners", 0, "filter_chains", at, "filters"];
    return document.getIn(listener) as YAMLSeq<YAMLMap>;
  };
  const plugin = chain(shipped, 0).items[0];
  const module = node("local: { filename: build/module.wasm }");
  plugin.setIn(["typed_config", "config", "vm_config", "code"], module);
  plugin.setIn(["typed_config", "config", "configuration"], node(configuration(codec, filter)));

  const web = chain(shipped, 1).items[0];
  web.setIn(
    ["typed_config", "route_config", "virtual_hosts", 0, "routes"],
    node('- { match: { prefix: "/" }, route: { cluster: web } }'),
  );
  const wasm = (chain(http, 0).items[0].getIn(["typed_config", "http_filters"]) as YAMLSeq<YAMLMap>).items[0];
  wasm.setIn(["typed_config", "config", "vm_config", "code"], module);
  wasm.setIn(["typed_config", "config", "configuration", "value"], node(streamFilters(filter, "")));
  (web.getIn(["typed_config", "http_filters"]) as YAMLSeq<YAMLMap>).items.unshift(wasm);
  shipped.setIn(["static_resources", "clusters"], node(CLUSTERS));
  for (const pair of (shipped.contents as YAMLMap).items) {
    if (isScalar(pair.key) && pair.key.value === "admin")
      pair.key.commentBefore = " Envoy's admin page; whoever reaches this port controls Envoy.";
  }
  return shipped.toString({ lineWidth: 0 });
}
