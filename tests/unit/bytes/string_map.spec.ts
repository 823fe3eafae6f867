import { StringMap } from "../../../assembly/bytes/string_map";

class Number {
  constructor(readonly value: i32) {}
}

/** XXH32 without a seed, of texts of eight bytes, as the standard Map hashes them. */
function xxh32(low: u32, high: u32): u32 {
  let h: u32 = 374761393 + 8;
  h = rotl<u32>(h + low * 3266489917, 17) * 668265263;
  h = rotl<u32>(h + high * 3266489917, 17) * 668265263;
  h = (h ^ (h >> 15)) * 2246822519;
  h = (h ^ (h >> 13)) * 3266489917;
  return h ^ (h >> 16);
}

describe("StringMap", () => {
  test("does what a Map does, whatever is put in and taken out", () => {
    const map = new StringMap<Number>();
    const model = new Map<string, i32>();
    let random: u32 = 7;
    for (let round = 0; round < 20000; round++) {
      random = random * 1664525 + 1013904223;
      const key = ((random >> 8) % 300).toString();
      if (random >> 30 == 0) {
        map.delete(key);
        model.delete(key);
      } else {
        map.set(key, new Number(round));
        model.set(key, round);
      }
      expect(map.size).toBe(model.size);
      const other = ((random >> 16) % 300).toString();
      const found = map.get(other);
      expect(found === null ? -1 : found.value).toBe(model.has(other) ? model.get(other) : -1);
      expect(map.has(other)).toBe(model.has(other));
    }
    expect(map.keys().sort().join(" ")).toBe(model.keys().sort().join(" "));
    map.clear();
    expect(map.size).toBe(0);
    expect(map.get("1") === null).toBe(true);
  });

  test("texts that all have one hash in the standard Map are found as others are", () => {
    // For each first half there is a second one that leads to the same state: four UTF-16 units.
    const map = new StringMap<Number>();
    const inverse: u32 = inverseOf(3266489917);
    const target = rotl<u32>(374761393 + 8, 17) * 668265263;
    const count = 4000;
    let hash: u32 = 0;
    const texts: string[] = [];
    for (let i = 0; i < count; i++) {
      const low = (i as u32) + 0x00410041;
      const state = rotl<u32>(374761393 + 8 + low * 3266489917, 17) * 668265263;
      const high = (target - state) * inverse;
      if (i == 0) hash = xxh32(low, high);
      assert(xxh32(low, high) == hash);
      texts.push(
        String.fromCharCodes([(low & 0xffff) as i32, (low >> 16) as i32, (high & 0xffff) as i32, (high >> 16) as i32]),
      );
    }
    for (let i = 0; i < count; i++) map.set(texts[i], new Number(i));
    expect(map.size).toBe(count);
    for (let i = 0; i < count; i++) {
      const found = map.get(texts[i]);
      assert(found !== null && found.value == i);
    }
  });
});

/** The number that an odd one times it is 1. */
function inverseOf(odd: u32): u32 {
  let inverse = odd;
  for (let i = 0; i < 5; i++) inverse *= 2 - odd * inverse;
  return inverse;
}
