// Builds and parses SOFABolt frames for tests, apart from the code under test. Layout: sofa-bolt 1.6, protocols 1 and 2.
import { crc32 } from "./crc32.ts";

/** Header pairs in wire order; keys may repeat. */
export type Headers = [key: string, value: string][];

/** The fields that all frames share. Byte fields that a test leaves out get what sofa-bolt clients send. */
export interface FrameOptions {
  /** Protocol byte: 1 (default) or 2. */
  version?: 1 | 2;
  /** Protocol 2 only: version byte, 1 or 2; by default 2 with `crc`, else 1. */
  ver1?: number;
  /** Protocol 2 only: the switch byte's bit 0; with ver1 = 2 a CRC32 follows the content. */
  crc?: boolean;
  codec?: number;
  class?: string;
  headers?: Headers;
  content?: Buffer | string;
}

export interface RequestOptions extends FrameOptions {
  /** Milliseconds; default -1, none. */
  timeout?: number;
  /** 1 request (default), 2 one-way. */
  type?: number;
  command?: number;
}

export interface ResponseOptions extends FrameOptions {
  /** Default 0, success. */
  status?: number;
  command?: number;
}

export type BoltKind = "request" | "oneway" | "response" | "heartbeat" | "heartbeatAck";

export interface BoltFrame {
  kind: BoltKind;
  version: number;
  /** 0 in protocol 1. */
  ver1: number;
  type: number;
  command: number;
  id: number;
  codec: number;
  /** Switch byte; 0 in protocol 1. */
  switch: number;
  /** Requests only, else 0. */
  timeout: number;
  /** Responses only, else 0. */
  status: number;
  class: string;
  headers: Headers;
  content: Buffer;
  /** Whether a CRC32 follows, and whether it fits the frame. */
  crc: "none" | "good" | "bad";
  /** All bytes of the frame. */
  raw: Buffer;
}

/** Status codes of a response (com.alipay.remoting.ResponseStatus). */
export const BoltStatus = {
  SUCCESS: 0,
  ERROR: 1,
  SERVER_EXCEPTION: 2,
  UNKNOWN: 3,
  SERVER_THREADPOOL_BUSY: 4,
  ERROR_COMM: 5,
  NO_PROCESSOR: 6,
  TIMEOUT: 7,
  CLIENT_SEND_ERROR: 8,
  CODEC_EXCEPTION: 9,
  CONNECTION_CLOSED: 16,
  SERVER_SERIAL_EXCEPTION: 17,
  SERVER_DESERIAL_EXCEPTION: 18,
} as const;

const TYPE_RESPONSE = 0;
const TYPE_ONEWAY = 2;
const COMMAND_HEARTBEAT = 0;

/** A request or one-way request frame. */
export function request(id: number, options: RequestOptions = {}): Buffer {
  const timeout = Buffer.alloc(4);
  timeout.writeInt32BE(options.timeout ?? -1);
  return build(id, options.type ?? 1, options.command ?? 1, timeout, options);
}

/** A response frame. */
export function response(id: number, options: ResponseOptions = {}): Buffer {
  const status = Buffer.alloc(2);
  status.writeUInt16BE(options.status ?? BoltStatus.SUCCESS);
  return build(id, TYPE_RESPONSE, options.command ?? 2, status, options);
}

/** A heartbeat request, as sofa-bolt clients send it: no class, no header, no content. */
export function heartbeat(id: number, version: 1 | 2 = 1): Buffer {
  return request(id, { version, command: COMMAND_HEARTBEAT });
}

/** The answer to a heartbeat. */
export function heartbeatAck(id: number, version: 1 | 2 = 1): Buffer {
  return response(id, { version, command: COMMAND_HEARTBEAT });
}

/** A header block: pairs of length-prefixed strings. */
export function headerBlock(headers: Headers): Buffer {
  const parts: Buffer[] = [];
  for (const text of headers.flat()) {
    const bytes = Buffer.from(text);
    const length = Buffer.alloc(4);
    length.writeInt32BE(bytes.length);
    parts.push(length, bytes);
  }
  return Buffer.concat(parts);
}

function build(id: number, type: number, command: number, special: Buffer, options: FrameOptions): Buffer {
  const version = options.version ?? 1;
  const crc = version === 2 && options.crc === true;
  const ver1 = options.ver1 ?? (crc ? 2 : 1);
  const className = Buffer.from(options.class ?? "");
  const headers = headerBlock(options.headers ?? []);
  const content = Buffer.from(options.content ?? "");

  const fixed = Buffer.alloc(9);
  fixed.writeUInt8(type, 0);
  fixed.writeUInt16BE(command, 1);
  fixed.writeUInt8(1, 3);
  fixed.writeUInt32BE(id, 4);
  fixed.writeUInt8(options.codec ?? 1, 8);
  const lengths = Buffer.alloc(8);
  lengths.writeUInt16BE(className.length, 0);
  lengths.writeUInt16BE(headers.length, 2);
  lengths.writeUInt32BE(content.length, 4);

  const start = Buffer.from(version === 1 ? [1] : [2, ver1]);
  const switches = Buffer.from(version === 1 ? [] : [crc ? 1 : 0]);
  const frame = Buffer.concat([start, fixed, switches, special, lengths, className, headers, content]);
  return crc && ver1 === 2 ? Buffer.concat([frame, checksum(frame)]) : frame;
}

function checksum(frame: Buffer): Buffer {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(frame));
  return sum;
}

/** A copy of a whole frame with another id, and with a checksum that fits it. */
export function withId(frame: Buffer, id: number): Buffer {
  const copy = Buffer.from(frame);
  copy.writeUInt32BE(id, 5 + layout(frame).shift);
  return resealed(copy);
}

/** A copy of a whole frame with a good checksum, if it has one at all. */
export function resealed(frame: Buffer): Buffer {
  return reseal(Buffer.from(frame));
}

/** The whole frame itself, with its checksum put right, if it has one. */
export function reseal(frame: Buffer): Buffer {
  if (hasChecksum(frame)) frame.writeUInt32BE(crc32(frame.subarray(0, -4)), frame.length - 4);
  return frame;
}

/** All complete frames of the buffer and what is left of it. Throws on bytes that are not Bolt. */
export function parseFrames(buffer: Buffer): { frames: BoltFrame[]; rest: Buffer } {
  const frames: BoltFrame[] = [];
  let rest = buffer;
  for (let frame = parseFrame(rest); frame; frame = parseFrame(rest)) {
    frames.push(frame);
    rest = rest.subarray(frame.raw.length);
  }
  return { frames, rest };
}

/**
 * Length of the frame that the buffer starts with, its CRC included; undefined if too few bytes are there to tell. Throws
 * on bytes that are not Bolt.
 */
export function frameLength(buffer: Buffer): number | undefined {
  if (buffer.length < 2) return undefined;
  if (buffer[0] !== 1 && buffer[0] !== 2) throw new Error(`not Bolt: ${buffer.subarray(0, 16).toString("hex")}`);
  const { fixed } = layout(buffer);
  if (buffer.length < fixed) return undefined;
  const parts = buffer.readUInt16BE(fixed - 8) + buffer.readUInt16BE(fixed - 6) + buffer.readUInt32BE(fixed - 4);
  return fixed + parts + (hasChecksum(buffer) ? 4 : 0);
}

/** Where the fields are that differ between the versions, and between requests and responses. */
function layout(frame: Buffer): { shift: number; special: number; fixed: number } {
  const shift = frame[0] - 1;
  const special = 10 + 2 * shift;
  return { shift, special, fixed: special + (frame[1 + shift] === TYPE_RESPONSE ? 2 : 4) + 8 };
}

function hasChecksum(frame: Buffer): boolean {
  return frame[0] === 2 && frame[1] === 2 && (frame[11] & 1) !== 0;
}

/** The first frame of the buffer; undefined if it is not complete. Throws on bytes that are not Bolt. */
export function parseFrame(buffer: Buffer): BoltFrame | undefined {
  const total = frameLength(buffer);
  if (total === undefined || buffer.length < total) return undefined;
  const { shift, special, fixed } = layout(buffer);
  const version = buffer[0];
  const type = buffer[1 + shift];
  const isResponse = type === TYPE_RESPONSE;
  const headerStart = fixed + buffer.readUInt16BE(fixed - 8);
  const contentStart = headerStart + buffer.readUInt16BE(fixed - 6);
  const end = contentStart + buffer.readUInt32BE(fixed - 4);
  const command = buffer.readUInt16BE(2 + shift);
  return {
    kind: kindOf(type, command),
    version,
    ver1: version === 2 ? buffer[1] : 0,
    type,
    command,
    id: buffer.readUInt32BE(5 + shift),
    codec: buffer[9 + shift],
    switch: version === 2 ? buffer[11] : 0,
    timeout: isResponse ? 0 : buffer.readInt32BE(special),
    status: isResponse ? buffer.readUInt16BE(special) : 0,
    class: buffer.toString("utf8", fixed, headerStart),
    headers: parseHeaders(buffer.subarray(headerStart, contentStart)),
    content: buffer.subarray(contentStart, end),
    crc: !hasChecksum(buffer) ? "none" : crc32(buffer.subarray(0, end)) === buffer.readUInt32BE(end) ? "good" : "bad",
    raw: buffer.subarray(0, total),
  };
}

function kindOf(type: number, command: number): BoltKind {
  if (type === TYPE_RESPONSE) return command === COMMAND_HEARTBEAT ? "heartbeatAck" : "response";
  if (command === COMMAND_HEARTBEAT) return "heartbeat";
  return type === TYPE_ONEWAY ? "oneway" : "request";
}

/** A block that is no run of pairs has none: peers may put any bytes there. */
function parseHeaders(block: Buffer): Headers {
  const texts: string[] = [];
  for (let at = 0; at < block.length;) {
    const length = block.length - at < 4 ? -1 : block.readInt32BE(at);
    if (length < 0 || length > block.length - at - 4) return [];
    texts.push(block.toString("utf8", at + 4, at + 4 + length));
    at += 4 + length;
  }
  return Array.from({ length: texts.length / 2 }, (_, i): [string, string] => [texts[2 * i], texts[2 * i + 1]]);
}
