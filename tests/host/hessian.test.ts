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
  walk(ptr: number, length: number, draft: number, refused: number): number;
  writtenLength(): number;
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
  const wasi_snapshot_preview1 = { random_get: () => 0, clock_time_get: () => 0 };
  guest = new WebAssembly.Instance(module, { wasi_snapshot_preview1 }).exports as unknown as Guest;
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

/** Verdicts of the walk. */
const ALLOWED = 0;
const DENIED = 1;
const UNREADABLE = 2;
/** What no name ends with. */
const NOTHING = 0;

/** The verdict on a stream, and the names that were asked about. */
function classesOf(bytes: Uint8Array, draft: boolean, refused = NOTHING): { verdict: number; names: string[] } {
  const verdict = guest.walk(put(bytes), bytes.length, draft ? 1 : 0, refused);
  const text = Buffer.from(guest.memory.buffer, guest.written(), guest.writtenLength()).toString();
  return { verdict, names: text.split("\n").slice(0, -1) };
}

describe("classes in Hessian", () => {
  it("hessian.js: walks over whole values only", () => {
    const next = dice(20261122);
    const values = new Values(next);
    const encoder = new hessian.EncoderV2({ size: 1 << 20 });
    for (let done = 0; done < VALUES / 10; done += STREAM) {
      encoder.reset();
      const ends = values.stream(STREAM).map((value) => encoder.write(value).get().length);
      const bytes = encoder.get();
      assert.equal(classesOf(bytes, false).verdict, ALLOWED, `stream at ${done}`);
      const cut = next() % bytes.length;
      const expected = cut === 0 || ends.includes(cut) ? ALLOWED : UNREADABLE;
      assert.equal(classesOf(bytes.subarray(0, cut), false).verdict, expected, `stream at ${done}, ${cut}`);
    }
  });

  for (const file of ["hessian-lite-3.2.13", "hessian-lite-4.0.4", "sofa-hessian-3.5.5"]) {
    const draft = file.startsWith("sofa");
    it(`Java: walks over whole values only: ${file}`, () => {
      const all = vectors(`${file}.jsonl.gz`);
      assert.ok(all.length > 300);
      const seen = new Set<string>();
      for (const { name, ends, hex } of all) {
        const bytes = Buffer.from(hex, "hex");
        const { verdict, names } = classesOf(bytes, draft);
        assert.equal(verdict, ALLOWED, name);
        for (const one of names) seen.add(one);
        for (let i = 1; i <= Math.min(40, bytes.length); i++) {
          const cut = bytes.length - (i < 20 ? i : Math.floor((bytes.length * i) / 41));
          const expected = cut === 0 || ends.includes(cut) ? ALLOWED : UNREADABLE;
          assert.equal(classesOf(bytes.subarray(0, cut), draft).verdict, expected, `${name}, cut at ${cut}`);
        }
        for (const one of new Set(names)) {
          const found = classesOf(bytes, draft, one.charCodeAt(one.length - 1));
          assert.equal(found.verdict, DENIED, `${name}: ${one}`);
        }
      }
      for (const one of [
        "vectors.Classes$Node",
        "vectors.Values$Colour",
        "java.util.TreeMap",
        "java.lang.RuntimeException",
      ])
        assert.ok(seen.has(one), one);
    });
  }
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
