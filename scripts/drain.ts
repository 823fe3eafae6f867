// `moe drain`: scripts/drain.sh, which needs bash and nothing else, so that it runs inside Envoy's image, too.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { Command } from "commander";
import { FAILURE } from "./lib/command.ts";
import { PACKAGE } from "./lib/package.ts";

const SCRIPT = join(PACKAGE, "scripts/drain.sh");

export function drainCommand(name: string): Command {
  return new Command(name)
    .description(
      `Takes an Envoy out of service without losing calls: it fails its health check, waits until the clients have moved, and only then ends. It is the script ${SCRIPT}, ` +
        "which runs inside Envoy's image, too.",
    )
    .option("--admin <host:port>", "Envoy's admin page", "127.0.0.1:9901")
    .option("--limit <seconds>", "how long to wait for clients to leave", "60")
    .option("--drain-listeners", "POST /drain_listeners?graceful, too: the ports close after Envoy's --drain-time-s")
    .option("--pid <pid>", "then SIGTERM to that process")
    .option("--quit", "then POST /quitquitquit, which is the same")
    .addHelpText(
      "after",
      `
Examples:
  ${name} --admin 127.0.0.1:9901 --quit
  ${name} --limit 30 --drain-listeners --pid 4711

Exit code: 0 no client was left, 1 some were after the limit, 2 the admin page cannot be reached.`,
    )
    .action((_, command: Command) => {
      const child = spawn("bash", [SCRIPT, ...command.args, ...argumentsOf(command)], { stdio: "inherit" });
      child.once("error", (error) => {
        console.error(`bash cannot be started: ${error.message}`);
        process.exitCode = FAILURE;
      });
      child.once("exit", (code) => (process.exitCode = code ?? FAILURE));
    });
}

/** The options as the script takes them. */
function argumentsOf(command: Command): string[] {
  return command.options.flatMap((option) => {
    const value = command.getOptionValue(option.attributeName()) as string | true | undefined;
    if (value === undefined || option.long === undefined) return [];
    return value === true ? [option.long] : [option.long, value];
  });
}
