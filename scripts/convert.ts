// `moe convert mosn.json -o envoy.yaml`, `npm run convert`: a MOSN configuration as an Envoy bootstrap with the module.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Command, Option } from "commander";
import { convert } from "./convert/convert.ts";
import { single, split } from "./convert/output.ts";
import type { Report } from "./convert/report.ts";
import { runScript } from "./lib/command.ts";
import { here, MODULE, shown } from "./lib/package.ts";

interface Options {
  output?: string;
  format: "single" | "split";
  module: string;
  strict?: boolean;
  quiet?: boolean;
}

/** Exit code where `--strict` is given, and something is lost or changed. */
const DIFFERENT = 3;

function write(file: string, options: Options): number {
  const conversion = convert(readFileSync(here(file), "utf8"), shown(here(file)), { module: options.module });
  const { report } = conversion;
  const failed = options.strict === true && report.count("lost") + report.count("changed") > 0;
  if (!options.quiet) console.error(report.text());
  console.error(summary(report));
  if (failed) {
    console.error("--strict: nothing is written, because the result would differ from what MOSN does.");
    return DIFFERENT;
  }
  const source = basename(file);
  if (options.format === "split") {
    const folder = here(options.output ?? ".");
    mkdirSync(folder, { recursive: true });
    for (const { name, text } of split(conversion, source, folder)) writeFileSync(join(folder, name), text);
    console.error(`Written: envoy.yaml, listeners.yaml and clusters.yaml in ${options.output ?? "."}`);
  } else if (options.output && options.output !== "-") {
    writeFileSync(here(options.output), single(conversion, source));
    console.error(`Written: ${options.output}`);
  } else process.stdout.write(single(conversion, source));
  return 0;
}

function summary(report: Report): string {
  const [lost, changed, notes] = [report.count("lost"), report.count("changed"), report.count("note")];
  if (lost + changed === 0) return `Everything is converted (${notes} notes).`;
  return `${lost} lost, ${changed} changed, ${notes} notes.`;
}

export function convertCommand(name: string): Command {
  return new Command(name)
    .description(
      "Converts a MOSN configuration (JSON or YAML) to an Envoy bootstrap. What means something else there, or nothing, is reported " +
        "on stderr with its path, and stands as a comment beside its place.",
    )
    .argument("<file>", "MOSN's configuration")
    .option("-o, --output <file>", "where to write; a folder with `-f split`; - or nothing: stdout")
    .addOption(
      new Option("-f, --format <format>", "one file, or parts that Envoy follows when they change")
        .choices(["single", "split"])
        .default("single"),
    )
    .option("--module <file>", "the module, as the bootstrap shall name it", shown(MODULE))
    .option("--strict", "write nothing, and exit with 3, if anything is lost or changed")
    .option("--quiet", "no report, only its summary")
    .addHelpText(
      "after",
      `
Examples:
  ${name} mosn.json -o envoy.yaml
  ${name} mosn.json --strict > envoy.yaml
  ${name} mosn.json -f split -o /etc/envoy

Exit codes: 0, 1: the file is no configuration of MOSN, 2: a wrong command line, 3: --strict.`,
    )
    .action((file: string, options: Options) => {
      process.exitCode = write(file, options);
    });
}

await runScript(import.meta, convertCommand, "npm run convert --");
