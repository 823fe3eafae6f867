// What all commands have in common, as `moe NAME` and as npm scripts: mistakes in one line, and exit codes.
import type { Command } from "commander";
import { shown } from "./package.ts";

/** Exit code where the command line itself is wrong. */
export const USAGE = 2;
/** Exit code of everything else that goes wrong. */
export const FAILURE = 1;

/** Makes a command; `name` is what users type before its options, such as `moe convert` or `npm run convert --`. */
export type MakeCommand = (name: string) => Command;

/** What can only come of a defect in this package: its stack is needed. */
const DEFECTS = [TypeError, RangeError, ReferenceError, SyntaxError];

/** Runs a command. What goes wrong is told in one line where it is the user's, and decides the exit code. */
export async function runCommand(command: Command, args: string[] = process.argv.slice(2)): Promise<void> {
  tellMistakes(command);
  try {
    await command.parseAsync(args, { from: "user" });
  } catch (error) {
    const defect = DEFECTS.some((type) => error instanceof type) && (error as NodeJS.ErrnoException).code === undefined;
    console.error(defect ? error : messageOf(error as NodeJS.ErrnoException));
    process.exitCode = FAILURE;
  }
}

/** What a user reads of an error; of files that are not what they should be in plain words. */
export function messageOf(error: NodeJS.ErrnoException): string {
  if (error.path === undefined) return error.message;
  if (error.code === "ENOENT") return `${shown(error.path)} does not exist.`;
  if (error.code === "EISDIR") return `${shown(error.path)} is a folder.`;
  return error.message;
}

/** Runs a script's command if Node was started with that script. */
export async function runScript(meta: ImportMeta, make: MakeCommand, name: string): Promise<void> {
  if (process.argv[1] === meta.filename) await runCommand(make(name));
}

/** Has a command and those below it tell a wrong command line in one line with what is allowed, and end with USAGE. */
export function tellMistakes(command: Command): void {
  command.configureOutput({ outputError: (text, write) => write(`${fullName(command)}: ${allowed(command, text)}\n`) });
  command.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : USAGE));
  command.commands.forEach(tellMistakes);
}

/** The name with those of the commands above. */
function fullName(command: Command): string {
  return [command.parent === null ? "" : fullName(command.parent), command.name()].join(" ").trim();
}

/** The parser's message in one line, with what would have been right. */
function allowed(command: Command, text: string): string {
  const line = text
    .replace(/^error: /, "")
    .trim()
    .replace(/\n+/g, " ");
  const hint = line.includes("Did you mean") ? "" : hintOf(command, line);
  return hint === "" ? line : `${line}. ${hint}`;
}

function hintOf(command: Command, line: string): string {
  if (line.startsWith("unknown option")) {
    return `Options: ${command
      .createHelp()
      .visibleOptions(command)
      .map(({ flags }) => flags)
      .join(" · ")}`;
  }
  if (line.startsWith("unknown command") || line === "(outputHelp)") return `Commands: ${commandNames(command)}`;
  if (/^(missing required|too many arguments)/.test(line)) return `Usage: ${fullName(command)} ${command.usage()}`;
  return "";
}

/** The names of the commands below, for messages. */
export const commandNames = (command: Command): string => command.commands.map((each) => each.name()).join(", ");
