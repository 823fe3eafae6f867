// `npm run release`: a small repository is checked, packed and tagged; and what this repository says of its own version agrees.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { outdatedVersions, releaseNotes, versionFaults } from "../../scripts/lib/versions_agree.ts";
import { release } from "../../scripts/release.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const CHANGELOG = `# Changelog

## [Unreleased]

## [1.2.3] - 2026-01-02

- The second.

## [1.2.2] - 2026-01-01

- The first.
`;
const MANIFEST = {
  name: "small",
  version: "1.2.3",
  license: "MIT",
  bin: { small: "run.js" },
  exports: { "./*": "./lib/*.js" },
  files: ["run.js", "lib"],
  dependencies: { needed: "4.5.6" },
  devDependencies: { tool: "7.8.9" },
};
const LOCK = {
  name: "small",
  version: "1.2.3",
  lockfileVersion: 3,
  packages: {
    "": { ...MANIFEST, files: undefined, exports: undefined },
    "node_modules/needed": { version: "4.5.6", license: "MIT" },
    "node_modules/tool": { version: "7.8.9", dev: true },
  },
};
const FILES: Record<string, string> = {
  "package.json": JSON.stringify(MANIFEST),
  "package-lock.json": JSON.stringify(LOCK),
  "CHANGELOG.md": CHANGELOG,
  "README.md": "npm install ./small-1.2.3.tgz\n",
  "run.js": "",
  "lib/one.js": "",
  "build/moe.wasm": "\0asm\x01\0\0\0",
  ".gitignore": "build\n",
};

/** A repository with these files instead of the right ones, and one commit; and git in it. */
function repository(t: TestContext, files: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "moe-release-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [file, text] of Object.entries({ ...FILES, ...files })) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  const git = (...args: string[]) => execFileSync("git", args, { cwd: folder, encoding: "utf8" });
  git("init", "--quiet");
  git("config", "user.name", "Test");
  git("config", "user.email", "test@example.com");
  git("add", ".");
  git("-c", "commit.gpgsign=false", "commit", "--quiet", "-m", "All");
  git("config", "tag.gpgsign", "false");
  return { folder, git };
}

describe("npm run release", () => {
  it("packs, and tags the commit with what is new and the images' digests", (t) => {
    const { folder, git } = repository(t);
    const made = release(folder, false);
    assert.deepEqual(made.faults, []);
    assert.deepEqual([...made.packed.files].sort(), ["README.md", "lib/one.js", "package.json", "run.js"]);
    assert.deepEqual(
      [...made.files.keys()],
      ["small-1.2.3.tgz", "small-1.2.3.wasm", "small-1.2.3.cdx.json"].map((file) => `build/release/${file}`),
    );
    execFileSync("sha256sum", ["--check", "--quiet", "SHA256SUMS"], { cwd: join(folder, "build/release") });

    assert.equal(git("rev-parse", "v1.2.3^{commit}"), git("rev-parse", "HEAD"));
    const message = git("tag", "--list", "--format=%(contents)", "v1.2.3");
    assert.match(
      message,
      /^v1\.2\.3\n\n- The second\.\n\nimage proxy: sha256:[0-9a-f]{64}\nimage http: sha256:[0-9a-f]{64}\n/,
    );
    assert.notEqual(made.images.get("proxy"), made.images.get("http"));
    assert.deepEqual(release(folder, false).faults, ["the tag v1.2.3 exists"]);
  });

  it("lists what users get beside the package, without the tools of its authors", (t) => {
    const { folder } = repository(t);
    release(folder, true);
    const { metadata, components } = JSON.parse(
      readFileSync(join(folder, "build/release/small-1.2.3.cdx.json"), "utf8"),
    ) as { metadata: { component: { name: string } }; components: { purl: string }[] };
    assert.equal(metadata.component.name, "small");
    assert.deepEqual(
      components.map(({ purl }) => purl),
      ["pkg:npm/needed@4.5.6"],
    );
  });

  it("a dry run packs and does not tag", (t) => {
    const { folder, git } = repository(t);
    const made = release(folder, true);
    assert.deepEqual(made.faults, []);
    assert.equal(made.images.size, 2);
    assert.equal(git("tag", "--list"), "");
  });

  it("tells all that is wrong, and then neither packs nor tags", (t) => {
    const { folder, git } = repository(t, {
      "README.md": "npm install ./small-1.2.2.tgz\n",
      "CHANGELOG.md": CHANGELOG.replace("[Unreleased]\n", "[Unreleased]\n\n- The third.\n"),
    });
    writeFileSync(join(folder, "run.js"), "changed");
    const expected = [
      'CHANGELOG.md: "[Unreleased]" is not empty: its lines belong to 1.2.3',
      "the tree is not clean: 1 files, the first run.js",
      "README.md:1: small-1.2.2, the version is 1.2.3",
    ];
    const made = release(folder, false);
    assert.deepEqual(made.faults, expected);
    assert.equal(made.files.size, 0);
    assert.equal(git("tag", "--list"), "");
    assert.deepEqual(release(folder, true).faults, expected, "of a dry run");
  });

  it("finds what package.json names and the package lacks", (t) => {
    const manifest = {
      ...MANIFEST,
      files: ["lib"],
      exports: { ".": { types: "./lib/none.d.ts" }, "./*": "./other/*.js" },
    };
    const { folder, git } = repository(t, { "package.json": JSON.stringify(manifest) });
    assert.deepEqual(release(folder, false).faults, [
      "the package lacks lib/none.d.ts, which its package.json names",
      "the package lacks other/*.js, which its package.json names",
    ]);
    assert.equal(git("tag", "--list"), "");
  });
});

describe("versions", () => {
  it("lock file and changelog must have that of package.json", () => {
    assert.deepEqual(versionFaults("1.2.3", "1.2.3", CHANGELOG), []);
    assert.deepEqual(versionFaults("1.3.0", "1.2.3", CHANGELOG), [
      "package-lock.json: version 1.2.3, package.json has 1.3.0",
      'CHANGELOG.md: the newest version is 1.2.3; expected a heading "## [1.3.0] - YYYY-MM-DD"',
    ]);
    assert.deepEqual(versionFaults("1.2", "1.2", "# Changelog\n"), [
      "package.json: 1.2 is no version such as 1.2.3",
      'CHANGELOG.md: the newest version is missing; expected a heading "## [1.2] - YYYY-MM-DD"',
    ]);
    assert.deepEqual(versionFaults("1.0.0", "1.0.0", "## [1.0.0] - 2026-01-01\n"), ["CHANGELOG.md: 1.0.0 has no text"]);
    assert.equal(releaseNotes(CHANGELOG, "1.2.2"), "- The first.");
  });

  it("a file that names the package with another one is told, others' packages are not", () => {
    const text = [
      "oci://REGISTRY/moe-wasm:1.2.2",
      "moe-wasm-http:1.2.3 moe-wasm@1.2.3 other-1.2.2.tgz",
      '"moe-wasm": "1.2.4-rc.1"',
      "moe-wasm-1.2.3.tgz",
    ].join("\n");
    assert.deepEqual(outdatedVersions("a", text, "moe-wasm", "1.2.3"), [
      "a:1: moe-wasm:1.2.2, the version is 1.2.3",
      'a:3: moe-wasm": "1.2.4-rc.1, the version is 1.2.3',
    ]);
  });

  it("this repository's files name its own version", () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
    for (const file of [
      "README.md",
      "examples/own-filter/package.json",
      "istio/http.yaml",
      "istio/client-bolt.yaml",
      "scripts/image.ts",
    ]) {
      const text = readFileSync(join(ROOT, file), "utf8");
      assert.match(text, /moe-wasm/, file);
      assert.deepEqual(outdatedVersions(file, text, "moe-wasm", version), []);
    }
  });
});
