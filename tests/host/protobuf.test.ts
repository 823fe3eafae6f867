// Protobuf against protobufjs: what it writes is read and written again, hostile bytes are refused where it refuses them;
// and the classes that are checked in are those of the .proto files.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import protobuf from "protobufjs";
import { messageClasses } from "../../scripts/lib/protos.ts";
import { generated } from "../../scripts/protos.ts";
import { dice } from "../e2e/kit/random.ts";
import { compileGuest } from "./kit/index.ts";
import { Messages, mutate } from "./protobuf-messages.ts";

const root = join(import.meta.dirname, "../..");
const MESSAGES = 10_000;
const HOSTILE = 10_000;
const DEPTH = 3;
const SIZE = 1 << 22;
/** Why a message is refused, as ProtoStatus says. */
const GROUP = 4;
const [OVERLONG, TOO_DEEP, TOO_MANY] = [3, 5, 6];

interface Guest {
  memory: WebAssembly.Memory;
  _initialize(): void;
  allocate(length: number): number;
  copy(ptr: number, length: number): number;
  written(): number;
  forget(): number;
}

let guest: Guest;
let room = 0;
const path = join(import.meta.dirname, "guests/protos/sample.proto");
const Sample = protobuf.parse(readFileSync(path, "utf8"), { keepCase: true }).root.lookupType("moe.test.Sample");

before(async () => {
  const wasm = await compileGuest("protobuf", ["assembly/bytes", "assembly/protobuf"]);
  guest = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(wasm))).exports as unknown as Guest;
  guest._initialize();
  room = guest.allocate(SIZE);
});

/** What the guest makes of a message: its bytes, or why it refuses it. */
function copy(bytes: Uint8Array): Buffer | number {
  assert.ok(bytes.length <= SIZE);
  new Uint8Array(guest.memory.buffer, room, bytes.length).set(bytes);
  const length = guest.copy(room, bytes.length);
  return length < 0 ? -length : Buffer.from(Buffer.from(guest.memory.buffer, guest.written(), length));
}

const read = (bytes: Uint8Array): object => Sample.toObject(Sample.decode(bytes), { longs: String });

/** What protobufjs reads; null: it refuses it. */
function readOrNull(bytes: Uint8Array): object | null {
  try {
    return read(bytes);
  } catch {
    return null;
  }
}

describe("protobuf", () => {
  it(`reads and writes ${MESSAGES} random messages as protobufjs does`, () => {
    const next = dice(20261122);
    const messages = new Messages(next);
    let longest = 0;
    for (let i = 0; i < MESSAGES; i++) {
      const bytes = Sample.encode(Sample.fromObject(messages.message(Sample, DEPTH))).finish();
      const copied = copy(bytes);
      assert.ok(typeof copied !== "number", `message ${i} is refused: ${copied}`);
      assert.deepEqual(read(copied), read(bytes), `message ${i}`);
      longest = Math.max(longest, bytes.length);
      if (i % 100 === 0) assert.equal(guest.forget(), 0, "memory is left");
    }
    assert.ok(longest > 10_000, "large ones too");
    assert.ok(guest.memory.buffer.byteLength < 64 << 20, "memory does not grow with messages");
  });

  it(`refuses ${HOSTILE} changed messages where protobufjs does, and reads the others alike`, () => {
    const next = dice(5);
    const messages = new Messages(next);
    const seen = new Map<number, number>();
    for (let i = 0; i < HOSTILE; i++) {
      const bytes = Sample.encode(Sample.fromObject(messages.message(Sample, DEPTH - 1))).finish();
      const changed = mutate(Buffer.from(bytes), next);
      const copied = copy(changed);
      const expected = readOrNull(changed);
      const status = typeof copied === "number" ? copied : 0;
      seen.set(status, (seen.get(status) ?? 0) + 1);
      const about = `message ${i}, ${status}: ${changed.toString("hex")}`;
      if (typeof copied !== "number") assert.deepEqual(read(copied), expected, about);
      // It skips unknown groups, and unknown numbers of any length.
      else if (status !== GROUP && status !== OVERLONG) assert.equal(expected, null, about);
      if (i % 100 === 0) assert.equal(guest.forget(), 0, "memory is left");
    }
    for (const status of [0, 1, 2, OVERLONG, GROUP]) assert.ok((seen.get(status) ?? 0) > 5, `status ${status}`);
  });

  it("cut anywhere, or a byte beyond a nested message, it is refused or shorter", () => {
    const next = dice(9);
    const messages = new Messages(next);
    const bytes = Sample.encode(Sample.fromObject(messages.message(Sample, DEPTH))).finish();
    for (let end = 0; end < bytes.length; end++) {
      const cut = bytes.subarray(0, end);
      const copied = copy(cut);
      const expected = readOrNull(cut);
      if (typeof copied === "number") assert.equal(expected, null, `cut at ${end}`);
      else assert.deepEqual(read(copied), expected, `cut at ${end}`);
    }
  });

  it("nests as deep as others do, and no deeper", () => {
    let bytes: Uint8Array = Buffer.alloc(0);
    const wrap = (): Buffer => {
      const length = protobuf.Writer.create().uint32(bytes.length).finish();
      return Buffer.concat([Buffer.from([0x1a]), length, bytes]);
    };
    for (let depth = 0; depth <= 130; depth++) {
      const copied = copy(bytes);
      assert.equal(typeof copied === "number" ? copied : 0, depth <= 100 ? 0 : TOO_DEEP, `depth ${depth}`);
      assert.equal(readOrNull(bytes) === null, depth > 100, `protobufjs, depth ${depth}`);
      bytes = wrap();
    }
    assert.equal(copy(Buffer.alloc(SIZE, 0x1a)), 1);
  });

  it("has so many messages inside at most", () => {
    const leaf = Buffer.from([0x2a, 0x00]);
    assert.ok(typeof copy(Buffer.alloc(2 * 8192, leaf)) !== "number");
    assert.equal(copy(Buffer.alloc(2 * 8193, leaf)), TOO_MANY);
    assert.equal(copy(Buffer.alloc(SIZE, leaf)), TOO_MANY);
    assert.equal(guest.forget(), 0);
  });
});

describe("npm run protos", () => {
  it("has made what is checked in", async () => {
    const files = await generated();
    assert.ok(files.size > 0);
    for (const [file, text] of files)
      assert.equal(readFileSync(join(root, file), "utf8"), text, `${file}: npm run protos`);
    for (const folder of new Set([...files.keys()].map((file) => join(file, "..")))) {
      for (const name of readdirSync(join(root, folder))) assert.ok(files.has(join(folder, name)), `${folder}/${name}`);
    }
  });

  const refused: [what: string, text: string, message: RegExp][] = [
    ["maps", "message A { map<string, int32> b = 1; }", /A\.b: maps are not supported/],
    ["imports", 'import "other.proto";', /imports are not supported/],
    ["types that are not there", "message A { B b = 1; }", /no such Type or Enum 'B'/],
  ];
  for (const [what, text, message] of refused) {
    it(`refuses ${what}`, () => {
      assert.throws(() => messageClasses(`syntax = "proto3"; ${text}`, "a.proto", ".."), { message });
    });
  }

  it("refuses proto2", () => {
    const text = "message A { required int32 b = 1; }";
    assert.throws(() => messageClasses(`syntax = "proto2"; ${text}`, "a.proto", ".."), { message: /proto3 only/ });
  });
});
