import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { Decoded, Detected, Peer } from "../../../assembly/xprotocol/codec";
import { Frame, FrameError, FrameKind } from "../../../assembly/xprotocol/frame";
import { conform } from "../../../tests/unit/xprotocol/conformance";
import { Subject } from "../../../tests/unit/xprotocol/subject";
import { hex, toHex } from "../../../tests/unit/xprotocol/support";
import { xExample } from "./x_example";

// Laid out by hand from docs/reference/mosn.md#x_example.
const REQUEST = "780100" + "00000007" + "00000005" + "68656c6c6f";
const EMPTY = "780100" + "00000008" + "00000000";
const RESPONSE = "780101" + "00000007" + "0000" + "00000002" + "6869";
const HEARTBEAT = "780000" + "00000009" + "00000000";
const ACK = "780001" + "00000009" + "0000" + "00000000";
const GOAWAY = "780200" + "00000003" + "00000000";

const subject = new Subject(xExample);
subject.goAway = true;
subject.hasHeaders = false;
subject.statuses = [0, 1];
subject.add("request", REQUEST, Peer.CLIENT).length(7, 4);
subject.add("empty request", EMPTY, Peer.CLIENT).length(7, 4);
subject.add("response", RESPONSE, Peer.SERVER).length(9, 4);
subject.add("heartbeat", HEARTBEAT, Peer.CLIENT);
subject.add("ack", ACK, Peer.SERVER);
subject.add("goaway", GOAWAY, Peer.SERVER);
subject.add("many", HEARTBEAT + REQUEST + EMPTY + REQUEST, Peer.CLIENT, 4);
conform(subject);

const frame = new Frame();

function decode(text: string): Decoded {
  const bytes = hex(text);
  return xExample.decode(changetype<usize>(bytes), bytes.length, Peer.CLIENT, 1000, frame);
}

describe("x_example", () => {
  test("writes what it reads", () => {
    const out = new ByteBuffer();
    xExample.heartbeat(9, 0, out);
    xExample.heartbeatAck(9, 0, out);
    xExample.goAway(3, out);
    expect(toHex(out)).toBe(HEARTBEAT + ACK + GOAWAY);
    out.clear();
    const reason = Bytes.of("hi");
    xExample.reply(7, 0, 0, reason.ptr, reason.length, out);
    expect(toHex(out)).toBe(RESPONSE);
  });

  test("names no service", () => {
    expect(decode(REQUEST)).toBe(Decoded.FRAME);
    expect(frame.kind).toBe(FrameKind.REQUEST);
    expect(frame.service(new View())).toBe(false);
    expect(frame.method(new View())).toBe(false);
  });

  test("an unknown type can be answered and skipped, an unknown direction cannot", () => {
    expect(decode(REQUEST.replace("7801", "7803"))).toBe(Decoded.ERROR);
    expect(frame.error).toBe(FrameError.MALFORMED);
    expect(frame.answerable).toBe(true);
    expect(frame.length).toBe(16);
    expect(decode(RESPONSE.replace("780101", "780201"))).toBe(Decoded.ERROR);
    expect(frame.kind).toBe(FrameKind.RESPONSE);
    expect(decode("780102")).toBe(Decoded.ERROR);
    expect(frame.answerable).toBe(false);
    const bad = ["79", "7803", "780102"];
    for (let i = 0; i < bad.length; i++) {
      const bytes = hex(bad[i]);
      expect(xExample.detect(changetype<usize>(bytes), bytes.length)).toBe(Detected.NO, bad[i]);
    }
  });
});
