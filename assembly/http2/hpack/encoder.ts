// A stateless HPACK encoder (RFC 7541 §6): static table and plain literals, no dynamic table and no Huffman code.
// What is constant can be encoded once and copied.
import { ByteBuffer } from "../../bytes/buffer";

/** Appends an integer with a prefix of `bits` bits (1 to 8) below `pattern` (§5.1). `value` must not be negative. */
export function appendInteger(out: ByteBuffer, pattern: u32, bits: i32, value: i32): void {
  const most = (1 << bits) - 1;
  if (value < most) {
    out.appendByte(pattern | (value as u32));
    return;
  }
  out.appendByte(pattern | (most as u32));
  let rest = (value - most) as u32;
  for (; rest >= 0x80; rest >>= 7) out.appendByte((rest & 0x7f) | 0x80);
  out.appendByte(rest);
}

/** Appends a field that is whole in the static table (§6.1). */
export function appendIndexed(out: ByteBuffer, index: i32): void {
  appendInteger(out, 0x80, 7, index);
}

/** Appends a field with a name of the static table (`StaticIndex`), not to be put into the dynamic table (§6.2.2). */
export function appendIndexedName(out: ByteBuffer, index: i32, value: usize, valueLength: i32): void {
  appendInteger(out, 0, 4, index);
  appendString(out, value, valueLength);
}

/** Appends a field, not to be put into the dynamic table (§6.2.2). The name must be in lower case. */
export function appendLiteral(out: ByteBuffer, name: usize, nameLength: i32, value: usize, valueLength: i32): void {
  out.appendByte(0);
  appendString(out, name, nameLength);
  appendString(out, value, valueLength);
}

/**
 * Appends a dynamic table size update (§6.3), only allowed at the start of a block. A size of 0 is due in the first
 * block after acknowledging a SETTINGS_HEADER_TABLE_SIZE below 4096, and never wrong.
 */
export function appendTableSize(out: ByteBuffer, size: i32): void {
  appendInteger(out, 0x20, 5, size);
}

function appendString(out: ByteBuffer, ptr: usize, length: i32): void {
  appendInteger(out, 0, 7, length);
  out.append(ptr, length);
}
