// `npm run new -- codec NAME`, `npm run new -- filter NAME`: one that works, with its tests and README, registered.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { Command } from "commander";
import { format, resolveConfig } from "prettier";
import { codecNames, filterNames, type Names, register, type Registration, render } from "./lib/scaffold.ts";

const root = join(import.meta.dirname, "..");
const SUFFIX = ".template";

/** What can be begun with a template. */
interface Kind {
  /** Its templates, below scripts/templates; files are named after it where the new ones have the new name. */
  template: string;
  /** Where its folder goes. */
  folder: string;
  /** Templates that go elsewhere. */
  elsewhere?: Record<string, (file: string) => string>;
  registration: Registration;
  /** What its user does now. */
  next: (names: Names) => string;
}

const CODEC: Kind = {
  template: "codec",
  folder: "filters/codec",
  registration: { registry: "codecs", folder: "../codec", path: "filters/network/moe.ts" },
  next: ({ name, file }) => `
  npx asp filters/codec/${file}/${file}.spec.ts
      its tests, the conformance suite among them
  npm run build
      the module with it in; "protocols": ["${name}", …] chooses it
  docs/write-a-codec.md
      what to change, and in which order`,
};

const FILTER: Kind = {
  template: "filter",
  folder: "filters/stream",
  elsewhere: { "vectors.json": (file) => `tests/vectors/${file}.json` },
  registration: { registry: "filters", folder: "../stream", path: "filters/network/filters.ts" },
  next: ({ name, file }) => `
  npx asp filters/stream/${file}/${file}.spec.ts
      its tests, alone
  npm start -- --config envoy/http.yaml --filter '${name}: {header: user, value: eve}'
      Envoy with it; then: curl -i -H 'user: eve' localhost:12080
  docs/write-a-filter.md
      what to change, and in which order`,
};

/** Writes a file as prettier would. */
async function write(path: string, text: string): Promise<void> {
  const options = await resolveConfig(path);
  writeFileSync(path, await format(text, { ...options, filepath: path }));
  console.log(`  ${relative(root, path)}`);
}

/** Writes what a kind's templates say, or throws before anything is written. */
async function create(kind: Kind, names: Names): Promise<void> {
  const folder = join(root, kind.folder, names.file);
  const templates = join(root, "scripts/templates", kind.template);
  const files = readdirSync(templates).sort();
  const targets = files.map((template) => {
    const file = template.replace(SUFFIX, "");
    const elsewhere = kind.elsewhere?.[file];
    return elsewhere ? join(root, elsewhere(names.file)) : join(folder, file.replace(kind.template, names.file));
  });
  for (const path of [folder, ...targets]) {
    if (existsSync(path)) throw new Error(`${relative(root, path)} is there already.`);
  }
  const registry = join(root, kind.registration.path);
  const registered = register(readFileSync(registry, "utf8"), names, kind.registration);
  mkdirSync(folder);
  console.log("Written:");
  for (const [i, template] of files.entries()) {
    const text = readFileSync(join(templates, template), "utf8");
    await write(targets[i], render(text, { ...names }));
  }
  await write(registry, registered);
  console.log(`\nNow:${kind.next(names)}`);
}

/** An action that says what is wrong in one line. */
function action<T extends Names>(kind: Kind, namesOf: (name: string) => T): (name: string) => Promise<void> {
  return async (name) => {
    try {
      await create(kind, namesOf(name));
    } catch (error) {
      console.error((error as Error).message);
      process.exitCode = 1;
    }
  };
}

const program = new Command("npm run new --").description("Begins something new from a template.");
program
  .command("codec")
  .description("a protocol: filters/codec/NAME, registered in filters/network/moe.ts")
  .argument("<name>", "the protocol's name in configuration and statistics, like my_rpc")
  .action(action(CODEC, codecNames));
program
  .command("filter")
  .description(
    "a stream filter: filters/stream/NAME and tests/vectors/NAME.json, registered in filters/network/filters.ts",
  )
  .argument("<name>", "the filter's type in configuration and statistics, like my_filter")
  .action(action(FILTER, filterNames));
await program.parseAsync();
