import { hexDigit } from "./ascii";
import { ByteBuffer } from "./buffer";
import { View } from "./view";

const PERCENT: u32 = 0x25;

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
