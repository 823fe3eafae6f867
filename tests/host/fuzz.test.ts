// The fuzzer (docs/reliability.md): the seeds that it found, and that its judge finds what is wrong. `npm run slices` fuzzes.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { answerText, findMarker, requestText } from "../fuzz/marker.ts";
import { Reference } from "../fuzz/reference.ts";
import { replay } from "../fuzz/replay.ts";
import { PROTOCOLS, record } from "../fuzz/run.ts";
import type { Seed } from "../fuzz/transcript.ts";
import { xExampleWire as wire } from "../fuzz/wires/x_example.ts";
import { module } from "./proxy-world.ts";

const SEEDS = join(import.meta.dirname, "../fuzz/seeds");
const FIXED = 6;

describe("fuzz", () => {
  it("is the same again with the same seed", async () => {
    const once = await record({ module, protocol: "bolt", seed: FIXED, inputs: 500 });
    assert.deepEqual(await record({ module, protocol: "bolt", seed: FIXED, inputs: 500 }), once);
    assert.notDeepEqual(await record({ module, protocol: "bolt", seed: FIXED + 1, inputs: 500 }), once);
  });
});

describe("seeds", () => {
  for (const name of existsSync(SEEDS) ? readdirSync(SEEDS).filter((file) => file.endsWith(".json")) : []) {
    const seed = JSON.parse(readFileSync(join(SEEDS, name), "utf8")) as Seed;
    it(`${name}: ${seed.about}`, async () => assert.ok((await replay(module, seed)) >= 0));
  }
  for (const protocol of Object.keys(PROTOCOLS)) {
    it(`a recorded round of ${protocol} can be done again`, async () => {
      const events = await record({ module, protocol, seed: FIXED, inputs: 50 });
      assert.ok((await replay(module, { about: "", protocol, events })) > 0);
    });
  }
  it("a switchboard that writes no HTTP/2 is survived", async () => {
    const events: Seed["events"] = [
      ["connect", 0],
      ["write", 0, "0100000101000000050100000000000000000000000000"],
      ["http2", 0, "ffffffffffffffffffffffff"],
      ["advance", 2000],
    ];
    assert.equal(await replay(module, { about: "", protocol: "http2", events }), 0);
  });
});

describe("the fuzzer's judge", () => {
  const request = (id: number, text: string) => {
    const frame = Buffer.concat([Buffer.from("7801000000000000000000", "hex"), Buffer.from(text)]);
    frame.writeUInt32BE(id, 3);
    frame.writeUInt32BE(text.length, 7);
    return frame;
  };
  const asked = (...frames: Buffer[]) => {
    const reference = new Reference(wire);
    for (const frame of frames) reference.push(frame);
    return reference;
  };

  it("takes each answer that was asked for, once", () => {
    const reference = asked(request(5, ""), request(6, "").subarray(0, 8), request(6, "").subarray(8), request(5, ""));
    assert.equal(reference.answered("5", null), "");
    assert.equal(reference.answered("6", null), "");
    assert.equal(reference.answered("5", null), "");
    assert.match(reference.answered("5", null), /not asked or is answered already/);
    assert.match(reference.answered("7", null), /not asked or is answered already/);
  });

  it("knows which id a message was asked with", () => {
    const reference = asked(request(5, requestText(1, 10)), request(6, requestText(1, 11)));
    assert.match(reference.answered("6", 10), /asked with 5/);
    assert.match(reference.answered("5", 12), /asked with none/);
    assert.equal(reference.answered("5", 10), "");
  });

  it("takes nothing for a request behind what is no frame", () => {
    const reference = asked(request(5, ""), Buffer.from("y"), request(6, ""));
    assert.equal(reference.answered("5", null), "");
    assert.ok(reference.broken);
  });

  it("reads whole markers only", () => {
    const text = answerText({ client: 7, message: 8, honest: false }, true);
    assert.deepEqual(findMarker(Buffer.from(`..~M${text}..`), true), { client: 7, message: 8, honest: true });
    assert.equal(findMarker(Buffer.from(text), false), null);
    for (let at = 0; at < text.length; at++) {
      const damaged = Buffer.from(text);
      damaged[at] ^= 1;
      const found = findMarker(damaged, true);
      assert.ok(found === null || found.honest === false, damaged.toString());
    }
  });
});
