import { Codec, Decoded, Peer } from "../../../assembly/xprotocol/codec";
import { Frame } from "../../../assembly/xprotocol/frame";
import { bolt } from "../../../filters/codec/bolt/bolt";
import { SofaResponseReader } from "../../../filters/codec/bolt/sofa_response";
import { boltv2 } from "../../../filters/codec/boltv2/boltv2";
import { dubbo } from "../../../filters/codec/dubbo/dubbo";
import { dubboThrift } from "../../../filters/codec/dubbothrift/dubbothrift";
import { tars } from "../../../filters/codec/tars/tars";
import * as frames from "../frames";
import { atEdge, hex } from "./support";

const frame = new Frame();
const sofa = new SofaResponseReader();

/** What the codec says of a response; a frame that it refuses fails the test. */
function isException(codec: Codec, text: string): bool {
  const bytes = hex(text);
  const ptr = atEdge(changetype<usize>(bytes), bytes.length);
  expect(codec.decode(ptr, bytes.length, Peer.SERVER, 1 << 20, frame)).toBe(Decoded.FRAME);
  return codec.isException(frame);
}

function size(text: string): string {
  return (text.length >> 1).toString(16).padStart(8, "0");
}

function dubboResponse(serialization: string, status: string, body: string): string {
  return "dabb" + serialization + status + "0000000000000007" + size(body) + body;
}

/** Hex of a short ASCII text. */
function text(letters: string): string {
  let out = "";
  for (let i = 0; i < letters.length; i++) out += letters.charCodeAt(i).toString(16).padStart(2, "0");
  return out;
}

/** The same as a string of Hessian. */
function word(letters: string): string {
  return letters.length.toString(16).padStart(2, "0") + text(letters);
}

/** The draft's definition of a class, its name's length an int of one byte. */
function draftClass(name: string, fields: string[]): string {
  let out = "4f" + (0x90 + name.length).toString(16) + text(name) + (0x90 + fields.length).toString(16);
  for (let i = 0; i < fields.length; i++) out += word(fields[i]);
  return out;
}

function newClass(name: string, fields: string[]): string {
  let out = "43" + word(name) + (0x90 + fields.length).toString(16);
  for (let i = 0; i < fields.length; i++) out += word(fields[i]);
  return out;
}

const FIELDS: string[] = ["isError", "errorMsg", "appResponse", "responseProps"];
const THROWABLE: string[] = ["detailMessage", "cause", "stackTrace"];

function failure(body: string): bool {
  const bytes = hex(body);
  return sofa.isFailure(atEdge(changetype<usize>(bytes), bytes.length), bytes.length);
}

/** A reply of dubbo-thrift with this result. */
function reply(result: string): string {
  const header = "00000003737663" + "0000000000000007";
  const message = "800100020000000470696e6700000003" + result;
  const headerLength = 9 + (header.length >> 1);
  const length = (headerLength + (message.length >> 1)).toString(16).padStart(8, "0");
  return length + "dabc" + length + headerLength.toString(16).padStart(4, "0") + "01" + header + message;
}

describe("exceptions in responses with a good status", () => {
  test("dubbo: the kinds 0 and 3 of Hessian 2 and of fastjson2", () => {
    expect(isException(dubbo, frames.DUBBO2_EXCEPTION_S2C)).toBe(true);
    expect(isException(dubbo, frames.DUBBO2_HELLO_S2C)).toBe(false);
    expect(isException(dubbo, frames.DUBBO2_VOID_S2C)).toBe(false);
    for (let kind = 0; kind < 6; kind++) {
      const expected = kind == 0 || kind == 3;
      const short = (0x90 + kind).toString(16);
      expect(isException(dubbo, dubboResponse("02", "14", short + "4e"))).toBe(expected, short);
      expect(isException(dubbo, dubboResponse("02", "14", "490000000" + kind.toString() + "4e"))).toBe(expected);
      const json = "00000002bd0" + kind.toString() + "00000001af";
      expect(isException(dubbo, dubboResponse("17", "14", json))).toBe(expected, json);
    }
  });

  test("dubbo: an error's status, other serializations and bodies that end early are none", () => {
    expect(isException(dubbo, frames.DUBBO2_NOSERVICE_S2C)).toBe(false);
    expect(isException(dubbo, dubboResponse("02", "46", "90"))).toBe(false);
    expect(isException(dubbo, dubboResponse("03", "14", "904e"))).toBe(false);
    const cut = ["", "49", "490000", "c8", "4e"];
    for (let i = 0; i < cut.length; i++) expect(isException(dubbo, dubboResponse("02", "14", cut[i]))).toBe(false);
    const json = ["", "00000002", "00000002bd", "0000000200", "00000001bd00"];
    for (let i = 0; i < json.length; i++) expect(isException(dubbo, dubboResponse("17", "14", json[i]))).toBe(false);
  });

  test("SOFARPC: by its header, which servers in Java write", () => {
    expect(isException(bolt, frames.SOFA_EXCEPTION_S2C)).toBe(true);
    expect(isException(bolt, frames.SOFA_NOSERVICE_S2C)).toBe(true);
    expect(isException(bolt, frames.SOFA_HELLO_S2C)).toBe(false);
    expect(isException(bolt, frames.SOFA_VOID_S2C)).toBe(false);
    // The status says it: that is no exception in a good response.
    expect(isException(bolt, frames.BOLT_V1_EXCEPTION_S2C)).toBe(false);
    expect(isException(bolt, frames.BOLT_V1_HELLO_S2C)).toBe(false);
    expect(isException(boltv2, frames.BOLT_V2_HELLO_S2C)).toBe(false);
  });

  test("SOFARPC: by the content, where the header is missing or says something else", () => {
    const header = "00000018" + text("sofa_head_response_error") + "00000004" + text("true");
    expect(frames.SOFA_EXCEPTION_S2C.includes(header)).toBe(true);
    const other = header.replace(text("true"), text("TRUE"));
    expect(isException(bolt, frames.SOFA_EXCEPTION_S2C.replace(header, other))).toBe(true);
    expect(isException(bolt, frames.SOFA_NOSERVICE_S2C.replace(header, other))).toBe(true);
    // Another serialization's number: the content is not read.
    const replaced = frames.SOFA_EXCEPTION_S2C.replace(header, other);
    expect(isException(bolt, replaced.substring(0, 18) + "0b" + replaced.substring(20))).toBe(false);
  });

  test("SOFARPC: both spellings of Hessian", () => {
    const draft = draftClass("R", FIELDS) + "6f90";
    const exception = draftClass("E", THROWABLE) + "6f91";
    expect(failure(draft + "464e" + exception)).toBe(true);
    expect(failure(draft + "544e4e4e")).toBe(true);
    expect(failure(draft + "46" + word("text") + exception)).toBe(true);
    expect(failure(draft + "464e" + draftClass("D", ["detailMessage", "a"]) + "6f91")).toBe(false);
    expect(failure(draft + "464e" + word("hello") + "4e")).toBe(false);
    const finished = newClass("R", FIELDS) + "60";
    const thrown = newClass("E", THROWABLE) + "61";
    expect(failure(finished + "464e" + thrown)).toBe(true);
    expect(failure(newClass("R", FIELDS) + "4f90" + "544e")).toBe(true);
    expect(failure(finished + "464e" + newClass("D", ["name"]) + "61")).toBe(false);
    expect(failure(finished + "464e4e4e")).toBe(false);
  });

  test("SOFARPC: every cut of a content is read to its end and not beyond", () => {
    const whole = draftClass("R", FIELDS) + "6f90" + "46" + word("text") + draftClass("E", THROWABLE);
    for (let i = 0; i < whole.length; i += 2) expect(failure(whole.substring(0, i))).toBe(false, i.toString());
    expect(failure(whole)).toBe(true);
    expect(failure("4f91" + text("R") + "d500ff")).toBe(false);
    expect(failure("4fd7ffff" + text("R"))).toBe(false);
    expect(failure("4f91" + text("R") + "80")).toBe(false);
  });

  test("dubbo-thrift: a result whose field is not 0", () => {
    expect(isException(dubboThrift, reply("0b0000" + "00000001" + "61" + "00"))).toBe(false);
    expect(isException(dubboThrift, reply("0c0001" + "00" + "00"))).toBe(true);
    expect(isException(dubboThrift, reply("00"))).toBe(false);
  });

  test("tars: return codes of the servant", () => {
    const good = "0000001810012c32010203044c5c6d00000406026869780c";
    const servant = "0000002d10012c32010203044c52000111716d000c78000106017316017486046d696e6598000106016b160176";
    const failed = "0000001e10012c32010203044c50fc6d000c780c86086e6f20726f757465";
    expect(isException(tars, good)).toBe(false);
    expect(isException(tars, servant)).toBe(true);
    expect(isException(tars, failed)).toBe(false);
  });
});
