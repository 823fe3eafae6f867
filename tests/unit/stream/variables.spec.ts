import { bufferMemory } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { VariableTable } from "../../../assembly/stream/variables";

describe("VariableTable", () => {
  test("has room for 64 variables, and values of 64 KiB", () => {
    const table = new VariableTable();
    const value = Bytes.of("x".repeat(65537));
    const name = Bytes.of("0");
    expect(table.set(name, value.ptr, 65537)).toBe(false);
    for (let i = 0; i < 64; i++) expect(table.set(Bytes.of(i.toString()), value.ptr, 65536)).toBe(true);
    expect(table.set(Bytes.of("64"), value.ptr, 1)).toBe(false);
    expect(table.set(name, value.ptr, 1)).toBe(true);
    const out = new View();
    expect(table.get(name, out)).toBe(true);
    expect(out.length).toBe(1);
    expect(table.get(Bytes.of("64"), out)).toBe(false);
    table.clear();
  });

  test("counts its values as memory of the VM, until they go", () => {
    const before = bufferMemory();
    const table = new VariableTable();
    const value = Bytes.of("x".repeat(1000));
    table.set(Bytes.of("a"), value.ptr, 1000);
    table.set(Bytes.of("b"), value.ptr, 500);
    table.set(Bytes.of("a"), value.ptr, 10);
    expect(bufferMemory() - before).toBe(510);
    table.clear();
    expect(bufferMemory()).toBe(before);
    table.clear();
    expect(bufferMemory()).toBe(before);
  });
});
