// `npm run new -- codec NAME`: a codec that works, with its tests and README, registered in the module.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { Command } from "commander";
import { format, resolveConfig } from "prettier";
import { codecNames, register, render } from "./lib/scaffold.ts";

const root = join(import.meta.dirname, "..");
const module = join(root, "filters/network/moe.ts");
const SUFFIX = ".template";

/** Writes a file as prettier would. */
async function write(path: string, text: string): Promise<void> {
  const options = await resolveConfig(path);
  writeFileSync(path, await format(text, { ...options, filepath: path }));
  console.log(`  ${relative(root, path)}`);
}

async function newCodec(name: string): Promise<void> {
  const names = codecNames(name);
  const folder = join(root, "filters/codec", names.file);
  if (existsSync(folder)) throw new Error(`${relative(root, folder)} is there already.`);
  const registered = register(readFileSync(module, "utf8"), names);
  const templates = join(root, "scripts/templates/codec");
  mkdirSync(folder);
  console.log("Written:");
  for (const template of readdirSync(templates).sort()) {
    const file = template.replace(SUFFIX, "").replace("codec", names.file);
    const text = readFileSync(join(templates, template), "utf8");
    await write(join(folder, file), render(text, { ...names }));
  }
  await write(module, registered);
  console.log(`
Now:
  npx asp filters/codec/${names.file}/${names.file}.spec.ts
      its tests, the conformance suite among them
  npm run build
      the module with it in; "protocols": ["${name}", …] chooses it
  docs/write-a-codec.md
      what to change, and in which order`);
}

const program = new Command("npm run new --").description("Begins something new from a template.");
program
  .command("codec")
  .description("a protocol: filters/codec/NAME, registered in filters/network/moe.ts")
  .argument("<name>", "the protocol's name in configuration and statistics, like my_rpc")
  .action(async (name: string) => {
    try {
      await newCodec(name);
    } catch (error) {
      console.error((error as Error).message);
      process.exitCode = 1;
    }
  });
await program.parseAsync();
