import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { printValue } from "../../../assembly/hessian/print";
import { HessianReader, MAX_CLASSES, MAX_VALUES, MAX_DEPTH } from "../../../assembly/hessian/reader";
import { appendString, countUnits, isCanonical, skipUnits } from "../../../assembly/hessian/text";
import { atEdge, hex, must, Random, toHex } from "../xprotocol/support";

const reader = new HessianReader();
const view = new View();

/** Binds the reader to bytes at the very end of the memory. */
function bind(text: string): void {
  const bytes = hex(text);
  reader.bind(atEdge(changetype<usize>(bytes), bytes.length), bytes.length);
}

/** Whether the bytes are exactly `count` values. */
function reads(text: string, count: i32 = 1): bool {
  bind(text);
  return reader.skip(count) && reader.done;
}

function bytes(text: string): ByteBuffer {
  const out = new ByteBuffer();
  const source = Bytes.of(text);
  out.append(source.ptr, source.length);
  return out;
}

/** Hessian of a text, in hex. */
function written(text: string): string {
  const out = new ByteBuffer();
  const source = Bytes.of(text);
  expect(appendString(out, source.ptr, source.length)).toBe(true);
  return toHex(out);
}

describe("hessian values", () => {
  test("every form of every type, from the specification", () => {
    const scalars = [
      "4e",
      "54",
      "46",
      "90",
      "80",
      "bf",
      "c800",
      "c7ff",
      "d40000",
      "4900000000",
      "e0",
      "f800",
      "3c0000",
    ];
    const others = [
      "5900000000",
      "4c0000000000000000",
      "5b",
      "5c",
      "5d80",
      "5e8000",
      "5f00000000",
      "440000000000000000",
    ];
    const dates = ["4a00000000d85f1e2b", "4b00e3838f"];
    const strings = ["00", "0568656c6c6f", "01c3a9", "01e6bca2", "02eda0bdedb880", "02f09f9880", "300161", "5300016b"];
    const chunks = ["52000161" + "520000" + "5300016b", "5200016b" + "00", "52000161" + "300162"];
    const binaries = [
      "20",
      "2100",
      "34021213",
      "420001ff",
      "41000101" + "21ff",
      "41000101" + "420000",
      "410000" + "3400",
    ];
    const lists = ["5790915a", "575a", "589190", "7990", "78", "71015b90", "56015b9190", "55015b90915a"];
    const maps = ["485a", "4890915a", "4d016190915a"];
    const all = scalars.concat(others).concat(dates).concat(strings).concat(chunks).concat(binaries).concat(lists);
    for (let i = 0; i < all.length; i++) {
      expect(reads(all[i])).toBe(true, all[i]);
      for (let cut = 0; cut < all[i].length; cut += 2) expect(reads(all[i].substr(0, cut))).toBe(false, all[i]);
    }
    for (let i = 0; i < maps.length; i++) expect(reads(maps[i])).toBe(true, maps[i]);
    expect(reads("48905a" + "90")).toBe(false, "the end of a map instead of a value");
    expect(reads("48907890" + "4e")).toBe(false, "a map without an end");
  });

  test("objects, classes, types and references", () => {
    const define = "43" + "0163" + "92" + "0161" + "0162"; // class c, fields a and b
    expect(reads(define + "60" + "90" + "91")).toBe(true);
    expect(reads(define + "4f90" + "90" + "91")).toBe(true);
    expect(reads(define + "60" + "90" + "5190")).toBe(true, "a reference to itself");
    expect(reads(define + "60" + "90" + "5191")).toBe(false, "a reference to nothing");
    expect(reads("79" + define + "60" + "9091" + "60" + "9091", 1)).toBe(false, "more than the list has");
    expect(reads("7a" + define + "60" + "9091" + "60" + "9091")).toBe(true);
    expect(reads("60" + "90")).toBe(false, "no such class");
    expect(reads(define + "61" + "9091")).toBe(false, "no such class");
    expect(reads(define + "4f8f")).toBe(false, "class -1");
    expect(reads("7a" + "7101619090" + "90")).toBe(false);
    expect(reads("7a" + "71016190" + "719090")).toBe(true, "the type again by its number");
    expect(reads("7a" + "71016190" + "719190")).toBe(false, "no such type");
    expect(reads("7a" + "71016190" + "718f90")).toBe(false, "type -1");
    expect(reads("518f")).toBe(false, "reference -1");
    expect(reads("5190")).toBe(false, "a reference to nothing");
    expect(reads("48" + "90" + "5190" + "5a")).toBe(true);
  });

  test("what is no value", () => {
    const tags = ["40", "45", "47", "50", "5a", "43", "43900190"];
    for (let i = 0; i < tags.length; i++) expect(reads(tags[i] + "00".repeat(8))).toBe(false, tags[i]);
    const broken = ["0180", "01f8", "01ff", "01c3", "01f09f9880", "52000190", "52000161", "41000101", "4100010190"];
    for (let i = 0; i < broken.length; i++) expect(reads(broken[i])).toBe(false, broken[i]);
    expect(reads("588f")).toBe(false, "a list of -1");
    expect(reads("588e" + "90905a")).toBe(false, "a list of -2");
    expect(reads("56" + "0161" + "48")).toBe(false, "a length that is no int");
    expect(reads("4d90" + "5a")).toBe(false, "a type that is none");
    expect(reads("4d4e" + "5a")).toBe(false, "a null type");
    expect(reads("43" + "0161" + "8f" + "60")).toBe(false, "-1 fields");
    expect(reads("43" + "4e" + "90" + "60")).toBe(false, "a class without a name");
  });

  test("strings are read in one piece", () => {
    bind("0568656c6c6f" + "52000161" + "5200016253000163" + "90");
    expect(reader.readWord(view)).toBe(true);
    expect(view.length).toBe(5);
    expect(reader.isString).toBe(true);
    expect(reader.readWord(view)).toBe(false, "in pieces");
    expect(reader.skip(1)).toBe(true);
    expect(reader.isScalar).toBe(true);
    expect(reader.readInt()).toBe(true);
    expect(reader.value).toBe(0);
  });

  test("a place is found again, with what has been numbered before it", () => {
    bind("43" + "0163" + "91" + "0166" + "60" + "90" + "60" + "91" + "5191" + "4e");
    expect(reader.skip(1)).toBe(true);
    reader.mark();
    expect(reader.skip(2)).toBe(true);
    expect(reader.readNull()).toBe(true);
    reader.rewind();
    expect(reader.skip(2)).toBe(true);
    expect(reader.readNull()).toBe(true);
  });

  test("ints", () => {
    const texts = ["90", "80", "bf", "c000", "c7ff", "cfff", "d00000", "d7ffff", "4980000000", "497fffffff"];
    const values = [0, -16, 47, -0x800, -1, 0x7ff, -0x40000, 0x3ffff, i32.MIN_VALUE, i32.MAX_VALUE];
    for (let i = 0; i < texts.length; i++) {
      bind(texts[i]);
      expect(reader.readInt()).toBe(true, texts[i]);
      expect(reader.value).toBe(values[i], texts[i]);
      bind(texts[i].substr(2));
      if (texts[i].length > 2) expect(reader.readInt() && reader.done).toBe(false, texts[i]);
    }
    bind("e0");
    expect(reader.readInt()).toBe(false, "a long");
  });

  test("maps are read pair by pair", () => {
    bind("4d0161" + "0161" + "90" + "5a" + "90");
    expect(reader.readMap()).toBe(true);
    expect(reader.readEnd()).toBe(false);
    expect(reader.isPlain).toBe(true);
    expect(reader.skip(2)).toBe(true);
    expect(reader.readEnd()).toBe(true);
    expect(reader.readMap()).toBe(false);
    expect(reader.isPlain).toBe(true);
    bind("5190");
    expect(reader.isPlain).toBe(false);
    bind("4d4e");
    expect(reader.readMap()).toBe(false);
    expect(reader.done).toBe(false);
  });
});

describe("hessian bombs", () => {
  test("nesting up to the bound, whatever nests", () => {
    const opening = ["79", "5891", "57", "710161", "4890", "4d016190"];
    const closing = ["", "", "5a", "", "5a", "5a"];
    for (let i = 0; i < opening.length; i++) {
      expect(reads(opening[i].repeat(MAX_DEPTH) + "90" + closing[i].repeat(MAX_DEPTH))).toBe(true, opening[i]);
      expect(reads(opening[i].repeat(MAX_DEPTH + 1) + "90" + closing[i].repeat(MAX_DEPTH + 1))).toBe(false, opening[i]);
    }
    const nest = "43" + "0163" + "91" + "0161";
    expect(reads(nest + "60".repeat(MAX_DEPTH) + "90")).toBe(true);
    expect(reads(nest + "60".repeat(MAX_DEPTH + 1) + "90")).toBe(false);
  });

  test("lengths beyond the bytes are refused at once", () => {
    expect(reads("58497fffffff" + "90".repeat(100))).toBe(false);
    expect(reads("56" + "0161" + "497fffffff" + "90")).toBe(false);
    expect(reads("5849ffffffff" + "90")).toBe(false);
    expect(reads("43" + "0163" + "497fffffff" + "0161")).toBe(false);
    expect(reads("53ffff" + "61".repeat(100))).toBe(false);
    expect(reads("42ffff" + "61".repeat(100))).toBe(false);
  });

  test("classes up to the bound", () => {
    const out = new ByteBuffer();
    for (let i = 0; i <= MAX_CLASSES; i++) {
      out.appendByte(0x43);
      out.appendByte(0x00);
      out.appendByte(0x90);
      if (i == MAX_CLASSES - 1) {
        out.appendByte(0x60);
        reader.bind(out.ptr, out.length);
        expect(reader.skip(1)).toBe(true);
        out.truncate(out.length - 1);
      }
    }
    out.appendByte(0x60);
    reader.bind(out.ptr, out.length);
    expect(reader.skip(1)).toBe(false);
  });

  test("values up to the bound; ints of a byte do not count", () => {
    const out = new ByteBuffer();
    out.appendByte(0x57);
    for (let i = 0; i < 64; i++) out.appendByte(0x90);
    // The list is a value, and so is its end.
    for (let i = 0; i < MAX_VALUES - 2; i++) out.appendByte(0x4e);
    out.appendByte(0x5a);
    reader.bind(out.ptr, out.length);
    expect(reader.skip(1)).toBe(true);
    out.truncate(out.length - 1);
    out.appendByte(0x4e);
    out.appendByte(0x5a);
    reader.bind(out.ptr, out.length);
    expect(reader.skip(1)).toBe(false);
  });

  test("objects without fields, empty lists and references to them cost a byte or two each", () => {
    expect(reads("57" + "43009060" + "60".repeat(50000) + "78".repeat(50000) + "5191".repeat(50000) + "5a")).toBe(true);
  });

  test("random bytes never lead out of the stream", () => {
    const random = new Random(99);
    const size = 64;
    const data = new StaticArray<u8>(size);
    for (let run = 0; run < 200000; run++) {
      const length = random.below(size);
      for (let i = 0; i < length; i++) data[i] = random.next() as u8;
      const ptr = atEdge(changetype<usize>(data), length);
      reader.bind(ptr, length);
      let ok = true;
      while (ok && !reader.done) ok = reader.skip(1);
      must(!ok || reader.at == reader.end, "behind the end", "", run);
    }
  });
});

describe("hessian text", () => {
  test("lengths count UTF-16 units; characters beyond U+FFFF become two surrogates", () => {
    expect(written("")).toBe("00");
    expect(written("aé漢")).toBe("03" + "61" + "c3a9" + "e6bca2");
    expect(written("😀")).toBe("02" + "eda0bd" + "edb880");
    expect(written("a".repeat(31)).substr(0, 2)).toBe("1f");
    expect(written("a".repeat(32)).substr(0, 4)).toBe("3020");
    expect(written("a".repeat(1023)).substr(0, 4)).toBe("33ff");
    expect(written("a".repeat(1024)).substr(0, 6)).toBe("530400");
    expect(written("a".repeat(0x8000)).substr(0, 6)).toBe("538000");
    const long = written("a".repeat(0x8001));
    expect(long.substr(0, 6) + long.substr(6 + 2 * 0x8000)).toBe("5280000161");
  });

  test("what is no text is not written", () => {
    const bad = ["80", "ff", "c3", "e6bc", "f09f98", "6180"];
    const out = new ByteBuffer();
    for (let i = 0; i < bad.length; i++) {
      const data = hex(bad[i]);
      expect(countUnits(changetype<usize>(data), data.length)).toBe(-1, bad[i]);
      expect(appendString(out, changetype<usize>(data), data.length)).toBe(false, bad[i]);
    }
    expect(out.length).toBe(0);
  });

  test("what is written is read again, also surrogates that came as such", () => {
    const texts = [
      "",
      "abcdefg",
      "abcdefgh",
      "abcdefghi",
      "é".repeat(40),
      "漢😀".repeat(30000),
      "x".repeat(0x7fff) + "😀".repeat(3),
    ];
    for (let i = 0; i < texts.length; i++) {
      const out = new ByteBuffer();
      const source = bytes(texts[i]);
      expect(appendString(out, source.ptr, source.length)).toBe(true);
      const joined = new ByteBuffer();
      printValue(joined, out.ptr, out.length);
      view.set(joined.ptr, joined.length);
      const again = new ByteBuffer();
      expect(appendString(again, view.ptr, view.length)).toBe(true);
      expect(again.length).toBe(out.length);
      expect(memory.compare(again.ptr, out.ptr, out.length)).toBe(0);
    }
  });
});

describe("hessian values as text", () => {
  test("numbers, true and false", () => {
    const values = ["90", "8f", "cbe8", "d7ffff", "497fffffff", "e0", "d8", "fb00", "f0ff", "3c1234", "38ffff"];
    const texts = ["0", "-1", "1000", "262143", "2147483647", "0", "-8", "768", "-1793", "4660", "-196609"];
    for (let i = 0; i < values.length; i++) expect(printed(values[i])).toBe(texts[i], values[i]);
    const others = ["59ffffffff", "4c8000000000000000", "54", "46", "5b", "5c", "5dff", "5e0100", "5f000005dc"];
    const means = ["-1", "-9223372036854775808", "true", "false", "0.0", "1.0", "-1.0", "256.0", "1.5"];
    for (let i = 0; i < others.length; i++) expect(printed(others[i])).toBe(means[i], others[i]);
    expect(printed("4440091eb851eb851f")).toBe("3.14");
    expect(printed("447ff8000000000000")).toBe("NaN");
    expect(printed("44ffefffffffffffff").length < 32).toBe(true);
    expect(printed("4e") + printed("48") + printed("4a0000000000000000")).toBe("", "nothing else has a text");
  });

  test("strings in pieces, and as Java reads them", () => {
    expect(printed("52000161" + "5200016253000163")).toBe("abc");
    expect(printed("04" + "c1a1" + "e08186" + "c480" + "7a")).toBe("aFĀz", "overlong");
    expect(printed("02" + "c361" + "62")).toBe("áb", "what follows the first byte is not looked at");
  });

  test("runs of characters of two and three bytes", () => {
    const texts = ["é".repeat(9), "漢".repeat(7), "éé漢漢éa漢".repeat(5), "߿ࠀ".repeat(9)];
    for (let i = 0; i < texts.length; i++) {
      const bytes = Bytes.of(texts[i]);
      const at = atEdge(bytes.ptr, bytes.length);
      expect(skipUnits(at, at + bytes.length, texts[i].length)).toBe(at + bytes.length, texts[i]);
      expect(skipUnits(at, at + bytes.length, texts[i].length + 1)).toBe(0, texts[i]);
      expect(isCanonical(at, bytes.length)).toBe(true, texts[i]);
    }
    const overlong = ["c3a9c3a9c3a9c1a1c3a9", "c0a1c3a9c3a9c3a9c3a9", "e6bca2e09fbfe6bca2", "e09fbfe6bca2e6bca2"];
    for (let i = 0; i < overlong.length; i++) {
      const bytes = hex(overlong[i]);
      const at = atEdge(changetype<usize>(bytes), bytes.length);
      expect(isCanonical(at, bytes.length)).toBe(false, overlong[i]);
      expect(skipUnits(at, at + bytes.length, i < 2 ? 5 : 3)).toBe(at + bytes.length, "Java reads it");
    }
  });

  test("many small ints", () => {
    expect(reads("57" + "91".repeat(100) + "5a")).toBe(true);
    expect(reads("5864".replace("64", "bf") + "91".repeat(47))).toBe(true);
    expect(reads("5864".replace("64", "bf") + "91".repeat(46))).toBe(false);
    expect(reads("48" + "91".repeat(16) + "5a")).toBe(true);
    expect(reads("48" + "91".repeat(17) + "5a")).toBe(false, "a key without its value");
    expect(reads("91".repeat(20), 20)).toBe(true);
    expect(reads("91".repeat(20), 21)).toBe(false);
  });

  test("one spelling", () => {
    const good = ["", "61", "c3a9", "e6bca2", "eda080", "f09f9880", "f48fbfbf", "6162636465666768c280"];
    for (let i = 0; i < good.length; i++)
      expect(isCanonical(atEdge(changetype<usize>(hex(good[i])), good[i].length / 2), good[i].length / 2)).toBe(
        true,
        good[i],
      );
    const bad = [
      "c1a1",
      "c080",
      "e080af",
      "e09fbf",
      "f08080af",
      "f08fbfbf",
      "f4908080",
      "f5808080",
      "c361",
      "e6bc61",
      "e661a2",
      "80",
      "c3",
      "e6bc",
      "6162636465666768c0af",
    ];
    for (let i = 0; i < bad.length; i++)
      expect(isCanonical(atEdge(changetype<usize>(hex(bad[i])), bad[i].length / 2), bad[i].length / 2)).toBe(
        false,
        bad[i],
      );
  });
});

/** The text of a value. */
function printed(text: string): string {
  const bytes = hex(text);
  const out = new ByteBuffer();
  printValue(out, atEdge(changetype<usize>(bytes), bytes.length), bytes.length);
  return String.UTF8.decodeUnsafe(out.ptr, out.length);
}
