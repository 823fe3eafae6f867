// Changes to frames that keep enough of their structure to get far.
import type { Dice } from "./dice.ts";
import type { Wire } from "./wire.ts";

/** Longest frame that mutations make, bytes. */
const LONGEST = 20_000;
/** Bytes that mean something in Hessian, Jce and Thrift: types, compact lengths, references, ends. */
const TAGS = Buffer.from("00017f80ff434d485a4f5160565758797290a04253524e5446494c4a0a0b0c0d0708", "hex");
const EXTREMES = [
  0, 1, 2, 3, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
];

/** Hessian 2 that readers trip over, by what it begins. */
const HESSIAN = [
  "430161497fffffff", // a class with very many fields
  "43016192016101629060", // a class with two fields, and an object that lacks one
  "4f497fffffff", // objects of a class that is not there
  "6f",
  "51497fffffff", // references to nothing, and to what they are in
  "5190",
  "560161497fffffff", // lists: longer than the message, of a type that is not there, without end
  "729f",
  "57".repeat(60),
  "48".repeat(60), // maps in maps
  "4d5190",
  "4d0161".repeat(30),
  "52ffff", // texts and bytes: pieces that are not there, halves of characters
  "33ff",
  "5303eda080edb080f0",
  "41ffff",
  "2f",
].map((hex) => Buffer.from(hex, "hex"));

type Mutation = (frame: Buffer, dice: Dice, wire: Wire) => Buffer;

/** A field becomes an extreme value, or a near one. */
function setField(frame: Buffer, dice: Dice, wire: Wire): Buffer {
  const [offset, size] = dice.pick(wire.fields);
  if (offset + size > frame.length) return frame;
  const bytes = Math.min(size, 4);
  const at = offset + size - bytes;
  const limit = 2 ** (8 * bytes);
  const old = frame.readUIntBE(at, bytes);
  const near = old + dice.pick([-1, 1, -4, 4, 256, -256]);
  const value = dice.chance(50) ? dice.pick(EXTREMES) : near;
  frame.writeUIntBE(((value % limit) + limit) % limit, at, bytes);
  return frame;
}

function flipHead(frame: Buffer, dice: Dice): Buffer {
  frame[dice.roll(Math.min(frame.length, 40))] ^= 1 << dice.roll(8);
  return frame;
}

function flipAnywhere(frame: Buffer, dice: Dice): Buffer {
  for (let count = 1 + dice.roll(4); count > 0; count--) frame[dice.roll(frame.length)] ^= 1 << dice.roll(8);
  return frame;
}

/** Some bytes become bytes that mean something. */
function setTags(frame: Buffer, dice: Dice): Buffer {
  for (let count = 1 + dice.roll(4); count > 0; count--) frame[dice.roll(frame.length)] = TAGS[dice.roll(TAGS.length)];
  return frame;
}

/** Four bytes somewhere become a number: lengths that are not at fixed places. */
function setNumber(frame: Buffer, dice: Dice): Buffer {
  if (frame.length < 4) return frame;
  frame.writeUInt32BE(dice.pick(EXTREMES), dice.roll(frame.length - 3));
  return frame;
}

function cut(frame: Buffer, dice: Dice): Buffer {
  return frame.subarray(0, 1 + dice.roll(frame.length));
}

function remove(frame: Buffer, dice: Dice): Buffer {
  const at = dice.roll(frame.length);
  return Buffer.concat([frame.subarray(0, at), frame.subarray(at + 1 + dice.roll(8))]);
}

function insert(frame: Buffer, dice: Dice): Buffer {
  const at = dice.roll(frame.length);
  const what = dice.chance(50) ? dice.bytes(1 + dice.roll(16)) : frame.subarray(at, at + 1 + dice.roll(64));
  return Buffer.concat([frame.subarray(0, at), what, frame.subarray(at)]);
}

/** Hessian in the middle of the frame, in the place of what was there or before it. */
function putHessian(frame: Buffer, dice: Dice): Buffer {
  const at = dice.roll(frame.length);
  const what = dice.pick(HESSIAN);
  return Buffer.concat([frame.subarray(0, at), what, frame.subarray(at + (dice.chance(50) ? what.length : 0))]);
}

/** A part of the frame many times: nesting, long lists. */
function repeat(frame: Buffer, dice: Dice): Buffer {
  const at = dice.roll(frame.length);
  const part = frame.subarray(at, at + 1 + dice.roll(16));
  const times = Math.min(dice.pick([2, 10, 100, 2000]), Math.floor(LONGEST / part.length));
  return Buffer.concat([frame.subarray(0, at), ...Array<Buffer>(times).fill(part), frame.subarray(at)]);
}

const MUTATIONS: readonly Mutation[] = [
  setField,
  setField,
  setField,
  flipHead,
  flipAnywhere,
  setTags,
  setTags,
  setNumber,
  putHessian,
  cut,
  remove,
  insert,
  repeat,
];

/** A mutated copy: one change or some, the checksum put right in half of the cases. Never empty. */
export function mutated(frame: Buffer, dice: Dice, wire: Wire): Buffer {
  let bytes: Buffer = Buffer.from(frame);
  for (let count = dice.chance(70) ? 1 : 2 + dice.roll(3); count > 0; count--) {
    bytes = dice.pick(MUTATIONS)(bytes, dice, wire);
    if (bytes.length === 0) return Buffer.from(frame);
  }
  if (dice.chance(50)) bytes = relength(bytes, frame, wire);
  if (wire.seal !== undefined && dice.chance(50)) bytes = wire.seal(bytes);
  return bytes.subarray(0, LONGEST);
}

/** A frame whose length changed in its variable part gets the length field to fit where that is one number at the front. */
function relength(bytes: Buffer, from: Buffer, wire: Wire): Buffer {
  const grown = bytes.length - from.length;
  if (grown === 0) return bytes;
  const copy = Buffer.from(bytes);
  for (const [offset, size] of wire.fields) {
    if (size !== 4 || offset + 4 > copy.length) continue;
    const old = copy.readUInt32BE(offset);
    copy.writeUInt32BE((old + grown) >>> 0, offset);
    if (wire.length(copy) === copy.length) return copy;
    copy.writeUInt32BE(old, offset);
  }
  return bytes;
}
