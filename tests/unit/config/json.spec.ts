import { Bytes } from "../../../assembly/bytes/bytes";
import { ConfigErrors } from "../../../assembly/config/errors";
import { MAX_JSON_BYTES, parseJson } from "../../../assembly/config/json";
import { JsonValue } from "../../../assembly/config/value";

/** The text, parsed and written again; or the error, without "configuration" and "invalid JSON". */
function read(text: string): string {
  const bytes = Bytes.of(text);
  return readBytes(bytes.ptr, bytes.length);
}

function readBytes(ptr: usize, length: i32): string {
  const errors = new ConfigErrors();
  const value = parseJson(ptr, length, errors);
  return value === null ? errors.message.replace("configuration ", "").replace("invalid JSON: ", "") : value.toJson();
}

function number(text: string): JsonValue {
  const bytes = Bytes.of(text);
  const value = parseJson(bytes.ptr, bytes.length, new ConfigErrors());
  return value === null ? new JsonValue(0, 0, 0) : value;
}

/** Text and what comes of it. */
const TEXTS: string[][] = [
  [' {"a" : [1,\t-2.5 ,true,false,null,"x"] , "":{}, "b":[ ] }\r\n', '{"a":[1,-2.5,true,false,null,"x"],"":{},"b":[]}'],
  ['"\\u00e9\\ud83d\\ude00\\n\\t\\r\\b\\f\\/\\\\\\""', '"\u00e9\ud83d\ude00\\n\\t\\r\\u0008\\u000c/\\\\\\""'],
  ['"\u00e9\u65e5\ud83d\ude00"', '"\u00e9\u65e5\ud83d\ude00"'],
  ['"\\u0000"', '"\\u0000"'],
  ["0", "0"],
  ["-0", "-0"],
  ["1.0", "1"],
  ["1e3", "1000"],
  ["12E-1", "1.2"],
  ["18446744073709551615", "18446744073709551615"],
  ["-9223372036854775808", "-9223372036854775808"],
  ["", "(line 1, column 1): unexpected end"],
  ["  ", "(line 1, column 3): unexpected end"],
  ["nul", "(line 1, column 1): expected a value"],
  ["nulll", "(line 1, column 5): unexpected text after the end"],
  ["1 2", "(line 1, column 3): unexpected text after the end"],
  ["[1,]", "(line 1, column 4): expected a value"],
  ["[,1]", "(line 1, column 2): expected a value"],
  ["[1 2]", '(line 1, column 4): expected "," or "]"'],
  ["[1", "(line 1, column 3): unexpected end"],
  ["]", "(line 1, column 1): expected a value"],
  ['{"a":1,}', "(line 1, column 8): expected a key in double quotes"],
  ["{a:1}", "(line 1, column 2): expected a key in double quotes"],
  ['{"a" 1}', '(line 1, column 6): expected ":"'],
  ['{"a":1 "b":2}', '(line 1, column 8): expected "," or "}"'],
  ['{"a":1', "(line 1, column 7): unexpected end"],
  ['{"a":', "(line 1, column 6): unexpected end"],
  ['{\n  "a": 1,\n  "a": 2\n}', '(line 3, column 3): duplicate key "a"'],
  ['{"\u65e5\u65e5": x}', "(line 1, column 8): expected a value"],
  ['{"\\u0061": 1, "a": 2}', '(line 1, column 15): duplicate key "a"'],
  ["// no\n1", "(line 1, column 1): expected a value"],
  ["01", "(line 1, column 1): malformed number"],
  ["-", "(line 1, column 1): malformed number"],
  ["+1", "(line 1, column 1): expected a value"],
  [".5", "(line 1, column 1): expected a value"],
  ["5.", "(line 1, column 1): malformed number"],
  ["1e", "(line 1, column 1): malformed number"],
  ["1e+", "(line 1, column 1): malformed number"],
  ["12x", "(line 1, column 3): unexpected text after the end"],
  ["0x10", "(line 1, column 2): unexpected text after the end"],
  ["NaN", "(line 1, column 1): expected a value"],
  ["1e400", "(line 1, column 1): number out of range"],
  ['"abc', "(line 1, column 5): string without end"],
  ['"a\nb"', "(line 1, column 3): control character in a string"],
  ['"\\q"', "(line 1, column 3): unknown escape in a string"],
  ['"\\u12g4"', "(line 1, column 2): \\u escape that is no character"],
  ['"\\ud800"', "(line 1, column 2): \\u escape that is no character"],
  ['"\\ud800\\u0041"', "(line 1, column 2): \\u escape that is no character"],
  ['"\\udc00"', "(line 1, column 2): \\u escape that is no character"],
  ["'a'", "(line 1, column 1): expected a value"],
  ["\u00a01", "(line 1, column 1): expected a value"],
];

/** Bytes that are not UTF-8, inside a string. */
const BAD_BYTES: u8[][] = [
  [0x80],
  [0xc0, 0xaf],
  [0xc3],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf8, 0x88],
  [0xff],
];

describe("parseJson", () => {
  test("reads what RFC 8259 allows and says where the rest is wrong", () => {
    for (let i = 0; i < TEXTS.length; i++) expect(read(TEXTS[i][0])).toBe(TEXTS[i][1], TEXTS[i][0]);
  });

  test("keeps integers exact and others as f64", () => {
    expect(number("9007199254740993").magnitude).toBe(9007199254740993);
    expect(number("1e15").magnitude).toBe(1000000000000000);
    expect(number("18446744073709551616").integral).toBe(false);
    expect(number("1e16").integral).toBe(false);
    expect(number("2.5").integral).toBe(false);
    expect(number("-3").negative).toBe(true);
    expect(number("0.1").number).toBe(0.1);
    expect(number("1.7976931348623157e308").number).toBe(1.7976931348623157e308);
    expect(number("5e-324").number).toBe(5e-324);
  });

  test("refuses bytes that are not UTF-8", () => {
    for (let i = 0; i < BAD_BYTES.length; i++) {
      const bytes = BAD_BYTES[i];
      const text = heap.alloc(16);
      store<u8>(text, 0x22);
      for (let j = 0; j < bytes.length; j++) store<u8>(text + 1 + j, bytes[j]);
      store<u8>(text + 1 + bytes.length, 0x22);
      expect(readBytes(text, bytes.length + 2)).toBe("(line 1, column 2): string that is not UTF-8", i.toString());
      heap.free(text);
    }
  });

  test("knows line and column of values", () => {
    const bytes = Bytes.of('{\n "\u65e5\u65e5": ["\ud83d\ude00", [2]]}');
    const value = parseJson(bytes.ptr, bytes.length, new ConfigErrors());
    expect(value !== null).toBe(true);
    if (value === null) return;
    const inner = value.members.get("\u65e5\u65e5").items[1].items[0];
    expect(inner.line).toBe(2);
    expect(inner.column).toBe(15);
  });
});

describe("parseJson's limits", () => {
  test("depth", () => {
    expect(read("[".repeat(32) + "]".repeat(32)).length).toBe(64);
    expect(read("[".repeat(33) + "]".repeat(33))).toBe("(line 1, column 33): nested deeper than 32");
    expect(read('{"a":'.repeat(100000))).toBe("(line 1, column 161): nested deeper than 32");
  });

  test("values", () => {
    expect(read("[" + "0,".repeat(65534) + "0]").length > 1000).toBe(true);
    expect(read("[" + "0,".repeat(65535) + "0]")).toBe("(line 1, column 131072): more than 65536 values");
  });

  test("length of strings and of the whole", () => {
    expect(read('"' + "x".repeat(262144) + '"').length).toBe(262146);
    expect(read('"' + "x".repeat(262145) + '"')).toBe("(line 1, column 262147): string longer than 262144 bytes");
    expect(readBytes(0, MAX_JSON_BYTES + 1)).toBe("configuration: longer than 1048576 bytes of JSON");
  });
});

describe("parseJson on hostile input", () => {
  test("never traps, and reads what it has written", () => {
    const seed = Bytes.of(
      '{"virtual_hosts":[{"name":"\\u00e9\\ud83d\\ude00","domains":["*"],"n":[-1.5e3,0,true,null,{}],"x":{"y":[[],""]}}]}',
    );
    const n = seed.length;
    const text = heap.alloc(n as usize);
    let random: u32 = 1;
    for (let round = 0; round < 100000; round++) {
      memory.copy(text, seed.ptr, n as usize);
      for (let i = round & 3; i >= 0; i--) {
        random = random * 1664525 + 1013904223;
        const at = (random >> 8) % (n as u32);
        random = random * 1664525 + 1013904223;
        // Half the time a byte that means something.
        const byte = (random & 1) != 0 ? load<u8>(seed.ptr + ((random >> 8) % (n as u32))) : ((random >> 8) as u8);
        store<u8>(text + at, byte);
      }
      random = random * 1664525 + 1013904223;
      const length = (round & 7) == 0 ? (((random >> 8) % (n as u32)) as i32) : n;
      const errors = new ConfigErrors();
      const value = parseJson(text, length, errors);
      assert((value === null) == errors.failed);
      if (value === null) continue;
      const written = value.toJson();
      assert(read(written) == written, written);
    }
    heap.free(text);
  });
});
