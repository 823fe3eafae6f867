// The Hessian reader against encoders that are not ours: npm hessian.js, and the library of Dubbo 2.7 and 3.3
// (tests/interop/hessian makes those vectors). It has to end every value where they ended it, and to refuse every cut.
// And the codecs against what real peers sent: decoded and written again, every frame is what it was.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import hessian from "hessian.js";
import { dice } from "../e2e/kit/random.ts";
import { Values } from "./hessian-values.ts";
import { compileGuest } from "./kit/index.ts";

const VALUES = 100_000;
const STREAM = 4;

interface Guest {
  memory: WebAssembly.Memory;
  _initialize(): void;
  allocate(length: number): number;
  bind(ptr: number, length: number): void;
  skip(count: number): number;
  whole(ptr: number, length: number, count: number): number;
  text(ptr: number, length: number): number;
  written(): number;
  frames(ptr: number, length: number, peer: number): number;
}

let guest: Guest;
let room = 0;
const SIZE = 1 << 22;

before(async () => {
  const folders = ["assembly/bytes", "assembly/hessian", "assembly/xprotocol", "filters/codec"];
  const module = new WebAssembly.Module(Buffer.from(await compileGuest("hessian", folders)));
  guest = new WebAssembly.Instance(module).exports as unknown as Guest;
  guest._initialize();
  room = guest.allocate(SIZE);
});

/** Puts bytes into the guest; returns their address. */
function put(bytes: Uint8Array): number {
  assert.ok(bytes.length <= SIZE);
  new Uint8Array(guest.memory.buffer, room, bytes.length).set(bytes);
  return room;
}

/** Skips the values of a stream one by one; the offsets behind each. */
function walk(bytes: Uint8Array, count: number): number[] {
  guest.bind(put(bytes), bytes.length);
  return Array.from({ length: count }, () => guest.skip(1));
}

interface Vector {
  name: string;
  ends: number[];
  hex: string;
}

function vectors(file: string): Vector[] {
  const text = gunzipSync(readFileSync(join(import.meta.dirname, "data", file))).toString();
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Vector);
}

describe("Hessian", () => {
  it(`ends ${VALUES} random values where hessian.js ended them, and refuses them cut`, () => {
    const next = dice(20261121);
    const values = new Values(next);
    const encoder = new hessian.EncoderV2({ size: 1 << 20 });
    for (let done = 0; done < VALUES; done += STREAM) {
      encoder.reset();
      const stream = values.stream(STREAM);
      const ends = stream.map((value) => encoder.write(value).get().length);
      const bytes = encoder.get();
      const ptr = put(bytes);
      guest.bind(ptr, bytes.length);
      const found = ends.map(() => guest.skip(1));
      if (found.some((end, i) => end !== ends[i])) assert.deepEqual(found, ends, `stream at ${done}`);
      const cut = next() % bytes.length;
      if (guest.whole(ptr, cut, STREAM) !== 0) assert.fail(`stream at ${done} cut at ${cut} of ${bytes.length}`);
    }
  });

  for (const file of ["hessian-lite-3.2.13.jsonl.gz", "hessian-lite-4.0.4.jsonl.gz"]) {
    it(`ends what Java wrote where it ended it: ${file}`, () => {
      const all = vectors(file);
      assert.ok(all.length > 300);
      for (const { name, ends, hex } of all) {
        const bytes = Buffer.from(hex, "hex");
        assert.deepEqual(walk(bytes, ends.length), ends, name);
        for (let i = 1; i <= Math.min(40, bytes.length); i++) {
          const cut = bytes.length - (i < 20 ? i : Math.floor((bytes.length * i) / 41));
          assert.equal(guest.whole(room, cut, ends.length), 0, `${name}, cut at ${cut}`);
        }
      }
    });
  }

  it("writes strings as hessian.js does", () => {
    const encoder = new hessian.EncoderV2({ size: 1 << 20 });
    const edges = [0, 1, 31, 32, 1023, 1024, 0x7fff, 0x8000, 0x8001, 0x10000, 0x18001];
    for (const alphabet of ["a", "é", "漢", "😀", "a😀", "abcdefgé漢"]) {
      for (const edge of edges) {
        const text = alphabet.repeat(edge).slice(0, edge);
        // Half a pair of surrogates is not UTF-8.
        if (Buffer.from(text).toString() !== text) continue;
        const bytes = Buffer.from(text);
        const length = guest.text(put(bytes), bytes.length);
        const written = Buffer.from(guest.memory.buffer, guest.written(), Math.max(length, 0));
        encoder.reset();
        assert.ok(written.equals(encoder.write(text).get()), `${edge} of ${alphabet}`);
      }
    }
  });
});

describe("recorded frames", () => {
  const folder = join(import.meta.dirname, "../frames");
  // | NAME | bytes | bytes | frames of the client / of the server | what |
  const rows = [...readFileSync(join(folder, "README.md"), "utf8").matchAll(/^\| (\S+) .*\| (\d+) \/ (\d+) +\|/gm)];
  for (const [, name, ...counts] of rows) {
    it(`of ${name} are written as they were`, () => {
      for (const [peer, end] of ["c2s", "s2c"].entries()) {
        if (counts[peer] === "0") continue;
        const bytes = readFileSync(join(folder, `${name}.${end}.bin`));
        assert.equal(guest.frames(put(bytes), bytes.length, peer), Number(counts[peer]), end);
      }
    });
  }

  it("are all told of", () => {
    const told = rows.flatMap(([, , ...counts]) => counts.filter((count) => count !== "0"));
    assert.equal(told.length, readdirSync(folder).filter((name) => name.endsWith(".bin")).length);
  });
});
