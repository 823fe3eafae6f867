// `npm run validate -- FILE`: whether Envoy and the module take a bootstrap, and all that is wrong with it.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { promisify } from "node:util";
import { Command } from "commander";
import { Host } from "../tests/host/kit/host.ts";
import { LoadError } from "../tests/host/kit/errors.ts";
import { build } from "./build.ts";
import { type Bootstrap, type PluginConfig, pluginConfigs, readBootstrap } from "./lib/bootstrap.ts";
import { findEnvoy } from "./lib/envoy.ts";

const root = resolve(import.meta.dirname, "..");
const run = promisify(execFile);
const MISTAKES = 1;
const NOT_CHECKED = 2;

/** A plugin's configuration as text or object; undefined: there is none. */
function configurationOf(plugin: PluginConfig): object | string | undefined {
  const { "@type": type, value, ...fields } = (plugin.configuration ?? {}) as Record<string, unknown>;
  if (type === undefined && value === undefined) return undefined;
  return (value ?? fields) as object | string;
}

/** What the module says of one configuration, a line a mistake. */
async function moduleMistakes(plugin: PluginConfig, module: string): Promise<string[]> {
  const where = `${plugin.root_id ?? ""} (${String(plugin.name ?? "no name")})`;
  try {
    const options = { module, root: plugin.root_id as "proxy", config: configurationOf(plugin) };
    (await Host.start(options)).close();
    return [];
  } catch (error) {
    if (!(error instanceof LoadError)) throw error;
    const said = error.logs.flatMap((line) => /moe-wasm: configuration refused: (.*)$/.exec(line)?.[1] ?? []);
    return (said.length > 0 ? said : [error.message]).map((line) => `${where}: ${line}`);
  }
}

/** What Envoy's own validation says; the module's words are left to the module. */
async function envoyMistakes(file: string): Promise<string[]> {
  const binary = await findEnvoy((line) => console.error(line));
  try {
    await run(binary, ["--mode", "validate", "-c", file, "-l", "error"], { cwd: root });
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

/** The module that a plugin names: ours is built first. */
function moduleOf(plugin: PluginConfig): string {
  const named = plugin.vm_config?.code?.local?.filename ?? "build/moe.wasm";
  const file = resolve(root, named);
  if (file === resolve(root, "build/moe.wasm")) build("release", (line) => console.error(line));
  if (!existsSync(file)) throw new Error(`the module ${named} is missing`);
  return file;
}

/** Checks one file; the lines say what is wrong with it. */
export async function validate(file: string): Promise<string[]> {
  const bootstrap: Bootstrap = readBootstrap(file);
  const found: string[] = [];
  for (const plugin of pluginConfigs(bootstrap)) found.push(...(await moduleMistakes(plugin, moduleOf(plugin))));
  // Where the module refuses, Envoy would say the same again.
  const others = found.length > 0 ? [] : await envoyMistakes(file);
  return [...found, ...others];
}

async function main(): Promise<void> {
  const { args } = new Command("npm run validate --")
    .description("Tells whether Envoy and the module take a bootstrap: one line for each mistake, with its path.")
    .argument("<files...>", "bootstraps, in YAML or JSON")
    .addHelpText(
      "after",
      `\nExit code: 0 all are good, ${MISTAKES} there are mistakes, ${NOT_CHECKED} something could not be checked.`,
    )
    .configureOutput({ outputError: (text, write) => write(text) })
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : NOT_CHECKED))
    .parse();
  for (const name of args) {
    const file = resolve(process.env.INIT_CWD ?? ".", name);
    const shown = relative(process.cwd(), file);
    try {
      const lines = await validate(file);
      for (const line of lines) console.log(`${shown}: ${line}`);
      if (lines.length === 0) console.log(`${shown}: good`);
      else process.exitCode ||= MISTAKES;
    } catch (error) {
      console.error(`${shown}: ${(error as Error).message}`);
      process.exitCode = NOT_CHECKED;
    }
  }
}

if (process.argv[1] === import.meta.filename) await main();
