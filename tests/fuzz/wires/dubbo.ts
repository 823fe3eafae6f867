import * as dubbo from "../../host/kit/dubbo.ts";
import { MORE, NO_FRAME, recordings, type Wire } from "../wire.ts";

const KINDS = { event: "heartbeat", eventAck: "heartbeatAck", signal: "other" } as const;

const length = (bytes: Buffer): number => {
  if (bytes.length > 0 && bytes[0] !== 0xda) return NO_FRAME;
  if (bytes.length > 1 && bytes[1] !== 0xbb) return NO_FRAME;
  return bytes.length < 16 ? MORE : 16 + bytes.readUInt32BE(12);
};

/** Hessian in which the content's place is kept by a text of the same length: encoding one anew costs too much. */
const TEXT = "~".repeat(64);
const requests = [
  dubbo.request(1n, { args: [TEXT] }),
  dubbo.request(1n, { args: [TEXT], attachments: { zone: "a", "x-ip": "10.1.2.3", timeout: "500", n: 5 } }),
  dubbo.request(1n, {
    args: [TEXT],
    attachments: { zone: "", "dubbo.tag": "v1", group: "g", nested: { a: [1, 2.5, null] } },
  }),
  dubbo.request(1n, { types: "Ljava/lang/String;Ljava/util/Map;[I", args: [TEXT, { a: TEXT, b: [1, 2, 3] }, [1, 2]] }),
  dubbo.request(1n, { args: [TEXT], oneway: true }),
  dubbo.request(1n, { service: "none", args: [TEXT] }),
];
const answers = [
  dubbo.response(1n, TEXT),
  dubbo.response(1n, { a: TEXT, b: [1, 2] }),
  dubbo.frame(2, 40, 1n, dubbo.encode(TEXT)),
];
/** A request with these attachments as they are, in Hessian, and this service as it is. */
function raw(id: bigint, service: Buffer, method: string, ...attachments: Buffer[]): Buffer {
  const head = [dubbo.encode("2.0.2"), service, dubbo.encode("1.0", method, "")];
  return dubbo.frame(0xc2, 0, id, Buffer.concat([...head, Buffer.from("H"), ...attachments, Buffer.from("Z")]));
}

const SERVICE = dubbo.encode("com.example.Hello");
/** "none", each letter in two bytes. */
const OVERLONG = Buffer.from("04c1aec1afc1aec1a5", "hex");
const pair = (key: string, value: unknown) => dubbo.encode(key, value);
const hostile = [
  raw(1n, SERVICE, "hi", Buffer.alloc(16_000)),
  raw(2n, SERVICE, "hi", ...Array.from({ length: 500 }, (_, i) => pair(`k${i % 3}`, i))),
  raw(3n, SERVICE, "hi", pair("path", "none"), pair("path", "com.example.Hello")),
  raw(4n, SERVICE, "hi", pair("version", "2.0"), pair("VERSION", "1.0"), pair("group", "g")),
  raw(5n, OVERLONG, "hi", pair("interface", "com.example.Hello")),
  raw(6n, SERVICE, "$invoke", pair("generic", "nativejava")),
  raw(7n, SERVICE, "$invokeAsync", pair("generic", "true")),
  ...[-0x80000000, -1, 0, 1, 0x7fffffff, "9".repeat(40), "1e9", 1.5, true, null].map((timeout, i) =>
    raw(BigInt(8 + i), SERVICE, "hi", pair("timeout", timeout)),
  ),
];
const heartbeat = dubbo.heartbeat(1n);
const heartbeatAck = dubbo.heartbeatAck(1n);

function filled(template: Buffer, id: bigint, text: string): Buffer {
  const frame = Buffer.from(template);
  frame.writeBigUInt64BE(id, 4);
  const at = frame.indexOf(TEXT);
  if (at >= 0) frame.write(text.slice(0, TEXT.length).padEnd(TEXT.length), at, "latin1");
  return frame;
}

export const dubboWire: Wire = {
  codecs: ["dubbo"],
  fields: [
    [0, 2],
    [2, 1],
    [3, 1],
    [4, 8],
    [12, 4],
    [16, 1],
    [17, 1],
    [22, 1],
    [40, 1],
    [60, 1],
    [80, 1],
  ],
  hostile,
  recorded: recordings(/^dubbo2-/, length),
  length,
  id: (frame) => (frame.length < 12 ? null : `${frame.readBigUInt64BE(4)}`),
  kind(frame) {
    const flags = frame[2] & 0xe0;
    if (flags & 0x80)
      return flags & 0x20 ? (flags & 0x40 ? KINDS.event : KINDS.signal) : flags & 0x40 ? "request" : "oneway";
    return flags & 0x20 ? KINDS.eventAck : "response";
  },
  request: (dice, text) => filled(dice.pick(requests), BigInt(dice.roll(dice.pick([8, 0xffffffff]))), text),
  heartbeat: (dice) => filled(heartbeat, BigInt(dice.roll(100)), ""),
  answer(request, text, dice) {
    const id = request.readBigUInt64BE(4);
    return request[2] & 0x20 ? filled(heartbeatAck, id, "") : filled(dice.pick(answers), id, text);
  },
};
