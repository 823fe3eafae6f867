// `moe istio-routes FILES`, `npm run istio-routes`: Istio's own routes as WasmPlugins for the RPC proxy.
import { existsSync, readdirSync, readFileSync, statSync, watch } from "node:fs";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { build } from "./build.ts";
import type { Source } from "./istio_routes/documents.ts";
import { milliseconds } from "./istio_routes/fields.ts";
import { DEFAULTS, type Options } from "./istio_routes/options.ts";
import { yamlOf } from "./istio_routes/output.ts";
import { lineOf, WARNINGS } from "./istio_routes/report.ts";
import { translate, type Translation } from "./istio_routes/translate.ts";
import { runScript, USAGE } from "./lib/command.ts";
import { here, shown } from "./lib/package.ts";
import { replaceFile, unfinished } from "./lib/replace_file.ts";
import { complaints } from "./validate/plugins.ts";

interface Arguments extends Options {
  output?: string;
  check?: boolean;
  watch?: boolean;
  accept: string[];
  /** `--no-module`: the module is not asked. */
  module: boolean;
}

/** Exit codes beside 0. */
const MISTAKES = 1;
const NOT_READ = USAGE;
const STALE = 3;
/** After a change, milliseconds: editors and kubectl write several files. */
const QUIET_MS = 200;

/** The files of the arguments: of a folder all YAML and JSON in it, not those below; `-` is stdin. */
function readSources(names: string[], output: string | undefined): Source[] {
  const paths = names.flatMap((name) => {
    if (name === "-" || !statSync(here(name)).isDirectory()) return [name];
    const inside = readdirSync(here(name)).filter((file) => /\.(ya?ml|json)$/.test(file));
    return inside.sort().map((file) => join(name, file));
  });
  const inputs = paths.filter((path) => path === "-" || !output || here(path) !== here(output));
  return inputs.map((path) =>
    path === "-"
      ? { file: "stdin", text: readFileSync(0, "utf8") }
      : { file: shown(here(path)), text: readFileSync(here(path), "utf8") },
  );
}

/** What the module says against the plugins, a line a mistake. */
async function refused({ plugins }: Translation): Promise<string[]> {
  const module = build("release", (line) => console.error(line));
  const lines = await Promise.all(
    plugins.map(async ({ metadata, spec }) => {
      const said = await complaints(module, "proxy", spec.pluginConfig);
      return said.map((line) => `${metadata.name}: error: the module refuses pluginConfig: ${line}`);
    }),
  );
  return lines.flat();
}

/** One run; returns the exit code. */
async function run(names: string[], options: Arguments): Promise<number> {
  const sources = readSources(names, options.output);
  const translation = translate(sources, options);
  const { report, plugins } = translation;
  const warnings = report.warnings(options.accept);
  for (const finding of [...report.errors, ...warnings]) console.error(lineOf(finding));
  const more = report.errors.length === 0 && options.module ? await refused(translation) : [];
  for (const line of more) console.error(line);
  const errors = report.errors.length + more.length;
  if (errors > 0 || (options.check && warnings.length > 0)) {
    console.error(`${errors} errors, ${warnings.length} warnings: nothing is written.`);
    return MISTAKES;
  }
  const text = yamlOf(plugins, ["npm run istio-routes --", ...names].join(" "));
  const file = options.output === undefined || options.output === "-" ? undefined : here(options.output);
  if (options.check) return file ? compare(file, text, options.output ?? "") : 0;
  if (file) {
    replaceFile(file, text);
    console.error(`Written: ${options.output}, ${plugins.length} plugins, ${warnings.length} warnings.`);
  } else process.stdout.write(text);
  return 0;
}

function compare(file: string, text: string, shown: string): number {
  if (existsSync(file) && readFileSync(file, "utf8") === text) return 0;
  console.error(`${shown} is not what the input makes: run it without --check.`);
  return STALE;
}

/** Runs again whenever something in the folders or files changes; a run that fails leaves the output as it was. */
async function follow(names: string[], options: Arguments): Promise<void> {
  if (!options.output || names.includes("-")) throw new Error("--watch needs -o FILE, and files or folders to watch");
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const again = () => {
    clearTimeout(timer);
    timer = setTimeout(() => (running = running.then(once)), QUIET_MS);
  };
  const once = async () => {
    try {
      await run(names, options);
    } catch (error) {
      console.error((error as Error).message);
    }
  };
  const ours = [here(options.output), unfinished(here(options.output))];
  for (const name of names) {
    const path = here(name);
    const folder = statSync(path).isDirectory();
    watch(path, (_, file) => {
      if (!folder || file === null || !ours.includes(join(path, file))) again();
    });
  }
  await once();
  console.error(`Watching ${names.join(", ")}; end with Ctrl-C.`);
}

function labels(text: string): Record<string, string> {
  const pairs = text.split(",").map((pair) => /^([^=]+)=([^=]*)$/.exec(pair.trim()));
  if (pairs.some((pair) => pair === null)) throw new InvalidArgumentError("expected KEY=VALUE, with commas between");
  return Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? "", pair?.[2] ?? ""]));
}

function port(text: string, earlier: number[]): number[] {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 65535) throw new InvalidArgumentError("expected a port");
  return [...earlier, number].sort((a, b) => a - b);
}

function timeout(text: string): number {
  const ms = milliseconds(text);
  if (ms === undefined) throw new InvalidArgumentError('expected a duration such as "10s"');
  return ms;
}

function gateway(text: string): string {
  if (!/^[^/]+\/[^/]+$/.test(text)) throw new InvalidArgumentError("expected NAMESPACE/NAME");
  return text;
}

function accepted(text: string): string[] {
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !Object.hasOwn(WARNINGS, name));
  if (unknown !== undefined)
    throw new InvalidArgumentError(`there is no warning "${unknown}": ${Object.keys(WARNINGS).join(", ")}`);
  return names;
}

const names = Object.entries(WARNINGS).map(([name, what]) => `  ${name.padEnd(18)} ${what}`);

export function istioRoutesCommand(name: string): Command {
  return new Command(name)
    .description(
      "Makes WasmPlugins with the RPC proxy's configuration of Istio's VirtualServices, DestinationRules, Services and ServiceEntries: one " +
        "for each port whose name says a protocol of the module. What cannot be translated is an error; what the module does otherwise is a warning.",
    )
    .argument("<files...>", "YAML or JSON, of any kinds; folders of them; - for stdin")
    .requiredOption("--url <url>", "where Istio finds the module: oci://REGISTRY/REPO:TAG")
    .option("--sha256 <hex>", "of the manifest for oci://, of the module for http(s)://; `npm run image` prints both")
    .option("-n, --namespace <name>", "of the client workloads, and of resources that name none", DEFAULTS.namespace)
    .option(
      "-l, --selector <labels>",
      "labels of the client workloads, KEY=VALUE,…; default: all",
      labels,
      DEFAULTS.selector,
    )
    .option("--gateway <namespace/name>", "for a gateway: the routes that are bound to it; needs --port", gateway)
    .option("-p, --port <number>", "a port, whatever its name is; again for more", port, DEFAULTS.ports as number[])
    .option("--name <name>", "beginning of the plugins' names; the port follows", DEFAULTS.name)
    .option("--switchboard <cluster>", "cluster of istio/switchboard.yaml", DEFAULTS.switchboard)
    .option("--domain <domain>", "what ends the full names of Services", DEFAULTS.domain)
    .option(
      "--connect-timeout <duration>",
      "the mesh's connectTimeout; default 10s",
      timeout,
      DEFAULTS.connectTimeoutMs,
    )
    .option("-o, --output <file>", "where to write; - or nothing: stdout")
    .option("--check", "write nothing; fail on warnings, too, and where the output file is not up to date")
    .option("--accept <names>", "warnings that are known, with commas between", accepted, [])
    .option("--watch", "write again whenever a file changes; needs -o")
    .option("--no-module", "do not ask the module whether it takes the result")
    .addHelpText(
      "after",
      `
Warnings:
${names.join("\n")}

Exit codes: 0; ${MISTAKES}: errors, or with --check warnings; ${NOT_READ}: a file cannot be read; ${STALE}: --check, and the output is not up to date.

Examples:
  ${name} k8s/ --url oci://REGISTRY/moe-wasm:0.2.0 -n shop -l app=checkout -o checkout-rpc.yaml
  ${name} k8s/ --url … -n shop -o checkout-rpc.yaml --check --accept caller-timeout
  kubectl get virtualservice,destinationrule,service -n shop -o yaml | ${name} - --url … -n shop`,
    )
    .action(
      async (files: string[], options: Omit<Arguments, "ports" | "connectTimeoutMs"> & Record<string, unknown>) => {
        const all: Arguments = {
          ...(options as unknown as Arguments),
          ports: options.port as number[],
          connectTimeoutMs: options.connectTimeout as number,
        };
        try {
          if (all.gateway && all.ports.length === 0) throw new Error("--gateway needs --port");
          if (all.watch) await follow(files, all);
          else process.exitCode = await run(files, all);
        } catch (error) {
          console.error((error as Error).message);
          process.exitCode = NOT_READ;
        }
      },
    );
}

await runScript(import.meta, istioRoutesCommand, "npm run istio-routes --");
