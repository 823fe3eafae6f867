// `npm start` as people run it: beside another one, with servers of their own, ended by signals.
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type TestContext, test } from "node:test";
import { alive } from "./kit/alive.ts";
import { npmEnvironment } from "../npm.ts";
import { waitUntil } from "./kit/wait.ts";

const root = resolve(import.meta.dirname, "../..");
const ANYWHERE = ["--port", "0", "--admin-port", "0", "--sample-ports", "0"];
const START_MS = 60_000;

/** A running `npm start`. */
class Start {
  output = "";
  readonly child: ChildProcess;

  constructor(t: TestContext, ...args: string[]) {
    const env = { ...npmEnvironment(), NODE_TEST_CONTEXT: undefined };
    this.child = spawn("npm", ["start", "--", ...ANYWHERE, ...args], { cwd: root, env });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => (this.output += text));
    }
    t.after(() => this.descendants().forEach((pid) => alive(pid) && process.kill(pid, "SIGKILL")));
  }

  async says(text: RegExp): Promise<RegExpExecArray> {
    await waitUntil(
      () => text.test(this.output),
      START_MS,
      () => `no ${text.source} in\n${this.output}`,
    );
    return text.exec(this.output) as RegExpExecArray;
  }

  async end(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, "exit");
    return this.child.exitCode;
  }

  /** The processes that it has started, and itself: those that have this environment's mark. */
  descendants(): number[] {
    const children = new Map<number, number[]>();
    const listed = execFileSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
    for (const [pid, parent] of listed.map((line) => line.trim().split(/\s+/).map(Number))) {
      children.set(parent, [...(children.get(parent) ?? []), pid]);
    }
    const all = [this.child.pid ?? 0];
    for (let i = 0; i < all.length; i++) all.push(...(children.get(all[i]) ?? []));
    return all;
  }

  /** Process id of its Envoy. */
  envoy(): number {
    const name = (pid: number) => execFileSync("ps", ["-o", "comm=", "-p", String(pid)], { encoding: "utf8" }).trim();
    return this.descendants().find((pid) => alive(pid) && name(pid) === "envoy") ?? 0;
  }
}

test("SIGTERM to npm ends everything, of the one of two that gets it", async (t) => {
  const [one, other] = [new Start(t), new Start(t)];
  for (const each of [one, other]) await each.says(/grpc .* SayHello/);
  const processes = one.descendants();
  assert.ok(processes.length >= 4, "npm, the script, the sample services, Envoy");
  one.child.kill("SIGTERM");
  await waitUntil(
    () => !processes.some(alive),
    20_000,
    () => `left behind: ${processes.filter(alive).join()}`,
  );
  assert.ok(alive(other.envoy()), "the other one goes on");
  other.child.kill("SIGTERM");
  await other.end();
});

test("SIGKILL of the script, of npm, or of both leaves nothing behind", async (t) => {
  for (const chosen of ["script", "npm", "both"]) {
    const start = new Start(t, "--no-samples");
    await start.says(/Ctrl-C ends it/);
    const processes = start.descendants();
    const envoy = start.envoy();
    assert.ok(envoy > 0);
    const script = Number(execFileSync("ps", ["-o", "ppid=", "-p", String(envoy)], { encoding: "utf8" }));
    // The script first: without it npm ends by itself.
    if (chosen !== "npm") process.kill(script, "SIGKILL");
    if (chosen !== "script") start.child.kill("SIGKILL");
    await waitUntil(
      () => !processes.some(alive),
      20_000,
      () => `${chosen}: left behind: ${processes.filter(alive).join()}`,
    );
  }
});

test("Envoy's end is told, with how", async (t) => {
  const start = new Start(t, "--no-samples");
  await start.says(/Ctrl-C ends it/);
  process.kill(start.envoy(), "SIGKILL");
  assert.equal(await start.end(), 1);
  assert.match(start.output, /Envoy ended \(signal SIGKILL\)/);
});

test("--once says that it made no call, and is no success", async (t) => {
  const start = new Start(t, "--no-samples", "--once");
  assert.equal(await start.end(), 2, start.output);
  assert.match(start.output, /--once made no call/);
});

test("a server of one's own behind a bootstrap of one's own stays, and is told", async (t) => {
  const server = createServer((_, response) => response.end("mine"));
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const folder = mkdtempSync(join(tmpdir(), "moe-own-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "http.yaml");
  writeFileSync(
    file,
    readFileSync(join(root, "envoy/http.yaml"), "utf8")
      .replace("port_value: 12211", `port_value: ${port}`)
      .replace("port_value: 12212", "port_value: 1"),
  );
  const start = new Start(t, "--config", file, "--no-samples");
  const [, listener] = await start.says(/HTTP requests on port (\d+)/);
  const answer = await fetch(`http://127.0.0.1:${listener}/`);
  assert.equal(await answer.text(), "mine");
  start.child.kill("SIGTERM");
  await start.end();
  const text = readFileSync(file, "utf8").replace("port_value: 1 ", `port_value: ${port} `);
  writeFileSync(file, text);
  const second = new Start(t, "--config", file);
  await second.says(new RegExp(`Port ${port} has a server of yours`));
  const [, again] = await second.says(/HTTP requests on port (\d+)/);
  assert.equal(await (await fetch(`http://127.0.0.1:${again}/`)).text(), "mine");
  second.child.kill("SIGTERM");
  await second.end();
});

test("the listener is on loopback unless --host says otherwise", async (t) => {
  const start = new Start(t, "--no-samples");
  const [, port] = await start.says(/protocols on port (\d+)/);
  const bound = (): string => execFileSync("ss", ["-ltn"], { encoding: "utf8" });
  assert.match(bound(), new RegExp(`127\\.0\\.0\\.1:${port}\\s`));
  assert.doesNotMatch(bound(), new RegExp(`(0\\.0\\.0\\.0|\\*):${port}\\s`));
  start.child.kill("SIGTERM");
  await start.end();
});
