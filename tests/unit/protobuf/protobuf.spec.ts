import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { ProtoReader, ProtoStatus } from "../../../assembly/protobuf/reader";
import { beginField, endField, putVarint } from "../../../assembly/protobuf/writer";
import { Color, Sample, SampleKind, SampleLeaf } from "../../host/guests/generated/sample";
import { hex, toHex } from "../xprotocol/support";

const out = new ByteBuffer();
const view = new View();

/** What a message is written as. */
function written(sample: Sample): string {
  out.clear();
  sample.encode(out);
  return toHex(out);
}

/** Bytes that messages point to. */
const kept: StaticArray<u8>[] = [];

/** Reads bytes into a message; why they are refused. */
function decode(sample: Sample, bytes: string): ProtoStatus {
  const input = hex(bytes);
  kept.push(input);
  return sample.decode(changetype<usize>(input), input.length);
}

/** Why a Sample of these bytes is refused. */
function status(bytes: string): ProtoStatus {
  return decode(new Sample(), bytes);
}

function textOf(bytes: View): string {
  return String.UTF8.decodeUnsafe(bytes.ptr, bytes.length);
}

describe("a protobuf message", () => {
  test("writes what differs from its defaults", () => {
    const sample = new Sample();
    expect(written(sample)).toBe("");
    sample.hasNumbers = true;
    sample.numbers.int32 = -1;
    sample.numbers.color = Color.GREEN;
    expect(written(sample)).toBe("0a0d08ffffffffffffffffff017001");
    sample.clear();
    expect(written(sample)).toBe("");
  });

  test("tells a field that is 0 from one that is not there, and one member of a oneof from others", () => {
    const sample = new Sample();
    sample.hasMaybeNumber = true;
    sample.kind = SampleKind.FLAG;
    expect(written(sample)).toBe("30005800");
    const read = new Sample();
    expect<i32>(decode(read, "30005800")).toBe(ProtoStatus.OK);
    expect(read.hasMaybeNumber).toBe(true);
    expect(read.hasMaybeText).toBe(false);
    expect(read.kind).toBe(SampleKind.FLAG);
  });

  test("has lists, whose items are read by index, without any beyond their ends", () => {
    const sample = new Sample();
    sample.hasLists = true;
    sample.lists.sint32.add(-3);
    sample.lists.sint32.add(300);
    const text = Bytes.of("text");
    sample.lists.string.add(text.ptr, text.length);
    sample.leaves.add().weight = 7;
    const bytes = written(sample);
    const read = new Sample();
    expect<i32>(decode(read, bytes)).toBe(ProtoStatus.OK);
    const lists = read.lists;
    expect(lists.sint32.length).toBe(2);
    expect(lists.sint32.get(0)).toBe(-3);
    expect(lists.sint32.get(1)).toBe(300);
    expect(lists.sint32.get(2)).toBe(0);
    expect(lists.sint32.get(-1)).toBe(0);
    lists.string.get(0, view);
    expect(textOf(view)).toBe("text");
    lists.string.get(1, view);
    expect(view.length).toBe(0);
    const leaf = read.leaves.get(0);
    expect(leaf !== null && leaf.weight == 7).toBe(true);
    expect(read.leaves.get(1) === null).toBe(true);
    expect(read.leaves.get(-1) === null).toBe(true);
    expect(written(read)).toBe(bytes);
    read.free();
    sample.free();
  });

  test("leaves nothing of an earlier message, and is empty when it is refused", () => {
    const leaf = new SampleLeaf();
    const sample = new Sample();
    expect<i32>(decode(sample, "520610020a026869")).toBe(ProtoStatus.OK);
    expect(textOf(sample.leaf.name)).toBe("hi");
    expect(sample.leaf.weight).toBe(1);
    expect<i32>(decode(sample, "5200")).toBe(ProtoStatus.OK);
    expect(sample.leaf.weight).toBe(leaf.weight);
    expect(sample.leaf.name.length).toBe(0);
    expect<i32>(decode(sample, "3001520610")).toBe(ProtoStatus.TRUNCATED);
    expect(sample.hasMaybeNumber).toBe(false);
    expect(written(sample)).toBe("");
  });

  test("is refused for what cannot be", () => {
    expect<i32>(status("30")).toBe(ProtoStatus.TRUNCATED);
    expect<i32>(status("3080")).toBe(ProtoStatus.TRUNCATED);
    expect<i32>(status("3a0261")).toBe(ProtoStatus.TRUNCATED);
    expect<i32>(status("3affffffff07")).toBe(ProtoStatus.TRUNCATED);
    expect<i32>(status("3affffffff08")).toBe(ProtoStatus.MALFORMED);
    expect<i32>(status("3a02c080")).toBe(ProtoStatus.MALFORMED);
    expect<i32>(status("00")).toBe(ProtoStatus.MALFORMED);
    expect<i32>(status("0700")).toBe(ProtoStatus.MALFORMED);
    expect<i32>(status("ffffffffff01")).toBe(ProtoStatus.MALFORMED);
    expect<i32>(status("30808080808080808080808000")).toBe(ProtoStatus.OVERLONG);
    expect<i32>(status("a306a406")).toBe(ProtoStatus.GROUP);
    expect<i32>(status("a406")).toBe(ProtoStatus.MALFORMED);
    expect<i32>(status("120742050000000000")).toBe(ProtoStatus.TRUNCATED);
  });

  test("skips fields that it does not know, and those written as something else", () => {
    expect<i32>(status("a0068001a1060102030405060708a20601ffa50601020304")).toBe(ProtoStatus.OK);
    expect<i32>(status("3501020304")).toBe(ProtoStatus.OK);
    // A number in more bytes than it needs.
    expect<i32>(status("308180808080808080800130818000")).toBe(ProtoStatus.OK);
  });
});

describe("a protobuf reader", () => {
  test("goes no further after a fault, whose first counts", () => {
    const input = hex("3a05613001");
    const reader = new ProtoReader();
    reader.bind(changetype<usize>(input), input.length);
    expect(reader.next()).toBe(true);
    reader.string(view);
    expect(view.length).toBe(0);
    expect(reader.next()).toBe(false);
    reader.skip();
    expect<i32>(reader.status).toBe(ProtoStatus.TRUNCATED);
  });
});

describe("a protobuf writer", () => {
  test("makes room for the length of a field when it knows it", () => {
    const lengths = [0, 1, 127, 128, 16383, 16384, 2097152];
    for (let i = 0; i < lengths.length; i++) {
      out.clear();
      putVarint(out, 0x08, 5);
      const start = beginField(out, 0x12);
      for (let n = 0; n < lengths[i]; n++) out.appendByte(n);
      endField(out, start);
      const reader = new ProtoReader();
      reader.bind(out.ptr, out.length);
      reader.next();
      reader.skip();
      expect(reader.next()).toBe(true);
      reader.bytes(view);
      expect<i32>(reader.status).toBe(ProtoStatus.OK);
      expect(reader.more).toBe(false);
      expect(view.length).toBe(lengths[i]);
      let same = true;
      for (let n = 0; n < view.length; n++) same = same && load<u8>(view.ptr + n) == (n as u8);
      expect(same).toBe(true);
    }
    out.free();
  });
});
