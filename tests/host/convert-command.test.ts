// `npm run convert`: the files that it writes, what it says, its exit codes.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { parse } from "yaml";
import { mosn } from "./convert-world.ts";

describe("npm run convert", () => {
  const script = resolve(import.meta.dirname, "../../scripts/convert.ts");
  function run(t: TestContext, text: string, ...args: string[]) {
    const folder = mkdtempSync(join(tmpdir(), "moe-convert-"));
    t.after(() => rmSync(folder, { recursive: true }));
    mkdirSync(join(folder, "out"));
    writeFileSync(join(folder, "mosn.json"), text);
    const env = { ...process.env, INIT_CWD: folder };
    return new Promise<{ code: number; stdout: string; stderr: string; folder: string }>((done) => {
      const child = execFile(
        process.execPath,
        [...process.execArgv, script, "mosn.json", ...args],
        { env },
        (_, stdout, stderr) => done({ code: child.exitCode ?? -1, stdout, stderr, folder }),
      );
    });
  }

  it("writes the file, and the report to stderr", async (t) => {
    const { code, stderr, folder } = await run(t, mosn({ filters: [{ type: "demo" }] }), "-o", "envoy.yaml");
    assert.equal(code, 0);
    assert.match(stderr, /1\. lost: servers\[0\]\.listeners\[0\]\.stream_filters\[0\]: demo/);
    assert.match(stderr, /1 lost, 0 changed, 0 notes\.\nWritten: envoy\.yaml/);
    assert.ok(parse(readFileSync(join(folder, "envoy.yaml"), "utf8")).static_resources);
  });
  it("--strict writes nothing where something is lost", async (t) => {
    const { code, stdout } = await run(t, mosn({ filters: [{ type: "demo" }] }), "--strict");
    assert.deepEqual({ code, stdout }, { code: 3, stdout: "" });
    assert.equal((await run(t, mosn({}), "--strict")).code, 0);
  });
  it("a broken file is one line a mistake, and exit code 1", async (t) => {
    const { code, stderr } = await run(t, "{");
    assert.equal(code, 1);
    assert.match(stderr, /mosn\.json: line 1, column 2: /);
  });
});
