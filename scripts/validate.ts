// `moe validate FILE`, `npm run validate`: whether Envoy and the module take a bootstrap and the files that it names, and all
// that is wrong with them.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { Command } from "commander";
import { BrokenInput } from "./convert/report.ts";
import type { PluginConfig } from "./lib/bootstrap.ts";
import { messageOf, runScript, USAGE } from "./lib/command.ts";
import { isMosn, isShipped, moduleOf, readInput } from "./lib/input.ts";
import { here, MODULE, PACKAGE, shown } from "./lib/package.ts";
import { type Files, type Finding, readFiles } from "./validate/config_files.ts";
import { envoyMistakes } from "./validate/envoy_check.ts";
import { isOurs, moduleFile, type Plugin, pluginMistakes, pluginsOf } from "./validate/plugins.ts";

const MISTAKES = 1;
const NOT_CHECKED = USAGE;

const complain = (line: string) => console.error(line);

export interface Result {
  mistakes: Finding[];
  /** What is not looked at. */
  notes: Finding[];
  /** Something could not be checked that should have been. */
  incomplete: boolean;
}

/** The files of a bootstrap, or of what a configuration of MOSN is converted to. */
function filesOf(file: string, cwd: string): { files: Files; converted: boolean } {
  if (!isMosn(readFileSync(file, "utf8"))) return { files: readFiles(file, cwd), converted: false };
  const { bootstrap, report } = readInput(file);
  if (report && report.text() !== "") complain(report.text());
  return { files: { read: [{ path: file, value: bootstrap }], mistakes: [], notes: [] }, converted: true };
}

/**
 * Checks a bootstrap, and the files of listeners, clusters, filters and routes that it names. Throws where it is none. What a
 * conversion has to say goes to stderr.
 */
export async function validate(file: string): Promise<Result> {
  const cwd = isShipped(file) ? PACKAGE : process.cwd();
  const { files, converted } = filesOf(file, cwd);
  const notes = [...files.notes];
  const modules = new Map<Plugin, string>();
  let incomplete = false;
  const plugins = files.read.flatMap(pluginsOf);
  for (const plugin of plugins) {
    const note = (text: string) => notes.push({ file: plugin.file, text: `${plugin.path}: ${text}` });
    if (!isOurs(plugin, cwd)) {
      note(`the configuration of ${basename(moduleFile(plugin, cwd) ?? "")}, another module, is not checked`);
      continue;
    }
    try {
      modules.set(plugin, moduleOf(plugin.config as unknown as PluginConfig, cwd, complain) ?? MODULE);
    } catch (error) {
      note(`${(error as Error).message} Its configuration is checked with that, and Envoy is not asked.`);
      modules.set(plugin, MODULE);
      incomplete = true;
    }
  }
  const mistakes = [...files.mistakes, ...(await pluginMistakes(files.read, modules))];
  // Where the module refuses, Envoy would say the same again.
  if (mistakes.length > 0 || incomplete) return { mistakes, notes, incomplete };
  return { mistakes: await envoyMistakes(files, cwd, converted, complain), notes, incomplete };
}

async function validateAll(names: string[]): Promise<void> {
  for (const name of names) {
    const file = here(name);
    try {
      const { mistakes, notes, incomplete } = await validate(file);
      for (const note of notes) complain(`${shown(note.file)}: ${note.text}`);
      for (const mistake of mistakes) console.log(`${shown(mistake.file)}: ${mistake.text}`);
      if (mistakes.length > 0) process.exitCode ||= MISTAKES;
      else if (incomplete) process.exitCode = NOT_CHECKED;
      else console.log(`${shown(file)}: good`);
    } catch (error) {
      if (error instanceof BrokenInput) {
        console.log(error.message);
        process.exitCode ||= MISTAKES;
        continue;
      }
      complain(`${shown(file)}: ${messageOf(error as Error)}`);
      process.exitCode = NOT_CHECKED;
    }
  }
}

export function validateCommand(name: string): Command {
  return new Command(name)
    .description(
      "Tells whether Envoy and the module take a bootstrap, and the files of listeners, clusters, filters and routes that it names " +
        "(path_config_source): one line for each mistake, with its file and path. A configuration of MOSN is converted before; what " +
        "the conversion reports is on stderr.",
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
