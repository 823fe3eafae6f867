// What TBinaryProtocol makes of a TApplicationException: a struct of {1: string message, 2: i32 type}.
import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { load16be, load32be, store16be, store32be } from "../../../assembly/bytes/memory";
import { Status } from "./status";

/** Types of fields and elements. */
const enum Type {
  STOP = 0,
  BOOL = 2,
  BYTE = 3,
  DOUBLE = 4,
  I16 = 6,
  I32 = 8,
  I64 = 10,
  STRING = 11,
  STRUCT = 12,
  MAP = 13,
  SET = 14,
  LIST = 15,
  UUID = 16,
}

const MESSAGE_FIELD: u32 = 1;
const TYPE_FIELD: u32 = 2;
/** Containers and structs inside each other that are skipped; what is deeper counts as broken. */
const MAX_DEPTH: i32 = 32;

/**
 * The type of the TApplicationException in the `length` bytes at `ptr`; UNKNOWN where there is none that thrift knows,
 * and where the bytes are no struct.
 */
export function exceptionType(ptr: usize, length: i32): i32 {
  const end = ptr + (length as usize);
  let at = ptr;
  while (end - at >= 3) {
    const type = load<u8>(at) as i32;
    const field = load16be(at + 1);
    if (type == Type.STOP) break;
    const value = at + 3;
    at = skip(type, value, end, 0);
    if (at == 0) break;
    if (field == TYPE_FIELD && type == Type.I32) {
      const status = load32be(value) as i32;
      return status >= Status.UNKNOWN && status <= Status.LAST ? status : Status.UNKNOWN;
    }
  }
  return Status.UNKNOWN;
}

/**
 * Whether the result of `length` bytes at `ptr` is an exception that the method declares: thrift's results are structs
 * with one field, 0 for what the method returns, others for what it throws.
 */
export function isExceptionResult(ptr: usize, length: i32): bool {
  return length >= 3 && load<u8>(ptr) != (Type.STOP as u8) && load16be(ptr + 1) != 0;
}

/** Address behind the value at `at`, which has to end before `end`; 0 when it does not, or is nested too deep. */
function skip(type: i32, at: usize, end: usize, depth: i32): usize {
  const width = widthOf(type);
  if (width > 0) return end - at < width ? 0 : at + width;
  if (type == Type.STRING) {
    if (end - at < 4) return 0;
    const length = load32be(at) as usize;
    at += 4;
    return end - at < length ? 0 : at + length;
  }
  if (depth >= MAX_DEPTH) return 0;
  if (type == Type.STRUCT) return skipStruct(at, end, depth + 1);
  if (type == Type.MAP) {
    if (end - at < 6) return 0;
    return skipElements(load<u8>(at) as i32, load<u8>(at, 1) as i32, load32be(at + 2), at + 6, end, depth + 1);
  }
  if (type == Type.LIST || type == Type.SET) {
    if (end - at < 5) return 0;
    return skipElements(load<u8>(at) as i32, Type.STOP, load32be(at + 1), at + 5, end, depth + 1);
  }
  return 0;
}

function skipStruct(at: usize, end: usize, depth: i32): usize {
  while (at < end) {
    const type = load<u8>(at) as i32;
    if (type == Type.STOP) return at + 1;
    if (end - at < 3) return 0;
    at = skip(type, at + 3, end, depth);
    if (at == 0) return 0;
  }
  return 0;
}

/** Skips `count` keys, each with a value unless the type of those is STOP; every one takes at least a byte. */
function skipElements(key: i32, value: i32, count: u32, at: usize, end: usize, depth: i32): usize {
  if ((count as usize) > end - at) return 0;
  for (let i: u32 = 0; i < count; i++) {
    at = skip(key, at, end, depth);
    if (at != 0 && value != Type.STOP) at = skip(value, at, end, depth);
    if (at == 0) return 0;
  }
  return at;
}

/** Bytes of a value of fixed width; 0 for the others. */
function widthOf(type: i32): usize {
  switch (type) {
    case Type.BOOL:
    case Type.BYTE:
      return 1;
    case Type.I16:
      return 2;
    case Type.I32:
      return 4;
    case Type.I64:
    case Type.DOUBLE:
      return 8;
    case Type.UUID:
      return 16;
    default:
      return 0;
  }
}

/** Appends the exception with the `length` bytes of its message at `reason`. */
export function writeException(status: i32, reason: usize, length: i32, out: ByteBuffer): void {
  const total = 7 + length + 8;
  const start = out.reserve(total);
  store<u8>(start, Type.STRING as u8);
  store16be(start + 1, MESSAGE_FIELD);
  store32be(start + 3, length as u32);
  memory.copy(start + 7, reason, length as usize);
  const at = start + 7 + (length as usize);
  store<u8>(at, Type.I32 as u8);
  store16be(at + 1, TYPE_FIELD);
  store32be(at + 3, status as u32);
  store<u8>(at, Type.STOP as u8, 7);
  out.commit(total);
}

/** Appends a struct without fields: the result of a method that returns nothing. */
export function writeEmptyResult(out: ByteBuffer): void {
  out.appendByte(Type.STOP);
}
