// Writers of HTTP/2 frames (RFC 9113 §4.1, §6). They append to a buffer that the caller owns and check nothing that
// the caller knows: stream ids, windows, states.
import { ByteBuffer } from "../bytes/buffer";
import { store16be, store32be, store64be } from "../bytes/memory";
import { CLIENT_PREFACE, DEFAULT_MAX_FRAME, Flags, FRAME_HEADER, FrameType, STREAM_MASK } from "./constants";

/** Writes the 9 bytes of a frame header at `at`; `length` is that of the payload, below 2^24. */
// @ts-ignore: decorator
@inline
export function writeFrameHeader(at: usize, length: i32, type: u32, flags: u32, stream: u32): void {
  store32be(at, ((length as u32) << 8) | type);
  store<u8>(at + 4, flags as u8);
  store32be(at + 5, stream);
}

/** Appends a frame header and room for its payload of `length` bytes; returns the payload's address. */
function openFrame(out: ByteBuffer, length: i32, type: u32, flags: u32, stream: u32): usize {
  const at = out.reserve(FRAME_HEADER + length);
  writeFrameHeader(at, length, type, flags, stream);
  out.commit(FRAME_HEADER + length);
  return at + FRAME_HEADER;
}

/** Appends the client's connection preface; SETTINGS must follow at once. */
export function appendPreface(out: ByteBuffer): void {
  out.append(CLIENT_PREFACE.ptr, CLIENT_PREFACE.length);
}

/** Appends SETTINGS; `pairs` holds id, value, id, value …, and is not kept. */
export function appendSettings(out: ByteBuffer, pairs: StaticArray<u32>): void {
  const count = pairs.length >> 1;
  let at = openFrame(out, count * 6, FrameType.SETTINGS, Flags.NONE, 0);
  for (let i = 0; i < count; i++, at += 6) {
    store16be(at, unchecked(pairs[2 * i]));
    store32be(at + 2, unchecked(pairs[2 * i + 1]));
  }
}

/** Appends the acknowledgement of the peer's SETTINGS. */
export function appendSettingsAck(out: ByteBuffer): void {
  openFrame(out, 0, FrameType.SETTINGS, Flags.ACK, 0);
}

/** Appends WINDOW_UPDATE for `stream`, or for the connection when that is 0; `increment` is 1 to 2^31 - 1 bytes. */
export function appendWindowUpdate(out: ByteBuffer, stream: u32, increment: u32): void {
  store32be(openFrame(out, 4, FrameType.WINDOW_UPDATE, Flags.NONE, stream), increment);
}

/** Appends PING, or the answer to one when `ack`, with 8 bytes of which the peer makes nothing. */
export function appendPing(out: ByteBuffer, ack: bool, opaque: u64): void {
  store64be(openFrame(out, 8, FrameType.PING, ack ? Flags.ACK : Flags.NONE, 0), opaque);
}

/** Appends RST_STREAM with an `H2Code`. */
export function appendRstStream(out: ByteBuffer, stream: u32, code: u32): void {
  store32be(openFrame(out, 4, FrameType.RST_STREAM, Flags.NONE, stream), code);
}

/** Appends GOAWAY with an `H2Code` and without debug data; `lastStream` is the last one of the peer's that was handled. */
export function appendGoAway(out: ByteBuffer, lastStream: u32, code: u32): void {
  const at = openFrame(out, 8, FrameType.GOAWAY, Flags.NONE, 0);
  store32be(at, lastStream & STREAM_MASK);
  store32be(at + 4, code);
}

/**
 * Appends a header block as HEADERS and as many CONTINUATIONs as frames of `maxFrame` bytes need (the peer's
 * SETTINGS_MAX_FRAME_SIZE; taken as 16384 when lower). The block is copied; it must not lie in `out`.
 */
export function appendHeaders(
  out: ByteBuffer,
  stream: u32,
  endStream: bool,
  blockPtr: usize,
  blockLength: i32,
  maxFrame: i32,
): void {
  const most = max(maxFrame, DEFAULT_MAX_FRAME);
  let type: u32 = FrameType.HEADERS;
  let flags: u32 = endStream ? Flags.END_STREAM : Flags.NONE;
  let at = blockPtr;
  let left = blockLength;
  do {
    const length = min(left, most);
    left -= length;
    if (left == 0) flags |= Flags.END_HEADERS;
    memory.copy(openFrame(out, length, type, flags, stream), at, length as usize);
    at += length as usize;
    type = FrameType.CONTINUATION;
    flags = Flags.NONE;
  } while (left > 0);
}

/** Appends one DATA frame with a copy of `length` bytes, at most the peer's SETTINGS_MAX_FRAME_SIZE; 0 is fine. */
export function appendData(out: ByteBuffer, stream: u32, endStream: bool, ptr: usize, length: i32): void {
  const flags = endStream ? Flags.END_STREAM : Flags.NONE;
  memory.copy(openFrame(out, length, FrameType.DATA, flags, stream), ptr, length as usize);
}
