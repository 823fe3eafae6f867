import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { siphash24 } from "../../../assembly/bytes/hash";

describe("ByteBuffer", () => {
  test("keeps order over appends, consumes and growth", () => {
    const buffer = new ByteBuffer();
    let next: u8 = 0;
    let expected: u8 = 0;
    for (let round = 0; round < 2000; round++) {
      for (let i = 0; i < (round * 7) % 13; i++) buffer.appendByte(next++);
      for (let i = 0; i < (round * 5) % 12 && buffer.length > 0; i++) {
        expect(load<u8>(buffer.ptr)).toBe(expected++);
        buffer.consume(1);
      }
    }
    while (buffer.length > 0) {
      expect(load<u8>(buffer.ptr)).toBe(expected++);
      buffer.consume(1);
    }
    expect(expected).toBe(next);
    buffer.free();
    expect(buffer.allocated).toBe(0);
  });
});

describe("siphash24", () => {
  test("gives MOSN's values (mosn-semantics.md §6.8)", () => {
    const key: u64 = 0xbeefcafebabedead;
    const a = Bytes.of("uid:123");
    const b = Bytes.of("uid:124");
    const c = Bytes.of("uid:a");
    expect(siphash24(key, 0, a.ptr, a.length)).toBe(12628863373396891478);
    expect(siphash24(key, 0, b.ptr, b.length)).toBe(7603203252302947402);
    expect(siphash24(key, 0, c.ptr, c.length)).toBe(3656817262336447398);
  });
});
