// Dubbo frames for the benchmark: a recorded call of Dubbo 2.7 with a string of any size as argument and result.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PACKAGE } from "../../scripts/lib/package.ts";
import type { Wire } from "./wire.ts";

const HEADER = 16;
const LENGTH_AT = 12;
const FLAG_EVENT = 0x20;
const FLAG_REQUEST = 0x80;
const STATUS_OK = 20;
const FRAMES = join(PACKAGE, "tests/frames");

/** A string of `size` ASCII characters in Hessian 2. */
function hessianString(size: number): Buffer {
  const text = Buffer.alloc(size, "moe ");
  if (size < 32) return Buffer.concat([Buffer.from([size]), text]);
  if (size < 1024) return Buffer.concat([Buffer.from([0x30 | (size >> 8), size & 0xff]), text]);
  if (size >= 65536) throw new Error("a string of several chunks");
  return Buffer.concat([Buffer.from([0x53, size >> 8, size & 0xff]), text]);
}

/** The recorded frame with another string in place of the short one that is `recorded`. */
function withString(file: string, recorded: string, size: number): Buffer {
  const frame = readFileSync(join(FRAMES, file));
  const at = frame.indexOf(Buffer.from([recorded.length, ...Buffer.from(recorded)]));
  if (at < HEADER) throw new Error(`${file} has no "${recorded}"`);
  const whole = Buffer.concat([frame.subarray(0, at), hessianString(size), frame.subarray(at + 1 + recorded.length)]);
  whole.writeUInt32BE(whole.length - HEADER, LENGTH_AT);
  return whole;
}

export const DUBBO: Wire = {
  idAt: 8,
  requestHeader: HEADER,
  responseHeader: HEADER,
  heartbeatAck: Buffer.from("dabb22140000000000000000000000014e", "hex"),
  requestFrame: (size) => withString("dubbo2-hello.c2s.bin", "world", size),
  responseFrame: (size) => withString("dubbo2-hello.s2c.bin", "Hello world from D2", size),
  rest: (bytes, at) => bytes.readUInt32BE(at + LENGTH_AT),
  isHeartbeat: (bytes, at) => (bytes[at + 2] & FLAG_EVENT) !== 0,
  failure(bytes, at) {
    if ((bytes[at + 2] & (FLAG_REQUEST | FLAG_EVENT)) !== 0) return "a frame that is no response";
    return bytes[at + 3] === STATUS_OK ? undefined : `a response with status ${bytes[at + 3]}`;
  },
};
