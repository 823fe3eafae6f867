// scripts/image: the bytes of the OCI image, and what a registry sees of a push.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { gunzipSync } from "node:zlib";
import { type Image, makeImage, writeLayout } from "../../scripts/image/image.ts";
import { digestOf, gzipStored, tar, withCustomSection } from "../../scripts/image/layers.ts";
import { parseReference, push, PushFailed } from "../../scripts/image/registry.ts";

/** The smallest module. */
const WASM = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
const LABELS = { "org.opencontainers.image.version": "1.2.3" };

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), "moe-image-"));
  t.after(() => rmSync(made, { recursive: true }));
  return made;
}

interface Manifest {
  mediaType: string;
  config: { mediaType: string; digest: string };
  layers: { mediaType: string; digest: string; size: number }[];
  annotations: Record<string, string>;
}

const manifestOf = ({ manifest }: Image) => JSON.parse(manifest.toString()) as Manifest;

describe("the image", () => {
  it("is one layer with plugin.wasm, which tar reads", (t) => {
    const image = makeImage(WASM, LABELS);
    const { layers, config, annotations } = manifestOf(image);
    assert.deepEqual(
      layers.map(({ mediaType }) => mediaType),
      ["application/vnd.oci.image.layer.v1.tar+gzip"],
    );
    const layer = image.blobs.get(layers[0].digest) as Buffer;
    assert.equal(layer.length, layers[0].size);
    const file = join(folder(t), "layer.tgz");
    writeFileSync(file, layer);
    assert.deepEqual(execFileSync("tar", ["xzOf", file, "plugin.wasm"]), WASM);
    const { config: own, rootfs } = JSON.parse(String(image.blobs.get(config.digest)));
    assert.deepEqual(own.Labels, LABELS);
    assert.deepEqual(annotations, LABELS);
    assert.deepEqual(rootfs.diff_ids, [digestOf(gunzipSync(layer))]);
  });

  it("has a digest that depends on nothing but module and labels", () => {
    const digest = "sha256:54588a63ddea7b2f402b45a2756c727f18ff32f7821afc1e15a58e4ae034a3cf";
    assert.equal(makeImage(WASM, LABELS).descriptor.digest, digest);
    assert.notEqual(makeImage(WASM, {}).descriptor.digest, digest);
  });

  it("archives of every length are what tar and gzip make of them", () => {
    for (const length of [0, 1, 511, 512, 513, 65535, 65536, 131070, 200_000]) {
      const data = Buffer.alloc(length, 7);
      assert.deepEqual(gunzipSync(gzipStored(data)), data);
      assert.equal(tar("x", data).length % 512, 0);
    }
  });

  it("a custom section keeps the module valid, and makes other bytes of it", () => {
    const other = withCustomSection(WASM, "moe.http");
    assert.ok(WebAssembly.validate(Uint8Array.from(other)));
    assert.notDeepEqual(other, WASM);
    assert.equal(
      WebAssembly.Module.customSections(new WebAssembly.Module(Uint8Array.from(other)), "moe.http").length,
      1,
    );
  });

  it("as a layout names its blobs by their digests", (t) => {
    const out = folder(t);
    const image = makeImage(WASM, LABELS);
    writeLayout(image, out, "v1");
    for (const name of readdirSync(join(out, "blobs/sha256"))) {
      assert.equal(digestOf(readFileSync(join(out, "blobs/sha256", name))), `sha256:${name}`);
    }
    const { manifests } = JSON.parse(readFileSync(join(out, "index.json"), "utf8"));
    assert.equal(manifests[0].digest, image.descriptor.digest);
    assert.deepEqual(JSON.parse(readFileSync(join(out, "oci-layout"), "utf8")), { imageLayoutVersion: "1.0.0" });
  });
});

/** A registry that keeps what it gets; with `token` it wants one, and gives it to `user:pass`. */
async function registry(t: TestContext, token?: string) {
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, Buffer>();
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", "http://registry");
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    const { authorization } = request.headers;
    if (url.pathname === "/token") {
      const good = authorization === `Basic ${Buffer.from("user:pass").toString("base64")}`;
      const scope = url.searchParams.get("scope");
      response.writeHead(good && scope === "repository:mesh/moe:pull,push" ? 200 : 403).end(JSON.stringify({ token }));
      return;
    }
    if (token && authorization !== `Bearer ${token}`) {
      const realm = `Bearer realm="http://127.0.0.1:${port}/token",service="test",scope="repository:mesh/moe:pull,push"`;
      response.writeHead(401, { "www-authenticate": realm }).end("unauthorized");
      return;
    }
    const [, name, what, id] = /^\/v2\/(.+)\/(blobs|manifests)\/(.*)$/.exec(url.pathname) ?? [];
    assert.equal(name, "mesh/moe");
    if (request.method === "HEAD") response.writeHead(blobs.has(id) ? 200 : 404).end();
    else if (request.method === "POST")
      response.writeHead(202, { location: `/v2/${name}/blobs/uploads/1?state=x` }).end();
    else if (what === "blobs") {
      const digest = url.searchParams.get("digest") ?? "";
      assert.equal(url.searchParams.get("state"), "x");
      assert.equal(digestOf(body), digest);
      blobs.set(digest, body);
      response.writeHead(201).end();
    } else {
      const { config, layers } = JSON.parse(body.toString()) as Manifest;
      const there = [config, ...layers].every((one) => blobs.has(one.digest));
      if (there) manifests.set(id, body);
      response.writeHead(there ? 201 : 400).end();
    }
  }
  return { at: `127.0.0.1:${port}`, blobs, manifests };
}

describe("a push", () => {
  it("brings blobs, then the manifest; a second one only the manifest", async (t) => {
    const { at, blobs, manifests } = await registry(t);
    const image = makeImage(WASM, LABELS);
    await push(image, parseReference(`${at}/mesh/moe:v1`));
    assert.equal(blobs.size, 2);
    assert.deepEqual(manifests.get("v1"), image.manifest);
    await push(image, parseReference(`oci://${at}/mesh/moe:v2`));
    assert.deepEqual([...manifests.keys()], ["v1", "v2"]);
  });

  it("gets a token with its login", async (t) => {
    const { at, manifests } = await registry(t, "secret");
    const image = makeImage(WASM, LABELS);
    const to = parseReference(`${at}/mesh/moe:v1`);
    await assert.rejects(push(image, to, { username: "user", password: "wrong" }), /gives no token: 403/);
    await push(image, to, { username: "user", password: "pass" });
    assert.equal(manifests.size, 1);
  });

  it("says what the registry said, or that there is none", async () => {
    const to = parseReference("127.0.0.1:1/mesh/moe:v1");
    await assert.rejects(push(makeImage(WASM, {}), to), /127\.0\.0\.1:1 cannot be reached: .*/);
    for (const text of ["moe", "host/UPPER:v1", "host/repo"]) assert.throws(() => parseReference(text), PushFailed);
  });
});

describe("npm run image", () => {
  const script = resolve(import.meta.dirname, "../../scripts/image.ts");
  const run = (...args: string[]) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((done) => {
      const child = execFile(process.execPath, [...process.execArgv, script, ...args], (_, stdout, stderr) =>
        done({ code: child.exitCode ?? -1, stdout, stderr }),
      );
    });
  it("prints the digest that a WasmPlugin's sha256 means", async (t) => {
    const { at, manifests } = await registry(t);
    const file = join(folder(t), "m.wasm");
    writeFileSync(file, WASM);
    const { code, stdout } = await run("--module", file, "--push", `${at}/mesh/moe:v1`);
    assert.equal(code, 0);
    const digest = digestOf(manifests.get("v1") ?? Buffer.alloc(0));
    assert.match(stdout, new RegExp(`url: oci://${at}/mesh/moe:v1\\n {2}sha256: ${digest.slice("sha256:".length)}`));
  });
  it("without a target says what to give", async () => {
    const { code, stderr } = await run();
    assert.equal(code, 2);
    assert.match(stderr, /give --out FOLDER or --push/);
  });
});
