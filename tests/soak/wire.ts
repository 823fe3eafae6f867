// The protocols of the soak as bytes: whole frames to copy, and where a frame says what. Apart from the code under test.
import { crc32 } from "node:zlib";
import * as bolt from "../host/kit/bolt.ts";
import * as dubbo from "../host/kit/dubbo.ts";
import type { Operation, ProtocolName } from "./operations.ts";

/** How a protocol's frames are made and read. */
export interface Wire {
  /** Requests of a connection that may be under way at once. */
  window: number;
  /** Bytes of the frame at `at`; 0: too few are there to tell. Throws on what is no frame. */
  frameLength(bytes: Buffer, at: number, end: number): number;
  /** Id of a frame; of 64 bits the low ones. */
  id(bytes: Buffer, at: number): number;
  setId(bytes: Buffer, at: number, id: number): void;
  /** Offset and length of the content, in `Span`. */
  content(bytes: Buffer, at: number, length: number): void;
  /** What a frame is to a client: a status, or one of the following. */
  status(bytes: Buffer, at: number): number;
  isHeartbeat(bytes: Buffer, at: number): boolean;
  /** Whether the peer says that it closes the connection behind this frame. */
  isLast(bytes: Buffer, at: number, length: number): boolean;
  /** To be called when all of a frame is written. */
  seal(bytes: Buffer, at: number, length: number): void;
  request(operation: Operation, content: Buffer): Buffer;
  response(content: Buffer): Buffer;
  /** An answer that means failure. */
  failure: Buffer;
  heartbeat: Buffer;
  heartbeatAck: Buffer;
  /** What a server says that wants no more requests. */
  goAway?: Buffer;
}

/** Of the last content that was looked for. */
export const span = { from: 0, length: 0 };

export const SERVICE = "soak.Echo";

function boltWire(version: 1 | 2, crc: boolean): Wire {
  const shift = version - 1;
  const sealed = (bytes: Buffer, at: number) => version === 2 && bytes[at + 1] === 2 && (bytes[at + 11] & 1) !== 0;
  const fixed = (bytes: Buffer, at: number) => (bytes[at + 1 + shift] === 0 ? 20 : 22) + 2 * shift;
  const base = { version, crc };
  return {
    window: 32,
    frameLength(bytes, at, end) {
      if (end - at < 2 + shift || end - at < fixed(bytes, at)) return 0;
      if (bytes[at] !== version) throw new Error(`no Bolt: ${bytes.toString("hex", at, at + 16)}`);
      const lengths = at + fixed(bytes, at) - 8;
      const parts = bytes.readUInt16BE(lengths) + bytes.readUInt16BE(lengths + 2) + bytes.readUInt32BE(lengths + 4);
      return lengths - at + 8 + parts + (sealed(bytes, at) ? 4 : 0);
    },
    id: (bytes, at) => bytes.readUInt32BE(at + 5 + shift),
    setId: (bytes, at, id) => bytes.writeUInt32BE(id, at + 5 + shift),
    content(bytes, at) {
      const head = fixed(bytes, at);
      const lengths = at + head - 8;
      span.from = at + head + bytes.readUInt16BE(lengths) + bytes.readUInt16BE(lengths + 2);
      span.length = bytes.readUInt32BE(lengths + 4);
    },
    status: (bytes, at) => bytes.readUInt16BE(at + 10 + 2 * shift),
    isHeartbeat: (bytes, at) => bytes.readUInt16BE(at + 2 + shift) === 0,
    isLast: () => false,
    seal(bytes, at, length) {
      if (sealed(bytes, at)) bytes.writeUInt32BE(crc32(bytes.subarray(at, at + length - 4)), at + length - 4);
    },
    request: ({ name, headers = [], oneway }, content) =>
      bolt.request(0, {
        ...base,
        type: oneway === true ? 2 : 1,
        class: "com.alipay.sofa.rpc.core.request.SofaRequest",
        headers: [["service", SERVICE], ["sofa_head_method_name", name], ...headers],
        content,
      }),
    response: (content) =>
      bolt.response(0, { ...base, class: "com.alipay.sofa.rpc.core.response.SofaResponse", content }),
    failure: bolt.response(0, { ...base, status: bolt.BoltStatus.ERROR }),
    heartbeat: bolt.heartbeat(0, version),
    heartbeatAck: bolt.heartbeatAck(0, version),
    goAway: bolt.request(0, { version, command: 100, timeout: 0 }),
  };
}

/** Where the string of Hessian 2 at an offset begins, and how long it is, in `span`. ASCII in one piece only. */
function readString(bytes: Buffer, at: number): void {
  const tag = bytes[at];
  if (tag < 0x20) [span.from, span.length] = [at + 1, tag];
  else if (tag >= 0x30 && tag < 0x34) [span.from, span.length] = [at + 2, ((tag & 3) << 8) | bytes[at + 1]];
  else if (tag === 0x53) [span.from, span.length] = [at + 3, bytes.readUInt16BE(at + 1)];
  else throw new Error(`no string: ${bytes.toString("hex", at, at + 16)}`);
}

const FLAG_REQUEST = 0x80;
const FLAG_EVENT = 0x20;
/** Version of Dubbo, service, its version, method and types come before the argument. */
const STRINGS_BEFORE = 5;

const DUBBO: Wire = {
  window: 32,
  frameLength(bytes, at, end) {
    if (end - at < 16) return 0;
    if (bytes.readUInt16BE(at) !== 0xdabb) throw new Error(`no Dubbo: ${bytes.toString("hex", at, at + 16)}`);
    return 16 + bytes.readUInt32BE(at + 12);
  },
  id: (bytes, at) => bytes.readUInt32BE(at + 8),
  setId: (bytes, at, id) => bytes.writeUInt32BE(id, at + 8),
  content(bytes, at) {
    if ((bytes[at + 2] & FLAG_REQUEST) === 0) {
      readString(bytes, at + 17);
      return;
    }
    span.from = at + 16;
    span.length = 0;
    for (let i = 0; i <= STRINGS_BEFORE; i++) readString(bytes, span.from + span.length);
  },
  status: (bytes, at) => bytes[at + 3],
  isHeartbeat: (bytes, at) => (bytes[at + 2] & FLAG_EVENT) !== 0,
  isLast: () => false,
  seal() {},
  request: ({ name, headers = [], oneway }, content) =>
    dubbo.request(0n, {
      service: SERVICE,
      method: name,
      args: [content.toString("latin1")],
      attachments: Object.fromEntries(headers),
      oneway,
    }),
  response: (content) => dubbo.response(0n, content.toString("latin1")),
  failure: dubbo.frame(2, 80, 0n, dubbo.encode("the server fails")),
  heartbeat: dubbo.heartbeat(0n),
  heartbeatAck: dubbo.heartbeatAck(0n),
  goAway: dubbo.readOnly(0n),
};

/** Offset behind the head of a message, -1 if that has not come whole. */
function headEnd(bytes: Buffer, at: number, end: number): number {
  const found = bytes.subarray(at, end).indexOf("\r\n\r\n");
  return found < 0 ? -1 : at + found + 4;
}

const HTTP: Wire = {
  window: 1,
  frameLength(bytes, at, end) {
    const head = headEnd(bytes, at, end);
    if (head < 0) return 0;
    const [, length] = /\r\ncontent-length: (\d+)\r\n/i.exec(bytes.toString("latin1", at, head)) ?? [];
    if (length === undefined) throw new Error(`no length: ${bytes.toString("latin1", at, head)}`);
    return head - at + Number(length);
  },
  // Answers come in the order of the requests, and only one is under way.
  id: () => 0,
  setId() {},
  content(bytes, at, length) {
    span.from = headEnd(bytes, at, at + length);
    span.length = at + length - span.from;
  },
  status: (bytes, at) => Number(bytes.toString("latin1", at + 9, at + 12)),
  isHeartbeat: () => false,
  isLast: (bytes, at, length) =>
    bytes.subarray(at, headEnd(bytes, at, at + length)).includes("\r\nconnection: close\r\n"),
  seal() {},
  request: ({ name, headers = [] }, content) => {
    const lines = headers.map(([key, value]) => `${key}: ${value}\r\n`).join("");
    const head = `POST /${name} HTTP/1.1\r\nhost: soak\r\n${lines}content-length: ${content.length}\r\n\r\n`;
    return Buffer.concat([Buffer.from(head), content]);
  },
  response: (content) =>
    Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: ${content.length}\r\n\r\n`), content]),
  failure: Buffer.from("HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n"),
  heartbeat: Buffer.alloc(0),
  heartbeatAck: Buffer.alloc(0),
};

export const WIRES: Record<ProtocolName, Wire> = {
  bolt: boltWire(1, false),
  boltv2: boltWire(2, true),
  dubbo: DUBBO,
  http: HTTP,
};

/** The wire of a connection, by its first byte. */
export function wireOf(first: number): Wire {
  return { 1: WIRES.bolt, 2: WIRES.boltv2, 0xda: WIRES.dubbo }[first] ?? WIRES.http;
}

/** Cuts the bytes of a connection into frames. */
export class FrameCutter {
  private rest: Buffer[] = [];
  private held = 0;
  private need = 0;

  /** `onFrame` gets the bytes and where the frame is in them, valid during the call. */
  constructor(
    private readonly wire: () => Wire,
    private readonly onFrame: (bytes: Buffer, at: number, length: number) => void,
  ) {}

  /** Whether a frame has begun, so far that its length is known, and not ended. */
  get inside(): boolean {
    return this.need > 0;
  }

  push(chunk: Buffer): void {
    this.rest.push(chunk);
    this.held += chunk.length;
    if (this.held < this.need) return;
    const bytes = this.rest.length === 1 ? chunk : Buffer.concat(this.rest);
    let at = 0;
    let length = 0;
    while (at < bytes.length) {
      length = this.wire().frameLength(bytes, at, bytes.length);
      if (length === 0 || at + length > bytes.length) break;
      this.onFrame(bytes, at, length);
      at += length;
    }
    this.held = bytes.length - at;
    this.rest = this.held > 0 ? [Buffer.from(bytes.subarray(at))] : [];
    this.need = this.held > 0 ? length : 0;
  }
}
