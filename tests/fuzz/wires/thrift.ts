import { MORE, NO_FRAME, type Wire } from "../wire.ts";

const SHORTEST = 37;

function text(value: string): Buffer {
  const bytes = Buffer.alloc(4 + value.length);
  bytes.writeUInt32BE(value.length);
  bytes.write(value, 4, "latin1");
  return bytes;
}

/** A frame: header with service and path, begin of a message, a struct with the text as its first field. */
function frame(type: number, id: bigint, service: string, path: string, method: string, content: string): Buffer {
  const tail = Buffer.concat([Buffer.of(1), text(service), ...(path === "" ? [] : [text(path)]), Buffer.alloc(8)]);
  tail.writeBigUInt64BE(id, tail.length - 8);
  const begin = Buffer.concat([Buffer.of(0x80, 1, 0, type), text(method), Buffer.of(0, 0, 0, 7)]);
  const body = Buffer.concat([Buffer.of(0x0b, 0, type === 2 ? 0 : 1), text(content), Buffer.of(0)]);
  const all = Buffer.concat([Buffer.alloc(12), tail, begin, body]);
  all.writeUInt32BE(all.length - 4);
  all.writeUInt16BE(0xdabc, 4);
  all.writeUInt32BE(all.length - 4, 6);
  all.writeUInt16BE(8 + tail.length, 10);
  return all;
}

/** Names that are long, empty, overlong in UTF-8, or of another service. */
const hostile = ["", "x".repeat(15_000), "\xc1\xaeone", "none", "$invoke"].map((name, i) =>
  frame(1, BigInt(1 + i), name, i % 2 ? "" : "com.example.Hello", name, "x"),
);

/** Where the message begins; the id is before it. */
const message = (bytes: Buffer): number => 4 + bytes.readUInt16BE(10);

export const thriftWire: Wire = {
  codecs: ["dubbo-thrift"],
  fields: [
    [0, 4],
    [4, 2],
    [6, 4],
    [10, 2],
    [12, 1],
    [13, 4],
    [35, 8],
    [43, 4],
    [46, 1],
    [47, 4],
  ],
  hostile,
  recorded: [],
  length(bytes) {
    if (bytes.length < 6) return MORE;
    if (bytes.readUInt16BE(4) !== 0xdabc || bytes.readUInt32BE(0) + 4 < SHORTEST) return NO_FRAME;
    return 4 + bytes.readUInt32BE(0);
  },
  id: (bytes) =>
    bytes.length < 12 || bytes.length < message(bytes) || message(bytes) < 12
      ? null
      : `${bytes.readBigUInt64BE(message(bytes) - 8)}`,
  kind: (bytes) =>
    (["other", "request", "response", "response", "oneway"] as const)[bytes[message(bytes) + 3]] ?? "other",
  request(dice, content) {
    const [service, path] = dice.pick([
      ["svc", ""],
      ["com.example.Hello", "hello"],
      ["", ""],
      ["none", "p"],
    ]);
    const id = BigInt(dice.roll(dice.pick([8, 0xffffffff])));
    return frame(dice.chance(10) ? 4 : 1, id, service, path, dice.pick(["ping", "hi", "m".repeat(300)]), content);
  },
  answer(request, content, dice) {
    const id = request.readBigUInt64BE(message(request) - 8);
    return frame(dice.chance(90) ? 2 : 3, id, "svc", "", "ping", content);
  },
};
