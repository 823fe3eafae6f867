// Appends fields in protobuf's wire format. A tag is a field's number, shifted left by three, and how it is written.
import { ByteBuffer } from "../bytes/buffer";
import { View } from "../bytes/view";

/** Most bytes of a number, and of a length. */
const MAX_VARINT: i32 = 10;

/** Appends a number in as few bytes as it needs. */
export function appendVarint(out: ByteBuffer, value: u64): void {
  out.commit(storeVarint(out.reserve(MAX_VARINT), value));
}

/** Writes a number at `to`, where ten bytes are free; returns how many it took. */
function storeVarint(to: usize, value: u64): i32 {
  let n = 0;
  for (; value >= 0x80; value >>= 7) store<u8>(to + (n++ as usize), (value as u8) | 0x80);
  store<u8>(to + (n++ as usize), value as u8);
  return n;
}

/** Makes the sign a number's lowest bit, so that small negative ones are short. */
// @ts-ignore: decorator
@inline
export function zigzag32(value: i32): u64 {
  return ((value << 1) ^ (value >> 31)) as u32 as u64;
}

/** The same for 64 bits. */
// @ts-ignore: decorator
@inline
export function zigzag64(value: i64): u64 {
  return (value << 1) ^ (value >> 63);
}

/** Appends four bytes, the lowest first. */
export function appendFixed32(out: ByteBuffer, value: u32): void {
  store<u32>(out.reserve(4), value);
  out.commit(4);
}

/** Appends eight bytes, the lowest first. */
export function appendFixed64(out: ByteBuffer, value: u64): void {
  store<u64>(out.reserve(8), value);
  out.commit(8);
}

/** Appends a field that is a number. */
export function putVarint(out: ByteBuffer, tag: u32, value: u64): void {
  appendVarint(out, tag);
  appendVarint(out, value);
}

/** Appends a field of four bytes. */
export function putFixed32(out: ByteBuffer, tag: u32, value: u32): void {
  appendVarint(out, tag);
  appendFixed32(out, value);
}

/** Appends a field of eight bytes. */
export function putFixed64(out: ByteBuffer, tag: u32, value: u64): void {
  appendVarint(out, tag);
  appendFixed64(out, value);
}

/** Appends a field of a string or of bytes. */
export function putBytes(out: ByteBuffer, tag: u32, value: View): void {
  appendVarint(out, tag);
  appendVarint(out, value.length as u64);
  out.append(value.ptr, value.length);
}

/** Begins a field whose length is not known yet: a message, or packed numbers. Returns what `endField` wants. */
export function beginField(out: ByteBuffer, tag: u32): i32 {
  appendVarint(out, tag);
  out.appendByte(0);
  return out.length;
}

/** Ends such a field: puts its length before it. */
export function endField(out: ByteBuffer, start: i32): void {
  const length = out.length - start;
  if (length >= 0x80) {
    // The one byte left for the length is not enough.
    let more = 0;
    for (let rest = length >> 7; rest > 0; rest >>= 7) more++;
    out.reserve(more);
    const from = out.ptr + (start as usize);
    memory.copy(from + (more as usize), from, length as usize);
    out.commit(more);
  }
  storeVarint(out.ptr + ((start - 1) as usize), length as u64);
}
