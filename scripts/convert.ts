// `npm run convert -- mosn.json -o envoy.yaml`: a MOSN configuration as an Envoy bootstrap with the module.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { Command, Option } from "commander";
import { convert } from "./convert/convert.ts";
import { single, split } from "./convert/output.ts";
import { BrokenInput, type Report } from "./convert/report.ts";

interface Options {
  output?: string;
  format: "single" | "split";
  module: string;
  strict?: boolean;
  quiet?: boolean;
}

/** Exit codes beside 0: the input cannot be read; `--strict`, and something is lost or changed. */
const BROKEN = 1;
const DIFFERENT = 3;

/** Where the user started npm. */
const here = (path: string) => resolve(process.env.INIT_CWD ?? ".", path);

function write(file: string, options: Options): number {
  const conversion = convert(readFileSync(here(file), "utf8"), here(file), { module: options.module });
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

new Command("npm run convert --")
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
  .option("--module <file>", "the module, as the bootstrap shall name it", "build/moe.wasm")
  .option("--strict", "write nothing, and exit with 3, if anything is lost or changed")
  .option("--quiet", "no report, only its summary")
  .addHelpText(
    "after",
    `
Examples:
  npm run convert -- mosn.json -o envoy.yaml
  npm run convert -- mosn.json --strict > envoy.yaml
  npm run convert -- mosn.json -f split -o /etc/envoy

Exit codes: 0, 1: the file is no configuration of MOSN, 3: --strict.`,
  )
  .action((file: string, options: Options) => {
    try {
      process.exitCode = write(file, options);
    } catch (error) {
      if (!(error instanceof BrokenInput) && (error as NodeJS.ErrnoException).code === undefined) throw error;
      console.error((error as Error).message);
      process.exitCode = BROKEN;
    }
  })
  .parse();
