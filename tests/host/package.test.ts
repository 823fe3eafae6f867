// What is in the package: what filters of others need, and nothing else. tests/e2e/package.test.ts uses an installed copy.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { it } from "node:test";
import { npmEnvironment } from "../npm.ts";

const root = resolve(import.meta.dirname, "../..");

interface Manifest {
  engines: { node: string };
  bin: Record<string, string>;
  exports: Record<string, string | Record<string, string>>;
  dependencies: Record<string, string>;
}

const manifest = JSON.parse(readFileSync(resolve(root, "package.json"), "utf8")) as Manifest;

/** What `npm pack` would take; what it builds before may not be there yet. */
function packed(): string[] {
  const args = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const env = npmEnvironment();
  const text = execFileSync("npm", args, { cwd: root, env, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const [{ files }] = JSON.parse(text) as { files: { path: string }[] }[];
  return files.map(({ path }) => path);
}

it("the package has what filters and their tests need, and not this project's own suites", () => {
  const paths = packed();
  for (const needed of [
    "assembly/stream/filter.ts",
    "assembly/tsconfig.json",
    "filters/network/moe.ts",
    "filters/stream/fault/schema.json",
    "scripts/lib/memory_growth.js",
    "scripts/drain.sh",
    "scripts/templates/filter/filter.ts.template",
    "scripts/templates/project/gitignore.template",
    "tests/unit/as-pect.js",
    "tests/unit/stream/test_handler.ts",
    "tests/unit/stream/configured.ts",
    "tests/unit/xprotocol/conformance.ts",
    "examples/own-filter/package.json",
    "docs/write-a-filter.md",
    "envoy/envoy.yaml",
    "envoy/schema/proxy.schema.json",
    "envoy/schema/http.schema.json",
    "LICENSE",
  ]) {
    assert.ok(paths.includes(needed), needed);
  }
  const own =
    /^(scripts\/(?!lib\/(memory_growth\.js|node_version\.cjs)|templates\/|moe\.cjs|drain\.sh)|tests\/(?!unit\/|frames\/|host\/(README|guests\/nothing))|node_modules\/|\.ci)|^tests.*\.spec\.ts$/;
  assert.deepEqual(
    paths.filter((path) => own.test(path) || /^(assembly|filters)\/.*(\.spec|\/testing)\.ts$/.test(path)),
    [],
  );
});

it("what the package exports, and its command, is in it", () => {
  const paths = packed();
  for (const target of [manifest.bin, ...Object.values(manifest.exports)].flatMap((one) =>
    typeof one === "string" ? [one] : Object.values(one),
  )) {
    const path = target.replace("./", "");
    if (path.startsWith("build/")) continue; // made by prepack
    const [before, after] = path.split("*");
    const found = paths.some(
      (one) => one === path || (after !== undefined && one.startsWith(before) && one.endsWith(after)),
    );
    assert.ok(found, target);
  }
});

it("the version of Node is the one that the docs name", () => {
  assert.equal(manifest.engines.node, ">=20.12");
  for (const file of ["README.md", "docs/write-a-filter.md", "docs/write-a-codec.md"]) {
    for (const [text] of readFileSync(resolve(root, file), "utf8").matchAll(/Node(?:\.js)? \d[\d.]*/g)) {
      assert.equal(text, "Node 20.12", file);
    }
  }
});
