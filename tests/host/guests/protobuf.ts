/* eslint-disable @typescript-eslint/ban-ts-comment */
// @ts-nocheck AssemblyScript, compiled by the test
// Reads and writes the messages of protos/sample.proto.
import { bufferMemory, ByteBuffer } from "../../../assembly/bytes/buffer";
import { ProtoStatus } from "../../../assembly/protobuf/reader";
import { Sample } from "./generated/sample";

const sample = new Sample();
const out = new ByteBuffer();

export function allocate(length: i32): usize {
  return heap.alloc(length);
}

/** Reads a Sample and writes it again, to where `written` says: its length, or why it cannot be read as a number below 0. */
export function copy(ptr: usize, length: i32): i32 {
  out.clear();
  const status = sample.decode(ptr, length);
  sample.encode(out);
  return status == ProtoStatus.OK ? out.length : -status;
}

export function written(): usize {
  return out.ptr;
}

/** Forgets the last message; returns the bytes of unmanaged memory in use for it. */
export function forget(): i32 {
  sample.free();
  sample.clear();
  out.free();
  __collect();
  return bufferMemory() as i32;
}
