import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { Decoded, Peer } from "../../../assembly/xprotocol/codec";
import { FrameError, FrameKind } from "../../../assembly/xprotocol/frame";
import * as frames from "../../../tests/unit/frames";
import { conform } from "../../../tests/unit/xprotocol/conformance";
import { Subject } from "../../../tests/unit/xprotocol/subject";
import { atEdge, hex, Random, toHex } from "../../../tests/unit/xprotocol/support";
import { dubbo, READS_ATTACHMENTS } from "./dubbo";
import { allowValues, appendInt, intEnd, lastInt, MAX_DEPTH, MAX_VALUES, valueEnd } from "./jsonb";
import {
  b,
  decode,
  encoded,
  frame,
  get,
  json,
  jsonMap,
  jsonRequest,
  jsonResponse,
  method,
  remove,
  replaced,
  service,
  set,
  shown,
  v,
} from "./testing";

const subject = new Subject(dubbo);
subject.goAway = true;
subject.textHeaders = true;
subject.uniqueKeys = true;
subject.opaqueContent = false;
subject.fields = ["dubbo", "service", "method", "version", "path", "timeout"];
subject.maxHeaderBlock = 1 << 20;
subject.statuses = [20, 30, 40, 60, 70, 80];
subject
  .add("fastjson2-hello.c2s", frames.DUBBO3_FASTJSON2_HELLO_C2S, Peer.CLIENT)
  .length(12, 4)
  .length(16, 4)
  .length(26, 4);
subject.length(112, 4).length(20, 1).length(117, 1);
subject.add("fastjson2-att.c2s", frames.DUBBO3_FASTJSON2_ATT_C2S, Peer.CLIENT);
subject.add("fastjson2-pojo.c2s", frames.DUBBO3_FASTJSON2_POJO_C2S, Peer.CLIENT);
subject.add("fastjson2-oneway.c2s", frames.DUBBO3_FASTJSON2_ONEWAY_C2S, Peer.CLIENT);
subject.add("fastjson2-hello.s2c", frames.DUBBO3_FASTJSON2_HELLO_S2C, Peer.SERVER).length(12, 4).length(16, 4);
subject.add("fastjson2-att.s2c", frames.DUBBO3_FASTJSON2_ATT_S2C, Peer.SERVER);
subject.add("fastjson2-pojo.s2c", frames.DUBBO3_FASTJSON2_POJO_S2C, Peer.SERVER);
subject.add("fastjson2-exception.s2c", frames.DUBBO3_FASTJSON2_EXCEPTION_S2C, Peer.SERVER);
subject.add("fastjson2-void.s2c", frames.DUBBO3_FASTJSON2_VOID_S2C, Peer.SERVER);
conform(subject);

describe("dubbo in fastjson2", () => {
  test("recorded requests: names, timeout, attachments", () => {
    expect(decode(frames.DUBBO3_FASTJSON2_ATT_C2S)).toBe(Decoded.FRAME);
    expect(service() + " " + method()).toBe("interop.api.HelloService context");
    expect(frame.timeout).toBe(3000);
    expect(frame.contentLength).toBe(0);
    expect(shown(dubbo.headers(frame))).toBe(
      "dubbo=2.0.2\nservice=interop.api.HelloService\nmethod=context\nversion=0.0.0\npath=interop.api.HelloService\n" +
        "remote.application=dubbo3-client-app\ninterface=interop.api.HelloService\ntenant=t1\ntimeout=3000\n" +
        "dubbo.tag=gray\n",
    );
    expect(decode(frames.DUBBO3_FASTJSON2_ONEWAY_C2S)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.ONEWAY);
    expect(get(dubbo.headers(frame), "return")).toBe("false");
    expect(decode(frames.DUBBO3_FASTJSON2_POJO_C2S)).toBe(Decoded.FRAME);
    expect(method()).toBe("person");
    expect(frame.contentLength).toBe(0x7e + 4);
  });

  test("recorded responses", () => {
    expect(decode(frames.DUBBO3_FASTJSON2_ATT_S2C, Peer.SERVER)).toBe(Decoded.FRAME);
    expect(shown(dubbo.headers(frame))).toBe("dubbo=2.0.2\nresp-from=dubbo3-18720\n");
    expect(frame.contentLength).toBe(0x7e + 4);
    expect(decode(frames.DUBBO3_FASTJSON2_EXCEPTION_S2C, Peer.SERVER)).toBe(Decoded.FRAME);
    expect(shown(dubbo.headers(frame))).toBe("dubbo=2.0.2\n");
    expect(decode(frames.DUBBO3_FASTJSON2_VOID_S2C, Peer.SERVER)).toBe(Decoded.FRAME);
    expect(shown(dubbo.headers(frame))).toBe("dubbo=2.0.2\n");
    expect(frame.contentLength).toBe(0);
  });

  test("service, method, version and attachments change where they are; lengths follow", () => {
    const pairs = ["path", "P", "interface", "P", "version", "1.0", "x", "y"];
    expect(decode(jsonRequest(json("I") + v("07") + jsonMap(pairs)))).toBe(Decoded.FRAME);
    const headers = dubbo.headers(frame);
    set(headers, "service", "Q");
    set(headers, "method", "other");
    set(headers, "version", "2.0");
    set(headers, "x", "é");
    set(headers, "long", "l".repeat(50));
    const head = v(b("2.0.2")) + v(b("Q")) + v(b("2.0")) + v(b("other")) + v(b("I"));
    const map =
      "a6" +
      b("path") +
      b("Q") +
      b("interface") +
      b("Q") +
      b("x") +
      "7a02c3a9" +
      b("long") +
      "793832" +
      "6c".repeat(50);
    expect(encoded(headers)).toBe(jsonRequest(head + v("07") + v(map + b("version") + b("2.0") + "a5")));
    expect(remove(headers, "version")).toBe(1);
    expect(encoded(headers).includes(v("af"))).toBe(true, "a version that is removed is null");
    const bad = hex("ff");
    const name = Bytes.of("x");
    headers.set(name.ptr, name.length, changetype<usize>(bad), 1);
    expect(encoded(headers)).toBe("", "no text");
  });

  test("attachments may be missing, null, or a map that names its class", () => {
    expect(decode(jsonRequest(json("")))).toBe(Decoded.FRAME);
    let headers = dubbo.headers(frame);
    set(headers, "k", "v");
    expect(encoded(headers)).toBe(jsonRequest(json("") + jsonMap(["k", "v"])));
    expect(decode(jsonRequest(json("") + v("af")))).toBe(Decoded.FRAME);
    headers = dubbo.headers(frame);
    set(headers, "k", "v");
    expect(encoded(headers)).toBe(jsonRequest(json("") + jsonMap(["k", "v"])));
    const typed = "92" + b("java.util.TreeMap") + "00" + "a6";
    expect(decode(jsonRequest(json("") + v(typed + b("timeout") + b("5") + "a5")))).toBe(Decoded.FRAME);
    expect(frame.timeout).toBe(5);
    headers = dubbo.headers(frame);
    set(headers, "timeout", "66");
    expect(encoded(headers)).toBe(jsonRequest(json("") + v(typed + b("timeout") + b("66") + "a5")));
  });

  test("values of all kinds are kept, and shown where they have a text", () => {
    const kinds = [
      "07",
      "f0",
      "3801",
      "37ff",
      "440001",
      "48000f4240",
      "bd80",
      "bcff00",
      "d8",
      "d001",
      "c40001",
      "bf00000009",
    ];
    const texts = ["7", "-16", "1", "-1", "1", "1000000", "-128", "-256", "-8", "1", "1", "9"];
    for (let i = 0; i < kinds.length; i++) expect(one(kinds[i])).toBe(texts[i], kinds[i]);
    const more = [
      "be00000000000003e8",
      "b1",
      "b0",
      "b2",
      "b3",
      "b53ff8000000000000",
      "b73fc00000",
      "7902c3a9",
      "7c04e9006100",
      "7d0400e90061",
      "7c043dd800de",
      "7a03e282ac",
    ];
    const mean = ["1000", "true", "false", "0.0", "1.0", "1.5", "1.5", "Ã©", "éa", "éa", "😀", "€"];
    for (let i = 0; i < more.length; i++) expect(one(more[i])).toBe(mean[i], more[i]);
    const none = [
      "af",
      "94",
      "a6a5",
      "9102ffff",
      "930124".replace("01", "4a"),
      "ba07",
      "b407",
      "b607",
      "7b0200ff",
      "7e02c4e3",
      "ac00000000",
    ];
    for (let i = 0; i < none.length; i++) expect(one(none[i])).toBe("-", none[i]);
  });

  test("a timeout of any kind counts", () => {
    const kinds = [b("300"), "39" + "2c", "be000000000000012c", "b5" + "4072c00000000000", "b1", "f0", "af"];
    const values = [300, 300, 300, 300, 0, 0, 0];
    for (let i = 0; i < kinds.length; i++) {
      expect(decode(jsonRequest(json("") + v("a6" + b("timeout") + kinds[i] + "a5")))).toBe(Decoded.FRAME, kinds[i]);
      expect(frame.timeout).toBe(values[i], kinds[i]);
    }
  });

  test("a client that reads no attachments gets none", () => {
    expect(decode(jsonResponse(v("bd01") + v("07")), Peer.SERVER)).toBe(Decoded.FRAME);
    const headers = dubbo.headers(frame);
    set(headers, "k", "v");
    expect(encoded(headers)).toBe("");
    frame.requestAux = READS_ATTACHMENTS;
    expect(encoded(headers)).toBe(jsonResponse(v("bd04") + v("07") + jsonMap(["k", "v"])));
    expect(decode(jsonResponse(v("02")), Peer.SERVER)).toBe(Decoded.FRAME);
    expect(replaced(dubbo.headers(frame), v("07"))).toBe(jsonResponse(v("bd01") + v("07")));
  });

  test("replies are in fastjson2", () => {
    const out = new ByteBuffer();
    const reason = Bytes.of("no");
    expect(decode(frames.DUBBO3_FASTJSON2_HELLO_C2S)).toBe(Decoded.FRAME);
    dubbo.reply(1, frame.aux, 20, reason.ptr, reason.length, out);
    expect(toHex(out)).toBe("dabb171400000000000000010000000d" + v("bd01") + v(b("no")));
    out.clear();
    dubbo.reply(1, frame.aux, 60, 0, 0, out);
    expect(toHex(out)).toBe("dabb173c00000000000000010000001b" + v(b("404|router unavailable")));
    out.clear();
    dubbo.reply(1, 8, 70, reason.ptr, reason.length, out);
    expect(toHex(out).substr(0, 8)).toBe("dabb0246", "Kryo");
  });

  test("a generic call is what it means", () => {
    const types = "Ljava/lang/String;[Ljava/lang/String;[Ljava/lang/Object;";
    const head =
      v(b("2.0.2")) +
      v(b("P")) +
      v(b("1.0")) +
      v(b("$invoke")) +
      v("7938" + types.length.toString(16) + b(types).substr(2));
    expect(decode(jsonRequest(head + v(b(" real ")) + v("94") + v("94") + jsonMap([])))).toBe(Decoded.FRAME);
    expect(method()).toBe("real");
    expect(frame.generic).toBe(true);
    expect(decode(jsonRequest(head + v("7c0461006200") + v("94") + v("94") + jsonMap([])))).toBe(Decoded.ERROR);
    expect(frame.error).toBe(FrameError.AMBIGUOUS);
  });

  test("names that have another spelling are refused, and so are attachments that servers read in another way", () => {
    const names = ["7c025000", "7d020050", "7e0150", "7b0250", "07", "b1", "7a02c1a1", "4ae9", "7f" + b("P") + "00"];
    for (let i = 0; i < names.length; i++) {
      expect(decode(jsonRequest(v(b("2.0.2")) + v(names[i]) + v(b("1")) + v(b("m")) + v("49")))).toBe(
        Decoded.ERROR,
        names[i],
      );
      expect(frame.error).toBe(FrameError.AMBIGUOUS);
    }
    const pairs = [
      b("path") + b("P") + b("path") + b("Q"),
      b("path") + "07",
      b("group") + "9324".replace("24", b("$.a")),
      "7f" + b("path") + "00" + b("Q"),
      "7c08" + "7000610074006800" + b("Q"),
      "7a02c1a1" + b("Q"),
      "93" + b("$.a") + b("Q"),
      "07" + b("Q"),
    ];
    for (let i = 0; i < pairs.length; i++) {
      expect(decode(jsonRequest(json("") + v("a6" + pairs[i] + "a5")))).toBe(Decoded.ERROR, pairs[i]);
      expect(frame.error).toBe(FrameError.AMBIGUOUS);
    }
    expect(decode(jsonRequest(json("") + v(b("path") + b("Q") + "a5")))).toBe(
      Decoded.ERROR,
      "fastjson2 reads pairs without their beginning",
    );
    expect(decode(jsonRequest(json("") + v("a6" + "a5" + "a5")))).toBe(Decoded.ERROR, "behind the map");
    expect(decode(jsonRequest(json("") + v("a6" + "7c0261 4e".replace(" ", "") + b("Q") + "a5")))).toBe(
      Decoded.FRAME,
      "a foreign key",
    );
    expect(shown(dubbo.headers(frame)).includes("Q")).toBe(false);
  });

  test("what cannot be read costs the attachments, not the call", () => {
    const bad = [
      "00000001",
      "ffffffff",
      v("a6" + b("k")),
      v("a6" + b("k") + "99"),
      v("a6" + b("k") + "79ff"),
      v("a6"),
      v("07"),
    ];
    for (let i = 0; i < bad.length; i++) {
      expect(decode(jsonRequest(json("") + bad[i]))).toBe(Decoded.FRAME, bad[i]);
      expect(service() + method()).toBe("Pm");
      expect(shown(dubbo.headers(frame))).toBe("dubbo=2.0.2\nservice=P\nmethod=m\nversion=1.0\n");
    }
    const others = ["", v(b("R")), v("92" + b("a.B") + "00" + "a6a5"), v("94"), "00"];
    for (let i = 0; i < others.length; i++) {
      expect(decode(jsonRequest(others[i]))).toBe(Decoded.FRAME, others[i]);
      expect(service() + method()).toBe("--");
    }
  });
});

describe("JSONB", () => {
  test("ints in their shortest form", () => {
    const values = [0, 47, 48, 2047, 2048, 262143, 262144, 1 << 30];
    const forms = ["00", "2f", "3830", "3fff", "440800", "47ffff", "4800040000", "4840000000"];
    for (let i = 0; i < values.length; i++) {
      const out = new ByteBuffer();
      appendInt(out, values[i]);
      expect(toHex(out)).toBe(forms[i]);
      expect(intEnd(out.ptr, out.ptr + out.length)).toBe(out.ptr + out.length);
      expect(lastInt()).toBe(values[i]);
    }
  });

  test("values end where they end, and nowhere before", () => {
    allowValues();
    const values = [
      "9002",
      "a7010203" + "00",
      "a80102030405060700",
      "aa0102030405060700" + b("UTC"),
      "ae010203040506070800",
      "b90207",
      "b902bb0101",
      "bb020101",
      "a40148" + "00000001",
      "97010203",
      "a6" + b("k") + "96" + "01" + b("x") + "a5",
      "92" + b("t") + "00" + "a6" + "7f" + b("f") + "01" + "92" + "7f00" + "a6a5" + "7f01" + "93" + b("$") + "a5",
    ];
    for (let i = 0; i < values.length; i++) {
      const bytes = hex(values[i]);
      const at = atEdge(changetype<usize>(bytes), bytes.length);
      expect(valueEnd(at, at + bytes.length)).toBe(at + bytes.length, values[i]);
      for (let n = 0; n < bytes.length; n++) {
        const cut = atEdge(changetype<usize>(bytes), n);
        expect(valueEnd(cut, cut + n)).toBe(0, values[i]);
      }
    }
  });

  test("values are bounded", () => {
    const count = 1000000;
    const list = new StaticArray<u8>(6 + count);
    list.fill(0xaf);
    const head = hex("a448000f4240");
    memory.copy(changetype<usize>(list), changetype<usize>(head), 6);
    const at = changetype<usize>(list);
    const end = at + list.length;
    allowValues();
    expect(valueEnd(at, end)).toBe(end);
    // What is left is less than another list of a million.
    expect(MAX_VALUES - count - 1 < count).toBe(true);
    expect(valueEnd(at, end)).toBe(0);
  });

  test("nesting is bounded, and random bytes do no harm", () => {
    allowValues();
    const deep = hex("95".repeat(MAX_DEPTH) + "01");
    expect(valueEnd(changetype<usize>(deep), changetype<usize>(deep) + deep.length) != 0).toBe(true);
    const deeper = hex("95".repeat(MAX_DEPTH + 1) + "01");
    expect(valueEnd(changetype<usize>(deeper), changetype<usize>(deeper) + deeper.length)).toBe(0);
    const random = new Random(7);
    const bytes = new StaticArray<u8>(40);
    for (let round = 0; round < 100000; round++) {
      for (let i = 0; i < 40; i++) bytes[i] = random.below(256) as u8;
      const n = random.below(41);
      const at = atEdge(changetype<usize>(bytes), n);
      allowValues();
      const end = valueEnd(at, at + n);
      if (end > at + n) expect(end).toBe(at + n);
    }
  });
});

/** The text of an attachment that is kept. */
function one(value: string): string {
  const body = jsonRequest(json("") + v("a6" + b("k") + value + b("x") + b("y") + "a5"));
  if (decode(body) != Decoded.FRAME) return "not decoded";
  const headers = dubbo.headers(frame);
  const text = get(headers, "k");
  set(headers, "x", "z");
  const kept = value.startsWith("7a") ? "" : b("k") + value;
  const after = jsonRequest(json("") + v("a6" + kept + b("x") + b("z") + "a5"));
  return kept.length > 0 && encoded(headers) != after ? "other bytes" : text;
}
