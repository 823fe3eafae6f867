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

  test("grows by doubling, but no further than a message that is gathered", () => {
    const message = 1000000;
    const piece = heap.alloc(30000);
    memory.fill(piece, 7, 30000);
    const buffer = new ByteBuffer();
    while (buffer.length + 30000 <= message) {
      buffer.append(piece, 30000, message);
      expect(buffer.allocated <= max(2 * buffer.length, 512)).toBe(true);
      expect(buffer.allocated <= message).toBe(true);
    }
    expect(buffer.allocated).toBe(message);
    // More than the message: little above what there is.
    buffer.append(piece, 30000, message);
    expect(buffer.allocated >= buffer.length && buffer.allocated <= buffer.length + (buffer.length >> 3)).toBe(true);
    for (let i = 0; i < buffer.length; i += 997) expect(load<u8>(buffer.ptr + (i as usize))).toBe(7);
    buffer.free();
    heap.free(piece);
  });
});

describe("siphash24", () => {
  test("gives MOSN's values (docs/reference/mosn.md#hash-policies)", () => {
    const key: u64 = 0xbeefcafebabedead;
    const a = Bytes.of("uid:123");
    const b = Bytes.of("uid:124");
    const c = Bytes.of("uid:a");
    expect(siphash24(key, 0, a.ptr, a.length)).toBe(12628863373396891478);
    expect(siphash24(key, 0, b.ptr, b.length)).toBe(7603203252302947402);
    expect(siphash24(key, 0, c.ptr, c.length)).toBe(3656817262336447398);
  });
});
