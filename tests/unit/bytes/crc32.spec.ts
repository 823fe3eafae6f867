import { Bytes } from "../../../assembly/bytes/bytes";
import { crc32, crc32Replace } from "../../../assembly/bytes/crc32";

/** The definition, bit by bit. */
function slow(ptr: usize, n: i32): u32 {
  let crc: u32 = 0xffffffff;
  for (let i = 0; i < n; i++) {
    crc ^= load<u8>(ptr + i);
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xedb88320 : crc >> 1;
  }
  return ~crc;
}

function noise(n: i32): StaticArray<u8> {
  const data = new StaticArray<u8>(n);
  let seed: u32 = 12345;
  for (let i = 0; i < n; i++) {
    seed = seed * 1664525 + 1013904223;
    data[i] = (seed >> 24) as u8;
  }
  return data;
}

describe("crc32", () => {
  test("gives the check value of CRC-32/ISO-HDLC", () => {
    const check = Bytes.of("123456789");
    expect(crc32(check.ptr, check.length)).toBe(0xcbf43926);
    expect(crc32(check.ptr, 0)).toBe(0);
  });

  test("agrees with the definition at every length and alignment, whole and in parts", () => {
    const data = noise(300);
    const ptr = changetype<usize>(data);
    for (let n = 0; n < 280; n++) {
      const want = slow(ptr + (n & 15), n);
      expect(crc32(ptr + (n & 15), n)).toBe(want);
      const part = n / 3;
      expect(crc32(ptr + (n & 15) + part, n - part, crc32(ptr + (n & 15), part))).toBe(want);
    }
  });

  test("replaces four bytes anywhere", () => {
    const data = noise(70000);
    const ptr = changetype<usize>(data);
    const lengths = [4, 5, 8, 31, 100, 4096, 65535, 70000];
    for (let i = 0; i < lengths.length; i++) {
      const n = lengths[i];
      for (let at = 0; at + 4 <= n; at += max(1, n / 5)) {
        const crc = crc32(ptr, n);
        const before = load<u32>(ptr + at);
        const after = before * 2654435761 + 1;
        store<u32>(ptr + at, after);
        expect(crc32Replace(crc, before, after, n - at - 4)).toBe(crc32(ptr, n));
      }
    }
  });
});
