import { readHex } from "./ascii";
import { ByteBuffer } from "./buffer";
import { View } from "./view";

const PERCENT: u32 = 0x25;

/** Appends the text with its %XX decoded, and in queries "+" to a space. */
export function decodePercent(text: View, query: bool, out: ByteBuffer): void {
  for (let i = 0; i < text.length; i++) {
    let c = load<u8>(text.ptr + (i as usize)) as u32;
    if (c == PERCENT && text.length - i > 2) {
      const value = readHex(text.ptr + ((i + 1) as usize), 2);
      if (value >= 0) {
        c = value as u32;
        i += 2;
      }
    } else if (query && c == 0x2b) c = 0x20;
    out.appendByte(c);
  }
}
