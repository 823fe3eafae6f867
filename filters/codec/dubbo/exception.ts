import { load32be } from "../../../assembly/bytes/memory";
import { intAt, isInt, sizeOf } from "../../../assembly/hessian/tags";

/** Serializations whose first value is read: how Dubbo numbers them. */
const HESSIAN2: u32 = 2;
const FASTJSON2: u32 = 23;
/** Kinds of a result: an exception, without and with attachments behind it (DubboCodec's RESPONSE_WITH_EXCEPTION). */
const EXCEPTION: i32 = 0;
const EXCEPTION_WITH_ATTACHMENTS: i32 = 3;
/** JSONB of a byte: its tag, before the value. */
const JSONB_BYTE: u8 = 0xbd;

/** Whether the result of `length` bytes at `ptr`, the body of a response with a good status, is an exception. */
export function isExceptionResult(serialization: u32, ptr: usize, length: i32): bool {
  const kind = resultKind(serialization, ptr, length);
  return kind == EXCEPTION || kind == EXCEPTION_WITH_ATTACHMENTS;
}

/** The kind of the result, its first value; -1 where it cannot be read. */
function resultKind(serialization: u32, ptr: usize, length: i32): i32 {
  if (serialization == HESSIAN2) {
    if (length < 1) return -1;
    const tag = load<u8>(ptr) as i32;
    return isInt(tag) && (sizeOf(tag) as i32) <= length ? intAt(ptr, tag) : -1;
  }
  // The length of the value, then the value.
  if (serialization != FASTJSON2 || length < 6 || load32be(ptr) != 2 || load<u8>(ptr, 4) != JSONB_BYTE) return -1;
  return load<u8>(ptr, 5) as i32;
}
