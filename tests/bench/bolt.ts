// Bolt v1 frames for the benchmark: the header blocks of a recorded SOFARPC call around a content of any size.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PACKAGE } from "../../scripts/lib/package.ts";
import {
  heartbeatAck,
  parseFrame,
  request,
  type RequestOptions,
  response,
  type ResponseOptions,
} from "../host/kit/bolt.ts";
import type { Wire } from "./wire.ts";

const TYPE_RESPONSE = 0;
const COMMAND_HEARTBEAT = 0;
const FRAMES = join(PACKAGE, "tests/frames");

/** What a recorded frame has in common with the ones made after it. */
function recorded(file: string): RequestOptions & ResponseOptions {
  const frame = parseFrame(readFileSync(join(FRAMES, file)));
  if (!frame) throw new Error(`${file} holds no whole frame`);
  const { class: className, headers, codec, timeout } = frame;
  return { class: className, headers, codec, timeout };
}

/** A content of `size` bytes, 3 to 65,538, that is Hessian: one array of bytes, the same in both of its versions. */
function contentOf(size: number): Buffer {
  const content = Buffer.alloc(size, "moe ");
  content.write("B");
  content.writeUInt16BE(size - 3, 1);
  return content;
}

export const BOLT: Wire = {
  idAt: 5,
  requestHeader: 22,
  responseHeader: 20,
  heartbeatAck: heartbeatAck(0),
  requestFrame(size, header) {
    const call = recorded("sofa-hello.c2s.bin");
    const headers = [...(call.headers ?? []), ...(header ? [header] : [])];
    return request(0, { ...call, headers, content: contentOf(size) });
  },
  responseFrame: (size) => response(0, { ...recorded("sofa-hello.s2c.bin"), content: contentOf(size) }),
  rest(bytes, at, fixed) {
    // Lengths of class name, headers and content end the fixed header.
    const lengths = at + fixed - 8;
    return bytes.readUInt16BE(lengths) + bytes.readUInt16BE(lengths + 2) + bytes.readUInt32BE(lengths + 4);
  },
  isHeartbeat: (bytes, at) => bytes.readUInt16BE(at + 2) === COMMAND_HEARTBEAT,
  failure(bytes, at) {
    if (bytes[at + 1] !== TYPE_RESPONSE) return "a frame that is no response";
    const status = bytes.readUInt16BE(at + 10);
    return status === 0 ? undefined : `a response with status ${status}`;
  },
};
