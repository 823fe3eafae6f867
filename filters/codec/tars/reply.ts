import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { store32be } from "../../../assembly/bytes/memory";
import { Type, writeBytesHead, writeHead, writeInteger, writeMapHead, writeText } from "./jce";
import { ResponseTag, STRUCT_AT, Tag } from "./packet";

/** TarsGo's text of a response without a request by which a server asks for a new connection. */
export const RECONNECT: Bytes = Bytes.of("_reconnect_");

/** Where a TUP response, which has no iRet, keeps its return code and the reason. */
export const RESULT_CODE: Bytes = Bytes.of("STATUS_RESULT_CODE");
const RESULT_DESC: Bytes = Bytes.of("STATUS_RESULT_DESC");
const NORMAL: i32 = 0;
/** Longest reason written, bytes; the rest is cut. */
const MAX_REASON: i32 = 1024;

/** Whether packets of this version are TUP's: their responses are RequestPackets too. */
export function isTup(version: i32): bool {
  return version == 2 || version == 3;
}

/** Appends a frame without a result to the request with this version, id and message type. */
export function writeReply(
  version: i32,
  id: i32,
  messageType: i32,
  status: i32,
  reason: usize,
  reasonLength: i32,
  out: ByteBuffer,
): void {
  const before = out.length;
  const length = min(reasonLength, MAX_REASON);
  out.reserve(STRUCT_AT);
  out.commit(STRUCT_AT);
  writeInteger(Tag.VERSION, version, out);
  writeInteger(Tag.PACKET_TYPE, NORMAL, out);
  if (isTup(version)) writeTup(id, messageType, status, reason, length, out);
  else writeTars(id, messageType, status, reason, length, out);
  store32be(out.ptr + (before as usize), (out.length - before) as u32);
}

/** A ResponsePacket from its third field on. */
function writeTars(id: i32, messageType: i32, status: i32, reason: usize, length: i32, out: ByteBuffer): void {
  writeInteger(ResponseTag.ID, id, out);
  writeInteger(ResponseTag.MESSAGE_TYPE, messageType, out);
  writeInteger(ResponseTag.RET, status, out);
  writeBytesHead(ResponseTag.BUFFER, 0, out);
  writeMapHead(ResponseTag.STATUS, 0, out);
  if (length > 0) writeText(ResponseTag.DESC, reason, length, out);
}

/** A RequestPacket from its third field on; the buffer is an empty map of attributes, as clients expect one. */
function writeTup(id: i32, messageType: i32, status: i32, reason: usize, length: i32, out: ByteBuffer): void {
  writeInteger(Tag.MESSAGE_TYPE, messageType, out);
  writeInteger(Tag.ID, id, out);
  writeText(Tag.SERVANT, 0, 0, out);
  writeText(Tag.FUNC, 0, 0, out);
  writeBytesHead(Tag.BUFFER, 2, out);
  writeMapHead(0, 0, out);
  writeInteger(Tag.TIMEOUT, 0, out);
  writeMapHead(Tag.CONTEXT, 0, out);
  writeMapHead(Tag.STATUS, (status != 0 ? 1 : 0) + (length > 0 ? 1 : 0), out);
  if (status != 0) {
    writeText(0, RESULT_CODE.ptr, RESULT_CODE.length, out);
    writeDecimal(1, status, out);
  }
  if (length > 0) {
    writeText(0, RESULT_DESC.ptr, RESULT_DESC.length, out);
    writeText(1, reason, length, out);
  }
}

/** Appends an integer as a string. */
function writeDecimal(tag: u32, value: i32, out: ByteBuffer): void {
  const negative = value < 0;
  const positive: u32 = negative ? ((0 - value) as u32) : (value as u32);
  let length = negative ? 2 : 1;
  for (let rest = positive; rest >= 10; rest /= 10) length++;
  writeHead(tag, Type.STRING1, out);
  out.appendByte(length);
  const at = out.reserve(length);
  if (negative) store<u8>(at, 0x2d);
  let rest = positive;
  for (let i = length - 1; i >= (negative ? 1 : 0); i--, rest /= 10) {
    store<u8>(at + (i as usize), (0x30 + (rest % 10)) as u8);
  }
  out.commit(length);
}

/** The integer that a string says; 0 where it says none, or none of 32 bits. */
export function readDecimal(ptr: usize, length: i32): i32 {
  const negative = length > 0 && load<u8>(ptr) == 0x2d;
  let value: i64 = 0;
  if (length > 11) return 0;
  for (let i = negative ? 1 : 0; i < length; i++) {
    const digit = (load<u8>(ptr + (i as usize)) as i64) - 0x30;
    if (digit < 0 || digit > 9) return 0;
    value = value * 10 + digit;
  }
  if (negative) value = -value;
  return value == (value as i32 as i64) ? (value as i32) : 0;
}
