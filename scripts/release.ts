// `npm run release -- [--dry-run]`: checks that a version can be released, packs it, and tags it. It publishes nothing: docs/releasing.md
// says what its maintainer does then.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { Command } from "commander";
import { npmEnvironment } from "../tests/npm.ts";
import { imageOf } from "./image.ts";
import { FAILURE, runScript } from "./lib/command.ts";
import { exportedFiles, type Manifest, outdatedVersions, releaseNotes, versionFaults } from "./lib/versions_agree.ts";

const ROOT = resolve(import.meta.dirname, "..");
/** Below build/, which git and npm leave out. */
const OUTPUT = "build/release";

/** Files that name other versions, too: what was, and what tests make up. */
const NOT_ITS_VERSION = /^(CHANGELOG\.md|package-lock\.json|tests\/.*)$/;

/** What a maintainer has run on this very commit before. */
const BEFORE = ["npm test", "npm run test:versions", "npm run test:interop", "npm run test:discover"];

export interface Release {
  version: string;
  /** Why it cannot be released; none: it can. */
  faults: string[];
  /** Files made, by path below the folder, with their SHA-256. */
  files: Map<string, string>;
  /** Digests of the images' manifests, by root. */
  images: Map<string, string>;
  /** What npm's package consists of, and its size in bytes. */
  packed: { files: string[]; size: number };
}

/** A command's output, in the folder. Throws with what it wrote. */
function output(root: string, command: string, ...args: string[]): string {
  try {
    // npm's own npm, not the old one that a dependency has.
    const options = { cwd: root, env: npmEnvironment(), encoding: "utf8", maxBuffer: 64 << 20 } as const;
    return execFileSync(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { stderr = "" } = error as { stderr?: string };
    throw new Error(`${command} ${args.join(" ")} failed.\n${stderr.trim()}`);
  }
}

const json = <T>(root: string, file: string): T => JSON.parse(readFileSync(join(root, file), "utf8")) as T;

const lines = (text: string): string[] => text.split("\n").filter((line) => line !== "");

/** Why the folder's commit cannot be released as the version of its package.json. */
export function releaseFaults(root: string): string[] {
  const manifest = json<Manifest>(root, "package.json");
  const { version } = manifest;
  const faults = versionFaults(
    version,
    json<{ version?: string }>(root, "package-lock.json").version,
    readFileSync(join(root, "CHANGELOG.md"), "utf8"),
  );
  const changed = lines(output(root, "git", "status", "--porcelain"));
  if (changed.length > 0) {
    faults.push(`the tree is not clean: ${changed.length} files, the first ${changed[0].slice(3)}`);
  }
  if (output(root, "git", "tag", "--list", `v${version}`).trim() !== "") faults.push(`the tag v${version} exists`);
  for (const file of lines(output(root, "git", "ls-files", "*.md", "*.ts", "*.yaml", "*.json"))) {
    if (NOT_ITS_VERSION.test(file)) continue;
    faults.push(...outdatedVersions(file, readFileSync(join(root, file), "utf8"), manifest.name, version));
  }
  return faults;
}

/** Packs the folder into its OUTPUT, with an inventory of all dependencies (SBOM), the digests of the images, and check sums. */
function pack(root: string, faults: string[]): Release {
  const folder = join(root, OUTPUT);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const manifest = json<Manifest>(root, "package.json");
  const { name, version } = manifest;

  const packs = output(root, "npm", "pack", "--json", "--pack-destination", folder);
  // What a script of the package prints comes before.
  const [{ filename, size, files }] = JSON.parse(packs.slice(packs.search(/^\[/m))) as {
    filename: string;
    size: number;
    files: { path: string }[];
  }[];
  const packed = { size, files: files.map(({ path }) => path) };
  const missing = exportedFiles(manifest).filter((target) => !isPacked(target, packed.files));
  faults.push(...missing.map((target) => `the package lacks ${target}, which its package.json names`));

  const inventory = `${name}-${version}.cdx.json`;
  writeFileSync(join(folder, inventory), inventoryOf(root, name));
  const module = readFileSync(join(root, "build/moe.wasm"));
  const wasm = `${name}-${version}.wasm`;
  writeFileSync(join(folder, wasm), module);

  const made = new Map(
    [filename, wasm, inventory].map((file) => [
      join(OUTPUT, file),
      createHash("sha256")
        .update(readFileSync(join(folder, file)))
        .digest("hex"),
    ]),
  );
  const sums = [...made].map(([file, sum]) => `${sum}  ${basename(file)}\n`);
  writeFileSync(join(folder, "SHA256SUMS"), sums.join(""));
  const images = new Map((["proxy", "http"] as const).map((of) => [of, imageOf(module, of).descriptor.digest]));
  return { version, faults, files: made, images, packed };
}

/** Whether a file, or one that a pattern with a star stands for, is among those packed. */
function isPacked(target: string, files: string[]): boolean {
  const [before, after] = target.split("*");
  if (after === undefined) return files.includes(before);
  return files.some((file) => file.startsWith(before) && file.endsWith(after));
}

/** What users of the package get beside it, in CycloneDX. It names no registry: the lock file has none. */
function inventoryOf(root: string, name: string): string {
  const text = output(root, "npm", "sbom", "--package-lock-only", "--omit=dev", "--sbom-format=cyclonedx");
  const inventory = JSON.parse(text) as { metadata: { component: { name: string } } };
  // npm names the root by its folder.
  inventory.metadata.component.name = name;
  return JSON.stringify(inventory, null, 2) + "\n";
}

/**
 * Checks and packs; without `dryRun` it also tags, if nothing is wrong. A dry run goes on in spite of faults, so that all of them
 * are seen.
 */
export function release(root: string, dryRun: boolean): Release {
  const faults = releaseFaults(root);
  if (faults.length > 0 && !dryRun) {
    return {
      version: json<Manifest>(root, "package.json").version,
      faults,
      files: new Map(),
      images: new Map(),
      packed: { files: [], size: 0 },
    };
  }
  const made = pack(root, faults);
  if (made.faults.length === 0 && !dryRun) {
    const { version } = made;
    const notes = releaseNotes(readFileSync(join(root, "CHANGELOG.md"), "utf8"), version);
    const digests = [...made.images].map(([of, digest]) => `image ${of}: ${digest}\n`).join("");
    output(
      root,
      "git",
      "tag",
      "--annotate",
      "--cleanup=verbatim",
      "-m",
      `v${version}\n\n${notes}\n\n${digests}`,
      `v${version}`,
    );
  }
  return made;
}

/** What a maintainer types to publish. */
function commands({ version, files }: Release): string[] {
  const [tarball] = files.keys();
  return [
    `git push origin v${version}`,
    `npm publish ./${tarball}`,
    `npm run image -- --push REGISTRY/moe-wasm:${version}`,
    `npm run image -- --root http --push REGISTRY/moe-wasm-http:${version}`,
  ];
}

function tell(made: Release, dryRun: boolean): void {
  for (const [file, sum] of made.files) console.log(`${sum}  ${file}`);
  for (const [of, digest] of made.images) console.log(`image ${of.padEnd(6)}  ${digest}`);
  const { files, size } = made.packed;
  if (files.length > 0) console.log(`package       ${files.length} files, ${Math.ceil(size / 1024)} KiB packed`);
  for (const fault of made.faults) console.error(`cannot be released: ${fault}`);
  if (made.faults.length > 0) {
    process.exitCode = FAILURE;
    return;
  }
  const tag = `v${made.version}`;
  console.log(dryRun ? `\nWould tag ${tag}. Then:` : `\nTagged ${tag}. Publish it:`);
  for (const command of commands(made)) console.log(`  ${command}`);
}

export function releaseCommand(name: string): Command {
  return new Command(name)
    .description(
      "Checks that the version of package.json can be released from this commit, packs it with an SBOM and check sums into " +
        `${OUTPUT}, computes the digests of the images, and tags the commit. It publishes nothing.`,
    )
    .option("--dry-run", "no tag; packs in spite of faults, and tells all of them")
    .addHelpText(
      "after",
      `\nBefore, on the same commit:\n  ${BEFORE.join("\n  ")}\n\nExamples:\n  ${name} --dry-run\n  ${name}`,
    )
    .action(({ dryRun = false }: { dryRun?: boolean }) => {
      console.log(`Only after these have passed on this commit: ${BEFORE.join(" · ")}\n`);
      tell(release(ROOT, dryRun), dryRun);
    });
}

await runScript(import.meta, releaseCommand, "npm run release --");
