// The bytes of an OCI image with one file, the same for the same file whatever machine makes them.
import { createHash } from "node:crypto";

const BLOCK = 512;
/** The most that one block of a deflate stream holds uncompressed (RFC 1951 §3.2.4). */
const STORED = 65535;

/** A blob of an image, as a manifest names it (OCI image specification, descriptor.md). */
export interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

/** The digest of a blob, `sha256:HEX`. */
export function digestOf(data: Uint8Array): string {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
}

/** A ustar archive with one regular file; no time, no owner. */
export function tar(name: string, data: Uint8Array): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, length: number, at: number) => {
    header.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
  };
  header.write(name, "latin1");
  octal(0o644, 8, 100);
  octal(0, 8, 108);
  octal(0, 8, 116);
  octal(data.length, 12, 124);
  octal(0, 12, 136);
  // The checksum counts its own field as blanks.
  header.write("        0", 148, "latin1");
  header.write("ustar\x0000", 257, "latin1");
  const sum = header.reduce((a, b) => a + b, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  const padding = Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK);
  return Buffer.concat([header, data, padding, Buffer.alloc(2 * BLOCK)]);
}

/**
 * A gzip file (RFC 1952) that holds the bytes uncompressed: compressors differ between versions of zlib, and the digest
 * must not.
 */
export function gzipStored(data: Uint8Array): Buffer {
  const parts: Uint8Array[] = [Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])];
  for (let at = 0; at === 0 || at < data.length; at += STORED) {
    const piece = data.subarray(at, at + STORED);
    const header = Buffer.alloc(5);
    header[0] = at + STORED >= data.length ? 1 : 0;
    header.writeUInt16LE(piece.length, 1);
    header.writeUInt16LE(~piece.length & 0xffff, 3);
    parts.push(header, piece);
  }
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(data), 0);
  trailer.writeUInt32LE(data.length % 2 ** 32, 4);
  return Buffer.concat([...parts, trailer]);
}

/**
 * A Wasm module with one more custom section, which no engine looks at: other bytes, and so a VM of its own in Envoy, where
 * plugins with the same bytes share one.
 */
export function withCustomSection(wasm: Uint8Array, name: string): Buffer {
  const text = Buffer.from(name, "utf8");
  const content = Buffer.concat([leb128(text.length), text]);
  return Buffer.concat([wasm, Buffer.from([0]), leb128(content.length), content]);
}

/** CRC-32 as gzip has it; Node's own is younger than the oldest Node that this project takes. */
function crc32(data: Uint8Array): number {
  let crc = ~0;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

function leb128(value: number): Buffer {
  const bytes: number[] = [];
  do {
    bytes.push((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    value >>>= 7;
  } while (value > 0);
  return Buffer.from(bytes);
}
