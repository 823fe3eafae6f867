import { Bytes } from "../../../assembly/bytes/bytes";
import { labelOf, NameTable } from "../../../assembly/bytes/name_table";
import { View } from "../../../assembly/bytes/view";

class Made {
  constructor(readonly text: string) {}
}

class Table extends NameTable<Made> {
  made: i32 = 0;

  protected make(first: string, second: string): Made {
    this.made++;
    return new Made(`${first}/${second}`);
  }
}

const first = new View();
const second = new View();

/** The text of the object for two names, in memory of their own as those from the wire are. */
function textOf(table: Table, one: string, two: string): string {
  const a = Bytes.of(one);
  const b = Bytes.of(two);
  first.set(a.ptr, a.length);
  second.set(b.ptr, b.length);
  return table.of(first, second).text;
}

describe("NameTable", () => {
  test("one object for each pair of names", () => {
    const table = new Table(100);
    for (let round = 0; round < 3; round++) {
      expect(textOf(table, "a", "b")).toBe("a/b");
      expect(textOf(table, "b", "a")).toBe("b/a");
      expect(textOf(table, "ab", "")).toBe("ab/unknown");
      expect(textOf(table, "", "ab")).toBe("unknown/ab");
    }
    expect(table.made).toBe(4);
  });

  test("names beyond the bound share one, also when it is 1 or no power of two", () => {
    for (let max = 1; max < 40; max += 13) {
      const table = new Table(max);
      for (let i = 0; i < 1000; i++) {
        expect(textOf(table, "s", i.toString())).toBe(i < max ? `s/${i}` : "other/other");
      }
      for (let i = 0; i < max; i++) expect(textOf(table, "s", i.toString())).toBe(`s/${i}`);
      expect(table.made).toBe(max + 1);
    }
  });

  test("as many places again are for names that are known, or were proven three times", () => {
    const table = new Table(10);
    for (let i = 0; i < 1000; i++) textOf(table, "made-up", i.toString());
    expect(table.unplaced != 0).toBe(true);
    expect(textOf(table, "made-up", "5")).toBe("made-up/5");
    expect(table.unplaced).toBe(0);
    for (let i = 0; i < 3; i++) {
      expect(textOf(table, "s", "m")).toBe("other/other");
      table.prove(table.unplaced);
    }
    expect(textOf(table, "s", "m")).toBe("s/m");
    expect(table.unplaced).toBe(0);
    const name = Bytes.of("known");
    first.set(name.ptr, name.length);
    for (let i = 0; i < 20; i++) {
      const number = Bytes.of(i.toString());
      second.set(number.ptr, number.length);
      expect(table.of(first, second, true).text).toBe(i < 9 ? `known/${i}` : "other/other");
    }
    for (let i = 0; i < 10; i++) expect(textOf(table, "made-up", i.toString())).toBe(`made-up/${i}`);
    expect(table.made).toBe(21);
  });

  test("what is long is cut in the label, and not kept", () => {
    const table = new Table(10);
    expect(textOf(table, "x".repeat(300), "y".repeat(300))).toBe("x".repeat(200) + "/" + "y".repeat(200));
    expect(textOf(table, "x".repeat(299), "y")).toBe("x".repeat(200) + "/y");
    expect(textOf(table, "x".repeat(4000), "y".repeat(96))).toBe("x".repeat(200) + "/" + "y".repeat(96));
    expect(textOf(table, "x".repeat(4000), "y".repeat(97))).toBe("other/other");
    expect(textOf(table, "", "y".repeat(5000))).toBe("other/other");
    expect(textOf(table, "x".repeat(5000), "y".repeat(5000))).toBe("other/other");
  });

  test("labels are printable ASCII without spaces", () => {
    const bytes = Bytes.of("a b\t\u00e9\x7f~!");
    first.set(bytes.ptr, bytes.length);
    expect(labelOf(first)).toBe("a_b____~!");
  });
});
