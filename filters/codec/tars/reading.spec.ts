// What is read of a packet, and what passes though it cannot be read.
import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { Decoded, FIXED_FIELD, Peer } from "../../../assembly/xprotocol/codec";
import { Frame, FrameError, FrameKind } from "../../../assembly/xprotocol/frame";
import { Headers } from "../../../assembly/message/headers";
import { atEdge, hex, Model, toHex } from "../../../tests/unit/xprotocol/support";
import { tars } from "./tars";

const MAX: i32 = 1 << 24;
/** Version 1, id 7, servant "S", function "f", content "hi", timeout 1000. */
const HEAD = "1001" + "4007" + "560153" + "660166" + "7d000002" + "6869";
const TIMEOUT = "8103e8";
/** Version 1, id 7, return code -3, content "hi". */
const ANSWER = "1001" + "3007" + "50fd" + "6d000002" + "6869";

const frame = new Frame();
const view = new View();
const out = new ByteBuffer();

function word(value: i32): string {
  return value.toString(16).padStart(8, "0");
}

function framed(packet: string): string {
  return word(4 + (packet.length >> 1)) + packet;
}

function decode(packet: string, peer: Peer = Peer.CLIENT): Decoded {
  const bytes = hex(framed(packet));
  return tars.decode(atEdge(changetype<usize>(bytes), bytes.length), bytes.length, peer, MAX, frame);
}

/** A string with this tag, of up to 255 bytes. */
function text(tag: i32, value: string): string {
  let out = tag.toString(16) + "6" + value.length.toString(16).padStart(2, "0");
  for (let i = 0; i < value.length; i++) out += value.charCodeAt(i).toString(16).padStart(2, "0");
  return out;
}

/** A map with this tag: keys and values one after the other. */
function map(tag: i32, words: string[]): string {
  let out = tag.toString(16) + "8000" + (words.length >> 1).toString(16);
  for (let i = 0; i < words.length; i++) out += text(i & 1, words[i]);
  return out;
}

/** Encodes the frame, changed as its headers are, with this content: the packet, or "" when that cannot be. */
function encoded(content: string): string {
  const bytes = Bytes.of(content);
  out.clear();
  const done = tars.encode(frame, tars.headers(frame), bytes.ptr, bytes.length, frame.id, out);
  expect(done || out.length == 0).toBe(true);
  return done ? toHex(out).substr(8) : "";
}

/** The same with the header `x` set, or removed. */
function changed(add: bool): string {
  const headers = tars.headers(frame);
  const x = Bytes.of("x");
  if (add) headers.set(x.ptr, x.length, x.ptr, x.length);
  else headers.remove(x.ptr, x.length);
  return encodedWith(headers);
}

function encodedWith(headers: Headers): string {
  out.clear();
  const content = frame.ptr + (frame.contentOffset as usize);
  const done = tars.encode(frame, headers, content, frame.contentLength, frame.id, out);
  expect(done || out.length == 0).toBe(true);
  return done ? toHex(out).substr(8) : "";
}

describe("a request", () => {
  test("whose maps are something else passes, without headers", () => {
    // An int, a list, a string, a map of numbers, of numbers to strings, of strings to numbers, of nothing, nested.
    const others = [
      "9005",
      "99000106016b",
      "96016b",
      "98000100011002",
      "98000100011601" + "76",
      "98000106016b1c",
      "ba",
    ];
    const more = ["9a0c0b", "980001" + "06016b" + "1a160176" + "0b", "9d00000161"];
    const all = others.slice(0, 6).concat(more);
    for (let i = 0; i < all.length; i++) {
      const packet = HEAD + TIMEOUT + all[i] + map(10, ["s", "t"]);
      expect(decode(packet)).toBe(Decoded.FRAME, all[i]);
      expect(frame.timeout).toBe(1000);
      expect(frame.service(view) && frame.method(view)).toBe(true);
      const model = Model.of(tars.headers(frame));
      expect(model.keys.length).toBe(3);
      expect(model.keys[2].toString()).toBe("s");
      expect(encoded("hi")).toBe(packet);
      expect(encoded("ho")).toBe(packet.replace("6869", "686f"));
      // Of a context that cannot be read nobody knows whether it has the header.
      expect(changed(true)).toBe("");
      expect(changed(false)).toBe("");
    }
  });

  test("is not read behind its last field, nor a timeout that is no int", () => {
    const tails = ["bb", "be", "f0", "ba", "b9027fffffff", "a80c", "980c", "00"];
    for (let i = 0; i < tails.length; i++) {
      const packet = HEAD + TIMEOUT + map(9, ["k", "v"]) + map(10, []) + tails[i];
      expect(decode(packet)).toBe(Decoded.FRAME, tails[i]);
      expect(encoded("hi")).toBe(packet);
      expect(changed(true)).toBe(HEAD + TIMEOUT + map(9, ["k", "v", "x", "x"]) + map(10, []) + tails[i], tails[i]);
    }
    const packet = HEAD + "8300000000000003e8" + map(9, ["k", "v"]);
    expect(decode(packet)).toBe(Decoded.FRAME);
    expect(frame.timeout).toBe(0);
    expect(encoded("hi")).toBe(packet);
  });

  test("with a key that has two values is ambiguous: C++ takes the first, Go and Java the last", () => {
    const bad = [
      map(9, ["k", "v", "k", "w"]),
      map(9, ["k", "v", "l", "x", "k", ""]),
      map(9, ["k", "v"]) + map(10, ["k", "w"]),
      map(9, []) + map(10, ["", "a", "", "b"]),
    ];
    for (let i = 0; i < bad.length; i++) {
      expect(decode(HEAD + TIMEOUT + bad[i])).toBe(Decoded.ERROR, bad[i]);
      expect(frame.error).toBe(FrameError.AMBIGUOUS);
      expect(frame.answerable && frame.id == 7).toBe(true);
      expect(frame.length).toBe(framed(HEAD + TIMEOUT + bad[i]).length >> 1);
    }
    const good = [
      map(9, ["k", "v", "k", "v"]),
      map(9, ["k", "v", "K", "w"]),
      map(9, ["k", "v"]) + map(10, ["k", "v"]),
      map(9, ["service", "x", "method", "y"]),
    ];
    for (let i = 0; i < good.length; i++) expect(decode(HEAD + TIMEOUT + good[i])).toBe(Decoded.FRAME, good[i]);
    // Of an answer both readers are the client.
    expect(decode(ANSWER + map(7, ["k", "v", "k", "w"]), Peer.SERVER)).toBe(Decoded.FRAME);
  });

  test("many keys cost one look each", () => {
    let words = "";
    for (let i = 0; i < 4000; i++) words += "0604" + word(0x61000000 + i) + "1600";
    const bytes = hex(framed(HEAD + TIMEOUT + "9802" + word(4000) + words));
    expect(tars.decode(changetype<usize>(bytes), bytes.length, Peer.CLIENT, MAX, frame)).toBe(Decoded.FRAME);
    const last = changetype<usize>(bytes) + bytes.length - 7;
    store<u32>(last + 1, load<u32>(changetype<usize>(bytes) + 4 + ((HEAD + TIMEOUT).length >> 1) + 6 + 2));
    expect(tars.decode(changetype<usize>(bytes), bytes.length, Peer.CLIENT, MAX, frame)).toBe(Decoded.FRAME);
  });

  test("a change that gives a key two values cannot be written", () => {
    const k = Bytes.of("k");
    const x = Bytes.of("x");
    decode(HEAD + TIMEOUT + map(9, ["k", "v"]));
    const headers = tars.headers(frame);
    headers.add(k.ptr, k.length, x.ptr, x.length);
    out.clear();
    const content = frame.ptr + (frame.contentOffset as usize);
    expect(tars.encode(frame, headers, content, 2, 7, out)).toBe(false);
    headers.set(k.ptr, k.length, x.ptr, x.length);
    expect(tars.encode(frame, headers, content, 2, 7, out)).toBe(true);
    expect(toHex(out).substr(8)).toBe(HEAD + TIMEOUT + map(9, ["k", "x"]));
  });
});

describe("an answer", () => {
  test("that is broken behind its return code passes as it came", () => {
    const tails = ["", "93", "9b", "780001", "78000106016b", "880c", "7800010600", "f0", "6c", "5c"];
    for (let i = 0; i < tails.length; i++) {
      const packet = ANSWER + tails[i];
      expect(decode(packet, Peer.SERVER)).toBe(Decoded.FRAME, tails[i]);
      expect(frame.kind).toBe(FrameKind.RESPONSE);
      expect(frame.status).toBe(-3);
      expect(frame.contentLength).toBe(2);
      expect(encoded("hi")).toBe(packet);
    }
    const odd = "1001" + "3007" + "50fd" + "6c" + "780c";
    expect(decode(odd, Peer.SERVER)).toBe(Decoded.FRAME);
    expect(frame.contentLength).toBe(0);
    expect(Model.of(tars.headers(frame)).keys.length).toBe(0);
    expect(encoded("")).toBe(odd);
    expect(encoded("x")).toBe("");
    expect(changed(true) + changed(false)).toBe("");
    out.clear();
    tars.copy(frame, 0x12345, out);
    expect(toHex(out).substr(8)).toBe(odd.replace("3007", "3200012345"));
  });
});

/** A change of a header called `name`. */
const enum Change {
  SET,
  ADD,
  REMOVE,
}

/** The packet after a change, to the value `n` where it has one; "" when that cannot be. */
function after(change: Change, name: string): string {
  const headers = tars.headers(frame);
  const key = Bytes.of(name);
  if (change == Change.SET) headers.set(key.ptr, key.length, key.ptr + key.length - 1, 1);
  else if (change == Change.ADD) headers.add(key.ptr, key.length, key.ptr, 1);
  else headers.remove(key.ptr, key.length);
  expect(headers.changed).toBe(true, name);
  return encodedWith(headers);
}

describe("servant and function", () => {
  test("have one value, and stay: what would change that is refused, not lost", () => {
    const names = ["service", "method"];
    for (let i = 0; i < names.length; i++) {
      decode(HEAD + TIMEOUT + map(9, [names[i], "v"]));
      expect(after(Change.ADD, names[i])).toBe("");
      expect(tars.refusal).toBe(FIXED_FIELD);
      expect(after(Change.REMOVE, names[i])).toBe("", "nor what of the context has that name");
      expect(tars.refusal).toBe(FIXED_FIELD);
    }
    decode(HEAD + TIMEOUT + map(9, ["service", "v"]));
    expect(after(Change.SET, "service")).toBe(HEAD.replace("560153", "560165") + TIMEOUT + "980c");
    decode(HEAD + TIMEOUT + map(9, ["k", "v"]));
    expect(after(Change.SET, "method")).toBe(HEAD.replace("660166", "660164") + TIMEOUT + map(9, ["k", "v"]));
  });

  test("are no fields of an answer, where these names are pairs like others", () => {
    decode(ANSWER, Peer.SERVER);
    expect(after(Change.SET, "service")).toBe(ANSWER + map(9, ["service", "e"]));
    decode(ANSWER + map(9, ["service", "e", "k", "v"]), Peer.SERVER);
    expect(after(Change.REMOVE, "service")).toBe(ANSWER + map(9, ["k", "v"]));
  });
});
