// What a switchboard would have to write to hurt the module: HTTP/2 that is nearly right.
import { encodeFrame, type FrameType } from "../host/kit/http2/frames.ts";
import type { Dice } from "./dice.ts";

const HEAD = 9;
const LENGTHS = [0, 1, 4, 5, 6, 8, 9, 255, 16_384, 16_385, 0xffffff];
const WORDS = [0, 1, 3, 0x7fffffff, 0x80000000, 0xffffffff, 65_535, 16_384];
/** Header blocks that decoders trip over: bad indexes, integers without end, table sizes, strings that end too late. */
const BLOCKS = [
  "88",
  "80",
  "ff",
  "ffffffffffffffffffff7f",
  "3fe11f",
  "3fffffffff0f",
  "00",
  "007f80",
  "4000",
  "40820000",
  "1f8080",
  "48033230300f",
].map((hex) => Buffer.from(hex, "hex"));

/** The frames of a piece of output, as far as they are whole; the last may be a part. */
function split(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + HEAD > bytes.length ? bytes.length : Math.min(bytes.length, at + HEAD + bytes.readUIntBE(at, 3));
    frames.push(bytes.subarray(at, end));
    at = end;
  }
  return frames;
}

/** A frame of the fuzzer's own: any type, on any stream. */
function made(dice: Dice): Buffer {
  const type = dice.roll(dice.pick([10, 10, 10, 256])) as FrameType;
  const streamId = dice.pick([0, 1, 1, 3, 5, 2, 0x7fffffff]);
  const flags = dice.pick([0, 1, 4, 5, 8, 0x20, 0x2d, 0xff]);
  const word = Buffer.alloc(4);
  word.writeUInt32BE(dice.pick(WORDS));
  const setting = Buffer.concat([Buffer.of(0, dice.roll(9)), word]);
  const ping = Buffer.concat([word, word]);
  const payload = dice.pick([Buffer.alloc(0), word, setting, ping, dice.pick(BLOCKS), dice.bytes(dice.roll(40))]);
  return encodeFrame(type, flags, streamId, payload);
}

/** Changes one frame of the output, leaves one out, sends one twice, swaps two, or adds one. Never in place. */
export function mutatedHttp2(bytes: Buffer, dice: Dice): Buffer {
  const frames = split(Buffer.from(bytes));
  const at = dice.roll(frames.length);
  const frame = frames[at];
  const whole = frame.length >= HEAD;
  switch (dice.roll(12)) {
    case 0:
      if (whole) frame.writeUIntBE(dice.pick(LENGTHS), 0, 3);
      break;
    case 1:
      if (whole) frame[3] = dice.roll(12);
      break;
    case 2:
      if (whole) frame[4] ^= 1 << dice.roll(8);
      break;
    case 3:
      if (whole) frame.writeUInt32BE(dice.pick([0, 1, 2, 3, 5, 7, 0x7fffffff, 0x80000001]), 5);
      break;
    case 4:
      frame[dice.roll(frame.length)] ^= 1 << dice.roll(8);
      break;
    case 5:
      if (frame.length >= HEAD + 4) frame.writeUInt32BE(dice.pick(WORDS), HEAD + dice.roll(frame.length - HEAD - 3));
      break;
    case 6:
      frames.splice(at, 1);
      break;
    case 7:
      frames.splice(at, 0, frame);
      break;
    case 8:
      frames[at] = frame.subarray(0, dice.roll(frame.length));
      break;
    case 9:
      frames.reverse();
      break;
    default:
      for (let count = dice.pick([1, 1, 1, 3, 50]); count > 0; count--) frames.splice(at, 0, made(dice));
  }
  return Buffer.concat(frames);
}
