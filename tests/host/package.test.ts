// What authors of filters in packages of their own get: the files of `npm pack`, and the emulator by its name.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { it } from "node:test";

const root = resolve(import.meta.dirname, "../..");

it("the package has what filters and their tests need, and not this project's own suites", () => {
  const args = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const text = execFileSync("npm", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const [{ files }] = JSON.parse(text) as { files: { path: string }[] }[];
  const paths = files.map(({ path }) => path);
  for (const needed of [
    "assembly/stream/filter.ts",
    "assembly/tsconfig.json",
    "filters/network/moe.ts",
    "filters/stream/fault/schema.json",
    "tests/host/kit/index.ts",
    "tests/unit/stream/test_handler.ts",
    "tests/unit/stream/configured.ts",
    "tests/unit/xprotocol/conformance.ts",
    "docs/write-a-filter.md",
    "envoy/envoy.yaml",
    "asconfig.json",
    "LICENSE",
  ]) {
    assert.ok(paths.includes(needed), needed);
  }
  assert.deepEqual(
    paths.filter((path) => /^(scripts|tests\/(e2e|interop|bench|frames)|node_modules)\/|^\.ci/.test(path)),
    [],
  );
});

it("the emulator is moe-wasm/kit", async () => {
  const name = "moe-wasm/kit";
  const kit = (await import(name)) as Record<string, unknown>;
  assert.equal(kit.Host, (await import("./kit/index.ts")).Host);
});
