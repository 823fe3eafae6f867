import { type Kind, MORE, NO_FRAME, type Wire } from "../wire.ts";

/** A field of Jce: an integer in the fewest bytes. */
function int(tag: number, value: number): Buffer {
  if (value === 0) return Buffer.of((tag << 4) | 12);
  if (value >= -128 && value < 128) return Buffer.of(tag << 4, value & 0xff);
  const bytes = Buffer.alloc(5, (tag << 4) | 2);
  bytes.writeInt32BE(value | 0, 1);
  return bytes;
}

const text = (tag: number, value: string) =>
  Buffer.concat([Buffer.of((tag << 4) | 6, value.length), Buffer.from(value, "latin1")]);
const bytes = (tag: number, value: string) =>
  Buffer.concat([Buffer.of((tag << 4) | 13, 0), int(0, value.length), Buffer.from(value, "latin1")]);
const map = (tag: number, ...pairs: [string, string][]) =>
  Buffer.concat([
    Buffer.of((tag << 4) | 8),
    int(0, pairs.length),
    ...pairs.flatMap(([key, value]) => [text(0, key), text(1, value)]),
  ]);

function framed(...fields: Buffer[]): Buffer {
  const frame = Buffer.concat([Buffer.alloc(4), ...fields]);
  frame.writeUInt32BE(frame.length);
  return frame;
}

/** The integers at the front of a packet, by tag; those behind the first that cannot be read are left out. */
function integers(frame: Buffer): Map<number, number> {
  const found = new Map<number, number>();
  for (let at = 4; at < frame.length && found.size < 5;) {
    const [tag, type] = [frame[at] >> 4, frame[at] & 15];
    const size = [1, 2, 4, 8][type] ?? (type === 12 ? 0 : -1);
    if (size < 0 || tag === 15 || at + 1 + size > frame.length) break;
    const value =
      size === 0
        ? 0
        : size === 8
          ? Number(BigInt.asIntN(32, frame.readBigInt64BE(at + 1)))
          : frame.readIntBE(at + 1, size);
    if (!found.has(tag)) found.set(tag, value);
    at += 1 + size;
  }
  return found;
}

/** Requests have the servant's name as tag 5, answers the return code; their ids have tags 4 and 3. */
function isAnswer(frame: Buffer): boolean {
  return integers(frame).has(5);
}

/** Maps of very many pairs, keys that repeat, extreme timeouts. */
const hostile = [
  map(9, ...Array.from({ length: 3900 }, () => ["", ""] as [string, string])),
  map(9, ...Array.from({ length: 800 }, (_, i) => [`k${i % 3}`, `${i}`] as [string, string])),
  map(9, ["zone", "a"], ["zone", "b"], ["ZONE", "c"]),
].flatMap((context, i) =>
  [-0x80000000, -1, 0, 1, 0x7fffffff].map((timeout, j) =>
    framed(
      ...[int(1, 1), int(2, 0), int(3, 0), int(4, 1 + i * 8 + j), text(5, "App.Obj"), text(6, "echo")],
      ...[bytes(7, "x"), int(8, timeout), context, map(10)],
    ),
  ),
);

export const tarsWire: Wire = {
  codecs: ["tars"],
  fields: [
    [0, 4],
    [4, 1],
    [5, 1],
    [6, 1],
    [7, 1],
    [8, 1],
    [9, 1],
    [9, 4],
    [10, 1],
    [14, 1],
    [15, 1],
    [20, 1],
  ],
  hostile,
  recorded: [],
  length(frame) {
    if (frame.length < 4) return MORE;
    const length = frame.readUInt32BE(0);
    return length < 4 ? NO_FRAME : length;
  },
  id(frame) {
    const id = integers(frame).get(isAnswer(frame) ? 3 : 4);
    return id === undefined ? null : `${id >>> 0}`;
  },
  kind(frame): Kind {
    // An answer to no request, id 0, is a message of the server's own.
    if (isAnswer(frame)) return integers(frame).get(3) === 0 ? "other" : "response";
    return integers(frame).get(2) === 1 ? "oneway" : "request";
  },
  request(dice, content) {
    const head = [
      int(1, 1),
      int(2, dice.chance(10) ? 1 : 0),
      int(3, 0),
      int(4, 1 + dice.roll(dice.pick([8, 0xfffffffe]))),
    ];
    const names = [text(5, dice.pick(["App.Obj", "App.Other", "none"])), text(6, dice.pick(["echo", "m".repeat(200)]))];
    const context = dice.chance(30) ? map(9, ["zone", "a"], ["x-ip", "10.1.2.3"]) : map(9);
    return framed(...head, ...names, bytes(7, content), int(8, dice.pick([0, 3, 500])), context, map(10));
  },
  answer(request, content, dice) {
    const id = integers(request).get(4) ?? 0;
    const ret = dice.pick([0, 0, 0, -1, -7]);
    const desc = dice.chance(10) ? [text(8, dice.pick(["bad", "_reconnect_"]))] : [];
    return framed(int(1, 1), int(2, 0), int(3, id), int(4, 0), int(5, ret), bytes(6, content), map(7), ...desc);
  },
};
