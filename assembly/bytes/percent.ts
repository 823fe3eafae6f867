import { ByteBuffer } from "./buffer";
import { View } from "./view";

const PERCENT: u32 = 0x25;

/** The value of a hexadecimal digit, -1 for other bytes. */
export function hexDigit(c: u32): i32 {
  if (c - 0x30 < 10) return (c - 0x30) as i32;
  const letter = (c | 0x20) - 0x61;
  return letter < 6 ? (letter as i32) + 10 : -1;
}

/** Appends the text with its %XX decoded, and in queries "+" to a space. */
export function decodePercent(text: View, query: bool, out: ByteBuffer): void {
  for (let i = 0; i < text.length; i++) {
    let c = load<u8>(text.ptr + (i as usize)) as u32;
    if (c == PERCENT && text.length - i > 2) {
      const high = hexDigit(load<u8>(text.ptr + ((i + 1) as usize)));
      const low = hexDigit(load<u8>(text.ptr + ((i + 2) as usize)));
      if (high >= 0 && low >= 0) {
        c = ((high << 4) | low) as u32;
        i += 2;
      }
    } else if (query && c == 0x2b) c = 0x20;
    out.appendByte(c);
  }
}
