// Builds and reads Dubbo frames for tests, apart from the code under test: the Hessian in them is npm hessian.js's.
import hessian from "hessian.js";

export type Attachments = Record<string, unknown>;

export interface RequestOptions {
  service?: string;
  version?: string;
  method?: string;
  /** JVM descriptor of the parameters. */
  types?: string;
  args?: unknown[];
  attachments?: Attachments;
  oneway?: boolean;
}

/** What a frame is: the flags without the serialization, and the parts of its body. */
export interface DubboFrame {
  kind: "request" | "oneway" | "response" | "event" | "eventAck" | "signal";
  id: bigint;
  serialization: number;
  /** Responses only, else 0. */
  status: number;
  body: Buffer;
  raw: Buffer;
}

/** A request's body, read. */
export interface Invocation {
  service: unknown;
  version: unknown;
  method: unknown;
  types: string;
  args: unknown[];
  attachments: Attachments;
}

const HESSIAN = 2;

/** A frame of these flags (with the serialization), status and body. */
export function frame(flags: number, status: number, id: bigint, body: Buffer): Buffer {
  const head = Buffer.from([0xda, 0xbb, flags, status, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  head.writeBigUInt64BE(BigInt.asUintN(64, id), 4);
  head.writeUInt32BE(body.length, 12);
  return Buffer.concat([head, body]);
}

/** Values one after the other in one stream. */
export function encode(...values: unknown[]): Buffer {
  const encoder = new hessian.EncoderV2({ size: 1 << 16 });
  for (const value of values) encoder.write(value);
  return Buffer.from(encoder.get());
}

/** A request as Java peers send it; one String argument "x" unless told otherwise. */
export function request(id: bigint, options: RequestOptions = {}): Buffer {
  const { service = "com.example.Hello", version = "1.0", method = "hi", oneway = false } = options;
  const { types = "Ljava/lang/String;", args = ["x"] } = options;
  const attachments = { path: service, interface: service, version, ...options.attachments };
  const body = encode("2.0.2", service, version, method, types, ...args, attachments);
  return frame(oneway ? 0x82 : 0xc2, 0, id, body);
}

/** A good response with attachments. */
export const response = (id: bigint, value: unknown, attachments: Attachments = { dubbo: "2.0.2" }): Buffer =>
  frame(HESSIAN, 20, id, encode(4, value, attachments));

export const heartbeat = (id: bigint): Buffer => frame(0xe2, 0, id, encode(null));
export const heartbeatAck = (id: bigint): Buffer => frame(0x22, 20, id, encode(null));
/** The event of a server that shuts down. */
export const readOnly = (id: bigint): Buffer => frame(0xa2, 0, id, encode("R"));

/** Cuts bytes into frames; `rest` is what is left. Throws on other bytes. */
export function parseFrames(bytes: Buffer): { frames: DubboFrame[]; rest: Buffer } {
  const frames: DubboFrame[] = [];
  let rest = bytes;
  while (rest.length >= 16 && rest.length >= 16 + rest.readUInt32BE(12)) {
    if (rest.readUInt16BE(0) !== 0xdabb) throw new Error(`no Dubbo: ${rest.subarray(0, 16).toString("hex")}`);
    const raw = rest.subarray(0, 16 + rest.readUInt32BE(12));
    frames.push({
      kind: kindOf(raw[2] & 0xe0),
      id: raw.readBigUInt64BE(4),
      serialization: raw[2] & 0x1f,
      status: raw[2] & 0x80 ? 0 : raw[3],
      body: raw.subarray(16),
      raw,
    });
    rest = rest.subarray(raw.length);
  }
  return { frames, rest };
}

function kindOf(flags: number): DubboFrame["kind"] {
  if ((flags & 0x80) === 0) return flags & 0x20 ? "eventAck" : "response";
  if (flags & 0x20) return flags & 0x40 ? "event" : "signal";
  return flags & 0x40 ? "request" : "oneway";
}

/** Values of a stream, as many as asked for. */
export function decode(bytes: Buffer, count: number): unknown[] {
  const decoder = new hessian.DecoderV2(bytes);
  return Array.from({ length: count }, () => decoder.read());
}

/** Reads the body of a request with so many arguments. */
export function invocation(body: Buffer, args = 1): Invocation {
  const [, service, version, method, types, ...rest] = decode(body, 5 + args + 1);
  const attachments = rest.pop() as Attachments;
  return { service, version, method, types: types as string, args: rest, attachments };
}
