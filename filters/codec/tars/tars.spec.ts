import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { Decoded, Detected, Peer } from "../../../assembly/xprotocol/codec";
import { Frame, FrameError, FrameKind } from "../../../assembly/xprotocol/frame";
import { Headers } from "../../../assembly/message/headers";
import { conform } from "../../../tests/unit/xprotocol/conformance";
import { Subject } from "../../../tests/unit/xprotocol/subject";
import { atEdge, hex, Model, toHex } from "../../../tests/unit/xprotocol/support";
import { Reader } from "./jce";
import { Status } from "./status";
import { tars } from "./tars";

// Written by TarsGo 1.4.5: App.Server.Obj, function hello, context k=v, timeout 3000, id 0x01020304 and id 7.
const SERVANT = "560e4170702e5365727665722e4f626a";
const REQUEST = "0000003a10012c3c4201020304" + SERVANT + "660568656c6c6f7d00000406026869810bb898000106016b160176a80c";
const SMALL_ID = "0000003710012c3c4007" + SERVANT + "660568656c6c6f7d00000406026869810bb898000106016b160176a80c";
const ONEWAY = "0000002c100120013c4288ca6c00" + SERVANT + "660474656c6c7d000c8c980ca80c";
/** Version 3, with a status. */
const TUP =
  "0000004a10032c3101044201020304" +
  SERVANT +
  "660568656c6c6f7d000002080c820000ea60980ca80001060f5354415455535f445945445f4b4559160164";
/** Names and contents of 256 bytes and more. */
const LONG =
  "000003f210012c3c4201020304" +
  SERVANT +
  "670000012c" +
  "66".repeat(300) +
  "7d00010190" +
  "62".repeat(400) +
  "8064" +
  "98000106016b1700000100" +
  "76".repeat(256) +
  "a80c";
const RESPONSE = "0000001810012c32010203044c5c6d00000406026869780c";
const ERROR = "0000001e10012c32010203044c50fc6d000c780c86086e6f20726f757465";
/** iRet 70001, with description, status s=t and context k=v. */
const SERVANT_ERROR = "0000002d10012c32010203044c52000111716d000c78000106017316017486046d696e6598000106016b160176";
const RECONNECT = "0000001c10012c3c4c5c6d000c780c860b5f7265636f6e6e6563745f";
const PUSH = "0000001410012c3c4c5c6d0000046e657773780c";
const TUP_ERROR =
  "0000003710032c3101044201020304560066007d000002080c8c980ca8000106125354415455535f524553554c545f434f444516022d34";
const MAX: i32 = 1 << 20;

const subject = new Subject(tars);
subject.goAway = true;
subject.zeroId = false;
subject.uniqueNames = true;
subject.fields = ["service", "method", "STATUS_RESULT_CODE"];
subject.maxHeaderBlock = MAX;
subject.statuses = [0, -1, -4, -7, -8, -9, -99];
subject.add("request", REQUEST, Peer.CLIENT).length(0, 4).length(14, 1).length(30, 1).length(39, 1).length(49, 1);
subject.length(51, 1).length(54, 1);
subject.add("one-way", ONEWAY, Peer.CLIENT);
subject.add("TUP", TUP, Peer.CLIENT).length(0, 4).length(16, 1).length(52, 1);
subject.add("long", LONG, Peer.CLIENT).length(0, 4).length(30, 4).length(338, 2).length(754, 4);
subject.add("response", RESPONSE, Peer.SERVER).length(0, 4).length(17, 1);
subject.add("error", ERROR, Peer.SERVER).length(21, 1);
subject.add("servant's error", SERVANT_ERROR, Peer.SERVER);
subject.add("TUP error", TUP_ERROR, Peer.SERVER);
subject.add("many", REQUEST + LONG + ONEWAY + REQUEST, Peer.CLIENT, 4);
conform(subject);

const frame = new Frame();
const view = new View();
const out = new ByteBuffer();

function decode(text: string, peer: Peer = Peer.CLIENT): Decoded {
  const bytes = hex(text);
  return tars.decode(atEdge(changetype<usize>(bytes), bytes.length), bytes.length, peer, MAX, frame);
}

/** A frame of these fields, in hex, with the length that they have. */
function framed(fields: string): string {
  return (4 + (fields.length >> 1)).toString(16).padStart(8, "0") + fields;
}

function text(found: bool): string {
  return found ? String.UTF8.decodeUnsafe(view.ptr, view.length) : "-";
}

function header(headers: Headers, key: string): string {
  const name = Bytes.of(key);
  return text(headers.get(name.ptr, name.length, view));
}

function set(headers: Headers, key: string, value: string): void {
  const name = Bytes.of(key);
  const bytes = Bytes.of(value);
  headers.set(name.ptr, name.length, bytes.ptr, bytes.length);
}

function remove(headers: Headers, key: string): i32 {
  const name = Bytes.of(key);
  return headers.remove(name.ptr, name.length);
}

/** The frame decoded last, encoded with these headers and its own id and content; "" when refused. */
function encoded(headers: Headers): string {
  out.clear();
  const content = frame.ptr + frame.contentOffset;
  return tars.encode(frame, headers, content, frame.contentLength, frame.id, out) ? toHex(out) : "";
}

function copied(id: u64): string {
  out.clear();
  expect(tars.copy(frame, id, out)).toBe(out.length);
  return toHex(out);
}

function reply(code: i32, reason: string): string {
  const bytes = Bytes.of(reason);
  out.clear();
  tars.reply(frame.id, frame.aux, tars.toStatus(code), bytes.ptr, bytes.length, out);
  return toHex(out);
}

describe("tars frames", () => {
  test("what TarsGo writes", () => {
    expect(decode(REQUEST)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.REQUEST);
    expect(frame.id).toBe(0x01020304);
    expect(frame.timeout).toBe(3000);
    expect(text(frame.service(view)) + " " + text(frame.method(view))).toBe("App.Server.Obj hello");
    expect(frame.contentOffset).toBe(40);
    expect(frame.contentLength).toBe(4);
    expect(decode(ONEWAY)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.ONEWAY);
    expect(frame.id).toBe(0x88ca6c00);
    expect(frame.timeout).toBe(0);
    expect(decode(LONG)).toBe(Decoded.FRAME);
    expect(frame.methodLength).toBe(300);
    expect(frame.contentLength).toBe(400);
    expect(decode(SERVANT_ERROR, Peer.SERVER)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.RESPONSE);
    expect(frame.status).toBe(70001);
    expect(tars.toCode(frame.status)).toBe(400);
  });

  test("TUP answers with request packets", () => {
    expect(decode(TUP_ERROR, Peer.SERVER)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.RESPONSE);
    expect(frame.status).toBe(Status.NO_SERVANT);
    expect(frame.service(view)).toBe(false);
    expect(decode(TUP_ERROR)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.REQUEST);
    expect(decode(REQUEST, Peer.SERVER)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.REQUEST);
    const odd = ["022d78", "0c2d3939393939393939393939", "0b2d39393939393939393939", "00", "012d"];
    for (let i = 0; i < odd.length; i++) {
      expect(decode(framed(TUP_ERROR.substr(8).replace("022d34", odd[i])), Peer.SERVER)).toBe(Decoded.FRAME);
      expect(frame.status).toBe(Status.SUCCESS, odd[i]);
    }
  });

  test("a response to nothing is the server's message, or its wish to be left", () => {
    expect(decode(PUSH, Peer.SERVER)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.ONEWAY);
    expect(copied(0)).toBe(PUSH);
    expect(decode(RECONNECT, Peer.SERVER)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.GOAWAY);
    expect(decode(PUSH)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.RESPONSE);
    out.clear();
    expect(tars.goAway(9, out)).toBe(true);
    expect(toHex(out)).toBe(RECONNECT);
  });

  test("an id takes as many bytes as it needs, and never fewer than before", () => {
    const ids: u64[] = [0, 7, 0x7f, 0x80, 0x7fff, 0x8000, 0x7fffffff, 0x80000000, 0xffff8000, 0xffffff80, 0xffffffff];
    const written = [
      "4000",
      "4007",
      "407f",
      "410080",
      "417fff",
      "4200008000",
      "427fffffff",
      "4280000000",
      "418000",
      "4080",
      "40ff",
    ];
    for (let i = 0; i < ids.length; i++) {
      expect(decode(SMALL_ID)).toBe(Decoded.FRAME);
      expect(copied(ids[i])).toBe(framed(SMALL_ID.substr(8).replace("4007", written[i])), written[i]);
      expect(encoded(tars.headers(frame))).toBe(SMALL_ID);
      const copy = copied(ids[i]);
      expect(decode(copy)).toBe(Decoded.FRAME);
      expect(frame.id).toBe(ids[i]);
    }
    expect(decode(REQUEST)).toBe(Decoded.FRAME);
    expect(copied(5)).toBe(REQUEST.replace("4201020304", "4200000005"));
    expect(decode(framed(SMALL_ID.substr(8).replace("4007", "4c")))).toBe(Decoded.FRAME);
    expect(copied(0)).toBe(framed(SMALL_ID.substr(8).replace("4007", "4c")));
    expect(copied(300)).toBe(framed(SMALL_ID.substr(8).replace("4007", "41012c")));
  });

  test("unknown fields are kept, at the end and among the known", () => {
    const nested =
      "b80c" +
      "ca0c1a2c0b0b" +
      "d90001" +
      "08000106016b1a0b" +
      "f314" +
      "0000000000000000" +
      "f5ff" +
      "4045000000000000";
    expect(decode(framed(REQUEST.substr(8) + nested))).toBe(Decoded.FRAME);
    const headers = tars.headers(frame);
    set(headers, "k", "w");
    expect(encoded(headers)).toBe(framed(REQUEST.substr(8).replace("160176", "160177") + nested));
  });

  test("fields that other peers leave out, and wide heads of tags", () => {
    expect(decode(framed("1001" + "4201020304" + SERVANT + "6600" + "7d000c"))).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.REQUEST);
    let headers = tars.headers(frame);
    set(headers, "k", "v");
    expect(encoded(headers)).toBe(framed("1001" + "4201020304" + SERVANT + "66007d000c" + "98000106016b160176"));
    expect(decode(framed("1001" + "f20401020304" + SERVANT + "6600" + "7d000c" + "b005"))).toBe(Decoded.FRAME);
    expect(frame.id).toBe(0x01020304);
    headers = tars.headers(frame);
    set(headers, "k", "v");
    const context = "98000106016b160176";
    expect(encoded(headers)).toBe(framed("1001" + "4201020304" + SERVANT + "66007d000c" + context + "b005"));
  });
});

describe("tars errors", () => {
  test("a broken packet can be answered when its id and kind are known", () => {
    const good = "10012c3c4201020304" + SERVANT + "660568656c6c6f";
    const bad = [
      good, // no buffer
      good + "7c", // of another type
      good + "7d010c", // a vector of something else
      good + "7d000006", // beyond the end
      good + "7d000c" + "98000106016b1601",
      good + "7d000c" + "98000106016b2601" + "76", // a value with another tag
      good + "7d000c" + "9800ff",
      good + "7d000c" + "9802ffffffff",
      good + "7d000c" + "980c980c", // twice
      good + "7d000c" + "980c8c", // not in order
      good + "7d000c" + "9b", // the end of no struct
      good + "7d000c" + "9e",
      good + "7d000c" + "93", // beyond the end
      good + "7d000c" + "980002" + "06016b160176" + "06016b0001", // strings, then something else
      good + "7d000c" + "980001" + "060561" + "160176",
    ];
    for (let i = 0; i < bad.length; i++) {
      const frame1 = framed(bad[i]);
      expect(decode(frame1)).toBe(Decoded.ERROR, bad[i]);
      expect(frame.error).toBe(FrameError.HEADERS, bad[i]);
      expect(frame.answerable).toBe(true, bad[i]);
      expect(frame.id).toBe(0x01020304);
      expect(frame.length).toBe(frame1.length >> 1);
    }
    const nameless = ["10012c3c430000000000000001", "10012c3c", "10012c3c60", "10012c3c4c5800000000", "10012c4c560000"];
    for (let i = 0; i < nameless.length; i++) {
      expect(decode(framed(nameless[i].padEnd(14, "0")))).toBe(Decoded.ERROR, nameless[i]);
      expect(frame.answerable).toBe(i == 4, nameless[i]);
    }
  });

  test("other bytes", () => {
    const bad = ["01", "474554", "0000000a1001", "0000003a1006", "0000003a1000", "0000003a2001", "0000003a20"];
    for (let i = 0; i < bad.length; i++) {
      const bytes = hex(bad[i]);
      expect(tars.detect(changetype<usize>(bytes), bytes.length)).toBe(Detected.NO, bad[i]);
      if (i > 3) expect(decode(bad[i])).toBe(Decoded.ERROR, bad[i]);
    }
    const long = hex("00ffffff1001");
    expect(tars.detect(changetype<usize>(long), long.length)).toBe(Detected.YES, "MOSN waits for the whole frame");
  });

  test("a frame that is too large is refused when it shows who it is, or that it never will", () => {
    expect(decode("7fffffff" + REQUEST.substr(8, 18))).toBe(Decoded.MORE);
    expect(decode("7fffffff" + REQUEST.substr(8, 20))).toBe(Decoded.ERROR);
    expect(frame.error).toBe(FrameError.TOO_LARGE);
    expect(frame.answerable).toBe(true);
    expect(frame.length).toBe(i32.MAX_VALUE);
    expect(decode("80000000" + REQUEST.substr(8))).toBe(Decoded.ERROR);
    expect(frame.length).toBe(0);
    expect(decode("7fffffff" + "1001" + "2700ffffff" + "00".repeat(20))).toBe(Decoded.MORE);
    expect(decode("7fffffff" + "1001" + "2700ffffff" + "00".repeat(21))).toBe(Decoded.ERROR);
    expect(frame.answerable).toBe(false);
  });

  test("maps have 65,536 pairs in all, and no more", () => {
    const before = REQUEST.substring(8, REQUEST.indexOf("98000106016b"));
    const count = (n: i32): string => "02" + n.toString(16).padStart(8, "0");
    for (let more = 0; more < 2; more++) {
      const context = "98" + count(65000) + "06001600".repeat(65000);
      const status = "a8" + count(536 + more) + "06001600".repeat(536 + more);
      const bytes = hex(framed(before + context + status));
      const answer = tars.decode(changetype<usize>(bytes), bytes.length, Peer.CLIENT, MAX, frame);
      expect(answer).toBe(more == 0 ? Decoded.FRAME : Decoded.ERROR);
      expect(frame.answerable).toBe(more > 0);
      if (more == 0) expect(tars.headers(frame).incomplete).toBe(false);
      else expect(frame.error).toBe(FrameError.HEADERS);
    }
  });

  test("nested fields are skipped to a depth, and counted against the bytes there are", () => {
    for (let depth = 1; depth < 200; depth += 10) {
      const ok = depth <= 32;
      const kinds = ["b90001" + "090001".repeat(depth - 1) + "0c", "ba" + "1a".repeat(depth - 1) + "0b".repeat(depth)];
      kinds.push("b80001" + "0c180001".repeat(depth - 1) + "0c1c");
      for (let i = 0; i < kinds.length; i++) {
        // In place of the context; behind the status nobody looks.
        const nested = REQUEST.substr(8).replace("98000106016b160176", "9" + kinds[i].substr(1));
        expect(decode(framed(nested))).toBe(ok ? Decoded.FRAME : Decoded.ERROR, kinds[i]);
        expect(decode(framed(REQUEST.substr(8) + kinds[i]))).toBe(Decoded.FRAME, kinds[i]);
      }
    }
    const bombs = ["b9027fffffff", "b8027fffffff", "bd00027fffffff", "b70fffffffff", "b900ff", "ba1a"];
    for (let i = 0; i < bombs.length; i++) {
      const bytes = hex(bombs[i]);
      const reader = new Reader();
      const at = atEdge(changetype<usize>(bytes), bytes.length);
      reader.start(at, at + bytes.length);
      expect(reader.head() && reader.skip()).toBe(false, bombs[i]);
    }
  });
});

describe("tars headers", () => {
  test("servant and function, the status, then the context", () => {
    decode(framed(REQUEST.substr(8).replace("a80c", "a800010601731601" + "74")));
    const model = Model.of(tars.headers(frame));
    let all = "";
    for (let i = 0; i < model.keys.length; i++)
      all += model.keys[i].toString() + "=" + model.values[i].toString() + " ";
    expect(all).toBe("service=App.Server.Obj method=hello s=t k=v ");
    decode(SERVANT_ERROR, Peer.SERVER);
    const headers = tars.headers(frame);
    expect(header(headers, "service")).toBe("-");
    expect(header(headers, "s") + header(headers, "k")).toBe("tv");
  });

  test("each change goes where it belongs, and leaves the rest", () => {
    decode(framed(REQUEST.substr(8).replace("a80c", "a800010601731601" + "74")));
    const headers = tars.headers(frame);
    set(headers, "service", "B");
    set(headers, "s", "u");
    set(headers, "new", "n");
    expect(remove(headers, "k")).toBe(1);
    const head = "10012c3c4201020304" + "560142" + "660568656c6c6f";
    const rest = "7d00000406026869810bb8" + "9800010603" + "6e6577" + "16016e" + "a80001060173160175";
    expect(encoded(headers)).toBe(framed(head + rest));
    set(headers, "method", "m".repeat(256));
    const method = "6700000100" + "6d".repeat(256);
    expect(encoded(headers)).toBe(framed("10012c3c4201020304" + "560142" + method + rest));
  });

  test("a response without a context gets one in its place", () => {
    decode(ERROR, Peer.SERVER);
    const headers = tars.headers(frame);
    set(headers, "k", "v");
    expect(encoded(headers)).toBe(framed(ERROR.substr(8) + "98000106016b160176"));
    expect(remove(headers, "k")).toBe(1);
    expect(encoded(headers)).toBe(ERROR);
  });

  test("a key of the context that is a field's name is found behind the field", () => {
    decode(framed(REQUEST.substr(8).replace("06016b160176", "0607" + "73657276696365" + "160176")));
    const headers = tars.headers(frame);
    expect(header(headers, "service")).toBe("App.Server.Obj");
    set(headers, "service", "B");
    expect(encoded(headers).includes("73657276696365")).toBe(false, "one value");
  });
});

describe("tars replies", () => {
  test("a response packet as TarsGo writes it", () => {
    decode(REQUEST);
    expect(reply(404, "no route")).toBe(ERROR);
    expect(reply(200, "")).toBe(framed("10012c32010203044c5c6d000c780c"));
  });

  test("TUP: code and reason in the status", () => {
    decode(TUP);
    expect(reply(404, "")).toBe(TUP_ERROR);
    const code = "06125354415455535f524553554c545f434f4445" + "16032d3939";
    const desc = "06125354415455535f524553554c545f44455343" + "160131";
    const start = "10032c3101044201020304560066007d000002080c8c980c";
    expect(reply(500, "1")).toBe(framed(start + "a80002" + code + desc));
    expect(reply(200, "")).toBe(framed(start + "a80c"));
  });

  test("return codes", () => {
    const codes = [200, 0, 3, 404, 502, 503, 509, 504, 403, 2, 500, 418];
    const statuses = [0, -1, -1, -4, -8, -9, -9, -7, -99, -99, -99, -99];
    for (let i = 0; i < codes.length; i++) expect(tars.toStatus(codes[i])).toBe(statuses[i], codes[i].toString());
    const known = [0, -1, -2, -3, -4, -5, -6, -7, -8, -9, -10, -11, -12, -13, -99, 1];
    const back = [200, 500, 500, 404, 404, 500, 504, 504, 502, 503, 502, 500, 500, 502, 500, 400];
    for (let i = 0; i < known.length; i++) expect(tars.toCode(known[i])).toBe(back[i], known[i].toString());
  });
});
