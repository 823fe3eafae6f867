import { Bytes } from "../../../assembly/bytes/bytes";
import { DECIMAL_ROOM, readDecimal, readStatus, writeDecimal } from "../../../assembly/bytes/decimal";

const room = new StaticArray<u8>(DECIMAL_ROOM);

function written(value: i64): string {
  const end = changetype<usize>(room) + (DECIMAL_ROOM as usize);
  const at = writeDecimal(end, value);
  return String.UTF8.decodeUnsafe(at, end - at);
}

function number(text: string): i64 {
  const bytes = Bytes.of(text);
  return readDecimal(bytes.ptr, bytes.length);
}

function status(text: string): i32 {
  const bytes = Bytes.of(text);
  return readStatus(bytes.ptr, bytes.length);
}

describe("decimal", () => {
  test("writes every integer as it is", () => {
    const values: i64[] = [0, 9, 10, 99, 100, 12345, -1, -10, i32.MIN_VALUE, i64.MAX_VALUE, i64.MIN_VALUE];
    for (let i = 0; i < values.length; i++) expect(written(values[i])).toBe(values[i].toString());
  });

  test("reads what it has written", () => {
    for (let value: i64 = 0, i = 0; i < 60; i++, value += value / 2 + 1) expect(number(written(value))).toBe(value);
  });

  test("reads digits alone, and no number too large", () => {
    expect(number("007")).toBe(7);
    expect(number("999999999999999999")).toBe(999999999999999999);
    expect(number("1000000000000000000")).toBe(1000000000000000000);
    expect(number("99999999999999999999999999999999")).toBe(1000000000000000000);
    const wrong = ["", "-", "-1", "+1", " 1", "1 ", "1.5", "1e3", "a", "/", ":", "12345678901234567890123x"];
    for (let i = 0; i < wrong.length; i++) expect(number(wrong[i])).toBe(-1, wrong[i]);
  });

  test("reads a status", () => {
    expect(status("200")).toBe(200);
    expect(status("099")).toBe(99);
    const wrong = ["", "20", "2000", "-20", "2x0", "20 "];
    for (let i = 0; i < wrong.length; i++) expect(status(wrong[i])).toBe(0, wrong[i]);
  });
});
