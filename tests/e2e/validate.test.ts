// `npm run validate`: what Envoy and the module say of a bootstrap, and the exit codes.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { build } from "../../scripts/build.ts";
import { ensureCertificates } from "../../scripts/certs.ts";

const root = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "moe-validate-"));
after(() => rmSync(folder, { recursive: true }));

function validate(...files: string[]): { status: number | null; lines: string[]; errors: string } {
  const command = [...process.execArgv, join(root, "scripts/validate.ts"), ...files];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: root, encoding: "utf8" });
  return { status, lines: stdout.trim().split("\n"), errors: stderr };
}

function variant(name: string, file: string, ...changes: [string, string][]): string {
  const path = join(folder, name);
  const text = changes.reduce(
    (before, [from, to]) => {
      assert.ok(before.includes(from), from);
      return before.replace(from, to);
    },
    readFileSync(join(root, file), "utf8"),
  );
  writeFileSync(path, text);
  return path;
}

test("the bootstraps of envoy/ are good", () => {
  build();
  ensureCertificates();
  const { status, lines, errors } = validate("envoy/envoy.yaml", "envoy/tls.yaml", "envoy/http.yaml");
  assert.equal(status, 0, errors);
  assert.deepEqual(lines, ["envoy/envoy.yaml: good", "envoy/tls.yaml: good", "envoy/http.yaml: good"]);
});

test("all mistakes of all plugins are told, a line each, with file and path", () => {
  const rpc = variant("rpc.yaml", "envoy/envoy.yaml", ["weight: 90", "weight: many"], ["protocols: [", "protocol: ["]);
  const http = variant("http.yaml", "envoy/http.yaml", ["max_entity_size: 65536", "max_entity_sizes: 65536"]);
  const { status, lines } = validate(rpc, http);
  assert.equal(status, 1);
  assert.equal(lines.length, 3, lines.join("\n"));
  assert.match(
    lines[0],
    /rpc\.yaml: proxy \(moe\): router\.virtual_hosts\[0\]\.routers\[0\].*weight: expected an integer/,
  );
  assert.match(
    lines[1],
    /rpc\.yaml: proxy \(moe\): configuration: unknown field "protocol"; .* did you mean "protocols"\?/,
  );
  assert.match(
    lines[2],
    /http\.yaml: http \(moe-http\): stream_filters\[1\]\.config: unknown field "max_entity_sizes"/,
  );
});

test("what Envoy refuses is told in Envoy's words", () => {
  const file = variant("envoy.yaml", "envoy/envoy.yaml", ["stat_prefix: switchboard", "stat_prefi: switchboard"]);
  const { status, lines } = validate(file);
  assert.equal(status, 1);
  assert.match(lines.join("\n"), /stat_prefi/);
});

test("what cannot be checked is neither good nor bad", () => {
  for (const args of [["no-such.yaml"], []]) assert.equal(validate(...args).status, 2);
  const { status, lines } = validate("--help");
  assert.equal(status, 0);
  assert.match(lines.join("\n"), /Exit code/);
});
