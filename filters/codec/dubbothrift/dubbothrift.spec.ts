import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { Decoded, Detected, FIXED_FIELD, Peer } from "../../../assembly/xprotocol/codec";
import { Frame, FrameError, FrameKind } from "../../../assembly/xprotocol/frame";
import { Headers } from "../../../assembly/message/headers";
import { conform } from "../../../tests/unit/xprotocol/conformance";
import { Subject } from "../../../tests/unit/xprotocol/subject";
import { atEdge, hex, Model, toHex } from "../../../tests/unit/xprotocol/support";
import { dubboThrift } from "./dubbothrift";
import { Status } from "./status";

// MOSN's, docs/reference/mosn.md#dubbo-thrift: service "svc", id 7, method "ping", sequence id 3, no arguments; and what MOSN's
// proxy answers it with.
const CALL = "00000029dabc00000029001801000000037376630000000000000007800100010000000470696e670000000300";
const HIJACK_404 =
  "0000004ddabc0000004d001801000000037376630000000000000007800100030000000470696e6700000003" +
  "0b0001000000163430347c726f7574657220756e617661696c61626c650800020000000100";
const HIJACK_504 =
  "00000042dabc00000042001801000000037376630000000000000007800100030000000470696e6700000003" +
  "0b00010000000b3530347c74696d656f75740800020000000600";
// Laid out by hand.
const REPLY = CALL.replace("80010001", "80010002");
const ONEWAY = CALL.replace("80010001", "80010004");
const EXCEPTION = HIJACK_404.replace("080002" + "00000001" + "00", "080002" + "00000000" + "00");
const MAX: i32 = 1 << 20;

function word(value: i32): string {
  return value.toString(16).padStart(8, "0");
}

/** A frame with this header behind the version byte and this message, in hex; all lengths as they should be. */
function framed(header: string, message: string): string {
  const headerLength = 9 + (header.length >> 1);
  const length = word(headerLength + (message.length >> 1));
  return length + "dabc" + length + headerLength.toString(16).padStart(4, "0") + "01" + header + message;
}

const MESSAGE = "800100010000000470696e67" + "00000003";
const SERVICE = "00000003737663";
const ID = "0102030405060708";
const WITH_PATH = framed(SERVICE + "000000042f737663" + ID, MESSAGE + "00");
const LONG = framed(
  "00000140" + "61".repeat(320) + ID,
  MESSAGE.replace("0470696e67", "f0" + "62".repeat(240)) + "0b0001000001f4" + "63".repeat(500) + "00",
);

const subject = new Subject(dubboThrift);
subject.hasHeaders = false;
subject.statuses = [
  Status.SUCCESS,
  Status.UNKNOWN,
  Status.UNKNOWN_METHOD,
  Status.INTERNAL_ERROR,
  Status.PROTOCOL_ERROR,
];
subject.add("golden", CALL, Peer.CLIENT).length(0, 4).length(6, 4).length(10, 2).length(13, 4).length(32, 4);
subject.add("reply", REPLY, Peer.SERVER).length(0, 4).length(10, 2).length(13, 4).length(32, 4);
subject.add("exception", EXCEPTION, Peer.SERVER).length(10, 2).length(32, 4).length(47, 4);
subject.add("one-way", ONEWAY, Peer.CLIENT);
subject.add("with a path", WITH_PATH, Peer.CLIENT).length(10, 2).length(13, 4).length(20, 4).length(40, 4);
subject.add("long", LONG, Peer.CLIENT).length(0, 4).length(6, 4).length(10, 2).length(13, 4);
subject.add("many", CALL + LONG + ONEWAY + WITH_PATH, Peer.CLIENT, 4);
conform(subject);

const frame = new Frame();
const view = new View();
const out = new ByteBuffer();

function decode(text: string, peer: Peer = Peer.CLIENT): Decoded {
  const bytes = hex(text);
  return dubboThrift.decode(atEdge(changetype<usize>(bytes), bytes.length), bytes.length, peer, MAX, frame);
}

function header(headers: Headers, key: string): string {
  const name = Bytes.of(key);
  return headers.get(name.ptr, name.length, view) ? String.UTF8.decodeUnsafe(view.ptr, view.length) : "-";
}

function set(headers: Headers, key: string, value: string): void {
  const name = Bytes.of(key);
  const bytes = Bytes.of(value);
  headers.set(name.ptr, name.length, bytes.ptr, bytes.length);
}

/** The frame decoded last, encoded with these headers and its own id and content; "" when refused. */
function encoded(headers: Headers): string {
  out.clear();
  const content = frame.ptr + frame.contentOffset;
  return dubboThrift.encode(frame, headers, content, frame.contentLength, frame.id, out) ? toHex(out) : "";
}

function refused(headers: Headers, what: string): void {
  expect(headers.changed).toBe(true, what);
  expect(encoded(headers)).toBe("", what);
  expect(dubboThrift.refusal).toBe(FIXED_FIELD, what);
}

function reply(code: i32, reason: string): string {
  const text = Bytes.of(reason);
  out.clear();
  dubboThrift.reply(frame.id, frame.aux, dubboThrift.toStatus(code), text.ptr, text.length, out);
  return toHex(out);
}

describe("dubbo-thrift frames", () => {
  test("MOSN's golden request", () => {
    expect(decode(CALL)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.REQUEST);
    expect(frame.id).toBe(7);
    expect(frame.timeout).toBe(0);
    expect(frame.contentOffset).toBe(44);
    expect(frame.contentLength).toBe(1);
    expect(frame.service(view) && Bytes.of("svc").equals(view.ptr, view.length)).toBe(true);
    expect(frame.method(view) && Bytes.of("ping").equals(view.ptr, view.length)).toBe(true);
  });

  test("a frame of L + 4 bytes is whole with the last of them, not with byte L", () => {
    expect(decode(CALL.substr(0, 2 * 41))).toBe(Decoded.MORE);
    expect(frame.need).toBe(45);
  });

  test("ONEWAY expects nothing; responses name no service", () => {
    expect(decode(ONEWAY)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.ONEWAY);
    expect(decode(REPLY, Peer.SERVER)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.RESPONSE);
    expect(frame.service(view)).toBe(false);
    expect(frame.status).toBe(Status.SUCCESS);
    expect(decode(HIJACK_504, Peer.SERVER)).toBe(Decoded.FRAME);
    expect(frame.status).toBe(Status.INTERNAL_ERROR);
  });

  test("the id is the end of the header, whatever is before it", () => {
    expect(decode(WITH_PATH)).toBe(Decoded.FRAME);
    expect(frame.id).toBe(0x0102030405060708);
    expect(decode(LONG)).toBe(Decoded.FRAME);
    expect(frame.id).toBe(0x0102030405060708);
    expect(frame.serviceLength).toBe(320);
    expect(frame.methodLength).toBe(240);
  });

  test("lengths that contradict each other can be answered once the id is known", () => {
    const bad = [
      CALL.replace("dabc00000029", "dabc00000028"),
      CALL.replace("80010001", "80010005"),
      CALL.replace("80010001", "80010000"),
      CALL.replace("80010001", "00000001"),
      CALL.replace("0000000470696e67", "0000000670696e67"),
      CALL.replace("0000000470696e67", "ffffffff70696e67"),
    ];
    for (let i = 0; i < bad.length; i++) {
      expect(decode(bad[i])).toBe(Decoded.ERROR, bad[i]);
      expect(frame.error).toBe(FrameError.HEADERS, bad[i]);
      expect(frame.answerable).toBe(true, bad[i]);
      expect(frame.length).toBe(45);
      expect(frame.id).toBe(7);
    }
    expect(decode(REPLY.replace("dabc00000029", "dabc00000028"), Peer.SERVER)).toBe(Decoded.ERROR);
    expect(frame.kind).toBe(FrameKind.RESPONSE);
    const nameless = [CALL.replace("0018", "0017"), CALL.replace("0018", "0030"), CALL.replace("03737663", "04737663")];
    for (let i = 0; i < nameless.length; i++) {
      expect(decode(nameless[i])).toBe(Decoded.ERROR, nameless[i]);
      expect(frame.answerable).toBe(false);
      expect(frame.length).toBe(45);
    }
  });

  test("a path that is not the service's, or more than a path before the id, is ambiguous", () => {
    const hidden = "00000000" + "0000000000000001" + "8001000100000006" + "736563726574" + "00000001" + "00";
    const bad = [
      "0000000473766332",
      "000000067365637265" + "74",
      "000000042f737664",
      "000000052f2f737663",
      "0000000373766300",
      "00000002737663",
      "00000004737663",
      "ffffffff737663",
      "00",
      "000000",
      hidden,
    ];
    for (let i = 0; i < bad.length; i++) {
      const bytes = framed(SERVICE + bad[i] + ID, MESSAGE + "00");
      expect(decode(bytes)).toBe(Decoded.ERROR, bad[i]);
      expect(frame.error).toBe(FrameError.AMBIGUOUS, bad[i]);
      expect(frame.answerable).toBe(true);
      expect(frame.id).toBe(0x0102030405060708);
      expect(frame.length).toBe(bytes.length >> 1);
      expect(reply(400, "").includes(MESSAGE.replace("80010001", "80010003"))).toBe(true, bad[i]);
      // What a server adds there nobody goes by.
      const answer = framed(SERVICE + bad[i] + ID, MESSAGE.replace("80010001", "80010002") + "00");
      expect(decode(answer, Peer.SERVER)).toBe(Decoded.FRAME, bad[i]);
    }
    const good = ["", "00000000", "00000003737663", "000000042f737663"];
    for (let i = 0; i < good.length; i++) {
      expect(decode(framed(SERVICE + good[i] + ID, MESSAGE + "00"))).toBe(Decoded.FRAME, good[i]);
      expect(frame.service(view) && Bytes.of("svc").equals(view.ptr, view.length)).toBe(true);
    }
  });

  test("other bytes", () => {
    const bad = ["00000029da", "00000029dabb", "00000020", "474554202f20"];
    for (let i = 0; i < bad.length; i++) {
      const bytes = hex(bad[i]);
      const answer = dubboThrift.detect(changetype<usize>(bytes), bytes.length);
      expect(answer).toBe(i == 0 ? Detected.MORE : Detected.NO, bad[i]);
      expect(decode(bad[i])).toBe(i == 0 ? Decoded.MORE : Decoded.ERROR, bad[i]);
      if (i > 0) expect(frame.answerable).toBe(false);
    }
  });

  test("a frame of 4 GiB is refused; nobody knows where the next one is", () => {
    expect(decode("ffffffff" + CALL.substr(8))).toBe(Decoded.ERROR);
    expect(frame.error).toBe(FrameError.TOO_LARGE);
    expect(frame.length).toBe(0);
  });
});

describe("dubbo-thrift headers", () => {
  test("MOSN's four", () => {
    decode(CALL);
    const model = Model.of(dubboThrift.headers(frame));
    expect(model.keys.length).toBe(4);
    const headers = dubboThrift.headers(frame);
    expect(header(headers, "service") + header(headers, "method")).toBe("svcping");
    expect(header(headers, "seqId") + header(headers, "messageType")).toBe("31");
    decode(REPLY.replace("0000000300", "8000000000"), Peer.SERVER);
    expect(header(dubboThrift.headers(frame), "seqId")).toBe("-2147483648");
    expect(header(dubboThrift.headers(frame), "messageType")).toBe("2");
  });

  test("service and method are rewritten, the path follows, everything else is left", () => {
    const other = "6f746865722e53657276696365";
    decode(WITH_PATH);
    let headers = dubboThrift.headers(frame);
    set(headers, "service", "other.Service");
    expect(encoded(headers)).toBe(framed("0000000d" + other + "0000000e2f" + other + ID, MESSAGE + "00"));
    set(headers, "method", "");
    const nameless = "8001000100000000" + "0000000300";
    expect(encoded(headers)).toBe(framed("0000000d" + other + "0000000e2f" + other + ID, nameless));
    set(headers, "service", "");
    expect(encoded(headers)).toBe(framed("00000000" + "000000012f" + ID, nameless));
    const paths = [SERVICE, "00000000"];
    const changed = ["0000000d" + other, "00000000"];
    for (let i = 0; i < paths.length; i++) {
      decode(framed(SERVICE + paths[i] + ID, MESSAGE + "00"));
      headers = dubboThrift.headers(frame);
      set(headers, "service", "other.Service");
      expect(encoded(headers)).toBe(framed("0000000d" + other + changed[i] + ID, MESSAGE + "00"));
    }
    const reply = framed(SERVICE + "000000026f6b" + ID, MESSAGE.replace("80010001", "80010002") + "00");
    decode(reply, Peer.SERVER);
    headers = dubboThrift.headers(frame);
    set(headers, "service", "other.Service");
    expect(encoded(headers).includes(other + "000000026f6b" + ID)).toBe(true);
  });

  test("the others are fixed, none can be removed or have two values: what would change that is refused", () => {
    const names = ["seqId", "messageType", "service", "method"];
    for (let answer = 0; answer < 2; answer++) {
      if (answer == 0) decode(CALL);
      else decode(REPLY, Peer.SERVER);
      for (let i = 0; i < names.length; i++) {
        const name = Bytes.of(names[i]);
        let headers = dubboThrift.headers(frame);
        expect(headers.remove(name.ptr, name.length)).toBe(0);
        refused(headers, names[i] + " removed");
        headers = dubboThrift.headers(frame);
        headers.add(name.ptr, name.length, name.ptr, name.length);
        refused(headers, names[i] + " added to");
        if (i > 1) continue;
        headers = dubboThrift.headers(frame);
        const was = header(headers, names[i]);
        set(headers, names[i], was);
        expect(headers.changed).toBe(false, "the same is no change");
        set(headers, names[i], "9");
        expect(header(headers, names[i])).toBe(was);
        refused(headers, names[i] + " set");
      }
    }
  });

  test("new headers have no place", () => {
    decode(CALL);
    const headers = dubboThrift.headers(frame);
    set(headers, "x", "y");
    expect(encoded(headers)).toBe("");
    const x = Bytes.of("x");
    expect(headers.remove(x.ptr, x.length)).toBe(1);
    expect(encoded(headers)).toBe(CALL);
    set(headers, "service", "a".repeat(0xffff));
    expect(encoded(headers)).toBe("");
  });
});

describe("dubbo-thrift replies", () => {
  test("MOSN's hijack, byte for byte", () => {
    decode(CALL);
    expect(reply(404, "404|router unavailable")).toBe(HIJACK_404);
    expect(reply(504, "504|timeout")).toBe(HIJACK_504);
  });

  test("MOSN's mapping", () => {
    const codes = [0, 3, 2, 502, 503, 509, 403, 500, 504, 404, 418];
    const types = [7, 7, 0, 0, 0, 0, 6, 6, 6, 1, 0];
    for (let i = 0; i < codes.length; i++) expect(dubboThrift.toStatus(codes[i])).toBe(types[i], codes[i].toString());
    expect(dubboThrift.toCode(Status.UNKNOWN_METHOD)).toBe(404);
    expect(dubboThrift.toCode(Status.UNKNOWN)).toBe(500);
  });

  test("success is the reply of a void method; no reason is some reason", () => {
    decode(CALL);
    expect(reply(200, "")).toBe(REPLY);
    expect(reply(500, "").includes("72656675736564")).toBe(true, "refused");
  });

  test("a client that writes a path gets one, and every request its own names", () => {
    decode(WITH_PATH);
    const message = MESSAGE.replace("80010001", "80010002");
    expect(reply(200, "")).toBe(framed(SERVICE + "00000000" + ID, message + "00"));
    decode(framed("0000000141" + ID, "80010001" + "0000000142" + "ffffffff" + "00"));
    expect(reply(200, "")).toBe(framed("0000000141" + ID, "80010002" + "0000000142" + "ffffffff" + "00"));
  });

  test("names that are too long, or gone for newer ones, are left empty", () => {
    const empty = framed("00000000" + ID, "80010002" + "00000000" + "00000003" + "00");
    decode(framed("00000200" + "61".repeat(512) + ID, MESSAGE + "00"));
    expect(reply(200, "")).toBe(empty);
    decode(framed("00000004" + word(0) + ID, MESSAGE + "00"));
    const first = frame.aux;
    for (let i = 1; i < 20000; i++) decode(framed("00000004" + word(i) + ID, MESSAGE + "00"));
    expect(reply(200, "")).toBe(framed("00000004" + word(19999) + ID, MESSAGE.replace("80010001", "80010002") + "00"));
    frame.aux = first;
    expect(reply(200, "")).toBe(empty);
  });
});
