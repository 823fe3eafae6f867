import { bufferMemory, ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { Decoded, Detected, Peer } from "../../../assembly/xprotocol/codec";
import { Frame, FrameError } from "../../../assembly/xprotocol/frame";
import { HeaderList } from "../../../assembly/message/list";
import { CodecRegistry } from "../../../assembly/xprotocol/registry";
import { conform } from "./conformance";
import { Subject } from "./subject";
import { hex, Model, must, Random } from "./support";
import { TestCodec, testCodec } from "./test_codec";

// id 0x8000000000000001, timeout 300, content "hello", metadata s=S, m=hi, empty key and value
const REQUEST = "d500800000000000000100000027012c0000000e" + "68656c6c6f" + "01730001530" + "16d00026869000000";
const ONEWAY = "d501000000000000000200000014000000000000";
const RESPONSE = "d502ffffffffffffffff0000001b000700000000" + "00010203040506";

const subject = new Subject(testCodec);
subject.statuses = [7, 8, 9];
subject.add("request", REQUEST, Peer.CLIENT).length(10, 4).length(16, 4).length(25, 1).length(27, 2).length(32, 2);
subject.add("oneway", ONEWAY, Peer.CLIENT).length(10, 4).length(16, 4);
subject.add("response", RESPONSE, Peer.SERVER).length(10, 4).length(16, 4);
subject.add("many", REQUEST + ONEWAY + REQUEST, Peer.CLIENT, 3);
conform(subject);

describe("the test codec", () => {
  test("finds service and method behind the content", () => {
    const bytes = hex(REQUEST);
    const frame = new Frame();
    const view = new View();
    const ptr = changetype<usize>(bytes);
    expect(testCodec.decode(ptr, bytes.length, Peer.CLIENT, 1000, frame)).toBe(Decoded.FRAME);
    expect(frame.id).toBe(0x8000000000000001);
    expect(frame.service(view)).toBe(true);
    expect(String.UTF8.decodeUnsafe(view.ptr, view.length)).toBe("S");
    expect(frame.method(view)).toBe(true);
    expect(String.UTF8.decodeUnsafe(view.ptr, view.length)).toBe("hi");
    store<u8>(ptr, 200, 25);
    expect(testCodec.decode(ptr, bytes.length, Peer.CLIENT, 1000, frame)).toBe(Decoded.ERROR);
    expect(frame.error).toBe(FrameError.HEADERS);
    expect(frame.length).toBe(bytes.length);
  });
});

describe("HeaderList", () => {
  test("keeps its own bytes right when a view of them is put back", () => {
    const list = new HeaderList();
    const view = new View();
    const key = Bytes.of("key");
    const value = Bytes.of("value-".repeat(20));
    list.append(key.ptr, key.length, key.ptr, key.length);
    expect(list.changed).toBe(false);
    const model = Model.of(list);
    for (let i = 0; i < 300; i++) {
      list.add(key.ptr, key.length, value.ptr, value.length);
      model.add(key, value);
      // Grows the store while both ranges of the new pair are views of it.
      const name = Bytes.of("k" + i.toString());
      list.add(name.ptr, name.length, value.ptr, value.length);
      model.add(name, value);
      expect(list.get(name.ptr, name.length, view)).toBe(true);
      list.set(key.ptr, key.length, view.ptr, view.length);
      model.set(key, value);
    }
    expect(Model.of(list).equals(model)).toBe(true);
    expect(list.remove(key.ptr, key.length)).toBe(1);
    expect(list.remove(key.ptr, key.length)).toBe(0);
    list.clear();
    expect(list.length).toBe(0);
    expect(list.changed).toBe(false);
    list.free();
  });

  test("a view of the first own bytes survives their move", () => {
    const list = new HeaderList();
    const view = new View();
    const text = Bytes.of("0123456789abcdef0123456789abcdef");
    list.add(text.ptr, 0, text.ptr, text.length);
    for (let i = 0; i < 200; i++) {
      expect(list.get(text.ptr, 0, view)).toBe(true);
      list.add(view.ptr, view.length, view.ptr, view.length);
    }
    const model = Model.of(list);
    for (let i = 1; i < model.keys.length; i++) {
      expect(model.keys[i].toString()).toBe(text.toString());
      expect(model.values[i].toString()).toBe(text.toString());
    }
    list.free();
  });
});

describe("a long HeaderList", () => {
  test("answers and changes as a short one, index or not", () => {
    const list = new HeaderList();
    const view = new View();
    const random = new Random(7);
    const keys: Bytes[] = [];
    for (let i = 0; i < 60; i++) keys.push(Bytes.of("key-" + i.toString()));
    for (let round = 0; round < 8; round++) {
      list.clear();
      for (let i = 0; i < 30 * round + 20; i++) {
        const key = keys[random.below(40)];
        list.append(key.ptr, key.length, keys[i % 60].ptr, keys[i % 60].length);
      }
      const model = Model.of(list);
      for (let step = 0; step < 300; step++) {
        const key = keys[random.below(60)];
        const value = keys[random.below(60)];
        const act = random.below(8);
        if (act == 0) {
          must(list.remove(key.ptr, key.length) == model.remove(key), "removed", "", step);
        } else if (act == 1) {
          list.set(key.ptr, key.length, value.ptr, value.length);
          model.set(key, value);
        } else if (act == 2) {
          list.add(key.ptr, key.length, value.ptr, value.length);
          model.add(key, value);
        }
        const at = model.find(key);
        must(list.get(key.ptr, key.length, view) == at >= 0, "found", "", step);
        if (at >= 0) must(model.values[at].equals(view.ptr, view.length), "value", "", step);
        must(list.length == model.keys.length, "length", "", step);
        const some = new Model();
        list.forEachOf(key.ptr, key.length, some);
        must(some.equals(model.valuesOf(key)), "values of a key", "", step);
      }
      must(Model.of(list).equals(model), "pairs", "", round);
      must(!list.incomplete, "incomplete", "", round);
    }
    list.free();
  });

  test("takes 65,536 pairs, and no more", () => {
    const before = bufferMemory();
    const list = new HeaderList();
    const view = new View();
    const key = Bytes.of("key");
    for (let i = 0; i < 65536; i++) must(list.append(key.ptr, i & 3, key.ptr, 1), "refused", "", i);
    expect(list.incomplete).toBe(false);
    for (let i = 0; i < 8; i++) expect(list.get(key.ptr, 3, view)).toBe(true);
    expect(list.append(key.ptr, 3, key.ptr, 1)).toBe(false);
    expect(list.incomplete).toBe(true);
    expect(list.length).toBe(65536);
    expect(bufferMemory() - before > 65536 * 24).toBe(true);
    expect(bufferMemory() - before <= 3 << 20).toBe(true);
    list.clear();
    expect(list.incomplete).toBe(false);
    expect(bufferMemory()).toBe(before);
    list.free();
  });

  test("keeps changes of 1 MiB in all, and no more", () => {
    const list = new HeaderList();
    const view = new View();
    const value = new ByteBuffer();
    memory.fill(value.reserve(1 << 19), 0x61, 1 << 19);
    const key = Bytes.of("key");
    list.append(key.ptr, 3, key.ptr, 3);
    list.set(key.ptr, 3, value.ptr, 1 << 19);
    list.add(key.ptr, 3, value.ptr, (1 << 19) - 3);
    expect(list.incomplete).toBe(false);
    list.set(key.ptr, 3, key.ptr, 1);
    expect(list.incomplete).toBe(true);
    expect(list.get(key.ptr, 3, view)).toBe(true);
    expect(view.length).toBe(1 << 19);
    list.free();
    value.free();
  });
});

class Picky extends TestCodec {
  constructor(
    readonly first: u8,
    readonly wanted: i32,
  ) {
    super();
  }

  detect(ptr: usize, length: i32): Detected {
    if (load<u8>(ptr) != this.first) return Detected.NO;
    return length < this.wanted ? Detected.MORE : Detected.YES;
  }
}

describe("CodecRegistry", () => {
  test("names are unique, choices keep their order", () => {
    const registry = new CodecRegistry();
    expect(registry.register(testCodec)).toBe(true);
    expect(registry.register(new TestCodec())).toBe(false);
    expect(registry.names.join()).toBe("test");
    expect(registry.find("test") === testCodec).toBe(true);
    expect(registry.find("nope") === null).toBe(true);
    expect(registry.select(["test", "nope"]) === null).toBe(true);
    expect(registry.select([]) === null).toBe(true);
    const list = registry.select(["test", "test"]);
    expect(list === null ? 0 : list.codecs.length).toBe(1);
    expect(registry.all().codecs.length).toBe(1);
  });

  test("the first YES wins, a MORE keeps the question open, but not for ever", () => {
    const registry = new CodecRegistry();
    registry.register(testCodec);
    const list = registry.all();
    const slow = new Picky(1, 3);
    const quick = new Picky(1, 2);
    const never = new Picky(2, 1000);
    list.codecs.push(slow);
    list.codecs.push(quick);
    list.codecs.push(never);
    const bytes = new StaticArray<u8>(100);
    const ptr = changetype<usize>(bytes);
    expect(list.detect(ptr, 0)).toBe(Detected.MORE);
    expect(list.detect(ptr, 1)).toBe(Detected.NO);
    bytes[0] = 1;
    expect(list.detect(ptr, 1)).toBe(Detected.MORE);
    expect(list.detect(ptr, 2)).toBe(Detected.YES);
    expect(list.found === quick).toBe(true);
    expect(list.detect(ptr, 3)).toBe(Detected.YES);
    expect(list.found === slow).toBe(true);
    bytes[0] = 2;
    expect(list.detect(ptr, 63)).toBe(Detected.MORE);
    expect(list.found === null).toBe(true);
    expect(list.detect(ptr, 64)).toBe(Detected.NO);
  });
});
