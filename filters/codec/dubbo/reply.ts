import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { Body } from "./body";
import { Status } from "./status";

/** Longest reason written, bytes; the rest is cut. */
const MAX_REASON: i32 = 1024;
/** Kinds of a good result: a value follows, or null. */
const VALUE: i32 = 1;
const NULL_VALUE: i32 = 2;

// MOSN's texts, for replies without a reason.
const CLIENT_TIMEOUT = Bytes.of("504|timeout");
const BAD_REQUEST = Bytes.of("503|upstream overflow");
const SERVICE_NOT_FOUND = Bytes.of("404|router unavailable");
const SERVER_ERROR = Bytes.of("403|permission denied");
const SERVICE_ERROR = Bytes.of("500|internal error");

const ascii = new ByteBuffer();

/**
 * Appends the body of a local reply: for a good status the reason as the value, or null without one; else one string,
 * which clients make the message of their exception.
 */
export function appendReply(out: ByteBuffer, status: i32, reason: usize, length: i32, body: Body): void {
  if (status == Status.OK) body.writeResult(out, length > 0 ? VALUE : NULL_VALUE);
  if (length > 0) {
    appendText(out, reason, cut(reason, length), body);
  } else if (status != Status.OK) {
    const text = textOf(status);
    body.writeName(out, text.ptr, text.length);
  }
}

/** Bytes of the reason that are written: whole characters. */
function cut(ptr: usize, length: i32): i32 {
  if (length <= MAX_REASON) return length;
  let n = MAX_REASON;
  while (n > MAX_REASON - 3 && (load<u8>(ptr + (n as usize)) & 0xc0) == 0x80) n--;
  return n;
}

/** What is not UTF-8 is written with '?' for every byte that is not ASCII. */
function appendText(out: ByteBuffer, ptr: usize, length: i32, body: Body): void {
  if (body.writeName(out, ptr, length)) return;
  ascii.clear();
  for (let i = 0; i < length; i++) {
    const byte = load<u8>(ptr + (i as usize));
    ascii.appendByte(byte < 0x80 ? byte : 0x3f);
  }
  body.writeName(out, ascii.ptr, ascii.length);
}

function textOf(status: i32): Bytes {
  switch (status) {
    case Status.CLIENT_TIMEOUT:
      return CLIENT_TIMEOUT;
    case Status.BAD_REQUEST:
      return BAD_REQUEST;
    case Status.SERVICE_NOT_FOUND:
      return SERVICE_NOT_FOUND;
    case Status.SERVER_ERROR:
      return SERVER_ERROR;
    default:
      return SERVICE_ERROR;
  }
}
