import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { crc32 } from "../../../assembly/bytes/crc32";
import { load32be } from "../../../assembly/bytes/memory";
import { View } from "../../../assembly/bytes/view";
import { Decoded, Detected, Peer } from "../../../assembly/xprotocol/codec";
import { Frame, FrameError, FrameKind } from "../../../assembly/xprotocol/frame";
import * as frames from "../../../tests/unit/frames";
import { conform } from "../../../tests/unit/xprotocol/conformance";
import { Subject } from "../../../tests/unit/xprotocol/subject";
import { hex, toHex } from "../../../tests/unit/xprotocol/support";
import { boltv2 } from "./boltv2";

// MOSN's, docs/reference/mosn.md#bolt-v2.
const REQUEST = "020101000101000000070100ffffffff000100140000000243000000077365727669636500000005533a312e306869";
const HEARTBEAT = "020101000001000000090100ffffffff0000000000000000";
const ACK = "02010000000100000009010000000000000000000000";
const MAX: i32 = 1 << 20;
/** aux of ver1 2 with the checksum switch on. */
const CHECKED: u64 = 0x0102;

/** A whole v2 frame of ver1 2 with its checksum, in hex. */
function sealed(text: string): string {
  const bytes = hex(text);
  return text + crc32(changetype<usize>(bytes), bytes.length).toString(16).padStart(8, "0");
}

const WITH_HEADERS = sealed("0202" + "01000101000000070101ffffffff" + REQUEST.substr(32));

/** Long enough for its checksum to be mended instead of computed anew. */
const LONG = sealed("02020100010100000007" + "0101ffffffff" + "0000" + "0000" + "00000bb8" + "5a".repeat(3000));

const subject = new Subject(boltv2);
subject.maxHeaderBlock = 0x7fff;
subject.lastValueCounts = true;
subject.fields = ["service", "sofa_head_target_service"];
for (let status = 0; status < 10; status++) subject.statuses.push(status);
for (let status = 16; status < 19; status++) subject.statuses.push(status);
subject.add("golden", REQUEST, Peer.CLIENT).length(16, 2).length(18, 2).length(20, 4).length(25, 4).length(36, 4);
subject.add("with headers", WITH_HEADERS, Peer.CLIENT).length(16, 2).length(18, 2).length(20, 4).length(25, 4);
subject.add("long", LONG, Peer.CLIENT).length(16, 2).length(18, 2).length(20, 4);
subject.add("bolt-v2-hello.c2s", frames.BOLT_V2_HELLO_C2S, Peer.CLIENT).length(16, 2).length(18, 2).length(20, 4);
subject.add("bolt-v2-hello.s2c", frames.BOLT_V2_HELLO_S2C, Peer.SERVER).length(14, 2).length(16, 2).length(18, 4);
subject.add("bolt-v2nocrc-hello.c2s", frames.BOLT_V2NOCRC_HELLO_C2S, Peer.CLIENT).length(20, 4);
subject.add("bolt-v2nocrc-hello.s2c", frames.BOLT_V2NOCRC_HELLO_S2C, Peer.SERVER);
subject.add("bolt-v2-exception.c2s", frames.BOLT_V2_EXCEPTION_C2S, Peer.CLIENT);
subject.add("bolt-v2-exception.s2c", frames.BOLT_V2_EXCEPTION_S2C, Peer.SERVER);
subject.add("bolt-v2-heartbeat.c2s", frames.BOLT_V2_HEARTBEAT_C2S, Peer.CLIENT, 4);
subject.add("bolt-v2-heartbeat.s2c", frames.BOLT_V2_HEARTBEAT_S2C, Peer.SERVER, 4);
subject.add("bolt-v2-oneway.c2s", frames.BOLT_V2_ONEWAY_C2S, Peer.CLIENT);
subject.add("bolt-v2-timeout.s2c", frames.BOLT_V2_TIMEOUT_S2C, Peer.SERVER);
subject.add("mixed", HEARTBEAT + frames.BOLT_V1_HELLO_C2S + frames.BOLT_V2_HELLO_C2S, Peer.CLIENT, 3);
subject.add("v1 among v2", frames.BOLT_V1_HELLO_C2S, Peer.CLIENT, 1, true).length(14, 2).length(16, 2).length(18, 4);
conform(subject);

const frame = new Frame();
const view = new View();

function decode(text: string): Decoded {
  const bytes = hex(text);
  return boltv2.decode(changetype<usize>(bytes), bytes.length, Peer.CLIENT, MAX, frame);
}

describe("boltv2", () => {
  test("what the proxy writes is MOSN's, byte for byte", () => {
    const out = new ByteBuffer();
    boltv2.heartbeat(9, 0, out);
    expect(toHex(out)).toBe(HEARTBEAT);
    out.clear();
    boltv2.heartbeatAck(9, 0, out);
    expect(toHex(out)).toBe(ACK);
    out.clear();
    boltv2.reply(7, 0, boltv2.toStatus(504), 0, 0, out);
    expect(toHex(out)).toBe("02010000020100000007010000070000000000000000");
    out.clear();
    expect(boltv2.goAway(3, out)).toBe(false);
    expect(out.length).toBe(0);
  });

  test("recorded frames: kinds, service, fields", () => {
    expect(decode(frames.BOLT_V2_HELLO_C2S)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.REQUEST);
    expect(frame.timeout).toBe(3000);
    expect(frame.aux).toBe(CHECKED);
    expect(frame.service(view)).toBe(true);
    expect(String.UTF8.decodeUnsafe(view.ptr, view.length)).toBe("interop.BoltReq");
    expect(decode(frames.BOLT_V2_ONEWAY_C2S)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.ONEWAY);
    expect(decode(frames.BOLT_V2_EXCEPTION_S2C)).toBe(Decoded.FRAME);
    expect(frame.status).toBe(2);
  });

  test("the checksum is per frame: ver1 2 and bit 0 of the switch", () => {
    // The error response to a request with a checksum has none.
    decode(frames.BOLT_V2_EXCEPTION_S2C);
    expect(frame.length).toBe(frames.BOLT_V2_EXCEPTION_S2C.length >> 1);
    // ver1 1 has none, whatever the switch says.
    expect(decode(REQUEST.replace("070100ffffffff", "070101ffffffff"))).toBe(Decoded.FRAME);
    expect(frame.length).toBe(REQUEST.length >> 1);
    // Other bits of the switch mean nothing.
    expect(decode(REQUEST.replace("020101", "020201").replace("070100ffffffff", "0701feffffffff"))).toBe(Decoded.FRAME);
    expect(frame.length).toBe(REQUEST.length >> 1);
  });

  test("a wrong checksum, or any bit that does not match it, is an error that can be answered and skipped", () => {
    const bytes = hex(WITH_HEADERS);
    const ptr = changetype<usize>(bytes);
    // From the codec byte on, without switch and lengths, which move the checksum itself.
    for (let at = 10; at < bytes.length; at++) {
      if (at == 11 || (at >= 16 && at < 24)) continue;
      for (let bit: u8 = 0; bit < 8; bit++) {
        store<u8>(ptr + at, load<u8>(ptr + at) ^ (1 << bit));
        expect(boltv2.decode(ptr, bytes.length, Peer.CLIENT, MAX, frame)).toBe(Decoded.ERROR);
        expect(frame.error).toBe(FrameError.CHECKSUM);
        expect(frame.answerable).toBe(true);
        expect(frame.length).toBe(bytes.length);
        store<u8>(ptr + at, load<u8>(ptr + at) ^ (1 << bit));
      }
    }
    expect(boltv2.decode(ptr, bytes.length, Peer.CLIENT, MAX, frame)).toBe(Decoded.FRAME);
  });

  test("changed headers get a new checksum", () => {
    const bytes = hex(WITH_HEADERS);
    const ptr = changetype<usize>(bytes);
    expect(boltv2.decode(ptr, bytes.length, Peer.CLIENT, MAX, frame)).toBe(Decoded.FRAME);
    const headers = boltv2.headers(frame);
    const key = Bytes.of("K");
    headers.add(key.ptr, key.length, key.ptr, key.length);
    const out = new ByteBuffer();
    expect(boltv2.encode(frame, headers, ptr, 10, 99, out)).toBe(true);
    expect(crc32(out.ptr, out.length - 4)).toBe(load32be(out.ptr + out.length - 4));
    expect(boltv2.decode(out.ptr, out.length, Peer.SERVER, MAX, frame)).toBe(Decoded.FRAME);
    expect(frame.aux).toBe(CHECKED);
  });

  test("replies keep ver1 and the checksum switch of the request; heartbeats carry no checksum", () => {
    const out = new ByteBuffer();
    const reason = Bytes.of("overflow");
    boltv2.reply(7, CHECKED, 4, reason.ptr, reason.length, out);
    expect(crc32(out.ptr, out.length - 4)).toBe(load32be(out.ptr + out.length - 4));
    expect(load<u8>(out.ptr, 1)).toBe(2);
    expect(load<u8>(out.ptr, 11)).toBe(1);
    out.clear();
    boltv2.heartbeat(9, CHECKED, out);
    expect(toHex(out)).toBe(HEARTBEAT.replace("020101", "020201"));
    out.clear();
    boltv2.heartbeatAck(9, CHECKED, out);
    expect(toHex(out)).toBe(ACK.replace("020100", "020200"));
  });

  test("unknown types, versions and MOSN's v1 go-away are refused", () => {
    const bad = ["0203", "0200", "020103", "0201ff"];
    for (let i = 0; i < bad.length; i++) {
      expect(decode(bad[i] + "00")).toBe(Decoded.ERROR, bad[i]);
      expect(frame.error).toBe(FrameError.MALFORMED);
      expect(frame.length).toBe(0);
      const bytes = hex(bad[i]);
      expect(boltv2.detect(changetype<usize>(bytes), bytes.length)).toBe(Detected.NO, bad[i]);
    }
    expect(decode(HEARTBEAT.replace("0201010000", "0201010064"))).toBe(Decoded.ERROR);
    expect(frame.answerable).toBe(true);
    expect(frame.length).toBe(24);
  });
});
