// `moe image --out FOLDER | --push REGISTRY/REPO:TAG`, `npm run image`: the module as an OCI image, for Istio's WasmPlugin.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, Option } from "commander";
import { build } from "./build.ts";
import { type Image, makeImage, writeLayout } from "./image/image.ts";
import { withCustomSection } from "./image/layers.ts";
import { parseReference, push } from "./image/registry.ts";
import { runScript, USAGE } from "./lib/command.ts";
import { here, PACKAGE } from "./lib/package.ts";
import { projectFolder } from "./lib/project.ts";

interface Options {
  out?: string;
  push?: string;
  root: "proxy" | "http";
  module?: string;
  plainHttp?: boolean;
  username?: string;
}

/** What the image says of itself. Envoy's range is that of the tests (docs/reliability.md). */
function labels(): Record<string, string> {
  const { version, description, license } = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8")) as Record<
    string,
    string
  >;
  return {
    "org.opencontainers.image.title": "moe-wasm",
    "org.opencontainers.image.description": description,
    "org.opencontainers.image.version": version,
    "org.opencontainers.image.licenses": license,
    "moe.envoy": ">=1.36",
  };
}

/** The image of a module, for the RPC proxy or for HTTP. */
export function imageOf(module: Buffer, root: Options["root"]): Image {
  const wasm = root === "http" ? withCustomSection(module, "moe.http") : module;
  return makeImage(wasm, { ...labels(), "moe.root": root });
}

async function main(options: Options): Promise<void> {
  const target = options.push === undefined ? undefined : parseReference(options.push);
  const file = options.module ? here(options.module) : build("release", console.error, projectFolder() ?? PACKAGE);
  const image = imageOf(readFileSync(file), options.root);
  if (options.out) writeLayout(image, here(options.out), target?.tag ?? "latest");
  if (target) await push(image, target, { ...options, password: process.env.MOE_REGISTRY_PASSWORD });
  console.log(`manifest     ${image.descriptor.digest}`);
  console.log(`wasm sha256  ${image.wasmSha256}`);
  if (options.out) console.log(`layout       ${options.out}`);
  if (!target) return;
  console.log(`\nspec:\n  url: oci://${target.registry}/${target.repository}:${target.tag}`);
  console.log(`  sha256: ${image.descriptor.digest.slice("sha256:".length)}`);
}

export function imageCommand(name: string): Command {
  return new Command(name)
    .description(
      "Makes an OCI image of the module, and pushes it. The same module gives the same digest on every machine. Istio's WasmPlugin " +
        "loads it by `url: oci://REGISTRY/REPO:TAG`; its `sha256` is the digest of the manifest.",
    )
    .option("--out <folder>", "write an OCI image layout")
    .option("--push <registry/repo:tag>", "push to a registry")
    .addOption(
      new Option(
        "--root <root>",
        "for the RPC proxy, or for HTTP: other bytes, so that Envoy runs them in a VM of their own",
      )
        .choices(["proxy", "http"])
        .default("proxy"),
    )
    .option("--module <file>", "another module than the project's, or else the shipped one")
    .option("--plain-http", "speak HTTP with the registry; the default on loopback")
    .option(
      "--username <name>",
      "user of the registry; the password is in MOE_REGISTRY_PASSWORD. Default: docker's own login",
    )
    .addHelpText(
      "after",
      `
Examples:
  ${name} --out build/image
  ${name} --push REGISTRY/mesh/moe-wasm:0.2.0
  ${name} --root http --push REGISTRY/mesh/moe-wasm-http:0.2.0`,
    )
    .action((options: Options, command: Command) => {
      if (!options.out && !options.push) {
        command.error("give --out FOLDER or --push REGISTRY/REPO:TAG", { exitCode: USAGE });
      }
      return main(options);
    });
}

await runScript(import.meta, imageCommand, "npm run image --");
