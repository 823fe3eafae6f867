// `npm run new` in a copy of the tree: what it writes passes its tests, and works in the module.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { codecNames, filterNames, register, type Registration, render } from "../../scripts/lib/scaffold.ts";
import * as bolt from "./kit/bolt.ts";
import { Host } from "./kit/index.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const COPIED = ["assembly", "filters", "scripts", "tests", "docs", "asconfig.json", "as-pect.config.js"];
const CONFIGURED = ["as-pect.asconfig.json", "package.json", ".prettierrc.json", "eslint.config.js"];

describe("npm run new", () => {
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
  const create = (kind: string, name: string) => node("tsx/dist/cli.mjs", "scripts/new.ts", kind, name);

  it("writes a codec and a filter that pass their tests and the linters", async () => {
    assert.match(await create("codec", "my-rpc"), /filters\/codec\/my_rpc\/my_rpc\.ts/);
    assert.match(await create("filter", "my_filter"), /tests\/vectors\/my_filter\.json/);
    const files = ["filters/codec/my_rpc", "filters/stream/my_filter"];
    const registries = "filters/network";
    const specs = [`${files[0]}/my_rpc.spec.ts`, `${files[1]}/my_filter.spec.ts`, "tests/unit/vectors/vectors.spec.ts"];
    const [tests] = await Promise.all([
      node("@as-pect/cli/bin/asp.js", ...specs, "--summary", "--no-logo"),
      node("eslint/bin/eslint.js", ...files, registries),
      node("prettier/bin/prettier.cjs", "--check", ...files, registries),
    ]);
    assert.match(tests, /Result\].*Pass!/);
    assert.match(tests, /vectors unit: .*my_filter 9/);
    for (const folder_ of files) assert.ok(existsSync(join(folder, folder_, "README.md")));
  });

  describe("in the module", () => {
    let module = "";
    before(async () => {
      module = join(folder, "moe.wasm");
      await node("assemblyscript/bin/asc.js", "--target", "release", "-O0", "--outFile", module);
    });

    it("the codec speaks its protocol", async () => {
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

    it("the filter refuses and counts, on RPC and on HTTP", async () => {
      const config = { stream_filters: [{ type: "my_filter", config: { header: "user", value: "eve" } }] };
      const rpc = await Host.start({ module, config });
      const client = rpc.connect();
      client.write(bolt.request(1, { headers: [["user", "eve"]] }));
      assert.equal(client.take().readUInt16BE(10), bolt.BoltStatus.SERVER_EXCEPTION);
      rpc.advance(1000);
      assert.equal(rpc.metrics.counter("moe.filter.my_filter.refused"), 1);
      rpc.close();
      const http = await Host.start({ module, root: "http", config });
      assert.equal(http.request({ headers: { user: "adam" } }).status, 200);
      const refused = http.request({ headers: { user: "eve" } });
      assert.deepEqual([refused.status, refused.body], [403, "refused by my_filter"]);
      http.close();
    });

    it("the filter's rows and schema", async () => {
      const env: NodeJS.ProcessEnv = { ...process.env, MOE_MODULE: module };
      // Or else it would tell its results to this test's runner, or have two reporters.
      delete env.NODE_TEST_CONTEXT;
      delete env.NODE_OPTIONS;
      const args = ["--import", "tsx", "--test-name-pattern", "my_filter", "--test-reporter", "spec", "--test"];
      const files = ["tests/host/vectors.test.ts", "tests/host/schemas.test.ts"];
      const { stdout } = await run(process.execPath, [...args, ...files], { cwd: folder, env });
      assert.match(stdout, /pass 1[0-9]\n/);
      assert.match(stdout, /fail 0\n/);
    });
  });

  it("leaves what is there alone", async () => {
    const registries = () =>
      ["moe", "filters"].map((name) => readFileSync(join(folder, `filters/network/${name}.ts`), "utf8"));
    const before = registries();
    for (const one of ["codec tars", "codec Bolt", "codec filter-roots", "filter fault", "filter flow_control"]) {
      const [kind, name] = one.split(" ");
      await assert.rejects(create(kind, name), (error: { code: number; stderr: string }) => {
        assert.equal(error.code, 1, one);
        assert.match(error.stderr, /^[^\n]*(there already|name is|(moe|filters)\.ts already)[^\n]*\n$/);
        return true;
      });
    }
    assert.deepEqual(registries(), before);
    for (const path of ["codec/filter_roots", "stream/flow_control"]) {
      assert.ok(!existsSync(join(folder, "filters", path)), path);
    }
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
    for (const bad of ["my-filter", "a__b", "a_", "Fault", "1st", ""]) assert.throws(() => filterNames(bad), /name is/);
    assert.deepEqual(filterNames("rate_limit"), {
      name: "rate_limit",
      file: "rate_limit",
      class: "RateLimit",
      instance: "rateLimit",
    });
    for (const taken of ["filter", "phase", "rows"]) assert.match(filterNames(taken).instance, /Filter$/);
    for (const taken of ["delete", "frame", "codec", "byte-buffer"]) assert.match(codecNames(taken).instance, /Codec$/);
  });

  it("what cannot be filled in is an error", () => {
    assert.equal(render("{{a}}{{b}}{ {a}}", { a: "1", b: "2" }), "12{ {a}}");
    assert.throws(() => render("{{c}}", { a: "1" }), /asks for c/);
    const codecs: Registration = { registry: "codecs", folder: "../codec", path: "moe.ts" };
    assert.throws(() => register("nothing", codecNames("a"), codecs), /moe\.ts has no line like/);
    const source = 'import { a } from "../codec/a/a";\nimport { z } from "z";\ncodecs.register(a);\nlast();\n';
    assert.throws(() => register(source, codecNames("a"), codecs), /already/);
    assert.equal(
      register(source, codecNames("b"), codecs),
      'import { a } from "../codec/a/a";\nimport { b } from "../codec/b/b";\nimport { z } from "z";\n' +
        "codecs.register(a);\ncodecs.register(b);\nlast();\n",
    );
  });
});
