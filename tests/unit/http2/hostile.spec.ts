// Inputs made by chance: nothing traps, memory stays bounded, cuts make no difference, no byte behind the input counts.
import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { DEFAULT_MAX_FRAME, H2Code } from "../../../assembly/http2/constants";
import { HeaderSink, HpackDecoder } from "../../../assembly/http2/hpack/decoder";
import { MAX_HEADER_LIST, MAX_HEADERS, MAX_STRING, MAX_TABLE } from "../../../assembly/http2/hpack/field";
import { decodeHuffman } from "../../../assembly/http2/hpack/huffman";
import { FrameParser, MAX_HEADER_BLOCK } from "../../../assembly/http2/parser";
import { EventHash, Random, unhex } from "./support";
import { BLOCKS_160, BLOCKS_4096, SESSION } from "./vectors";

/** Room behind an input, filled with bytes that must not matter. */
const BEHIND: i32 = 16;

const SETTINGS = unhex("000000040000000000");

/** Changes a few bytes of `n` at `ptr`, more often near the start, and to telling values. */
function mutate(ptr: usize, n: i32, random: Random): void {
  for (let i = random.below(4); i >= 0; i--) {
    const at = random.below(2) == 0 ? random.below(n) : random.below(min(n, 40));
    const kind = random.below(4);
    const byte = load<u8>(ptr + at) as i32;
    const value =
      kind == 0 ? random.below(256) : kind == 1 ? random.below(12) : kind == 2 ? byte ^ (1 << random.below(8)) : 0xff;
    store<u8>(ptr + at, value as u8);
  }
}

function fillBehind(input: ByteBuffer, byte: u8): void {
  memory.fill(input.reserve(BEHIND), byte, BEHIND);
}

describe("hostile frames", () => {
  test("40,000 mutated sessions, whole and cut", () => {
    const random = new Random(88172645463325252);
    const session = unhex(SESSION[0][0]);
    const input = new ByteBuffer();
    const whole = new EventHash();
    const cut = new EventHash();
    let errors = 0;
    for (let round = 0; round < 40000; round++) {
      input.clear();
      input.append(session.ptr, min(session.length, 60 + random.below(700)));
      mutate(input.ptr, input.length, random);
      whole.reset();
      cut.reset();
      const parser = new FrameParser();
      fillBehind(input, 0);
      const error = parser.feed(input.ptr, input.length, whole);
      const other = new FrameParser();
      fillBehind(input, 0xff);
      let got: H2Code = H2Code.NO_ERROR;
      for (let at = 0; at < input.length;) {
        const n = min(1 + random.below(random.below(8) == 0 ? 200 : 12), input.length - at);
        got = other.feed(input.ptr + at, n, cut);
        at += n;
      }
      if (got != error || cut.value != whole.value) expect(got).toBe(error, "round " + round.toString());
      if (cut.value != whole.value) expect(cut.value).toBe(whole.value, "round " + round.toString());
      if (error != H2Code.NO_ERROR) errors++;
      const memory = max(parser.allocated, other.allocated);
      if (memory > 2 * (DEFAULT_MAX_FRAME + MAX_HEADER_BLOCK)) expect(memory).toBe(0);
      parser.free();
      other.free();
    }
    expect(errors).toBeGreaterThan(10000);
    expect(errors).toBeLessThan(39000);
  });

  test("100,000 streams of random frames", () => {
    const random = new Random(1234567);
    const input = new ByteBuffer();
    const hash = new EventHash();
    let events = 0;
    for (let round = 0; round < 100000; round++) {
      input.clear();
      input.append(SETTINGS.ptr, SETTINGS.length);
      for (let n = random.below(4); n >= 0; n--) {
        const length = random.below(20);
        input.appendByte(0);
        input.appendByte(0);
        input.appendByte(length);
        input.appendByte(random.below(11));
        input.appendByte(random.below(3) == 0 ? random.below(256) : 4);
        for (let i = 0; i < 3; i++) input.appendByte(0);
        input.appendByte(random.below(4));
        for (let i = 0; i < length; i++) input.appendByte(random.below(256));
      }
      hash.reset();
      const parser = new FrameParser();
      parser.feed(input.ptr, input.length - random.below(3), hash);
      events += hash.events;
      parser.free();
    }
    expect(events).toBeGreaterThan(100000);
  });
});

/** Counts and sums up what a decoder tells. */
class FieldHash extends HeaderSink {
  value: u64 = 0;
  count: i32 = 0;
  longest: i32 = 0;
  total: i64 = 0;

  reset(): void {
    this.value = 0;
    this.count = 0;
    this.total = 0;
  }
  onHeader(name: usize, nameLength: i32, value: usize, valueLength: i32): void {
    this.count++;
    this.total += (nameLength as i64) + (valueLength as i64);
    this.longest = max(this.longest, max(nameLength, valueLength));
    for (let i = 0; i < nameLength; i++) this.value = this.value * 31 + (load<u8>(name + i) as u64);
    for (let i = 0; i < valueLength; i++) this.value = this.value * 37 + (load<u8>(value + i) as u64);
  }
}

describe("hostile header blocks", () => {
  test("100,000 mutated and random blocks", () => {
    const random = new Random(424242);
    const blocks: ByteBuffer[] = [];
    for (let i = 0; i < BLOCKS_4096.length; i++) blocks.push(unhex(BLOCKS_4096[i][0]));
    for (let i = 0; i < BLOCKS_160.length; i++) blocks.push(unhex(BLOCKS_160[i][0]));
    const input = new ByteBuffer();
    const first = new FieldHash();
    const second = new FieldHash();
    let decoder = new HpackDecoder(4096);
    let twin = new HpackDecoder(4096);
    let refused = 0;
    for (let round = 0; round < 100000; round++) {
      if (round % 50 == 0) {
        decoder.free();
        twin.free();
        const size = random.below(3) == 0 ? random.below(200) : 4096;
        decoder = new HpackDecoder(size);
        twin = new HpackDecoder(size);
      }
      input.clear();
      if (random.below(8) == 0) {
        for (let n = random.below(60); n >= 0; n--) input.appendByte(random.below(256));
      } else {
        const block = blocks[random.below(blocks.length)];
        input.append(block.ptr, block.length);
        mutate(input.ptr, input.length, random);
      }
      first.reset();
      second.reset();
      fillBehind(input, 0);
      const ok = decoder.decode(input.ptr, input.length, first);
      fillBehind(input, 0xff);
      if (twin.decode(input.ptr, input.length, second) != ok || first.value != second.value) {
        expect(second.value).toBe(first.value, "round " + round.toString());
      }
      if (!ok) refused++;
      if (first.count > MAX_HEADERS || first.total > (MAX_HEADER_LIST as i64)) expect(first.count).toBe(0);
      if (decoder.allocated > 6 * 4096 + 6 * 12 * 128 + 4096) expect(decoder.allocated).toBe(0);
    }
    expect(first.longest).toBeLessThan(MAX_STRING + 1);
    expect(refused).toBeGreaterThan(20000);
    expect(refused).toBeLessThan(99000);
  });

  test("sizes outside of what is allowed", () => {
    for (let i = 0; i < 3; i++) {
      const decoder = new HpackDecoder([i32.MIN_VALUE, -1, i32.MAX_VALUE][i]);
      const most = i < 2 ? 0 : MAX_TABLE;
      const update = unhex(most == 0 ? "21" : "3fe2ff03");
      expect(decoder.decode(update.ptr, update.length, new FieldHash())).toBe(false, (most + 1).toString());
      decoder.free();
    }
  });

  test("100,000 random Huffman strings", () => {
    const random = new Random(99);
    const input = new ByteBuffer();
    const target = new ByteBuffer();
    let decoded = 0;
    for (let round = 0; round < 100000; round++) {
      input.clear();
      for (let n = random.below(24); n > 0; n--) input.appendByte(random.below(random.below(4) == 0 ? 256 : 200));
      fillBehind(input, 0);
      const capacity = random.below(5) == 0 ? random.below(40) : (input.length * 8) / 5;
      const to = target.reserve(64);
      store<u8>(to + capacity, 0xa5);
      const length = decodeHuffman(input.ptr, input.length, to, capacity);
      fillBehind(input, 0xff);
      if (decodeHuffman(input.ptr, input.length, to, capacity) != length) expect(round).toBe(-1);
      if (length > capacity || load<u8>(to + capacity) != 0xa5) expect(length).toBe(capacity);
      if (length >= 0) decoded++;
    }
    expect(decoded).toBeGreaterThan(5000);
  });
});
