// The package as others use it: packed, put into an empty project without this repository around it, and everything that
// docs/write-a-filter.md says of a project of one's own done there; and installed by npm with the command `moe`, as docs/moe.md says.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { npmEnvironment } from "../npm.ts";
import { readBootstrap, socketAddress } from "../../scripts/lib/bootstrap.ts";
import { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import { findEnvoy } from "../../scripts/lib/envoy.ts";
import { freePort } from "../../scripts/lib/ports.ts";
import { codecNames, render } from "../../scripts/lib/scaffold.ts";
import { waitUntil } from "./kit/wait.ts";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");

interface Manifest {
  scripts: Record<string, string>;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

const manifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;

/** What npm would give the project: the package, and what the two declare, of this repository's own. Nothing else. */
function install(project: string, tarball: string): Promise<unknown> {
  const modules = join(project, "node_modules");
  mkdirSync(join(modules, ".bin"), { recursive: true });
  return run("tar", ["xzf", tarball, "-C", modules]).then(() => {
    cpSync(join(modules, "package"), join(modules, "moe-wasm"), { recursive: true });
    rmSync(join(modules, "package"), { recursive: true });
    cpSync(join(modules, "moe-wasm/examples/own-filter"), project, { recursive: true });
    const declared = [manifest(join(modules, "moe-wasm")).dependencies, manifest(project).devDependencies];
    for (const name of declared.flatMap((names) => Object.keys(names ?? {}))) {
      mkdirSync(dirname(join(modules, name)), { recursive: true });
      symlinkSync(join(root, "node_modules", name), join(modules, name));
    }
    symlinkSync("../assemblyscript/bin/asc.js", join(modules, ".bin/asc"));
    symlinkSync("../@as-pect/cli/bin/asp.js", join(modules, ".bin/asp"));
  });
}

let packed = "";
let tarball = "";
before(async () => {
  packed = mkdtempSync(join(tmpdir(), "moe-packed-"));
  await run("npm", ["pack", "--pack-destination", packed], { cwd: root, env: npmEnvironment() });
  tarball = join(packed, readdirSync(packed).find((name) => name.endsWith(".tgz")) ?? "");
});
after(() => rmSync(packed, { recursive: true, force: true }));

/** A command in a folder; its output. Fails with what it wrote. */
async function runIn(cwd: string, command: string, ...args: string[]): Promise<string> {
  const env = { ...npmEnvironment(), NODE_TEST_CONTEXT: undefined, NODE_PATH: undefined, INIT_CWD: undefined };
  try {
    const { stdout, stderr } = await run(command, args, { cwd, env });
    return stdout + stderr;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(" ")}\n${stdout}\n${stderr}`);
  }
}

describe("the package in an empty project", () => {
  let project: string;
  /** A command there. */
  const inProject = (command: string, ...args: string[]) => runIn(project, command, ...args);

  before(async () => {
    project = mkdtempSync(join(tmpdir(), "moe-package-"));
    await install(project, tarball);
  });

  after(() => rmSync(project, { recursive: true, force: true }));

  it("Node imports the emulator, and its parts, and nothing that is private", async () => {
    const script = `
      const { Host } = await import("moe-wasm/kit");
      const parts = await Promise.all(["bolt", "bolt-cluster", "dubbo"].map((name) => import("moe-wasm/kit/" + name)));
      if (typeof Host !== "function" || parts.some((part) => Object.keys(part).length === 0)) throw new Error("empty");
      for (const hidden of ["moe-wasm/kit/vm", "moe-wasm/scripts/lib/envoy.ts", "moe-wasm/docs/limits.md"]) {
        await import(hidden).then(() => { throw new Error(hidden); }, (error) => {
          if (error.code !== "ERR_PACKAGE_PATH_NOT_EXPORTED") throw error;
        });
      }
      const host = await Host.start({ module: import.meta.resolve("moe-wasm/moe.wasm").replace("file://", "") });
      host.close();`;
    await inProject(process.execPath, "--input-type=module", "-e", script);
  });

  it("the emulator has types", async () => {
    const source = `import { Host, type HostOptions } from "moe-wasm/kit";
      import { request } from "moe-wasm/kit/bolt";
      export const options: Partial<HostOptions> = { config: {} };
      export const start: (options: HostOptions) => Promise<Host> = Host.start;
      export const bytes: Buffer = request(1, {});
      // @ts-expect-error: a number is no configuration's file
      export const wrong: HostOptions = { module: 5 };`;
    writeFileSync(join(project, "typed.mts"), source);
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const types = ["--types", "node", "--typeRoots", join(root, "node_modules/@types")];
    const args = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", ...types, "typed.mts"];
    await inProject(process.execPath, tsc, ...args);
  });

  it("filters of one's own, and that of docs/callouts.md, compile by the documented line with its growth of memory", async () => {
    const documented = (name: string) => readFileSync(join(project, "node_modules/moe-wasm/docs", name), "utf8");
    const { build: line } = manifest(project).scripts;
    assert.ok(
      documented("write-a-filter.md").replace(/\s+/g, " ").includes(line),
      "docs/write-a-filter.md has the line",
    );

    const [, example] = /```ts\n([^]*?)```/.exec(documented("callouts.md")) ?? [];
    writeFileSync(join(project, "assembly/ask.ts"), example.replaceAll("../../../", "moe-wasm/"));
    const index = join(project, "assembly/index.ts");
    const registered =
      readFileSync(index, "utf8").replace("\nconst codecs", 'import { ask } from "./ask";\n\nconst codecs') +
      "filters.register(ask);\n";
    writeFileSync(index, registered);
    // The optimiser takes three times as long as all the rest, and is no part of the package.
    assert.match(line, /^asc .* -O3 /);
    const [, ...args] = line.replace("-O3", "-O0").split(" ");
    await inProject("node_modules/.bin/asc", ...args);
  });

  it("its specs run with as-pect, and the conformance suite with a codec of one's own", async () => {
    const names = codecNames("own_rpc");
    for (const file of ["codec.ts", "codec.spec.ts"]) {
      const template = readFileSync(join(root, "scripts/templates/codec", `${file}.template`), "utf8");
      const text = render(template, { ...names }).replaceAll("../../../", "moe-wasm/");
      writeFileSync(join(project, "assembly", file.replace("codec", names.file)), text);
    }
    const output = await inProject("npm", "run", "--silent", "test:unit");
    const passed = [...output.matchAll(/Pass: (\d+) \/ (\d+)/g)].map(([, good, all]) => [Number(good), Number(all)]);
    assert.equal(passed.length, 2, output);
    for (const [good, all] of passed) assert.ok(good === all && all >= 2, output);
  });

  it("its module runs in the emulator", async () => {
    const output = await inProject("npm", "run", "--silent", "test:emulator");
    assert.match(output, /^# pass 2$/m);
  });

  for (const [what, folder, file] of [
    ["its module runs", ".", "envoy.yaml"],
    ["the package's own module and bootstrap run", "node_modules/moe-wasm", "envoy/http.yaml"],
  ]) {
    it(`${what} in Envoy`, async () => {
      const bootstrap = readBootstrap(join(project, folder, file));
      for (const of of [...bootstrap.static_resources.listeners, ...(bootstrap.admin ? [bootstrap.admin] : [])]) {
        Object.assign(socketAddress(of), { address: "127.0.0.1", port_value: 0 });
      }
      const envoy = await EnvoyProcess.start({ binary: await findEnvoy(), bootstrap, cwd: join(project, folder) });
      try {
        if (folder !== ".") return;
        const statuses = await Promise.all(
          ["user", "name"].map((header) => fetch(`http://127.0.0.1:${envoy.port}/`, { headers: { [header]: "eve" } })),
        );
        assert.deepEqual(
          statuses.map(({ status }) => status),
          [403, 200],
        );
      } finally {
        await envoy.stop();
      }
    });
  }
});

/** How long a command may take to say something on a busy machine; its first start may fetch Envoy. */
const COMMAND_MS = 240_000;

const MOSN = {
  servers: [
    {
      routers: [
        {
          router_config_name: "web",
          virtual_hosts: [
            { name: "web", domains: ["*"], routers: [{ direct_response: { status: 200, body: "from MOSN's route" } }] },
          ],
        },
      ],
      listeners: [
        {
          name: "web",
          address: "127.0.0.1:0",
          bind_port: true,
          filter_chains: [
            { filters: [{ type: "proxy", config: { downstream_protocol: "Http1", router_config_name: "web" } }] },
          ],
        },
      ],
    },
  ],
};

describe("the command of the package, installed by npm", () => {
  let folder = "";
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "moe-command-"));
    mkdirSync(join(folder, "empty"));
    await runIn(join(folder, "empty"), "npm", "install", "--prefer-offline", tarball);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const moe = (where: string) => join(folder, where, "node_modules/.bin/moe");

  /** Runs a command until the action is done, which sees what it has written; resolves with the signal that has ended it. */
  async function whileCommand(
    where: string,
    args: string[],
    signal: NodeJS.Signals,
    action: (says: (text: RegExp) => Promise<RegExpExecArray>) => Promise<void>,
  ): Promise<NodeJS.Signals | null> {
    const env = { ...npmEnvironment(), NODE_TEST_CONTEXT: undefined, INIT_CWD: undefined };
    const child = spawn(moe(where), args, { cwd: join(folder, where), env });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text) => (output += text));
    const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
    const says = async (text: RegExp) => {
      await waitUntil(
        () => text.test(output) || hasEnded(),
        COMMAND_MS,
        () => output,
      );
      const found = text.exec(output) ?? assert.fail(output);
      output = output.slice(found.index + found[0].length);
      return found;
    };
    try {
      await action(says);
    } finally {
      child.kill(signal);
      if (!hasEnded()) await once(child, "exit");
    }
    return child.signalCode;
  }

  /** Runs `moe run`, hands over its port, and ends it. */
  async function whileRunning(where: string, args: string[], action: (port: number) => Promise<void>): Promise<void> {
    await whileCommand(where, ["run", ...args, "--admin-port", "0"], "SIGTERM", async (says) => {
      const [, port] = await says(/on port (\d+)[^]*Ctrl-C ends it/);
      await action(Number(port));
    });
  }

  it("a file of MOSN runs, as it is and converted", async () => {
    const empty = join(folder, "empty");
    writeFileSync(join(empty, "mosn.json"), JSON.stringify(MOSN));
    assert.match(await runIn(empty, moe("empty"), "convert", "mosn.json", "-o", "envoy.yaml"), /Written: envoy\.yaml/);
    assert.match(
      await runIn(empty, moe("empty"), "validate", "mosn.json", "envoy.yaml"),
      /mosn\.json: good\nenvoy\.yaml: good/,
    );
    for (const file of ["mosn.json", "envoy.yaml"]) {
      await whileRunning("empty", [file], async (port) => {
        assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "from MOSN's route", file);
      });
    }
  });

  it("mistakes are one line, with what is allowed", async () => {
    for (const [args, code, said] of [
      [["frob"], 2, /^moe: unknown command 'frob'\. Commands: run, convert, .*\n$/],
      [["discover"], 2, /^moe discover: give a source: -s URL, .* file: or zookeeper: or nacos:\n$/],
      [["discover", "-s", "file:x"], 2, /^moe discover: give --out FOLDER, --istio FILE or --table\n$/],
      [["discover", "-s", "file:x", "--bootstrap"], 2, /^moe discover: --bootstrap goes with --out FOLDER\n$/],
      [["convert"], 2, /^moe convert: missing required argument 'file'\. Usage: moe convert \[options\] <file>\n$/],
      [["convert", "--xyzzy", "x"], 2, /^moe convert: unknown option '--xyzzy'\. Options: .*--strict.*\n$/],
      [["run", "--port", "x"], 2, /^moe run: .* Expected 0 to 65535.*\n$/],
      [["run", "none.yaml"], 1, /^none\.yaml does not exist\.\n$/],
      [["build"], 1, /^No folder from here upwards has an asconfig\.json: `moe new project NAME` .*\n$/],
      [["new", "project", "Über"], 1, /^Über: the folder's name .*\n$/],
    ] as const) {
      await assert.rejects(
        run(moe("empty"), [...args], { cwd: join(folder, "empty") }),
        (error: { code: number; stderr: string; stdout: string }) => {
          assert.match(error.stderr + error.stdout, said);
          assert.equal(error.code, code, args.join(" "));
          return true;
        },
      );
    }
  });

  it("a project of one's own builds, passes its tests, and answers real calls of its own protocol", async (t) => {
    const begun = Date.now();
    const mesh = join(folder, "my-mesh");
    await runIn(join(folder, "empty"), moe("empty"), "new", "project", "../my-mesh");
    await runIn(mesh, "npm", "install", "--prefer-offline");
    await runIn(mesh, moe("my-mesh"), "new", "filter", "other_filter");
    await runIn(mesh, moe("my-mesh"), "new", "codec", "other-rpc");
    const filter = join(mesh, "filters/my_filter/my_filter.ts");
    const source = readFileSync(filter, "utf8");
    const ended = await whileCommand("my-mesh", ["build", "--watch"], "SIGINT", async (says) => {
      await says(/^build\/module\.wasm .* debug.*\n[^]*Waiting for changes/m);
      writeFileSync(filter, source + "this is no source;\n");
      await says(/ERROR[^]*filters\/my_filter\/my_filter\.ts[^]*The module did not compile\./);
      // As editors do it.
      writeFileSync(`${filter}.new`, source);
      renameSync(`${filter}.new`, filter);
      await says(/^build\/module\.wasm .* debug/m);
    });
    assert.equal(ended, "SIGINT");
    const output = await runIn(mesh, moe("my-mesh"), "test");
    assert.match(output, /^All passed\.$/m);
    assert.match(output, /pass 6\n/, "the emulator");

    const [rpc, web] = [await freePort(), await freePort()];
    for (const file of ["envoy.yaml", "samples/servers.js"]) {
      const text = readFileSync(join(mesh, file), "utf8");
      writeFileSync(join(mesh, file), text.replace("12201", String(rpc)).replace("12211", String(web)));
    }
    await whileRunning("my-mesh", ["--port", "0"], async (port) => {
      const calls = await runIn(mesh, process.execPath, "samples/client.js", String(port));
      assert.deepEqual(calls.trim().split("\n"), [
        "my_rpc  user adam: status 0, hello adam",
        "http    user adam: status 200, hello /adam",
        "my_rpc  user eve: status 1, refused by my_filter",
        "http    user eve: status 403, refused by my_filter",
      ]);
    });
    t.diagnostic(`from nothing to calls in ${Math.round((Date.now() - begun) / 1000)} s`);
  });
});
