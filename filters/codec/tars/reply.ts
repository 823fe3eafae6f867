import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { DECIMAL_ROOM, readDecimal, writeDecimal } from "../../../assembly/bytes/decimal";
import { store32be } from "../../../assembly/bytes/memory";
import { writeBytesHead, writeInteger, writeMapHead, writeText } from "./jce";
import { ResponseTag, STRUCT_AT, Tag } from "./packet";

/** TarsGo's text of a response without a request by which a server asks for a new connection. */
export const RECONNECT: Bytes = Bytes.of("_reconnect_");

/** Where a TUP response, which has no iRet, keeps its return code and the reason. */
export const RESULT_CODE: Bytes = Bytes.of("STATUS_RESULT_CODE");
const RESULT_DESC: Bytes = Bytes.of("STATUS_RESULT_DESC");
const NORMAL: i32 = 0;
/** Longest reason written, bytes; the rest is cut. */
const MAX_REASON: i32 = 1024;

const digits: usize = heap.alloc(DECIMAL_ROOM);

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
    writeNumber(1, status, out);
  }
  if (length > 0) {
    writeText(0, RESULT_DESC.ptr, RESULT_DESC.length, out);
    writeText(1, reason, length, out);
  }
}

/** Appends an integer as a string. */
function writeNumber(tag: u32, value: i32, out: ByteBuffer): void {
  const end = digits + (DECIMAL_ROOM as usize);
  const at = writeDecimal(end, value);
  writeText(tag, at, (end - at) as i32, out);
}

/** The integer that a string says; 0 where it says none, or none of 32 bits. */
export function readNumber(ptr: usize, length: i32): i32 {
  if (length < 1 || length > 11) return 0;
  const negative = load<u8>(ptr) == 0x2d;
  const digits = negative ? readDecimal(ptr + 1, length - 1) : readDecimal(ptr, length);
  if (digits < 0) return 0;
  const value = negative ? -digits : digits;
  return value == (value as i32 as i64) ? (value as i32) : 0;
}
