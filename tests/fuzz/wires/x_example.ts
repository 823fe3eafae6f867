import { MORE, NO_FRAME, type Wire } from "../wire.ts";

function frame(type: number, response: boolean, id: number, status: number, content: string): Buffer {
  const fixed = response ? 13 : 11;
  const bytes = Buffer.alloc(fixed + content.length);
  bytes.set([0x78, type, Number(response)]);
  bytes.writeUInt32BE(id, 3);
  if (response) bytes.writeUInt16BE(status, 7);
  bytes.writeUInt32BE(content.length, fixed - 4);
  bytes.write(content, fixed, "latin1");
  return bytes;
}

export const xExampleWire: Wire = {
  codecs: ["x_example"],
  fields: [
    [0, 1],
    [1, 1],
    [2, 1],
    [3, 4],
    [7, 2],
    [7, 4],
    [9, 4],
  ],
  hostile: [],
  recorded: [],
  length(bytes) {
    if (bytes.length > 0 && bytes[0] !== 0x78) return NO_FRAME;
    if (bytes.length < 3) return MORE;
    if (bytes[2] > 1) return NO_FRAME;
    const fixed = bytes[2] === 1 ? 13 : 11;
    return bytes.length < fixed ? MORE : fixed + bytes.readUInt32BE(fixed - 4);
  },
  id: (bytes) => (bytes.length < 7 ? null : `${bytes.readUInt32BE(3)}`),
  kind(bytes) {
    const response = bytes[2] === 1;
    if (bytes[1] === 0) return response ? "heartbeatAck" : "heartbeat";
    return bytes[1] > 1 ? "other" : response ? "response" : "request";
  },
  request: (dice, content) => frame(1, false, dice.roll(dice.pick([8, 0xffffffff])), 0, content),
  heartbeat: (dice) => frame(0, false, dice.roll(100), 0, ""),
  answer: (request, content, dice) =>
    frame(request[1], true, request.readUInt32BE(3), dice.pick([0, 0, 0, 1, 7]), request[1] === 0 ? "" : content),
};
