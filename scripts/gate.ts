// `npm run gate`, part of `npm run lint`: nothing in the tree names the machine it was made on or where its packages came from.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");

/** What must not be in a file, and what it would be. */
const RULES: { what: string; pattern: RegExp }[] = [
  {
    what: "an absolute path of a machine",
    // Paths inside containers are known to all.
    pattern: /(?<![\w.$}/-])\/(?:home|root|Users|work|workspace|mnt|private)\/[\w.-]+/,
  },
  { what: "an absolute path of a machine", pattern: /\b[A-Z]:\\(?:Users|work|dev)\\/ },
  {
    what: "the host of a package registry",
    pattern:
      /\b(?:registry\.[\w-]+\.(?:org|com|cn|io|net|dev)|repo\d?\.maven\.[\w.]+|[\w-]+\.(?:jfrog|npmmirror)\.\w+|proxy\.golang\.org)\b/i,
  },
];

/** Files that are no text. */
const BINARY = /\.(bin|gz|png|jar|wasm)$/;

/** What is wrong with a file's text, one line for each place: `PATH:LINE: WHAT`. */
export function gateFaults(path: string, text: string): string[] {
  const faults: string[] = [];
  text.split("\n").forEach((line, at) => {
    for (const { what, pattern } of RULES) {
      const found = pattern.exec(line);
      if (found) faults.push(`${path}:${at + 1}: ${what}: ${found[0]}`);
    }
  });
  return faults;
}

function main(): void {
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root });
  const paths = listed.toString().split("\0");
  const faults = paths
    .filter((path) => path !== "" && !BINARY.test(path))
    .flatMap((path) => gateFaults(path, read(path)));
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
}

/** The file's text; empty for what is listed and gone, or is no file. */
function read(path: string): string {
  try {
    return readFileSync(join(root, path), "utf8");
  } catch {
    return "";
  }
}

if (process.argv[1] === import.meta.filename) main();
