// `npm run istio-routes`: its exit codes, --check, --watch.
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { GO, ORDERS, rule, to, V1, V2, virtualService } from "./istio-resources.ts";
import { stringify } from "yaml";

describe("npm run istio-routes", () => {
  const script = resolve(import.meta.dirname, "../../scripts/istio_routes.ts");
  const command = (...args: string[]) => [
    ...process.execArgv,
    script,
    "--url",
    "oci://r/m:1",
    "-n",
    "shop",
    "--no-module",
    ...args,
  ];
  const folder = (t: TestContext): string => {
    const made = mkdtempSync(join(tmpdir(), "moe-routes-"));
    t.after(() => rmSync(made, { recursive: true }));
    return made;
  };
  const start = (...args: string[]) =>
    new Promise<{ code: number; stderr: string; stdout: string }>((done) => {
      const child: ChildProcess = execFile(process.execPath, command(...args), (_, stdout, stderr) =>
        done({ code: child.exitCode ?? -1, stderr, stdout }),
      );
    });

  it("--check fails on warnings that are not accepted, and on an output that is old", async (t) => {
    const at = folder(t);
    writeFileSync(
      join(at, "a.yaml"),
      [ORDERS, rule(), virtualService({ ...GO, timeout: "1s" })].map((one) => stringify(one)).join("---\n"),
    );
    const out = join(at, "out.yaml");
    assert.match((await start(at, "-o", out)).stderr, /warning caller-timeout: spec\.http\[0\]\.timeout.*\nWritten/);
    assert.equal((await start(at, "-o", out, "--check")).code, 1);
    assert.equal((await start(at, "-o", out, "--check", "--accept", "caller-timeout")).code, 0);
    writeFileSync(out, "old");
    assert.equal((await start(at, "-o", out, "--check", "--accept", "caller-timeout")).code, 3);
    assert.equal((await start(join(at, "none.yaml"))).code, 2);
  });

  it("--watch writes again after a change, and keeps what was good", async (t) => {
    const at = folder(t);
    const [input, out] = [join(at, "a.yaml"), join(at, "out.yaml")];
    const write = (route: object) =>
      writeFileSync(input, [ORDERS, rule(), virtualService(route)].map((one) => stringify(one)).join("---\n"));
    write(GO);
    const child = spawn(process.execPath, command(at, "-o", out, "--watch"), { stdio: ["ignore", "ignore", "pipe"] });
    t.after(() => child.kill());
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    const until = async (what: () => boolean) => {
      for (const end = Date.now() + 60_000; !what();) {
        assert.ok(Date.now() < end, said);
        await new Promise((done) => setTimeout(done, 50));
      }
    };
    const has = (text: string) => () => existsSync(out) && readFileSync(out, "utf8").includes(text);
    await until(() => said.includes("Watching"));
    assert.ok(has(V1)());
    write({ route: [to("v2")] });
    await until(has(V2));
    write({ route: [to("v3")] });
    await until(() => said.includes('the subset "v3"'));
    assert.ok(has(V2)());
  });
});
