import { atEdge, hex } from "../../../tests/unit/xprotocol/support";
import { exceptionType } from "./binary";

/** The type that is read from this struct, in hex. */
function typeIn(struct: string): i32 {
  const bytes = hex(struct);
  return exceptionType(atEdge(changetype<usize>(bytes), bytes.length), bytes.length);
}

describe("TApplicationException", () => {
  const type = "08000200000006";

  test("the type is found behind fields of every kind", () => {
    const fields = [
      "0200090" + "1",
      "0300097f",
      "0600091234",
      "08000900000001",
      "0a00090000000000000001",
      "0400090000000000000001",
      "0b000900000003616263",
      "1000090000000000000000000000000000000" + "0".repeat(1),
      "0c0009" + "0800010000000100",
      "0d00090b0800000001" + "0000000161" + "00000001",
      "0f0009080000000200000001" + "00000002",
      "0e00090c00000002" + "00" + "03000155" + "00",
      "0f00090f00000001" + "0200000001" + "01",
    ];
    for (let i = 0; i < fields.length; i++) expect(typeIn(fields[i] + type + "00")).toBe(6, fields[i]);
    expect(typeIn(type)).toBe(6, "without an end");
  });

  test("what is no type of thrift's is unknown", () => {
    const bad = [
      "",
      "00",
      "0800",
      "080002",
      "08000200000b",
      "0800020000000b00",
      "080002ffffffff00",
      "0b00020000000161" + type,
    ];
    for (let i = 0; i < bad.length - 1; i++) expect(typeIn(bad[i])).toBe(0, bad[i]);
    expect(typeIn(bad[bad.length - 1])).toBe(6, "a string in its place");
  });

  test("bombs: lengths, counts and nesting", () => {
    const bad = [
      "0b0009ffffffff",
      "0f000902ffffffff",
      "0f00090cffffffff00",
      "0d00090202ffffffff01",
      "0100090000",
      "0f000900000000" + "0100",
    ];
    for (let i = 0; i < bad.length; i++) expect(typeIn(bad[i] + type + "00")).toBe(0, bad[i]);
    for (let depth = 1; depth < 200; depth += 10) {
      const nested = "0f0009" + "0f00000001".repeat(depth) + "0200000001" + "01";
      expect(typeIn(nested + type + "00")).toBe(depth < 32 ? 6 : 0, depth.toString());
      expect(typeIn("0c0009" + "0c0001".repeat(depth - 1) + "00".repeat(depth) + type + "00")).toBe(
        depth <= 32 ? 6 : 0,
      );
    }
  });
});
