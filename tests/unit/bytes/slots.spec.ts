import { SlotTable } from "../../../assembly/bytes/slots";

class Entry {
  constructor(readonly value: i32) {}
}

describe("SlotTable", () => {
  test("finds what was added until it is released, and nothing under a stale id", () => {
    const table = new SlotTable<Entry>();
    const ids = new Array<u32>();
    for (let i = 0; i < 3000; i++) ids.push(table.add(new Entry(i)));
    for (let i = 0; i < 3000; i++) {
      const entry = table.find(ids[i]);
      expect(entry !== null && entry.value == i).toBe(true);
      expect(ids[i] as i32).toBeGreaterThan(0);
    }
    for (let i = 0; i < 3000; i += 2) table.release(ids[i]);
    expect(table.count).toBe(1500);
    for (let i = 0; i < 1500; i++) table.add(new Entry(-1));
    for (let i = 0; i < 3000; i++) expect(table.find(ids[i]) === null).toBe(i % 2 == 0);
    table.release(ids[0]);
    expect(table.count).toBe(3000);
  });

  test("unknown ids of any width find nothing", () => {
    const table = new SlotTable<Entry>();
    expect(table.find(0) === null).toBe(true);
    const id = table.add(new Entry(1));
    expect(table.find((id as u64) | (1 << 40)) === null).toBe(true);
    expect(table.find(u64.MAX_VALUE) === null).toBe(true);
    expect(table.find(id + 1) === null).toBe(true);
  });

  test("is bounded", () => {
    const table = new SlotTable<Entry>();
    const one = new Entry(1);
    for (let i = 0; i < 65535; i++) table.add(one);
    expect(table.count).toBe(65535);
    expect(table.add(one)).toBe(0);
  });
});
