// `npm run new -- codec NAME` in a copy of the tree: what it writes passes its tests and speaks its protocol.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { codecNames, register, render } from "../../scripts/lib/scaffold.ts";
import { Host } from "./kit/index.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const COPIED = ["assembly", "filters", "scripts", "tests/unit", "tests/vectors", "asconfig.json", "as-pect.config.js"];
const CONFIGURED = ["as-pect.asconfig.json", "package.json", ".prettierrc.json", "eslint.config.js"];

describe("npm run new -- codec", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "moe-new-"));
    for (const path of [...COPIED, ...CONFIGURED]) cpSync(join(root, path), join(folder, path), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs a script of a package in the copy; returns what it printed. */
  const node = async (script: string, ...args: string[]): Promise<string> => {
    const { stdout } = await run(process.execPath, [join("node_modules", script), ...args], { cwd: folder });
    return stdout;
  };
  const create = (name: string) => node("tsx/dist/cli.mjs", "scripts/new.ts", "codec", name);

  it("writes a codec that passes its tests and the linters", async () => {
    assert.match(await create("my-rpc"), /filters\/codec\/my_rpc\/my_rpc\.ts/);
    const files = "filters/codec/my_rpc";
    const [tests] = await Promise.all([
      node("@as-pect/cli/bin/asp.js", `${files}/my_rpc.spec.ts`, "--summary", "--no-logo"),
      node("eslint/bin/eslint.js", files, "filters/network"),
      node("prettier/bin/prettier.cjs", "--check", files, "filters/network"),
    ]);
    assert.match(tests, /Result\].*Pass!/);
    assert.ok(existsSync(join(folder, files, "README.md")));
  });

  it("and that speaks its protocol in the module", async () => {
    const module = join(folder, "moe.wasm");
    await node("assemblyscript/bin/asc.js", "--target", "release", "-O0", "--outFile", module);
    const host = await Host.start({ module, config: { protocols: ["my-rpc"] } });
    host.onConnect = (stream) => {
      stream.accept({ host: "10.0.0.1:8080" });
      // Its answer: the same frame as a response.
      stream.onData = (bytes) => stream.write(Buffer.from(bytes).fill(2, 2, 3));
    };
    const client = host.connect();
    const { magic } = codecNames("my-rpc");
    client.write(Buffer.from(`${magic}000000000007000000000000000000026869`, "hex"));
    assert.equal(client.take().toString("hex"), `${magic}020000000007000000000000000000026869`);
    host.close();
  });

  it("leaves what is there alone", async () => {
    const before = readFileSync(join(folder, "filters/network/moe.ts"), "utf8");
    for (const name of ["tars", "my_rpc", "Bolt"]) {
      await assert.rejects(create(name), (error: { code: number; stderr: string }) => {
        assert.equal(error.code, 1, name);
        assert.match(error.stderr, /there already|a name is/);
        return true;
      });
    }
    assert.equal(readFileSync(join(folder, "filters/network/moe.ts"), "utf8"), before);
  });
});

describe("scaffold", () => {
  it("names that the code needs", () => {
    const names = codecNames("grpc-web_2");
    assert.deepEqual(
      { ...names, magic: "" },
      { name: "grpc-web_2", file: "grpc_web_2", class: "GrpcWeb2", instance: "grpcWeb2", magic: "" },
    );
    assert.match(names.magic, /^e[0-9a-f]{3}$/);
    for (const bad of ["../x", "1st", "a--b", "a-", "a b", "a".repeat(41), ""]) {
      assert.throws(() => codecNames(bad), /a name is/);
    }
    for (const taken of ["delete", "frame", "codec", "byte-buffer"]) assert.match(codecNames(taken).instance, /Codec$/);
  });

  it("what cannot be filled in is an error", () => {
    assert.equal(render("{{a}}{{b}}{ {a}}", { a: "1", b: "2" }), "12{ {a}}");
    assert.throws(() => render("{{c}}", { a: "1" }), /asks for c/);
    assert.throws(() => register("nothing", codecNames("a")), /no line like/);
    const source = 'import { a } from "../codec/a/a";\nimport { z } from "z";\ncodecs.register(a);\nlast();\n';
    assert.throws(() => register(source, codecNames("a")), /already/);
    assert.equal(
      register(source, codecNames("b")),
      'import { a } from "../codec/a/a";\nimport { b } from "../codec/b/b";\nimport { z } from "z";\n' +
        "codecs.register(a);\ncodecs.register(b);\nlast();\n",
    );
  });
});
