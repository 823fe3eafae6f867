// Traps of debug builds name file and line: a source map that the compiler made, and the traces of Node and of Envoy.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { main } from "assemblyscript/asc";
import { Places } from "../../scripts/lib/places.ts";

const SOURCE = `class Table {
  read(at: i32): i32 {
    if (at > 1) unreachable();
    return at;
  }
}
const table = new Table();
export function look(at: i32): i32 {
  return table.read(at) + 1;
}
`;

describe("places of traps", () => {
  const folder = mkdtempSync(join(tmpdir(), "moe-places-"));
  after(() => rmSync(folder, { recursive: true }));
  let trace = "";
  let places: Places;
  before(async () => {
    mkdirSync(join(folder, "filters"));
    writeFileSync(join(folder, "filters/table.ts"), SOURCE);
    const flags = ["--baseDir", folder, "--runtime", "stub", "-O0", "--debug", "--sourceMap"];
    const { error, stderr } = await main(["filters/table.ts", "--outFile", "out.wasm", ...flags]);
    assert.equal(error, null, stderr.toString());
    const env = { abort: () => assert.fail() };
    const { instance } = await WebAssembly.instantiate(readFileSync(join(folder, "out.wasm")), { env });
    places = new Places(join(folder, "out.wasm.map"), folder);
    try {
      (instance.exports.look as (at: number) => number)(2);
    } catch (error) {
      trace = (error as Error).stack ?? "";
    }
  });

  it("in a trace of Node", () => {
    const lines = places.named(trace).split("\n");
    assert.match(lines[1], /Table#read .*filters\/table\.ts:3 \(wasm-function/);
    assert.match(lines[2], /look .*filters\/table\.ts:9 \(wasm-function/);
  });

  it("in a trace of Envoy", () => {
    const [, at] = /wasm-function\[\d+\]:(0x[0-9a-f]+)/.exec(trace) ?? assert.fail(trace);
    const line = `  0:  ${at} - filters/table/Table#read`;
    assert.equal(places.named(line), `  0:  ${at} - filters/table.ts:3 filters/table/Table#read`);
  });

  it("nowhere without a source map, and nothing in other texts", () => {
    const none = new Places(join(folder, "none.map"), folder);
    assert.equal(none.named(trace), trace);
    assert.equal(places.named("at 0x12, 3 - 4"), "at 0x12, 3 - 4");
  });
});
