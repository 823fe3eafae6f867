/* eslint-disable @typescript-eslint/ban-ts-comment */
// @ts-nocheck AssemblyScript, compiled by the test
import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { ClassCheck, ClassWalk, NamesIn } from "../../../assembly/hessian/class_walk";
import { HESSIAN_2, HESSIAN_2_DRAFT } from "../../../assembly/hessian/dialect";
import { HessianReader } from "../../../assembly/hessian/reader";
import { appendString } from "../../../assembly/hessian/text";
import { Codec, Decoded } from "../../../assembly/xprotocol/codec";
import { Frame } from "../../../assembly/xprotocol/frame";
import { bolt } from "../../../filters/codec/bolt/bolt";
import { boltv2 } from "../../../filters/codec/boltv2/boltv2";
import { dubbo } from "../../../filters/codec/dubbo/dubbo";

const reader = new HessianReader();
const frame = new Frame();
const out = new ByteBuffer();
let start: usize = 0;

export function allocate(length: i32): usize {
  return heap.alloc(length);
}

/** Starts a stream. */
export function bind(ptr: usize, length: i32): void {
  start = ptr;
  reader.bind(ptr, length);
}

/** Skips so many values; returns the offset behind them, -1 when it cannot. */
export function skip(count: i32): i32 {
  return reader.skip(count) ? ((reader.at - start) as i32) : -1;
}

/** Skips a whole stream of `count` values; returns 1 when it was read to its end. */
export function whole(ptr: usize, length: i32, count: i32): i32 {
  reader.bind(ptr, length);
  return reader.skip(count) && reader.done ? 1 : 0;
}

/** Writes down every name that it is asked about, a line each; a name that ends with this letter may not be. */
class Names extends ClassCheck {
  refused: i32 = 0;

  allows(ptr: usize, length: i32): bool {
    out.append(ptr, length);
    out.appendByte(0x0a);
    return length == 0 || load<u8>(ptr + length - 1) != this.refused;
  }
}

const names = new Names();
const classes = new ClassWalk();

/** Walks over the classes of a whole stream; the names are where `written` says. Returns the verdict. */
export function walk(ptr: usize, length: i32, draft: i32, refused: i32): i32 {
  out.clear();
  names.refused = refused;
  return classes.walk(draft != 0 ? HESSIAN_2_DRAFT : HESSIAN_2, ptr, length, NamesIn.SIGNATURES, names);
}

export function writtenLength(): i32 {
  return out.length;
}

/** Encodes a string; returns its length, the bytes are where `written` says. */
export function text(ptr: usize, length: i32): i32 {
  out.clear();
  return appendString(out, ptr, length) ? out.length : -1;
}

export function written(): usize {
  return out.ptr;
}

/** Decodes and re-encodes all frames of a recording; returns how many, -1 when one is not the same again. */
export function frames(ptr: usize, length: i32, peer: i32): i32 {
  let count = 0;
  for (let at = 0; at < length; at += frame.length, count++) {
    const codec = codecAt(ptr + at);
    if (codec.decode(ptr + at, length - at, peer, 1 << 20, frame) != Decoded.FRAME) return -1;
    const headers = codec.headers(frame);
    out.clear();
    if (!codec.encode(frame, headers, frame.ptr + frame.contentOffset, frame.contentLength, frame.id, out)) return -1;
    if (out.length != frame.length || memory.compare(out.ptr, frame.ptr, frame.length) != 0) return -1;
  }
  return count;
}

/** The codec of a frame, by its first byte. */
function codecAt(ptr: usize): Codec {
  const first = load<u8>(ptr);
  return first == 1 ? bolt : first == 2 ? boltv2 : dubbo;
}
