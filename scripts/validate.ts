// `moe validate FILE`, `npm run validate`: whether Envoy and the module take a bootstrap, and all that is wrong with it.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Command } from "commander";
import { Host } from "../tests/host/kit/host.ts";
import { LoadError } from "../tests/host/kit/errors.ts";
import { BrokenInput } from "./convert/report.ts";
import { type Bootstrap, type PluginConfig, pluginConfigs, writeBootstrap } from "./lib/bootstrap.ts";
import { messageOf, runScript, USAGE } from "./lib/command.ts";
import { findEnvoy } from "./lib/envoy.ts";
import { moduleOf, readInput } from "./lib/input.ts";
import { here, MODULE, shown } from "./lib/package.ts";

const run = promisify(execFile);
const MISTAKES = 1;
const NOT_CHECKED = USAGE;

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
async function envoyMistakes(file: string, cwd: string): Promise<string[]> {
  const binary = await findEnvoy((line) => console.error(line));
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

/** The same for a bootstrap that is in no file. */
async function mistakesOfBootstrap(bootstrap: Bootstrap, cwd: string): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "moe-validate-"));
  const file = join(folder, "envoy.yaml");
  writeFileSync(file, writeBootstrap(bootstrap));
  try {
    return await envoyMistakes(file, cwd);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Checks one file; the lines say what is wrong with it, `note` is for what a conversion has to say. */
export async function validate(file: string, note: (text: string) => void = () => {}): Promise<string[]> {
  const { bootstrap, report, cwd } = readInput(file);
  if (report !== undefined) note(report.text());
  const found: string[] = [];
  for (const plugin of pluginConfigs(bootstrap)) {
    const module = moduleOf(plugin, cwd, (line) => console.error(line)) ?? MODULE;
    found.push(...(await moduleMistakes(plugin, module)));
  }
  // Where the module refuses, Envoy would say the same again.
  if (found.length > 0) return found;
  return report === undefined ? envoyMistakes(file, cwd) : mistakesOfBootstrap(bootstrap, cwd);
}

async function validateAll(names: string[]): Promise<void> {
  for (const name of names) {
    const file = here(name);
    try {
      const lines = await validate(file, (text) => text !== "" && console.error(text));
      for (const line of lines) console.log(`${shown(file)}: ${line}`);
      if (lines.length === 0) console.log(`${shown(file)}: good`);
      else process.exitCode ||= MISTAKES;
    } catch (error) {
      if (error instanceof BrokenInput) {
        console.log(error.message);
        process.exitCode ||= MISTAKES;
        continue;
      }
      console.error(`${shown(file)}: ${messageOf(error as Error)}`);
      process.exitCode = NOT_CHECKED;
    }
  }
}

export function validateCommand(name: string): Command {
  return new Command(name)
    .description(
      "Tells whether Envoy and the module take a bootstrap: one line for each mistake, with its path. A configuration of MOSN is converted " +
        "before; what the conversion reports is on stderr.",
    )
    .argument("<files...>", "bootstraps, or configurations of MOSN, in YAML or JSON")
    .addHelpText(
      "after",
      `
Examples:
  ${name} envoy.yaml
  ${name} mosn.json

Exit code: 0 all are good, ${MISTAKES} there are mistakes, ${NOT_CHECKED} something could not be checked.`,
    )
    .action(validateAll);
}

await runScript(import.meta, validateCommand, "npm run validate --");
