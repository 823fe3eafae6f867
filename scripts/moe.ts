// `moe`, `npm run moe --`: the commands of this package, each loaded when it is wanted. A new one is one line.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { type MakeCommand, runCommand } from "./lib/command.ts";
import { PACKAGE } from "./lib/package.ts";

const COMMANDS: Record<string, [summary: string, load: () => Promise<MakeCommand>]> = {
  run: ["Envoy with the module, by any bootstrap or MOSN file", async () => (await import("./start.ts")).startCommand],
  convert: ["a MOSN file as an Envoy bootstrap", async () => (await import("./convert.ts")).convertCommand],
  validate: ["all that is wrong with a file", async () => (await import("./validate.ts")).validateCommand],
  new: ["a filter, a codec, or a project", async () => (await import("./new.ts")).newCommand],
  build: ["the module of a project", async () => (await import("./build.ts")).buildCommand],
  test: ["the tests of a project", async () => (await import("./test_project.ts")).testCommand],
  discover: [
    "hosts from registries, for Envoy or Istio",
    async () => (await import("./discover/command.ts")).discoverCommand,
  ],
  bench: ["what the module costs", async () => (await import("./bench.ts")).benchCommand],
  image: ["the module as an OCI image", async () => (await import("./image.ts")).imageCommand],
  "istio-routes": ["Istio's routes as WasmPlugins", async () => (await import("./istio_routes.ts")).istioRoutesCommand],
  drain: ["an Envoy out of service, without lost calls", async () => (await import("./drain.ts")).drainCommand],
  "health-bytes": ["a health check for a cluster", async () => (await import("./health-bytes.ts")).healthBytesCommand],
};

/** The whole command line; only `wanted` has its options and arguments. */
async function program(wanted: string | undefined): Promise<Command> {
  const { version } = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8")) as { version: string };
  const moe = new Command("moe").description("MOSN's proxy, filters and codecs on a stock Envoy.").version(version);
  for (const [name, [summary, load]] of Object.entries(COMMANDS)) {
    const command = name === wanted ? (await load())(`moe ${name}`).name(name) : new Command(name);
    moe.addCommand(command.summary(summary));
  }
  return moe.addHelpText(
    "after",
    `
Examples:
  moe convert mosn.json -o envoy.yaml
  moe run envoy.yaml
  moe new project my-mesh
  moe help run`,
  );
}

// Where npm was started is of no matter here: paths are relative to the working directory, also in a script of npm's.
delete process.env.INIT_CWD;
const args = process.argv.slice(2);
await runCommand(await program(args.find((each) => !each.startsWith("-") && each !== "help")), args);
