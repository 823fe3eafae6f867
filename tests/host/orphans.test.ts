// Children end with the process that started them, however that ends.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type TestContext, test } from "node:test";
import { alive } from "../e2e/kit/alive.ts";
import { waitUntil } from "../e2e/kit/wait.ts";

const LIB = resolve(import.meta.dirname, "../../scripts/lib/orphans.ts");

/** A parent whose child sleeps; it says the child's id once that is watched over, then `then` goes on. */
function script(folder: string, then: string): string {
  return `
    import { spawn } from "node:child_process";
    import { endWithUs } from ${JSON.stringify(LIB)};
    const child = spawn("sleep", ["1000"], { stdio: "ignore" });
    endWithUs(child, ${JSON.stringify(folder)});
    console.log(child.pid);
    ${then}`;
}

async function start(t: TestContext, then: string) {
  const folder = mkdtempSync(join(tmpdir(), "moe-orphans-"));
  const args = [...process.execArgv, "--input-type=module", "-e", script(folder, then)];
  const parent = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [said] = (await once(parent.stdout, "data")) as [Buffer];
  const child = Number(said.toString());
  t.after(() => {
    if (alive(child)) process.kill(child, "SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  return { parent, child, folder };
}

const WAIT_MS = 30_000;

for (const signal of ["SIGKILL", "SIGTERM", "SIGABRT"] as const) {
  test(`${signal}: child and folder go with their parent`, async (t) => {
    const { parent, child, folder } = await start(t, "setInterval(() => undefined, 1000);");
    assert.ok(alive(child));
    parent.kill(signal);
    await waitUntil(
      () => !alive(child) && !existsSync(folder),
      WAIT_MS,
      () => "the child or its folder is left behind",
    );
  });
}

test("a parent that comes to its end takes its child along", async (t) => {
  const { child } = await start(t, "process.exit(0);");
  await waitUntil(
    () => !alive(child),
    WAIT_MS,
    () => "the child is left behind",
  );
});

test("a child that ends first leaves its folder to its parent, and holds up nobody", async (t) => {
  const { parent, child, folder } = await start(t, "child.kill();");
  const [code] = (await once(parent, "exit")) as [number];
  assert.equal(code, 0);
  assert.equal(alive(child), false);
  assert.ok(existsSync(folder));
});
