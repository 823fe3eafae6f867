// What the texts of a release say of its version: package.json, the lock file, CHANGELOG.md, and every file that names the package
// with a version.

export interface Manifest {
  name: string;
  version: string;
  bin?: Record<string, string>;
  exports?: Record<string, string | Record<string, string>>;
}

const HEADING = /^## (.+)$/gm;
const RELEASED = /^\[?(\d+\.\d+\.\d+(?:-[\w.]+)?)\]? - \d{4}-\d{2}-\d{2}$/;

interface Section {
  heading: string;
  text: string;
}

/** The sections of a changelog, newest first. */
function sections(changelog: string): Section[] {
  const found = [...changelog.matchAll(HEADING)];
  return found.map((at, i) => ({
    heading: at[1].trim(),
    text: changelog.slice(at.index + at[0].length, found[i + 1]?.index).trim(),
  }));
}

const versionOf = ({ heading }: Section) => RELEASED.exec(heading)?.[1];

/** What a changelog says of a version; empty: nothing. */
export function releaseNotes(changelog: string, version: string): string {
  return sections(changelog).find((section) => versionOf(section) === version)?.text ?? "";
}

/** What contradicts a version in lock file and changelog. */
export function versionFaults(version: string, locked: string | undefined, changelog: string): string[] {
  const faults: string[] = [];
  if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) faults.push(`package.json: ${version} is no version such as 1.2.3`);
  if (locked !== version) faults.push(`package-lock.json: version ${locked}, package.json has ${version}`);
  const all = sections(changelog);
  const [newest] = all.flatMap((section) => versionOf(section) ?? []);
  if (newest !== version) {
    faults.push(
      `CHANGELOG.md: the newest version is ${newest ?? "missing"}; expected a heading "## [${version}] - YYYY-MM-DD"`,
    );
  } else if (releaseNotes(changelog, version) === "") {
    faults.push(`CHANGELOG.md: ${version} has no text`);
  }
  const open = all.find(({ heading }) => /^\[?Unreleased\]?$/i.test(heading));
  if (open !== undefined && open.text !== "") {
    faults.push(`CHANGELOG.md: "${open.heading}" is not empty: its lines belong to ${version}`);
  }
  return faults;
}

/** Where a file names the package, its tarball or its image with another version, a line each. */
export function outdatedVersions(file: string, text: string, name: string, version: string): string[] {
  const named = new RegExp(`${name}(?:-http)?(?:[:@-]|": ")v?(\\d+\\.\\d+\\.\\d+(?:-[\\w.]*\\w)?)`, "g");
  return text
    .split("\n")
    .flatMap((line, at) =>
      [...line.matchAll(named)]
        .filter(([, other]) => other.replace(/\.(tgz|wasm|cdx)$/, "") !== version)
        .map(([all]) => `${file}:${at + 1}: ${all}, the version is ${version}`),
    );
}

/** The files that a manifest's command and exports lead to; a star stands for any. */
export function exportedFiles({ bin = {}, exports = {} }: Manifest): string[] {
  const targets = [bin, ...Object.values(exports)].flatMap((one) =>
    typeof one === "string" ? [one] : Object.values(one),
  );
  return [...new Set(targets.map((target) => target.replace("./", "")))];
}
