// `moe new codec NAME`, `moe new filter NAME`, `npm run new`: one that works, with its tests and README, registered, in this repository or in
// a project of one's own; and `moe new project NAME`: such a project.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { Command } from "commander";
import { runScript } from "./lib/command.ts";
import { PACKAGE, PUBLISHED } from "./lib/package.ts";
import { needProject } from "./lib/project.ts";
import { codecNames, filterNames, type Names, register, type Registration, render } from "./lib/scaffold.ts";
import { newProject } from "./lib/new_project.ts";

const SUFFIX = ".template";
const TEMPLATES = join(PACKAGE, "scripts/templates");

/** What can be begun with a template. */
interface Kind {
  /** Its templates, below scripts/templates; files are named after it where the new ones have the new name. */
  template: string;
  /** Where its folder goes. */
  folder: string;
  /** Templates that go elsewhere; null: that are left out. */
  elsewhere?: Record<string, ((file: string) => string) | null>;
  registration: Registration;
  /** What its sources import the module from. */
  module: string;
  /** What the first line of its spec says. */
  spec: string;
  /** What its user does now. */
  next: (names: Names) => string;
}

const IN_REPOSITORY: Record<"codec" | "filter", Kind> = {
  codec: {
    template: "codec",
    folder: "filters/codec",
    elsewhere: { "emulator.test.js": null },
    registration: { registry: "codecs", folder: "../codec", path: "filters/network/moe.ts" },
    module: "../../../",
    spec: "",
    next: ({ name, file }) => `
  npx asp filters/codec/${file}/${file}.spec.ts
      its tests, the conformance suite among them
  npm run build
      the module with it in; "protocols": ["${name}", …] chooses it
  docs/write-a-codec.md
      what to change, and in which order`,
  },
  filter: {
    template: "filter",
    folder: "filters/stream",
    elsewhere: { "vectors.json": (file) => `tests/vectors/${file}.json`, "emulator.test.js": null },
    registration: { registry: "filters", folder: "../stream", path: "filters/network/filters.ts" },
    module: "../../../",
    spec: "What tests/vectors/{{name}}.json cannot say: answers' texts, and counts.",
    next: ({ name, file }) => `
  npx asp filters/stream/${file}/${file}.spec.ts
      its tests, alone
  npm start -- --config envoy/http.yaml --filter '${name}: {header: user, value: eve}'
      Envoy with it; then: curl -i -H 'user: eve' localhost:12080
  docs/write-a-filter.md
      what to change, and in which order`,
  },
};

const EMULATOR_TEST = { "emulator.test.js": (file: string) => `tests/emulator/${file}.test.js` };

const IN_PROJECT: Record<"codec" | "filter", Kind> = {
  codec: {
    template: "codec",
    folder: "codecs",
    elsewhere: EMULATOR_TEST,
    registration: { registry: "codecs", folder: "../codecs", path: "assembly/index.ts" },
    module: "moe-wasm/",
    spec: "",
    next: ({ name }) => `
  npx moe build && npx moe test
      the module with it in, its tests, the conformance suite among them
  envoy.yaml
      "protocols": ["${name}", …] chooses it
  node_modules/moe-wasm/docs/write-a-codec.md
      what to change, and in which order`,
  },
  filter: {
    template: "filter",
    folder: "filters",
    elsewhere: { "vectors.json": null, ...EMULATOR_TEST },
    registration: { registry: "filters", folder: "../filters", path: "assembly/index.ts" },
    module: "moe-wasm/",
    spec: "The filter alone: what it answers, and counts.",
    next: ({ name }) => `
  npx moe build && npx moe test
      the module with it in, and its tests
  npx moe run --filter '${name}: {header: user, value: eve}'
      Envoy with it; then: curl -i -H 'user: eve' localhost:12045
  node_modules/moe-wasm/docs/write-a-filter.md
      what to change, and in which order`,
  },
};

/** Writes a file as prettier would, where it is installed; says so by its path from `base`. */
async function write(base: string, path: string, text: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, await formatted(path, text));
  console.log(`  ${relative(base, path)}`);
}

async function formatted(path: string, text: string): Promise<string> {
  // A project of one's own has its own style.
  if (PUBLISHED) return text;
  const { format, resolveConfig } = await import("prettier");
  return format(text, { ...(await resolveConfig(path)), filepath: path });
}

/** The files that a kind's templates make in a folder, by path. */
export function filesOf(base: string, kind: Kind, names: Names): Map<string, string> {
  const folder = join(base, kind.folder, names.file);
  const values = { ...names, spec: render(kind.spec, { ...names }) };
  const files = new Map<string, string>();
  for (const template of readdirSync(join(TEMPLATES, kind.template)).sort()) {
    const file = template.replace(SUFFIX, "");
    const elsewhere = kind.elsewhere?.[file];
    if (elsewhere === null) continue;
    const path = elsewhere ? join(base, elsewhere(names.file)) : join(folder, file.replace(kind.template, names.file));
    const text = readFileSync(join(TEMPLATES, kind.template, template), "utf8");
    files.set(path, render(text, values).replaceAll("../../../", kind.module));
  }
  return files;
}

/** Writes what a kind's templates say, or throws before anything is written. */
async function create(base: string, kind: Kind, names: Names): Promise<void> {
  const files = filesOf(base, kind, names);
  for (const path of [join(base, kind.folder, names.file), ...files.keys()]) {
    if (existsSync(path)) throw new Error(`${relative(base, path)} is there already.`);
  }
  const registry = join(base, kind.registration.path);
  if (!existsSync(registry))
    throw new Error(`${kind.registration.path} is not there, where a ${kind.template} is registered.`);
  const registered = register(readFileSync(registry, "utf8"), names, kind.registration);
  console.log("Written:");
  for (const [path, text] of files) await write(base, path, text);
  await write(base, registry, registered);
  console.log(`\nNow:${kind.next(names)}`);
}

/** Where something new goes, and how. */
function place(which: "codec" | "filter"): [base: string, kind: Kind] {
  const base = needProject();
  return base === PACKAGE ? [base, IN_REPOSITORY[which]] : [base, IN_PROJECT[which]];
}

/** Writes a project with one codec and one filter. */
async function createProject(folder: string): Promise<void> {
  const [codec, filter] = [codecNames("my_rpc"), filterNames("my_filter")];
  const { base, files, next } = newProject(folder, codec, filter);
  for (const [kind, names] of [
    [IN_PROJECT.codec, codec],
    [IN_PROJECT.filter, filter],
  ] as const) {
    for (const [path, text] of filesOf(base, kind, names)) files.set(path, text);
  }
  console.log("Written:");
  for (const [path, text] of files) await write(base, path, text);
  console.log(`\nNow:${next}`);
}

export function newCommand(name: string): Command {
  const command = new Command(name).description("Begins something new from a template.");
  command
    .command("codec")
    .description("a protocol, registered in the module's entry file, with its tests")
    .argument("<name>", "the protocol's name in configuration and statistics, like my_rpc")
    .action((given: string) => create(...place("codec"), codecNames(given)));
  command
    .command("filter")
    .description("a stream filter, registered in the module's entry file, with its tests and schema")
    .argument("<name>", "the filter's type in configuration and statistics, like my_filter")
    .action((given: string) => create(...place("filter"), filterNames(given)));
  command
    .command("project")
    .description("a project of one's own, with a filter, a codec, their tests, and a bootstrap that runs")
    .argument("<folder>", "where to, a new or empty folder")
    .action(createProject);
  return command.addHelpText(
    "after",
    `\nExamples:\n  ${name} project my-mesh\n  ${name} filter rate_limit\n  ${name} codec my_rpc`,
  );
}

await runScript(import.meta, newCommand, "npm run new --");
