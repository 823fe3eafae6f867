import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { store16be } from "../../../assembly/bytes/memory";

// The content of an error response, as sofa-bolt servers write it: a Hessian object of class RpcServerException. Java
// clients read it for SERVER_EXCEPTION and the (de)serialization statuses, sofa-bolt-node for all; that one takes it for
// an exception only with a stack trace in it, so there is an empty one. Codec byte 1 (Hessian) goes with it.

/** Longest reason written, bytes; the rest is cut. */
const MAX_REASON: i32 = 1024;

/** Class name that goes into the frame beside the content. */
export const EXCEPTION_CLASS: Bytes = Bytes.of("com.alipay.remoting.rpc.exception.RpcServerException");

/** Class definition with two fields, then an object of it up to its first value, a string without its length. */
const BEFORE: Bytes = before();
/** The second value: an array of StackTraceElement of length 0. */
const AFTER: Bytes = after();

function before(): Bytes {
  const out = new ByteBuffer();
  out.appendByte(0x4f); // 'O', class definition: its name's length as int (0xc8 and one byte), name
  out.appendByte(0xc8);
  appendShort(out, EXCEPTION_CLASS);
  out.appendByte(0x92); // int 2, the count of fields
  appendShort(out, Bytes.of("detailMessage"));
  appendShort(out, Bytes.of("stackTrace"));
  out.appendByte(0x6f); // 'o', object of definition 0 (int 0)
  out.appendByte(0x90);
  out.appendByte(0x53); // 'S', last chunk of a string: u16 length, UTF-8
  return take(out);
}

function after(): Bytes {
  const out = new ByteBuffer();
  out.appendByte(0x56); // 'V', list; 't', its type with u16 length
  out.appendByte(0x74);
  out.appendByte(0);
  appendShort(out, Bytes.of("[java.lang.StackTraceElement"));
  out.appendByte(0x6e); // 'n', its length in one byte; 'z', end
  out.appendByte(0);
  out.appendByte(0x7a);
  return take(out);
}

function appendShort(out: ByteBuffer, text: Bytes): void {
  out.appendByte(text.length);
  out.append(text.ptr, text.length);
}

function take(out: ByteBuffer): Bytes {
  const bytes = Bytes.copy(out.ptr, out.length);
  out.free();
  return bytes;
}

/** Length of the content for a reason of `length` bytes. */
export function exceptionLength(length: i32): i32 {
  return BEFORE.length + 2 + min(length, MAX_REASON) + AFTER.length;
}

/** Writes that content to `to`. Bytes that are not ASCII become '?': Hessian counts UTF-16 units, not bytes. */
export function writeException(to: usize, reason: usize, length: i32): void {
  const n = min(length, MAX_REASON);
  memory.copy(to, BEFORE.ptr, BEFORE.length as usize);
  to += BEFORE.length as usize;
  store16be(to, n as u32);
  to += 2;
  for (let i: usize = 0; i < (n as usize); i++) {
    const byte = load<u8>(reason + i);
    store<u8>(to + i, byte < 0x80 ? byte : 0x3f);
  }
  memory.copy(to + (n as usize), AFTER.ptr, AFTER.length as usize);
}
