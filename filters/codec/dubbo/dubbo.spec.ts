import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { MAX_DEPTH } from "../../../assembly/hessian/reader";
import { Decoded, Detected, Peer } from "../../../assembly/xprotocol/codec";
import { FrameError, FrameKind } from "../../../assembly/xprotocol/frame";
import * as frames from "../../../tests/unit/frames";
import { conform } from "../../../tests/unit/xprotocol/conformance";
import { Subject } from "../../../tests/unit/xprotocol/subject";
import { hex, toHex } from "../../../tests/unit/xprotocol/support";
import { dubbo, READS_ATTACHMENTS } from "./dubbo";
import { countTypes } from "./invocation";
import {
  decode,
  encoded,
  frame,
  get,
  map,
  method,
  prefix,
  replaced,
  request,
  response,
  s,
  service,
  set,
  shown,
} from "./testing";

const HEARTBEAT = "dabbe200" + "0000000000000009" + "00000001" + "4e";
const ACK = "dabb2214" + "0000000000000009" + "00000001" + "4e";
const READONLY = "dabba200" + "0000000000000003" + "00000002" + "0152";
/** The body of a request of a fastjson2 client, Dubbo 3.3.6, cut short. */
const FASTJSON = "dabbd700" + "6e0afef98c4551b7" + "00000011" + "000000064e322e302e320000000850782e";

const subject = new Subject(dubbo);
subject.goAway = true;
subject.textHeaders = true;
subject.uniqueKeys = true;
subject.opaqueContent = false;
subject.fields = ["dubbo", "service", "method", "version", "path"];
subject.maxHeaderBlock = 1 << 20;
subject.statuses = [20, 30, 40, 60, 70, 80];
subject.add("dubbo2-hello.c2s", frames.DUBBO2_HELLO_C2S, Peer.CLIENT).length(12, 4).length(16, 1).length(22, 1);
subject.length(47, 1).length(53, 1).length(62, 1).length(81, 1).length(88, 1).length(93, 1);
subject.add("dubbo2-pojo.c2s", frames.DUBBO2_POJO_C2S, Peer.CLIENT).length(12, 4).length(82, 1).length(101, 1);
subject.add("dubbo2-generic.c2s", frames.DUBBO2_GENERIC_C2S, Peer.CLIENT).length(12, 4);
subject.add("dubbo2-oneway.c2s", frames.DUBBO2_ONEWAY_C2S, Peer.CLIENT, 2);
subject.add("dubbo2-tag-attachments.c2s", frames.DUBBO2_TAG_ATTACHMENTS_C2S, Peer.CLIENT);
subject.add("dubbo2-two-concurrent.c2s", frames.DUBBO2_TWO_CONCURRENT_C2S, Peer.CLIENT, 6);
subject.add("dubbo2-heartbeat.c2s", frames.DUBBO2_HEARTBEAT_C2S, Peer.CLIENT, 4);
subject.add("dubbo2-hello.s2c", frames.DUBBO2_HELLO_S2C, Peer.SERVER).length(12, 4).length(17, 1).length(38, 1);
subject.add("dubbo2-tag-attachments.s2c", frames.DUBBO2_TAG_ATTACHMENTS_S2C, Peer.SERVER).length(12, 4);
subject.add("dubbo2-void.s2c", frames.DUBBO2_VOID_S2C, Peer.SERVER);
subject.add("dubbo2-heartbeat.s2c", frames.DUBBO2_HEARTBEAT_S2C, Peer.SERVER, 4);
subject.add("READONLY", READONLY, Peer.SERVER);
subject.add("and an error", frames.DUBBO2_POJO_S2C + frames.DUBBO2_NOSERVICE_S2C + FASTJSON, Peer.SERVER, 3);
conform(subject);

describe("dubbo frames", () => {
  test("recorded requests: kinds, names, ids", () => {
    expect(decode(frames.DUBBO2_HELLO_C2S)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.REQUEST);
    expect(service()).toBe("interop.api.HelloService");
    expect(method()).toBe("sayHello");
    expect(frame.timeout).toBe(0);
    expect(frame.aux).toBe(0x22);
    expect(frame.contentLength).toBe(6);
    expect(shown(dubbo.headers(frame))).toBe(
      "dubbo=2.0.2\nservice=interop.api.HelloService\nmethod=sayHello\nversion=0.0.0\npath=interop.api.HelloService\n" +
        "remote.application=dubbo2-client-app\ninterface=interop.api.HelloService\n",
    );
    expect(decode(frames.DUBBO2_ONEWAY_C2S)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.ONEWAY);
    expect(decode(frames.DUBBO2_GENERIC_C2S)).toBe(Decoded.FRAME);
    expect(method()).toBe("sayHello");
    expect(frame.generic).toBe(true);
    expect(get(dubbo.headers(frame), "generic")).toBe("true");
    expect(decode(frames.DUBBO2_TAG_ATTACHMENTS_C2S)).toBe(Decoded.FRAME);
    expect(get(dubbo.headers(frame), "dubbo.tag")).toBe("gray");
    expect(decode(frames.DUBBO2_NOSERVICE_C2S)).toBe(Decoded.FRAME);
    expect(get(dubbo.headers(frame), "group")).toBe("nope");
  });

  test("recorded responses: exceptions are a success; the content ends at the attachments once they are asked for", () => {
    expect(decode(frames.DUBBO2_EXCEPTION_S2C, Peer.SERVER)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.RESPONSE);
    expect(dubbo.toCode(frame.status)).toBe(200);
    expect(decode(frames.DUBBO2_NOSERVICE_S2C, Peer.SERVER)).toBe(Decoded.FRAME);
    expect(dubbo.toCode(frame.status)).toBe(500);
    expect(shown(dubbo.headers(frame))).toBe("");
    expect(decode(frames.DUBBO2_TAG_ATTACHMENTS_S2C, Peer.SERVER)).toBe(Decoded.FRAME);
    const whole = frame.contentLength;
    expect(shown(dubbo.headers(frame))).toBe("dubbo=2.0.2\nresp-from=D2\n");
    expect(frame.contentLength).toBe(whole - 27);
    expect(decode(frames.DUBBO2_VOID_S2C, Peer.SERVER)).toBe(Decoded.FRAME);
    expect(get(dubbo.headers(frame), "dubbo")).toBe("2.0.2");
    expect(frame.contentLength).toBe(0);
  });

  test("events", () => {
    expect(decode(HEARTBEAT)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.HEARTBEAT);
    expect(decode(ACK, Peer.SERVER)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.HEARTBEAT_ACK);
    expect(decode(READONLY, Peer.SERVER)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.GOAWAY);
    expect(decode(READONLY.replace("0152", "0157"), Peer.SERVER)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.HEARTBEAT_ACK, "WRITEABLE asks for nothing");
    // Of fastjson2: "R", and null.
    expect(decode("dabbb700" + "0000000000000003" + "00000006" + "000000024a52", Peer.SERVER)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.GOAWAY);
    expect(decode("dabbf700" + "0000000000000009" + "00000005" + "00000001af")).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.HEARTBEAT);
    const out = new ByteBuffer();
    dubbo.heartbeatAck(frame.id, frame.aux, out);
    expect(toHex(out)).toBe("dabb3714" + "0000000000000009" + "00000005" + "00000001af");
  });

  test("what the proxy writes is what Dubbo writes", () => {
    const out = new ByteBuffer();
    dubbo.heartbeat(9, 0, out);
    dubbo.heartbeatAck(9, 2, out);
    dubbo.goAway(3, out);
    expect(toHex(out)).toBe(HEARTBEAT + ACK + READONLY);
    out.clear();
    dubbo.reply(5, 2, dubbo.toStatus(404), 0, 0, out);
    expect(toHex(out)).toBe("dabb023c000000000000000500000017163430347c726f7574657220756e617661696c61626c65");
    out.clear();
    dubbo.reply(5, 2, dubbo.toStatus(504), 0, 0, out);
    expect(toHex(out)).toBe("dabb021e00000000000000050000000c0b3530347c74696d656f7574");
  });

  test("a good reply has a value: the reason, or null", () => {
    const out = new ByteBuffer();
    const reason = Bytes.of("né");
    dubbo.reply(5, 2, 20, reason.ptr, reason.length, out);
    expect(toHex(out)).toBe("dabb02140000000000000005" + "00000005" + "91" + "026ec3a9");
    out.clear();
    dubbo.reply(5, 2, 20, 0, 0, out);
    expect(toHex(out)).toBe("dabb02140000000000000005" + "00000001" + "92");
    out.clear();
    const bad = hex("61ff");
    dubbo.reply(5, 2, 70, changetype<usize>(bad), 2, out);
    expect(toHex(out)).toBe("dabb02460000000000000005" + "00000003" + "02613f");
  });

  test("a long reason is cut between characters", () => {
    const out = new ByteBuffer();
    const reason = Bytes.of("x" + "漢".repeat(1000));
    dubbo.reply(5, 2, 70, reason.ptr, reason.length, out);
    expect(toHex(out).substr(32, 6)).toBe("315678", "342 characters");
    expect(out.length).toBe(16 + 2 + 1 + 341 * 3);
  });

  test("the timeout attachment is the frame's", () => {
    const texts = ["3000", "", "0", "-1", "1e3", "99999999999"];
    const values = [3000, 0, 0, 0, 0, i32.MAX_VALUE];
    for (let i = 0; i < texts.length; i++) {
      expect(decode(request(prefix("") + map(["a", "b", "timeout", texts[i], "c", "d"])))).toBe(Decoded.FRAME);
      expect(frame.timeout).toBe(values[i], texts[i]);
    }
    const numbers = [
      "cbe8",
      "39fff0",
      "4c00000000000003e8",
      "5e03e8",
      "444 08f400000000000".replace(" ", ""),
      "52000231" + "30" + "02" + "3030",
      "54",
    ];
    const means = [1000, 0, 1000, 1000, 1000, 1000, 0];
    for (let i = 0; i < numbers.length; i++) {
      const body = prefix("") + "48" + s("timeout") + numbers[i] + s("x") + "90" + "5a";
      expect(decode(request(body))).toBe(Decoded.FRAME, numbers[i]);
      expect(frame.timeout).toBe(means[i], numbers[i]);
    }
    expect(decode(request(prefix("") + "48" + s("timeout") + "90" + "90" + s("timeout") + "5a"))).toBe(Decoded.FRAME);
    expect(frame.timeout).toBe(0);
    expect(decode(request(prefix("") + "48" + s("timeout") + "4e" + "5a"))).toBe(Decoded.FRAME);
    expect(frame.timeout).toBe(0);
  });

  test("other serializations pass", () => {
    expect(decode(FASTJSON)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.REQUEST);
    expect(frame.id).toBe(0x6e0afef98c4551b7);
    expect(service() + method()).toBe("--");
    const headers = dubbo.headers(frame);
    expect(shown(headers)).toBe("");
    expect(encoded(headers)).toBe(FASTJSON);
    expect(replaced(headers, "0102")).toBe(FASTJSON.substr(0, 24) + "00000002" + "0102");
    set(headers, "k", "v");
    expect(encoded(headers)).toBe("");
  });

  test("detection", () => {
    const bytes = hex("dabb");
    expect(dubbo.detect(changetype<usize>(bytes), 1)).toBe(Detected.MORE);
    expect(dubbo.detect(changetype<usize>(bytes), 2)).toBe(Detected.YES);
    const other = hex("dabc");
    expect(dubbo.detect(changetype<usize>(other), 2)).toBe(Detected.NO, "dubbo-thrift");
  });
});

describe("dubbo arguments", () => {
  test("the types of the parameters tell how many: those that servers find", () => {
    const types = ["", "I", "ZBCDFIJSV", "Ljava/lang/String;", "[[ILa/B;[La/B;J", "LL;;", "I II", "LLa;", "La$_9/B2;"];
    const counts = [0, 1, 9, 1, 4, 1, 3, 1, 1];
    for (let i = 0; i < types.length; i++) {
      const bytes = Bytes.of(types[i]);
      expect(countTypes(bytes.ptr, bytes.length)).toBe(counts[i], types[i]);
    }
    const odd = ["[", "I[", "L", "La/B", "X", "i", "La//B;", "La/;", "L;", "L9;", "La.b;", "\0", "L".repeat(10000)];
    const found = [0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for (let i = 0; i < odd.length; i++) {
      const bytes = Bytes.of(odd[i]);
      expect(countTypes(bytes.ptr, bytes.length)).toBe(found[i], odd[i]);
    }
  });

  test("a map is an argument as long as arguments are missing, then the attachments; these may be missing, too", () => {
    expect(decode(request(prefix("Ljava/util/Map;") + map(["k", "v"]) + map(["k", "w"])))).toBe(Decoded.FRAME);
    expect(get(dubbo.headers(frame), "k")).toBe("w");
    expect(decode(request(prefix("Ljava/util/Map;") + map(["k", "v"])))).toBe(Decoded.FRAME);
    const headers = dubbo.headers(frame);
    expect(get(headers, "k")).toBe("-");
    set(headers, "k", "w");
    expect(encoded(headers)).toBe(request(prefix("Ljava/util/Map;") + map(["k", "v"]) + map(["k", "w"])));
    expect(decode(request(prefix("I") + "90" + "4e"))).toBe(Decoded.FRAME);
    const none = dubbo.headers(frame);
    set(none, "k", "w");
    expect(encoded(none)).toBe(request(prefix("I") + "90" + map(["k", "w"])));
  });

  test("arguments and attachments that cannot be read cost the attachments, not the call", () => {
    const head = prefix("I");
    const bad = [
      "",
      "40" + map([]),
      "79".repeat(MAX_DEPTH + 1) + "90" + map([]),
      "58497fffffff" + map([]),
      "5190" + map([]),
      "05" + "ff".repeat(5) + map(["timeout", "5"]),
      "90" + "90",
      "90" + s("a string"),
      "90" + "48" + s("k"),
      "90" + "48" + s("k") + "5a",
      "90" + "48" + s("k") + "79".repeat(MAX_DEPTH + 1) + "90" + "5a",
    ];
    for (let i = 0; i < bad.length; i++) {
      expect(decode(request(head + bad[i]))).toBe(Decoded.FRAME, bad[i]);
      expect(service() + method()).toBe("Pm", bad[i]);
      expect(frame.timeout).toBe(0, bad[i]);
      expect(frame.contentLength).toBe(bad[i].length >> 1, bad[i]);
      const headers = dubbo.headers(frame);
      expect(shown(headers)).toBe("dubbo=2.0.2\nservice=P\nmethod=m\nversion=1.0\n", bad[i]);
      expect(encoded(headers)).toBe(request(head + bad[i]), bad[i]);
      set(headers, "k", "v");
      expect(encoded(headers)).toBe("", bad[i]);
    }
  });

  test("a body that is no call passes as it came", () => {
    const bodies = [
      "",
      s("2.0.2"),
      "43" + s("a.B") + "90" + "60",
      "90",
      map(["path", "P"]),
      s("a") + s("b") + s("c") + s("d"),
    ];
    for (let i = 0; i < bodies.length; i++) {
      expect(decode(request(bodies[i]))).toBe(Decoded.FRAME, bodies[i]);
      expect(frame.kind).toBe(FrameKind.REQUEST);
      expect(service() + method()).toBe("--", bodies[i]);
      const headers = dubbo.headers(frame);
      expect(shown(headers)).toBe("", bodies[i]);
      expect(encoded(headers)).toBe(request(bodies[i]), bodies[i]);
    }
  });

  test("dubbox has a number in place of the types, or before them", () => {
    const head = s("2.8.4") + s("P") + s("1.0") + s("m");
    expect(decode(request(head + "92" + "91" + s("x") + map(["timeout", "7"])))).toBe(Decoded.FRAME);
    expect(frame.timeout).toBe(7);
    expect(frame.contentLength).toBe(3);
    expect(decode(request(head + "8f" + s("I") + "91" + map(["timeout", "8"])))).toBe(Decoded.FRAME);
    expect(frame.timeout).toBe(8);
    const headers = dubbo.headers(frame);
    set(headers, "method", "n");
    const after = s("2.8.4") + s("P") + s("1.0") + s("n") + "8f" + s("I") + "91" + map(["timeout", "8"]);
    expect(encoded(headers)).toBe(request(after));
  });

  test("a response that cannot be read passes, without headers", () => {
    const bad = ["", "96", "91", "94", "9448", "95" + "90", "935190" + map([]), "0100"];
    for (let i = 0; i < bad.length; i++) {
      expect(decode(response(bad[i]), Peer.SERVER)).toBe(Decoded.FRAME, bad[i]);
      const headers = dubbo.headers(frame);
      expect(shown(headers)).toBe("");
      expect(encoded(headers)).toBe(response(bad[i]), bad[i]);
      set(headers, "k", "v");
      expect(encoded(headers)).toBe("", bad[i]);
    }
  });

  test("a value that cannot be read is all that is there, where no attachments follow", () => {
    const value = "79".repeat(MAX_DEPTH + 1) + "90";
    expect(decode(response("91" + value), Peer.SERVER)).toBe(Decoded.FRAME);
    const headers = dubbo.headers(frame);
    set(headers, "k", "v");
    frame.requestAux = READS_ATTACHMENTS;
    expect(encoded(headers)).toBe(response("94" + value + map(["k", "v"])));
  });

  test("nobody knows where the next frame is behind one of 4 GiB, or behind other bytes", () => {
    expect(decode("dabbc2000000000000000005ffffffff")).toBe(Decoded.ERROR);
    expect(frame.error).toBe(FrameError.TOO_LARGE);
    expect(frame.answerable).toBe(true);
    expect(frame.length).toBe(0);
    expect(decode("da00")).toBe(Decoded.ERROR);
    expect(frame.error).toBe(FrameError.MALFORMED);
    expect(frame.answerable).toBe(false);
  });
});

describe("dubbo statuses", () => {
  test("MOSN's mapping, and back", () => {
    const codes = [200, 404, 502, 503, 0, 3, 504, 403, 2, 500, 509, 418];
    const statuses = [20, 60, 60, 40, 70, 70, 30, 80, 70, 70, 40, 70];
    for (let i = 0; i < codes.length; i++) expect(dubbo.toStatus(codes[i])).toBe(statuses[i], codes[i].toString());
    const known = [20, 25, 30, 31, 35, 40, 50, 60, 70, 80, 90, 100, 77];
    const back = [200, 500, 504, 504, 502, 400, 502, 404, 500, 500, 500, 503, 500];
    for (let i = 0; i < known.length; i++) expect(dubbo.toCode(known[i])).toBe(back[i], known[i].toString());
  });
});
