import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { HpackDecoder } from "../../../assembly/http2/hpack/decoder";
import {
  appendIndexed,
  appendIndexedName,
  appendInteger,
  appendLiteral,
  appendTableSize,
} from "../../../assembly/http2/hpack/encoder";
import { MAX_HEADER_LIST, MAX_HEADERS, MAX_STRING } from "../../../assembly/http2/hpack/field";
import { decodeHuffman } from "../../../assembly/http2/hpack/huffman";
import { StaticIndex } from "../../../assembly/http2/hpack/static_table";
import { append, decode, FieldLog, hex, unhex } from "./support";
import { BLOCKS_160, BLOCKS_4096, HUFFMAN } from "./vectors";

const OK_RESPONSE = "date: Mon, 21 Oct 2013 20:13:21 GMT\nlocation: https://www.example.com\n";

/** The fields of the dynamic table of `decoder`, the newest first; the decoder is of no use afterwards. */
function tableOf(decoder: HpackDecoder): string {
  let text = "";
  for (let index = 62; index < 127; index++) {
    const line = decode(decoder, (0x80 | index).toString(16));
    if (line == "error") break;
    text += line;
  }
  return text;
}

/** Decodes `block` with a new decoder. */
function decodeAlone(block: string, tableSize: i32 = 4096): string {
  return decode(new HpackDecoder(tableSize), block);
}

function huffman(coded: string, capacity: i32 = 1000): string {
  const source = unhex(coded);
  const target = new ByteBuffer();
  const length = decodeHuffman(source.ptr, source.length, target.reserve(capacity), capacity);
  return length < 0 ? "error" : hex(target.ptr, length);
}

describe("RFC 7541 Appendix C", () => {
  test("C.1 integers", () => {
    const out = new ByteBuffer();
    appendInteger(out, 0, 5, 10);
    appendInteger(out, 0, 5, 1337);
    appendInteger(out, 0, 8, 42);
    expect(hex(out.ptr, out.length)).toBe("0a" + "1f9a0a" + "2a");
    expect(decodeAlone("3f9a0a", 1337)).toBe("", "a table of 1337 bytes");
    expect(decodeAlone("3f9a0a", 1336)).toBe("error");
  });

  test("C.2 representations", () => {
    const decoder = new HpackDecoder(4096);
    expect(decode(decoder, "400a637573746f6d2d6b65790d637573746f6d2d686561646572")).toBe("custom-key: custom-header\n");
    expect(decode(decoder, "040c2f73616d706c652f70617468")).toBe(":path: /sample/path\n");
    expect(decode(decoder, "100870617373776f726406736563726574")).toBe("password: secret\n");
    expect(decode(decoder, "82")).toBe(":method: GET\n");
    expect(tableOf(decoder)).toBe("custom-key: custom-header\n");
  });

  test("C.3 requests without Huffman code", () => {
    requests([
      "828684410f7777772e6578616d706c652e636f6d",
      "828684be58086e6f2d6361636865",
      "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
    ]);
  });

  test("C.4 requests with Huffman code", () => {
    requests([
      "828684418cf1e3c2e5f23a6ba0ab90f4ff",
      "828684be5886a8eb10649cbf",
      "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
    ]);
  });

  test("C.5 responses without Huffman code", () => {
    responses([
      "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54" +
        "6e1768747470733a2f2f7777772e6578616d706c652e636f6d",
      "4803333037c1c0bf",
      "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b" +
        "425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31",
    ]);
  });

  test("C.6 responses with Huffman code", () => {
    responses([
      "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
      "4883640effc1c0bf",
      "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af" +
        "27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
    ]);
  });
});

function requests(blocks: string[]): void {
  const decoder = new HpackDecoder(4096);
  const first = ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\n";
  expect(decode(decoder, blocks[0])).toBe(first);
  expect(decode(decoder, blocks[1])).toBe(first + "cache-control: no-cache\n");
  expect(decode(decoder, blocks[2])).toBe(
    ":method: GET\n:scheme: https\n:path: /index.html\n:authority: www.example.com\ncustom-key: custom-value\n",
  );
  expect(tableOf(decoder)).toBe("custom-key: custom-value\ncache-control: no-cache\n:authority: www.example.com\n");
}

function responses(blocks: string[]): void {
  // With 256 bytes the third block has to evict.
  const decoder = new HpackDecoder(256);
  expect(decode(decoder, blocks[0])).toBe(":status: 302\ncache-control: private\n" + OK_RESPONSE);
  expect(decode(decoder, blocks[1])).toBe(":status: 307\ncache-control: private\n" + OK_RESPONSE);
  const date = "date: Mon, 21 Oct 2013 20:13:22 GMT\n";
  const rest = "content-encoding: gzip\nset-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1\n".split(
    "\n",
  );
  expect(decode(decoder, blocks[2])).toBe(
    ":status: 200\ncache-control: private\n" + date + OK_RESPONSE.split("\n")[1] + "\n" + rest.join("\n"),
  );
  expect(tableOf(decoder)).toBe(rest[1] + "\n" + rest[0] + "\n" + date);
}

describe("HPACK against hpack.js", () => {
  test("Huffman code of all bytes", () => {
    for (let i = 0; i < HUFFMAN.length; i++) expect(huffman(HUFFMAN[i][1])).toBe(HUFFMAN[i][0]);
  });

  test("blocks with a dynamic table", () => {
    sequence(BLOCKS_4096, 4096);
    sequence(BLOCKS_160, 160);
  });
});

function sequence(blocks: string[][], size: i32): void {
  const decoder = new HpackDecoder(size);
  for (let i = 0; i < blocks.length; i++) {
    const expected = unhex(blocks[i][1]);
    const text = decode(decoder, blocks[i][0]);
    let got = "";
    for (let j = 0; j < text.length; j++) got += hex(changetype<usize>(text) + 2 * j, 1);
    expect(got).toBe(hex(expected.ptr, expected.length), "block " + i.toString());
  }
  expect(decoder.allocated).toBeLessThan(6 * 4096);
  decoder.free();
  expect(decoder.allocated).toBe(0);
}

describe("Huffman code (RFC 7541 §5.2)", () => {
  test("padding is up to 7 ones", () => {
    expect(huffman("07")).toBe("30", "5 bits of 0 and 3 ones");
    expect(huffman("06")).toBe("error");
    expect(huffman("00")).toBe("error", "zeros are no padding");
    expect(huffman("07ff")).toBe("error", "11 ones");
    expect(huffman("ff")).toBe("error", "8 ones");
    expect(huffman("fe")).toBe("error", "a cut code of 10 bits");
    expect(huffman("f8")).toBe("26", "a code of 8 bits without padding");
  });

  test("EOS is refused, also after other symbols", () => {
    expect(huffman("3fffffff")).toBe("error");
    expect(huffman("07ffffffff")).toBe("error");
    expect(huffman("fffffffc")).toBe("error", "exactly EOS and two zeros");
    expect(huffman("ffffffff")).toBe("error");
  });

  test("writes no more than the capacity", () => {
    expect(huffman("f1e3c2e5f23a6ba0ab90f4ff", 15)).toBe(HUFFMAN[4][0]);
    expect(huffman("f1e3c2e5f23a6ba0ab90f4ff", 14)).toBe("error");
    expect(huffman("", 0)).toBe("");
  });
});

describe("HpackDecoder: table sizes", () => {
  test("stands at the start of a block, up to what was allowed", () => {
    expect(decodeAlone("20" + "3fe11f" + "82")).toBe(":method: GET\n", "0, then 4096");
    expect(decodeAlone("3fe21f")).toBe("error", "4097");
    expect(decodeAlone("8220")).toBe("error", "after a field");
    expect(decodeAlone("822001610162")).toBe("error", "not taken for a literal");
    expect(decodeAlone("20", 0)).toBe("");
    expect(decodeAlone("21", 0)).toBe("error");
  });

  test("must follow when ours is lowered", () => {
    const decoder = new HpackDecoder(4096);
    expect(decode(decoder, "4001610162")).toBe("a: b\n");
    decoder.setMaxTableSize(33);
    expect(decode(decoder, "3f02be")).toBe("error", "33 bytes do not hold a: b");
    decoder.setMaxTableSize(32);
    expect(decode(decoder, "82")).toBe("error", "no update");
    expect(decode(decoder, "3f0182")).toBe(":method: GET\n");
    expect(decode(decoder, "82")).toBe(":method: GET\n");
    decoder.setMaxTableSize(4096);
    expect(decode(decoder, "4001610162be")).toBe("error", "still 32 bytes until the peer says more");
    expect(decode(decoder, "3fe11f4001610162be")).toBe("a: b\na: b\n");
  });

  test("an update keeps what still fits", () => {
    const decoder = new HpackDecoder(4096);
    expect(decode(decoder, "40016101624001630164")).toBe("a: b\nc: d\n");
    expect(decode(decoder, "3f03")).toBe("", "34 bytes: one field");
    expect(tableOf(decoder)).toBe("c: d\n");
  });

  test("size 0 gives the memory back", () => {
    const decoder = new HpackDecoder(4096);
    expect(decode(decoder, "4001610162")).toBe("a: b\n");
    const held = decoder.allocated;
    expect(decode(decoder, "20")).toBe("");
    expect(decoder.allocated).toBeLessThan(held);
    expect(decode(decoder, "3fe11f4001610162be")).toBe("a: b\na: b\n");
  });

  test("size 0 takes no memory and adds nothing", () => {
    const decoder = new HpackDecoder(0);
    expect(decode(decoder, "4001610162" + "88")).toBe("a: b\n:status: 200\n");
    expect(decoder.allocated).toBeLessThan(1024, "the scratch alone");
    expect(decode(decoder, "be")).toBe("error");
  });
});

describe("HpackDecoder: the dynamic table", () => {
  test("a field larger than the table empties it", () => {
    const decoder = new HpackDecoder(64);
    expect(decode(decoder, "4001610162")).toBe("a: b\n");
    expect(decode(decoder, "400161" + "20" + "62".repeat(32))).toBe("a: " + "b".repeat(32) + "\n");
    expect(tableOf(decoder)).toBe("");
  });

  test("a name may come from the field that it evicts", () => {
    const decoder = new HpackDecoder(36);
    for (let i = 0; i < 1000; i++) {
      expect(decode(decoder, i == 0 ? "40027879" + "027a7a" : "7e" + "027a7a")).toBe("xy: zz\n");
    }
    expect(tableOf(decoder)).toBe("xy: zz\n");
  });

  test("a name may come from a field that moves when the table grows", () => {
    const decoder = new HpackDecoder(4096);
    // 8 and 497 bytes: the name does not fit a second time into the first block of 512.
    const field = literal("nameless", 497, 0x62, 0x40);
    expect(decode(decoder, hex(field.ptr, field.length)) != "error").toBe(true);
    expect(decode(decoder, "7e0176" + "be" + "7e0177")).toBe("nameless: v\nnameless: v\nnameless: w\n");
  });
});

describe("HpackDecoder: broken blocks", () => {
  test("indexes", () => {
    expect(decodeAlone("80")).toBe("error", "0");
    expect(decodeAlone("bd")).toBe("www-authenticate: \n", "61");
    expect(decodeAlone("be")).toBe("error", "62 of an empty table");
    expect(decodeAlone("7f000162")).toBe("error", "a name from index 63");
    expect(decodeAlone("ffffffff7f")).toBe("error", "2^28 - 1 and more");
  });

  test("integers that are cut, too long or too large", () => {
    expect(decodeAlone("ff")).toBe("error");
    expect(decodeAlone("ff80")).toBe("error");
    expect(decodeAlone("ff8080808000")).toBe("error", "padded with zeros");
    expect(decodeAlone("0001617f80808000" + "62".repeat(127)) != "error").toBe(true, "4 bytes after the first");
    expect(decodeAlone("0001617f8080808000" + "62".repeat(127))).toBe("error", "5 bytes");
    expect(decodeAlone("ffffffffff0f")).toBe("error", "2^32");
    expect(decodeAlone("00017fffffffffffffffff7f")).toBe("error", "length of a value");
  });

  test("every cut", () => {
    const block = "828684418cf1e3c2e5f23a6ba0ab90f4ff408825a849e95ba97d7f8925a849e95bb8e8b4bf10016101621f0d0163";
    // Where a field ends, a cut is no error.
    const ends = [0, 1, 2, 3, 17, 37, 42, 46];
    for (let n = 0; 2 * n <= block.length; n++) {
      expect(decodeAlone(block.substring(0, 2 * n)) != "error").toBe(ends.includes(n), n.toString());
    }
  });

  test("a broken Huffman code in a name or a value", () => {
    expect(decodeAlone("0081ff0162")).toBe("error");
    expect(decodeAlone("00016181ff")).toBe("error");
  });
});

describe("HpackDecoder: limits", () => {
  test("length of a string, plain and coded", () => {
    expect(decodesTo(literal("a", MAX_STRING, 0x62))).toBe(MAX_STRING);
    expect(decodesTo(literal("a", MAX_STRING + 1, 0x62))).toBe(-1);
    expect(decodesTo(coded((MAX_STRING * 5) / 8))).toBe(MAX_STRING);
    expect(decodesTo(coded((MAX_STRING * 5) / 8 + 5))).toBe(-1);
  });

  test("count of fields", () => {
    expect(decodeAlone("82".repeat(MAX_HEADERS)) != "error").toBe(true);
    expect(decodeAlone("82".repeat(MAX_HEADERS + 1))).toBe("error");
  });

  test("sum of fields, so that a small block cannot grow large", () => {
    const block = literal("a", 4000, 0x62, 0x40);
    const each = 4001 + 32;
    for (let i = 0; i < MAX_HEADER_LIST / each - 1; i++) block.appendByte(0xbe);
    expect(decodesTo(block)).toBe(4000);
    block.appendByte(0xbe);
    expect(decodesTo(block)).toBe(-1);
  });

  test("memory does not grow with use", () => {
    const decoder = new HpackDecoder(4096);
    for (let i = 0; i < 3000; i++) {
      const out = new ByteBuffer();
      out.appendByte(0x40);
      const key = "k" + i.toString();
      out.appendByte(key.length);
      append(out, key);
      out.appendByte(100);
      append(out, "v".repeat(100));
      expect(decoder.decode(out.ptr, out.length, new FieldLog())).toBe(true);
      out.free();
    }
    expect(decoder.allocated).toBeLessThan(6 * 4096 + 6 * 12 * 128 + 512);
    decoder.free();
  });
});

/** A literal field with a value of `length` times `byte`. */
function literal(name: string, length: i32, byte: u32, pattern: u32 = 0): ByteBuffer {
  const out = new ByteBuffer();
  out.appendByte(pattern);
  appendInteger(out, 0, 7, name.length);
  append(out, name);
  appendInteger(out, 0, 7, length);
  for (let i = 0; i < length; i++) out.appendByte(byte);
  return out;
}

/** A literal field with a Huffman-coded value of `length` bytes, all of them the 5-bit code of "0". */
function coded(length: i32): ByteBuffer {
  const out = new ByteBuffer();
  append(out, "\x00\x01a");
  appendInteger(out, 0x80, 7, length);
  for (let i = 0; i < length; i++) out.appendByte(0);
  return out;
}

/** Length of the first field's value, or -1 when the block is refused. */
function decodesTo(block: ByteBuffer): i32 {
  const log = new FieldLog();
  if (!new HpackDecoder(4096).decode(block.ptr, block.length, log)) return -1;
  return log.text.indexOf("\n") - 3;
}

describe("HPACK encoder", () => {
  test("writes what the RFC says", () => {
    const out = new ByteBuffer();
    const text = unhex("637573746f6d2d6b65792f73616d706c652f70617468");
    appendTableSize(out, 0);
    appendIndexed(out, StaticIndex.SCHEME_HTTP);
    appendIndexedName(out, StaticIndex.PATH, text.ptr + 10, 12);
    appendLiteral(out, text.ptr, 10, text.ptr + 10, 0);
    expect(hex(out.ptr, out.length)).toBe("20" + "86" + "040c2f73616d706c652f70617468" + "000a637573746f6d2d6b657900");
    expect(decodeAlone(hex(out.ptr, out.length), 0)).toBe(":scheme: http\n:path: /sample/path\ncustom-key: \n");
  });

  test("integers and long strings come back", () => {
    const value = new ByteBuffer();
    for (let length = 0; length <= 16000; length = length * 2 + 1) {
      while (value.length < length) value.appendByte(0x61 + (value.length % 26));
      const out = new ByteBuffer();
      appendIndexedName(out, StaticIndex.AUTHORITY, value.ptr, length);
      appendIndexedName(out, 58, value.ptr, 1);
      expect(decodesTo(out)).toBe(length + 9, "of :authority");
      out.free();
    }
  });

  test("names of the static table", () => {
    const names = [
      ":authority: \n",
      ":method: GET\n",
      ":path: /\n",
      ":scheme: http\n",
      ":scheme: https\n",
      ":status: 200\n",
    ];
    const indexes: i32[] = [
      StaticIndex.AUTHORITY,
      StaticIndex.METHOD,
      StaticIndex.PATH,
      StaticIndex.SCHEME_HTTP,
      StaticIndex.SCHEME_HTTPS,
      StaticIndex.STATUS,
    ];
    for (let i = 0; i < names.length; i++) {
      const out = new ByteBuffer();
      appendIndexed(out, indexes[i]);
      expect(decodeAlone(hex(out.ptr, out.length))).toBe(names[i]);
    }
  });
});
