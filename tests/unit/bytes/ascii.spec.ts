import { hexDigit, isAlphanumeric, isDigit, isLetter, lowerCase, upperHex } from "../../../assembly/bytes/ascii";

const SMALL = "abcdefghijklmnopqrstuvwxyz";
const CAPITALS = SMALL.toUpperCase();
const DIGITS = "0123456789";

describe("ascii", () => {
  test("every byte, and beyond", () => {
    for (let c = -1; c < 0x300; c++) {
      const text = c < 0 ? "" : String.fromCharCode(c);
      const isOneOf = (all: string, one: string): bool => one.length > 0 && all.includes(one);
      const capital = isOneOf(CAPITALS, text);
      const letter = capital || isOneOf(SMALL, text);
      expect(isDigit(c)).toBe(isOneOf(DIGITS, text), text);
      expect(isLetter(c)).toBe(letter, text);
      expect(isAlphanumeric(c)).toBe(letter || isOneOf(DIGITS, text), text);
      expect(lowerCase(c)).toBe((capital ? c + 32 : c) as u32, text);
      expect(hexDigit(c)).toBe(text.length > 0 ? (DIGITS + "abcdef").indexOf(letter ? text.toLowerCase() : text) : -1);
    }
  });

  test("hexadecimal digits there and back", () => {
    for (let i = 0; i < 16; i++) {
      expect(upperHex(i)).toBe("0123456789ABCDEF".charCodeAt(i) as u32);
      expect(hexDigit(upperHex(i))).toBe(i);
    }
  });
});
