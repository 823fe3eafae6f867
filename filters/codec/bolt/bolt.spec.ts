import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { Decoded, Detected, Peer } from "../../../assembly/xprotocol/codec";
import { Frame, FrameError, FrameKind } from "../../../assembly/xprotocol/frame";
import * as frames from "../../../tests/unit/frames";
import { conform } from "../../../tests/unit/xprotocol/conformance";
import { Subject } from "../../../tests/unit/xprotocol/subject";
import { atEdge, hex, Model, toHex } from "../../../tests/unit/xprotocol/support";
import { boltv2 } from "../boltv2/boltv2";
import { bolt } from "./bolt";
import { Status } from "./status";

// MOSN's, docs/reference/mosn.md#bolt: id 7, class "C", service=S:1.0, content "hi".
const REQUEST = "01010001010000000701ffffffff000100140000000243000000077365727669636500000005533a312e306869";
const HEARTBEAT = "01010000010000000901ffffffff0000000000000000";
const ACK = "0100000001000000090100000000000000000000";
const GOAWAY = "010100640100000003010000000000000000000000" + "00";
const MAX: i32 = 1 << 20;

const subject = new Subject(bolt);
subject.goAway = true;
subject.maxHeaderBlock = 0x7fff;
subject.lastValueCounts = true;
// What they say has to agree with each other and with the content.
subject.fields = ["service", "sofa_head_target_service", "sofa_head_method_name", "sofa_head_generic_type"];
for (let status = 0; status < 10; status++) subject.statuses.push(status);
for (let status = 16; status < 19; status++) subject.statuses.push(status);
subject.add("golden", REQUEST, Peer.CLIENT).length(14, 2).length(16, 2).length(18, 4).length(23, 4).length(34, 4);
subject.add("sofa-hello.c2s", frames.SOFA_HELLO_C2S, Peer.CLIENT).length(14, 2).length(16, 2).length(18, 4);
subject.length(66, 4).length(94, 4).length(188, 4).length(200, 4).length(464, 4).length(472, 4);
subject.add("sofa-hello.s2c", frames.SOFA_HELLO_S2C, Peer.SERVER).length(12, 2).length(14, 2).length(16, 4);
subject.add("sofa-exception.s2c", frames.SOFA_EXCEPTION_S2C, Peer.SERVER).length(14, 2).length(16, 4);
subject.add("sofa-oneway.c2s", frames.SOFA_ONEWAY_C2S, Peer.CLIENT, 2);
subject.add("sofa-heartbeat.c2s", frames.SOFA_HEARTBEAT_C2S, Peer.CLIENT, 5);
subject.add("sofa-heartbeat.s2c", frames.SOFA_HEARTBEAT_S2C, Peer.SERVER, 5);
subject.add("sofa-two-concurrent.s2c", frames.SOFA_TWO_CONCURRENT_S2C, Peer.SERVER, 6);
subject.add("bolt-v1-hello.c2s", frames.BOLT_V1_HELLO_C2S, Peer.CLIENT);
subject.add("bolt-v1-busy.s2c", frames.BOLT_V1_BUSY_S2C, Peer.SERVER);
subject.add("bolt-v1-heartbeat.c2s", frames.BOLT_V1_HEARTBEAT_C2S, Peer.CLIENT, 5);
subject.add("goaway", GOAWAY, Peer.SERVER);
subject.add("mixed", HEARTBEAT + frames.BOLT_V2_HELLO_C2S + REQUEST, Peer.CLIENT, 3);
subject.add("v2 among v1", frames.BOLT_V2_HELLO_C2S, Peer.CLIENT, 1, true).length(16, 2).length(18, 2).length(20, 4);
conform(subject);

const frame = new Frame();
const view = new View();

function decode(text: string, peer: Peer = Peer.CLIENT): Decoded {
  const bytes = hex(text);
  return bolt.decode(atEdge(changetype<usize>(bytes), bytes.length), bytes.length, peer, MAX, frame);
}

/** A v1 request with id 7 and this header block, in hex. */
function withBlock(block: string): string {
  const length = (block.length >> 1).toString(16).padStart(4, "0");
  return "01010001010000000701ffffffff0001" + length + "0000000043" + block;
}

function service(): string {
  return frame.service(view) ? String.UTF8.decodeUnsafe(view.ptr, view.length) : "-";
}

function method(): string {
  return frame.method(view) ? String.UTF8.decodeUnsafe(view.ptr, view.length) : "-";
}

describe("bolt frames", () => {
  test("MOSN's golden request", () => {
    expect(decode(REQUEST)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.REQUEST);
    expect(frame.id).toBe(7);
    expect(frame.timeout).toBe(-1);
    expect(frame.contentOffset).toBe(43);
    expect(frame.contentLength).toBe(2);
    expect(service()).toBe("S:1.0");
    expect(method()).toBe("-");
    expect(frame.codec === bolt).toBe(true);
  });

  test("what the proxy writes is MOSN's, byte for byte", () => {
    const out = new ByteBuffer();
    bolt.heartbeat(9, 0, out);
    expect(toHex(out)).toBe(HEARTBEAT);
    out.clear();
    bolt.heartbeatAck(9, 0, out);
    expect(toHex(out)).toBe(ACK);
    out.clear();
    bolt.reply(7, 0, bolt.toStatus(404), 0, 0, out);
    expect(toHex(out)).toBe("0100000201000000070100060000000000000000");
    out.clear();
    expect(bolt.goAway(3, out)).toBe(true);
    expect(toHex(out)).toBe(GOAWAY);
  });

  test("kinds, ids and fields of the recorded frames", () => {
    expect(decode(frames.SOFA_HELLO_C2S)).toBe(Decoded.FRAME);
    expect(service()).toBe("interop.api.HelloService:1.0");
    expect(method()).toBe("sayHello");
    expect(frame.timeout).toBe(3000);
    expect(Model.of(bolt.headers(frame)).keys.length).toBe(11);
    expect(decode(frames.SOFA_ONEWAY_C2S)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.ONEWAY);
    expect(decode(frames.SOFA_EXCEPTION_S2C, Peer.SERVER)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.RESPONSE);
    expect(frame.status).toBe(Status.SUCCESS);
    const key = Bytes.of("sofa_head_response_error");
    expect(bolt.headers(frame).get(key.ptr, key.length, view)).toBe(true);
    expect(decode(frames.BOLT_V1_BUSY_S2C, Peer.SERVER)).toBe(Decoded.FRAME);
    expect(frame.status).toBe(Status.SERVER_THREADPOOL_BUSY);
    expect(decode(HEARTBEAT)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.HEARTBEAT);
    expect(decode(ACK, Peer.SERVER)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.HEARTBEAT_ACK);
    expect(decode(GOAWAY, Peer.SERVER)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.GOAWAY);
  });

  test("a raw request names its service by its class", () => {
    expect(decode(frames.BOLT_V1_HELLO_C2S)).toBe(Decoded.FRAME);
    expect(service()).toBe("interop.BoltReq");
    expect(frame.headerLength).toBe(0);
  });

  test("requests of servers and responses of clients are frames", () => {
    expect(decode(frames.SOFA_HELLO_C2S, Peer.SERVER)).toBe(Decoded.FRAME);
    expect(decode(frames.SOFA_HELLO_S2C, Peer.CLIENT)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.RESPONSE);
  });

  test("both versions on one connection", () => {
    expect(decode(frames.BOLT_V2_HELLO_C2S)).toBe(Decoded.FRAME);
    expect(frame.codec === boltv2).toBe(true);
    const bytes = hex(frames.SOFA_HELLO_C2S);
    expect(boltv2.decode(changetype<usize>(bytes), bytes.length, Peer.CLIENT, MAX, frame)).toBe(Decoded.FRAME);
    expect(frame.codec === bolt).toBe(true);
  });
});

describe("bolt header blocks", () => {
  test("a null key or value makes the pair absent, and survives on the wire when nothing changes", () => {
    const block = "ffffffff" + "0000000161" + "0000000162" + "ffffffff" + "0000000163" + "0000000164";
    expect(decode(withBlock(block))).toBe(Decoded.FRAME);
    const headers = bolt.headers(frame);
    const model = Model.of(headers);
    expect(model.keys.length).toBe(1);
    expect(model.keys[0].toString() + model.values[0].toString()).toBe("cd");
    const out = new ByteBuffer();
    expect(bolt.encode(frame, headers, 0, 0, 7, out)).toBe(true);
    expect(toHex(out)).toBe(withBlock(block));
    const key = Bytes.of("e");
    headers.add(key.ptr, key.length, key.ptr, key.length);
    out.clear();
    expect(bolt.encode(frame, headers, 0, 0, 7, out)).toBe(true);
    expect(toHex(out)).toBe(withBlock("0000000163" + "0000000164" + "0000000165" + "0000000165"));
  });

  test("a block that Java peers would misread is not written, unless it came so", () => {
    const big = "00000001" + "61" + "00009000" + "62".repeat(0x9000);
    expect(decode(withBlock(big))).toBe(Decoded.FRAME);
    const bytes = hex(withBlock(big));
    bolt.decode(changetype<usize>(bytes), bytes.length, Peer.CLIENT, MAX, frame);
    const headers = bolt.headers(frame);
    const a = Bytes.of("a");
    const out = new ByteBuffer();
    headers.set(a.ptr, a.length, a.ptr, a.length);
    expect(bolt.encode(frame, headers, 0, 0, 7, out)).toBe(true);
    const long = Bytes.of("b".repeat(0x9000));
    headers.set(a.ptr, a.length, long.ptr, long.length);
    expect(bolt.encode(frame, headers, 0, 0, 7, out)).toBe(true);
    headers.set(a.ptr, a.length, long.ptr, 0x9000 - 1);
    headers.add(a.ptr, a.length, a.ptr, a.length);
    expect(bolt.encode(frame, headers, 0, 0, 7, out)).toBe(false);
  });
});

describe("bolt errors", () => {
  test("an unknown command can be answered and skipped", () => {
    expect(decode(REQUEST.replace("01010001", "01010003"))).toBe(Decoded.ERROR);
    expect(frame.error).toBe(FrameError.MALFORMED);
    expect(frame.answerable).toBe(true);
    expect(frame.kind).toBe(FrameKind.REQUEST);
    expect(frame.length).toBe(45);
    expect(decode("0100000101000000070100060000000000000000", Peer.SERVER)).toBe(Decoded.ERROR);
    expect(frame.answerable).toBe(true);
    expect(frame.kind).toBe(FrameKind.RESPONSE);
    expect(decode("01010002010000000701ffffffff0000000000000000")).toBe(Decoded.ERROR);
    expect(frame.answerable).toBe(true);
  });

  test("other bytes and unknown types cannot", () => {
    const bad = ["00", "03", "485454502f", "0103", "01ff0001"];
    for (let i = 0; i < bad.length; i++) {
      expect(decode(bad[i])).toBe(Decoded.ERROR, bad[i]);
      expect(frame.error).toBe(FrameError.MALFORMED);
      expect(frame.answerable).toBe(false);
      expect(frame.length).toBe(0);
      const bytes = hex(bad[i]);
      expect(bolt.detect(changetype<usize>(bytes), bytes.length)).toBe(Detected.NO, bad[i]);
    }
  });

  test("a content of 4 GiB is refused; nobody knows where the next frame is", () => {
    expect(decode("01010001010000000701ffffffff00010014ffffffff")).toBe(Decoded.ERROR);
    expect(frame.error).toBe(FrameError.TOO_LARGE);
    expect(frame.answerable).toBe(true);
    expect(frame.length).toBe(0);
  });
});

describe("bolt statuses and replies", () => {
  test("MOSN's mapping", () => {
    const codes = [200, 404, 502, 503, 0, 3, 504, 403, 2, 500, 509, 418];
    const statuses = [0, 6, 6, 4, 9, 18, 7, 2, 3, 3, 3, 3];
    for (let i = 0; i < codes.length; i++) expect(bolt.toStatus(codes[i])).toBe(statuses[i], codes[i].toString());
    const known = [0, 4, 7, 16, 1, 2, 3, 5, 6, 8, 9, 17, 18, 0x77];
    const back = [200, 503, 504, 502, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500];
    for (let i = 0; i < known.length; i++) expect(bolt.toCode(known[i])).toBe(back[i], known[i].toString());
  });

  test("the reason is the message of an RpcServerException in Hessian", () => {
    const out = new ByteBuffer();
    const reason = Bytes.of("no route é");
    bolt.reply(7, 0, Status.NO_PROCESSOR, reason.ptr, reason.length, out);
    expect(bolt.decode(out.ptr, out.length, Peer.SERVER, MAX, frame)).toBe(Decoded.FRAME);
    const type = String.UTF8.decodeUnsafe(out.ptr + 20, 52);
    expect(type).toBe("com.alipay.remoting.rpc.exception.RpcServerException");
    const name = "4fc834" + toHex(buffer("com.alipay.remoting.rpc.exception.RpcServerException"));
    const fields = "920d" + toHex(buffer("detailMessage")) + "0a" + toHex(buffer("stackTrace"));
    const values = "6f9053000b" + toHex(buffer("no route ??"));
    const trace = "5674001c" + toHex(buffer("[java.lang.StackTraceElement")) + "6e007a";
    expect(toHex(out).substr(2 * (20 + 52))).toBe(name + fields + values + trace);
  });

  test("a server exception always has a message, a success never", () => {
    const out = new ByteBuffer();
    bolt.reply(7, 0, Status.SERVER_EXCEPTION, 0, 0, out);
    expect(out.length).toBeGreaterThan(100);
    out.clear();
    bolt.reply(7, 0, Status.SUCCESS, out.ptr, 5, out);
    expect(out.length).toBe(20);
  });
});

function buffer(text: string): ByteBuffer {
  const out = new ByteBuffer();
  const bytes = Bytes.of(text);
  out.append(bytes.ptr, bytes.length);
  return out;
}
