import { bytesEqual } from "../../../assembly/bytes/memory";

describe("bytesEqual", () => {
  test("sees every byte, and none behind the ranges", () => {
    const a = new StaticArray<u8>(64);
    const b = new StaticArray<u8>(64);
    for (let n = 0; n < 40; n++) {
      const p = changetype<usize>(a) + (n & 7);
      const q = changetype<usize>(b) + 3;
      for (let i = 0; i < n; i++) {
        store<u8>(p + i, (i * 5 + 1) as u8);
        store<u8>(q + i, (i * 5 + 1) as u8);
      }
      store<u8>(p + n, 1);
      store<u8>(q + n, 2);
      expect(bytesEqual(p, n, q, n)).toBe(true, n.toString());
      expect(bytesEqual(p, n, q, n + 1)).toBe(false);
      for (let i = 0; i < n; i++) {
        store<u8>(q + i, load<u8>(q + i) ^ 0x80);
        expect(bytesEqual(p, n, q, n)).toBe(false, n.toString() + " " + i.toString());
        store<u8>(q + i, load<u8>(q + i) ^ 0x80);
      }
    }
  });
});
