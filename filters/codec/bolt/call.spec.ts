// Which call a request is: what rules see has to be what the server carries out.
import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { Decoded, Peer } from "../../../assembly/xprotocol/codec";
import { Frame, FrameError, FrameKind } from "../../../assembly/xprotocol/frame";
import * as frames from "../../../tests/unit/frames";
import { atEdge, hex, Model } from "../../../tests/unit/xprotocol/support";
import { bolt } from "./bolt";

const MAX: i32 = 1 << 20;
const CLASS = "com.alipay.sofa.rpc.core.request.SofaRequest";
const FIELDS = ["targetAppName", "methodName", "targetServiceUniqueName", "requestProps", "methodArgSigs"];
const NULL = "4e";

const frame = new Frame();
const again = new Frame();
const view = new View();

function utf8(text: string): string {
  const bytes = Bytes.of(text);
  let out = "";
  for (let i = 0; i < bytes.length; i++)
    out += load<u8>(bytes.ptr + i)
      .toString(16)
      .padStart(2, "0");
  return out;
}

function word(value: i32, digits: i32): string {
  return value.toString(16).padStart(digits, "0");
}

/** A string of Hessian, of less than 32 characters. */
function text(value: string): string {
  return word(value.length, 2) + utf8(value);
}

/** A pair of the header block. */
function pair(key: string, value: string): string {
  return word(Bytes.of(key).length, 8) + utf8(key) + word(Bytes.of(value).length, 8) + utf8(value);
}

/** A request with id 7 of this class; block and content in hex. */
function request(name: string, block: string, content: string, codec: i32 = 1): string {
  const lengths = word(name.length, 4) + word(block.length >> 1, 4) + word(content.length >> 1, 8);
  return "010100010100000007" + word(codec, 2) + "ffffffff" + lengths + utf8(name) + block + content;
}

/** A SofaRequest of the draft with these fields, and their values in hex. */
function object(fields: string[], values: string[], name: string = CLASS): string {
  let out = "4f" + word(0x90 + name.length, 2) + utf8(name) + word(0x90 + fields.length, 2);
  for (let i = 0; i < fields.length; i++) out += text(fields[i]);
  return out + "6f90" + values.join("");
}

/** What Java sends, up to the arguments. */
function usual(method: string, service: string): string {
  return object(FIELDS, [NULL, text(method), text(service), "4d7a", "567400075b737472696e676e007a"]);
}

function decode(bytes: string): Decoded {
  const all = hex(bytes);
  return bolt.decode(atEdge(changetype<usize>(all), all.length), all.length, Peer.CLIENT, MAX, frame);
}

/** "SERVICE METHOD" of a request, or the error. */
function named(bytes: string): string {
  if (decode(bytes) != Decoded.FRAME) {
    expect(frame.answerable && frame.id == 7 && frame.length == bytes.length >> 1).toBe(true);
    return frame.error == FrameError.AMBIGUOUS ? "ambiguous" : frame.error == FrameError.HEADERS ? "headers" : "?";
  }
  frame.service(view);
  const service = String.UTF8.decodeUnsafe(view.ptr, view.length);
  frame.method(view);
  return service + " " + String.UTF8.decodeUnsafe(view.ptr, view.length);
}

/** Of a SofaRequest with this block and this content. */
function sofa(block: string, content: string = usual("m", "B")): string {
  return named(request(CLASS, block, content));
}

describe("the service of a request of SOFARPC", () => {
  test("is the header's, as since 5.7.10, and else the content's", () => {
    expect(sofa("")).toBe("B m");
    expect(sofa(pair("service", "S"))).toBe("S m");
    expect(sofa(pair("sofa_head_target_service", "T"))).toBe("T m");
    expect(sofa(pair("service", "S") + pair("sofa_head_target_service", "S"))).toBe("S m");
    expect(sofa(pair("Service", "S"))).toBe("B m");
  });

  test("is the content's where the header's is blank, whatever the target", () => {
    const blanks = ["", " ", "\t\n\v\f\r ", "\x1c\x1d\x1e\x1f", "\u2003", "\u3000 \u1680", "\u2028\u2029\u205f\u200a"];
    for (let i = 0; i < blanks.length; i++) {
      expect(sofa(pair("service", blanks[i]))).toBe("B m", blanks[i]);
      expect(sofa(pair("service", blanks[i]) + pair("sofa_head_target_service", "T"))).toBe("B m", blanks[i]);
      expect(sofa(pair("sofa_head_target_service", blanks[i]))).toBe("B m", blanks[i]);
    }
    // Java's white space is not Unicode's.
    const others = ["\u00a0", "\u2007", "\u202f", "\u200b", "\0", "\x1b", "\ufeff"];
    for (let i = 0; i < others.length; i++) expect(sofa(pair("service", others[i]))).toBe(others[i] + " m");
  });

  test("without an object in Hessian it is the header's, then the target's, then the class", () => {
    const json = "7b7d";
    const blocks = [
      pair("service", "S"),
      pair("sofa_head_target_service", "T"),
      pair("service", " ") + pair("sofa_head_target_service", "T"),
      "",
    ];
    const services = ["S", "T", "T", CLASS];
    for (let i = 0; i < blocks.length; i++) {
      expect(named(request(CLASS, blocks[i], json, 12))).toBe(services[i] + " ");
      expect(named(request(CLASS, blocks[i], "7878"))).toBe(services[i] + " ");
      const name = services[i] == CLASS ? "C" : services[i];
      expect(named(request("C", blocks[i], usual("m", "B")))).toBe(name + " ");
    }
  });

  test("two names in the header that differ are ambiguous, whoever reads them", () => {
    const block = pair("service", "S") + pair("sofa_head_target_service", "T");
    expect(sofa(block)).toBe("ambiguous");
    expect(named(request("C", block, ""))).toBe("ambiguous");
    expect(named(request(CLASS, block, "7b7d", 12))).toBe("ambiguous");
  });

  test("of a name that is there twice the last counts, as in Java's map; a null is none", () => {
    const nothing = "00000007" + utf8("service") + "ffffffff";
    expect(sofa(pair("service", "A") + pair("service", "B"))).toBe("B m");
    expect(sofa(pair("service", "A") + nothing)).toBe("A m");
    expect(sofa(nothing + pair("sofa_head_target_service", "T"))).toBe("T m");
    const target = pair("sofa_head_target_service", "T");
    expect(sofa(pair("service", "A") + target + pair("service", "T"))).toBe("T m");
    const twice = pair("x", "1") + pair("y", "2") + pair("x", "3");
    decode(request("C", twice, ""));
    const headers = bolt.headers(frame);
    const x = Bytes.of("x");
    expect(headers.get(x.ptr, x.length, view)).toBe(true);
    expect(String.UTF8.decodeUnsafe(view.ptr, view.length)).toBe("3");
    expect(Model.of(headers).keys.length).toBe(3);
  });
});

describe("the method of a request of SOFARPC", () => {
  test("is the content's, and the header has to say the same", () => {
    expect(sofa(pair("service", "S"), usual("real", "S"))).toBe("S real");
    expect(sofa(pair("sofa_head_method_name", "real"), usual("real", "S"))).toBe("S real");
    expect(sofa(pair("sofa_head_method_name", "other"), usual("real", "S"))).toBe("ambiguous");
    expect(sofa(pair("sofa_head_method_name", ""), usual("real", "S"))).toBe("ambiguous");
    const twice = pair("sofa_head_method_name", "other") + pair("sofa_head_method_name", "real");
    expect(sofa(twice, usual("real", "S"))).toBe("S real");
    expect(sofa(pair("sofa_head_method_name", "größe"), usual("größe", "S"))).toBe("S größe");
  });

  test("is the header's where the content is no object in Hessian, or none of SOFARPC", () => {
    const block = pair("service", "S") + pair("sofa_head_method_name", "m");
    expect(named(request(CLASS, block, "7b7d", 12))).toBe("S m");
    expect(named(request("C", block, usual("real", "S")))).toBe("S m");
    const others = [
      "",
      "4e",
      "4d7a",
      utf8("call 1"),
      utf8("Content"),
      utf8("Order 1"),
      object([], [], "a.B"),
      "4d74000161" + "7a",
    ];
    for (let i = 0; i < others.length; i++) expect(sofa(block, others[i])).toBe("S m", others[i]);
  });

  test("recorded calls: Java's draft, and the same from another hand", () => {
    expect(named(frames.SOFA_HELLO_C2S.replace("010100010100000001", "010100010100000007"))).toBe(
      "interop.api.HelloService:1.0 sayHello",
    );
    // sofa-bolt-node: the signatures come before the service.
    const order = ["methodName", "methodArgSigs", "targetServiceUniqueName", "targetAppName", "requestProps"];
    const signatures = "567400075b737472696e676e01" + text("java.lang.String") + "7a";
    const node = object(order, [text("plus"), signatures, text("N"), NULL, "4d7a"]);
    expect(sofa("", node)).toBe("N plus");
    expect(sofa(pair("service", "S"), node)).toBe("S plus");
    // Hessian 2.0, sofa-hessian 4.
    let fields = "";
    for (let i = 0; i < FIELDS.length; i++) fields += text(FIELDS[i]);
    const finished = "4353002c" + utf8(CLASS) + "95" + fields;
    const values = NULL + text("fresh") + text("F");
    expect(sofa("", finished + "4f90" + values)).toBe("F fresh");
    expect(sofa("", finished + "60" + values)).toBe("F fresh");
    // Other classes come first.
    const other = "4f93" + utf8("a.B") + "91" + text("x");
    expect(sofa("", other + usual("late", "L").replace("6f90", "6f91"))).toBe("L late");
    expect(sofa(pair("service", "S"), other + usual("late", "L"))).toBe("S ");
  });

  test("text that begins like an object of no class is no request", () => {
    const texts = ["hello", "old content", "call 1", "Old", "Content", "MAP", "{}"];
    for (let i = 0; i < texts.length; i++) expect(sofa(pair("service", "S"), utf8(texts[i]))).toBe("S ", texts[i]);
  });

  test("what Java could read otherwise is ambiguous", () => {
    const service = text("B");
    const odd = [
      // Two of a field.
      object(["methodName", "methodName", "targetServiceUniqueName"], [text("a"), text("b"), service]),
      object(["methodName", "targetServiceUniqueName", "targetServiceUniqueName"], [text("a"), service, service]),
      // Overlong, in chunks, half: "m" as c1 ad.
      usual("m", "B").replace("016d", "01c1ad"),
      usual("m", "B").replace("016d", "7300016d00"),
      object(["methodName"], [""]),
      object(["methodName"], ["05" + utf8("ab")]),
      // A name that is no string, or refers to one.
      object(["methodName"], ["91"]),
      object(["methodName"], ["4a00"]),
      // A map of the class's type, of both versions.
      "4d74002c" + utf8(CLASS) + text("methodName") + text("m") + "7a",
      "4d302c" + utf8(CLASS) + text("methodName") + text("m") + "5a",
      "4f93" + utf8("a.B") + "90" + "4d74002c" + utf8(CLASS) + "7a",
      // The class twice, lengths and counts as other numbers, too many fields.
      object(FIELDS, []).slice(0, -4) + usual("m", "B"),
      usual("m", "B").replace("4fbc", "4f4c000000000000002c"),
      usual("m", "B").replace("95" + text("targetAppName"), "4c0000000000000005" + text("targetAppName")),
      usual("m", "B").replace("6f90", "6fe0"),
      "4fbc" + utf8(CLASS) + "c841",
    ];
    for (let i = 0; i < odd.length; i++) expect(sofa(pair("service", "S"), odd[i])).toBe("ambiguous", odd[i]);
  });

  test("a class has up to 64 fields", () => {
    for (let count = 64; count < 66; count++) {
      let fields = text("methodName");
      for (let i = 1; i < count; i++) fields += text("f");
      const content = "4fbc" + utf8(CLASS) + "c8" + word(count, 2) + fields + "6f90" + text("m");
      expect(sofa(pair("service", "S"), content)).toBe(count == 64 ? "S m" : "ambiguous");
    }
  });

  test("an object without names has none", () => {
    expect(sofa(pair("service", "S"), object(["x"], ["91"]))).toBe("S ");
    expect(sofa("", object(FIELDS, [NULL, NULL, NULL, NULL, NULL]))).toBe(CLASS + " ");
    expect(sofa(pair("sofa_head_method_name", "m"), object(["x"], ["91"]))).toBe("ambiguous");
  });
});

describe("generic calls of SOFARPC", () => {
  test("Java's clients write the method that they mean, and the type into the header", () => {
    for (let type = 0; type < 3; type++) {
      const block = pair("sofa_head_generic_type", type.toString()) + pair("sofa_head_method_name", "real");
      expect(sofa(block, usual("real", "S"))).toBe("S real");
      expect(frame.generic).toBe(true);
    }
    expect(sofa("", usual("real", "S"))).toBe("S real");
    expect(frame.generic).toBe(false);
  });

  test("of GenericService's own methods it is the first argument", () => {
    const methods = ["$invoke", "$genericInvoke"];
    for (let i = 0; i < methods.length; i++) {
      const block = pair("sofa_head_method_name", methods[i]);
      expect(sofa(block, usual(methods[i], "S") + text("real") + NULL)).toBe("S real");
      expect(frame.generic).toBe(true);
      expect(sofa("", usual(methods[i], "S") + text("real"))).toBe("S real");
      // Properties in properties, types by number.
      const props = "4d" + text("a") + "4d" + text("b") + text("c") + "7a" + text("d") + "91" + "7a";
      const signatures = "567400075b737472696e67" + "6c00000002" + text("x") + text("y") + "7a";
      const values = [NULL, text(methods[i]), text("S"), props, signatures];
      expect(sofa("", object(FIELDS, values) + text("deep"))).toBe("S deep");
      const typed = [NULL, text(methods[i]), text("S"), "4d7590" + "7a", "567590" + "6e00" + "7a"];
      expect(sofa("", object(FIELDS, typed) + text("typed"))).toBe("S typed");
      // What is meant cannot be told.
      const bad = ["", "91", NULL, "00", "c1ad", "03" + utf8("ab")];
      for (let j = 0; j < bad.length; j++) expect(sofa("", usual(methods[i], "S") + bad[j])).toBe("ambiguous", bad[j]);
      values[3] = "6f90";
      expect(sofa("", object(FIELDS, values) + text("deep"))).toBe("ambiguous");
    }
    expect(sofa("", usual("$other", "S"))).toBe("S $other");
  });
});

const BLOCKS = [
  "00",
  "000000",
  "00000001",
  "0000000161",
  "000000016100000002",
  utf8("any bytes"),
  "0000000161" + "00000001",
];

describe("header blocks that are no pairs", () => {
  test("pass as they came where they are not SOFARPC's, and have no headers", () => {
    const out = new ByteBuffer();
    const x = Bytes.of("x");
    for (let i = 0; i < BLOCKS.length; i++) {
      const bytes = request("C", BLOCKS[i], "6869");
      expect(named(bytes)).toBe("C ", BLOCKS[i]);
      expect(frame.contentLength).toBe(2);
      let headers = bolt.headers(frame);
      expect(Model.of(headers).keys.length).toBe(0);
      expect(headers.changed).toBe(false);
      out.clear();
      expect(bolt.encode(frame, headers, frame.ptr + (frame.contentOffset as usize), 2, 7, out)).toBe(true);
      expect(memory.compare(out.ptr, frame.ptr, frame.length as usize)).toBe(0);
      // A body can be changed, headers cannot.
      out.clear();
      expect(bolt.encode(frame, headers, x.ptr, 1, 7, out)).toBe(true);
      expect(bolt.decode(out.ptr, out.length, Peer.CLIENT, MAX, again)).toBe(Decoded.FRAME);
      expect(again.headerLength).toBe(BLOCKS[i].length >> 1);
      out.clear();
      headers.add(x.ptr, x.length, x.ptr, x.length);
      expect(bolt.encode(frame, headers, x.ptr, 1, 7, out)).toBe(false);
      headers = bolt.headers(frame);
      headers.set(x.ptr, x.length, x.ptr, x.length);
      expect(bolt.encode(frame, headers, x.ptr, 1, 7, out)).toBe(false);
      headers = bolt.headers(frame);
      expect(headers.remove(x.ptr, x.length)).toBe(0);
      expect(headers.changed).toBe(true);
      expect(bolt.encode(frame, headers, x.ptr, 1, 7, out)).toBe(false);
      expect(out.length).toBe(0);
    }
  });

  test("of responses and heartbeats nobody looks at them", () => {
    for (let i = 0; i < BLOCKS.length; i++) {
      const lengths = "0001" + word(BLOCKS[i].length >> 1, 4) + "00000002";
      const all = hex("01000002010000000701" + "0000" + lengths + "43" + BLOCKS[i] + "6869");
      const answer = bolt.decode(atEdge(changetype<usize>(all), all.length), all.length, Peer.SERVER, MAX, frame);
      expect(answer).toBe(Decoded.FRAME, BLOCKS[i]);
      expect(frame.kind).toBe(FrameKind.RESPONSE);
      expect(Model.of(bolt.headers(frame)).keys.length).toBe(0);
    }
  });

  test("are an error where SOFARPC would make a map of what it can read", () => {
    for (let i = 0; i < BLOCKS.length; i++) expect(sofa(BLOCKS[i])).toBe("headers", BLOCKS[i]);
    expect(sofa(pair("service", "S") + "00")).toBe("headers");
  });

  test("negative lengths are nulls", () => {
    const nulls = ["ffffffff", "fffffffe", "80000000"];
    for (let i = 0; i < nulls.length; i++) {
      decode(request("C", nulls[i] + word(1, 8) + "61" + pair("k", "v") + word(1, 8) + "62" + nulls[i], ""));
      const model = Model.of(bolt.headers(frame));
      expect(model.keys.length).toBe(1);
      expect(model.keys[0].toString() + model.values[0].toString()).toBe("kv");
    }
  });
});

/** The call of the frame with this header set, or "refused". */
function changed(key: string, value: string): string {
  const headers = bolt.headers(frame);
  const name = Bytes.of(key);
  const bytes = Bytes.of(value);
  headers.set(name.ptr, name.length, bytes.ptr, bytes.length);
  const out = new ByteBuffer();
  const content = frame.ptr + (frame.contentOffset as usize);
  if (!bolt.encode(frame, headers, content, frame.contentLength, 7, out)) return out.length == 0 ? "refused" : "half";
  let text = "";
  for (let i = 0; i < out.length; i++)
    text += load<u8>(out.ptr + i)
      .toString(16)
      .padStart(2, "0");
  const found = named(text);
  out.free();
  return found;
}

describe("changes of what the call is", () => {
  test("the target follows the service", () => {
    decode(request(CLASS, pair("service", "S") + pair("sofa_head_target_service", "S"), usual("m", "S")));
    expect(changed("service", "Other")).toBe("Other m");
    const headers = Model.of(bolt.headers(frame));
    expect(headers.keys.length).toBe(2);
    expect(headers.values[1].toString()).toBe("Other");
    decode(request(CLASS, pair("service", "S"), usual("m", "S")));
    expect(changed("service", "Other")).toBe("Other m");
    expect(Model.of(bolt.headers(frame)).keys.length).toBe(1);
  });

  test("another method than the content's, or another target than the service, cannot be written", () => {
    decode(request(CLASS, pair("service", "S") + pair("sofa_head_method_name", "m"), usual("m", "S")));
    expect(changed("sofa_head_method_name", "other")).toBe("refused");
    decode(request(CLASS, pair("service", "S") + pair("sofa_head_method_name", "m"), usual("m", "S")));
    expect(changed("sofa_head_target_service", "other")).toBe("refused");
    decode(request(CLASS, pair("service", "S") + pair("sofa_head_method_name", "m"), "7b7d", 12));
    expect(changed("sofa_head_method_name", "other")).toBe("S other");
  });
});
