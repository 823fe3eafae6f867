import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { DEFAULT_MAX_FRAME, Flags, FrameType, H2Code } from "../../../assembly/http2/constants";
import { HpackDecoder } from "../../../assembly/http2/hpack/decoder";
import { FrameParser, MAX_CONTINUATIONS, MAX_HEADER_BLOCK } from "../../../assembly/http2/parser";
import {
  appendData,
  appendGoAway,
  appendHeaders,
  appendPing,
  appendPreface,
  appendRstStream,
  appendSettings,
  appendSettingsAck,
  appendWindowUpdate,
  writeFrameHeader,
} from "../../../assembly/http2/writer";
import { EventHash, EventLog, FieldLog, hex, unhex } from "./support";
import { SESSION } from "./vectors";

/** An empty SETTINGS frame: what a server begins with. */
const SETTINGS = "000000040000000000";

/** A frame in hex, its payload given in hex. */
function frame(type: u32, flags: u32, stream: u32, payload: string = ""): string {
  const out = new ByteBuffer();
  writeFrameHeader(out.reserve(9), payload.length / 2, type, flags, stream);
  return hex(out.ptr, 9) + payload;
}

/** Gives a new parser the bytes in pieces of `step`; the error, after what it told. */
function parse(bytes: string, log: EventLog, step: i32 = i32.MAX_VALUE): H2Code {
  const parser = new FrameParser();
  const input = unhex(bytes);
  let error: H2Code = H2Code.NO_ERROR;
  for (let at = 0; at < input.length; at += min(step, input.length - at)) {
    error = parser.feed(input.ptr + at, min(step, input.length - at), log);
  }
  parser.free();
  input.free();
  return error;
}

/** What a parser says to a frame after SETTINGS: its events, or its error. The same, whole and byte by byte. */
function says(bytes: string): string {
  const log = new EventLog();
  const error = parse(SETTINGS + bytes, log);
  const cut = new EventLog();
  expect(parse(SETTINGS + bytes, cut, 1)).toBe(error);
  expect(cut.text).toBe(log.text);
  if (error != H2Code.NO_ERROR) return "error " + error.toString();
  return log.lines.slice(1).join("\n");
}

/** Frames of every type that a server may send. */
const ALL: string =
  "000012040000000000" +
  "000300000064" +
  "000400100000" +
  "00ff00000001" + // SETTINGS, one unknown
  frame(FrameType.SETTINGS, Flags.ACK, 0) +
  frame(FrameType.WINDOW_UPDATE, 0, 0, "80000001") + // with the reserved bit
  frame(FrameType.WINDOW_UPDATE, 0, 1, "7fffffff") +
  frame(FrameType.HEADERS, Flags.END_HEADERS, 1, "8801") +
  frame(
    FrameType.HEADERS,
    Flags.PADDED | Flags.PRIORITY | Flags.END_HEADERS | Flags.END_STREAM,
    3,
    "0280000001ff8802" + "0000",
  ) +
  frame(FrameType.HEADERS, Flags.END_STREAM, 5, "01") +
  frame(FrameType.CONTINUATION, 0, 5, "0203") +
  frame(FrameType.CONTINUATION, 0, 5) +
  frame(FrameType.CONTINUATION, Flags.END_HEADERS, 5, "04") +
  frame(FrameType.PRIORITY, 0, 1, "0000000000") +
  frame(FrameType.DATA, 0, 1, "6d6f65") +
  frame(FrameType.DATA, Flags.PADDED, 1, "03" + "686579" + "000000") +
  frame(FrameType.DATA, Flags.PADDED, 1, "03" + "000000") +
  frame(FrameType.DATA, Flags.PADDED, 1, "00") +
  frame(0xfe, 0xff, 0, "010203") +
  frame(0x0a, 0, 9) +
  frame(FrameType.DATA, Flags.END_STREAM, 1) +
  frame(FrameType.PING, 0, 0, "0102030405060708") +
  frame(FrameType.PING, Flags.ACK, 0, "00000000000000ff") +
  frame(FrameType.RST_STREAM, 0, 3, "00000007") +
  frame(FrameType.GOAWAY, 0, 0, "8000000500000000" + "62796521") +
  frame(FrameType.SETTINGS, 0, 0);

describe("frame writers", () => {
  test("write what RFC 9113 says", () => {
    const out = new ByteBuffer();
    appendPreface(out);
    expect(hex(out.ptr, out.length)).toBe("505249202a20485454502f322e300d0a0d0a534d0d0a0d0a");
    out.clear();
    appendSettings(out, [1, 0, 4, 0x100000]);
    expect(hex(out.ptr, out.length)).toBe("00000c040000000000" + "000100000000" + "000400100000");
    out.clear();
    appendSettingsAck(out);
    appendWindowUpdate(out, 5, 0x7fffffff);
    appendPing(out, false, 0x0102030405060708);
    appendPing(out, true, 1);
    appendRstStream(out, 3, H2Code.CANCEL);
    appendGoAway(out, 7, H2Code.ENHANCE_YOUR_CALM);
    expect(hex(out.ptr, out.length)).toBe(
      "000000040100000000" +
        "0000040800000000057fffffff" +
        "0000080600000000000102030405060708" +
        "0000080601000000000000000000000001" +
        "00000403000000000300000008" +
        "000008070000000000000000070000000b",
    );
    out.clear();
    const text = unhex("010203");
    appendHeaders(out, 1, false, text.ptr, 3, DEFAULT_MAX_FRAME);
    appendData(out, 1, true, text.ptr, 3);
    appendData(out, 0x7fffffff, false, text.ptr, 0);
    expect(hex(out.ptr, out.length)).toBe(
      "000003010400000001010203" + "000003000100000001010203" + "00000000007fffffff",
    );
  });

  test("split a large header block", () => {
    const out = new ByteBuffer();
    const block = new ByteBuffer();
    for (let i = 0; i < 40000; i++) block.appendByte(i % 251);
    appendHeaders(out, 3, true, block.ptr, block.length, 0);
    expect(hex(out.ptr, 9)).toBe("004000" + "0101" + "00000003");
    expect(hex(out.ptr + 16393, 9)).toBe("004000" + "0900" + "00000003");
    expect(hex(out.ptr + 2 * 16393, 9)).toBe("001c40" + "0904" + "00000003");
    const log = new EventLog();
    const parser = new FrameParser();
    parser.feed(unhex(SETTINGS).ptr, 9, log);
    expect(parser.feed(out.ptr, out.length, log)).toBe(H2Code.NO_ERROR);
    expect(log.lines[1]).toBe("3 headers " + hex(block.ptr, block.length) + " end");
    out.clear();
    appendHeaders(out, 3, true, block.ptr, block.length, 40000);
    expect(out.length).toBe(40009);
    out.clear();
    appendHeaders(out, 3, true, block.ptr, 0, 16384);
    expect(hex(out.ptr, out.length)).toBe("000000" + "0105" + "00000003");
  });
});

describe("FrameParser", () => {
  test("tells every frame, whatever the cuts", () => {
    const expected =
      "setting 3 100\nsetting 4 1048576\nsetting 255 1\nsettings end\nsettings ack\n0 window 1\n1 window 2147483647\n" +
      "1 headers 8801\n3 headers 8802 end\n5 headers 01020304 end\n" +
      "1 data 6d6f65 of 3\n1 data 686579 of 7\n1 data  of 4\n1 data  of 1\n1 data  of 0 end\n" +
      "ping 102030405060708\nping ack ff\n3 reset 7\ngoaway 5 0\nsettings end";
    const whole = new EventLog();
    expect(parse(ALL, whole)).toBe(H2Code.NO_ERROR);
    expect(whole.text).toBe(expected);
    for (let step = 1; step < 24; step++) {
      const log = new EventLog();
      expect(parse(ALL, log, step)).toBe(H2Code.NO_ERROR);
      expect(log.text).toBe(expected, "pieces of " + step.toString());
    }
    everyCut(ALL);
  });

  test("tells a whole DATA frame in two calls and takes no memory", () => {
    const parser = new FrameParser();
    const log = new EventLog();
    const out = unhex(SETTINGS);
    const body = unhex("00".repeat(DEFAULT_MAX_FRAME));
    for (let i = 0; i < 3; i++) appendData(out, 1, false, body.ptr, DEFAULT_MAX_FRAME);
    parser.feed(out.ptr, out.length, log);
    expect(log.pieces).toBe(3);
    expect(log.lines.length).toBe(4);
    expect(parser.allocated).toBe(0);
  });

  test("gives the memory of a large cut frame back", () => {
    const parser = new FrameParser();
    const log = new EventLog();
    const input = unhex(SETTINGS + frame(FrameType.HEADERS, 0, 1, "00".repeat(DEFAULT_MAX_FRAME)));
    for (let i = 0; i < 3; i++) input.append(unhex(frame(FrameType.CONTINUATION, 0, 1, "00".repeat(999))).ptr, 1008);
    input.append(unhex(frame(FrameType.CONTINUATION, Flags.END_HEADERS, 1, "00")).ptr, 10);
    for (let i = 0; i < input.length - 1; i++) parser.feed(input.ptr + i, 1, log);
    expect(parser.allocated).toBeGreaterThan(DEFAULT_MAX_FRAME);
    parser.feed(input.ptr + input.length - 1, 1, log);
    expect(log.lines.length).toBe(2);
    expect(parser.allocated).toBeLessThan(1025);
    parser.free();
    expect(parser.allocated).toBe(0);
  });

  test("stops when it is told to, for good", () => {
    const all = new EventLog();
    parse(ALL, all);
    for (let n = 1; n <= all.lines.length; n++) {
      for (let step = 1; step < 10000; step += 1111) {
        const log = new EventLog();
        log.stopAt = n;
        expect(parse(ALL, log, step)).toBe(H2Code.NO_ERROR);
        expect(log.text).toBe(all.lines.slice(0, n).join("\n"));
      }
    }
    const log = new EventLog();
    log.stopAtPiece = 1;
    expect(parse(ALL, log)).toBe(H2Code.NO_ERROR);
    expect(log.pieces).toBe(1);
    expect(log.lines[log.lines.length - 1]).toBe("5 headers 01020304 end", "no end of the frame");
  });

  test("says the error again, and nothing else", () => {
    const parser = new FrameParser();
    const log = new EventLog();
    const input = unhex(SETTINGS + frame(FrameType.PING, 0, 1, "0102030405060708") + SETTINGS);
    expect(parser.feed(input.ptr, input.length, log)).toBe(H2Code.PROTOCOL_ERROR);
    expect(parser.feed(input.ptr, input.length, log)).toBe(H2Code.PROTOCOL_ERROR);
    expect(log.text).toBe("settings end");
  });
});

/** All cuts in two give the same, with different bytes behind the first piece. */
function everyCut(bytes: string): void {
  const input = unhex(bytes);
  const hash = new EventHash();
  hash.reset();
  new FrameParser().feed(input.ptr, input.length, hash);
  const expected = hash.value;
  const events = hash.events;
  for (let cut = 0; cut <= input.length; cut++) {
    const piece = new ByteBuffer();
    piece.append(input.ptr, cut);
    for (let i = 0; i < 64; i++) piece.appendByte(0xff);
    hash.reset();
    const parser = new FrameParser();
    expect(parser.feed(piece.ptr, cut, hash)).toBe(H2Code.NO_ERROR);
    memory.fill(piece.ptr, 0xee, piece.length);
    expect(parser.feed(input.ptr + cut, input.length - cut, hash)).toBe(H2Code.NO_ERROR);
    expect(hash.events).toBe(events);
    expect(hash.value).toBe(expected, "cut at " + cut.toString());
    piece.free();
    parser.free();
  }
}

/** The session as lines like those of vectors.mjs. */
function sessionText(): string {
  const log = new EventLog();
  expect(parse(SESSION[0][0], log)).toBe(H2Code.NO_ERROR);
  const decoder = new HpackDecoder(4096);
  let text = "";
  let body = "";
  for (let i = 0; i < log.lines.length; i++) {
    const words = log.lines[i].split(" ");
    if (words[1] == "headers") {
      const block = unhex(words[2]);
      const fields = new FieldLog();
      expect(decoder.decode(block.ptr, block.length, fields)).toBe(true);
      const line = new ByteBuffer();
      for (let j = 0; j < fields.text.length; j++) line.appendByte(fields.text.charCodeAt(j));
      text += words[0] + " fields " + hex(line.ptr, line.length) + "\n";
    }
    if (words[1] == "data") body += words[2];
    const ends = words[words.length - 1] == "end" && words[0] != "settings";
    if ((ends || words[1] == "reset") && body != "") {
      text += words[0] + " body " + body + "\n";
      body = "";
    }
    if (ends) text += words[0] + " end\n";
    if (words[1] == "reset") text += log.lines[i] + "\n";
    if (words[0] == "goaway" || (words[0] == "ping" && words[1] != "ack")) text += log.lines[i] + "\n";
  }
  return text.trimEnd();
}

describe("FrameParser and HpackDecoder", () => {
  test("see what nghttp2's client saw of a padded session", () => {
    expect(sessionText()).toBe(SESSION[0][1]);
  });
});

describe("FrameParser: errors of RFC 9113", () => {
  test("the first frame is SETTINGS", () => {
    const log = new EventLog();
    expect(parse(frame(FrameType.PING, 0, 0, "0102030405060708"), log)).toBe(H2Code.PROTOCOL_ERROR);
    expect(parse(frame(FrameType.SETTINGS, Flags.ACK, 0), log)).toBe(H2Code.PROTOCOL_ERROR);
    expect(parse("485454502f312e31203430", log)).toBe(H2Code.FRAME_SIZE_ERROR, "HTTP/1.1");
    expect(log.lines.length).toBe(0);
  });

  test("frames larger than we allow", () => {
    const largest = frame(FrameType.HEADERS, Flags.END_HEADERS, 1, "00".repeat(DEFAULT_MAX_FRAME));
    const log = new EventLog();
    expect(parse(SETTINGS + largest, log)).toBe(H2Code.NO_ERROR);
    expect(log.lines.length).toBe(2);
    for (let type = 0; type < 12; type++) {
      const header = "004001" + "0" + type.toString(16) + "0400000001";
      expect(says(header)).toBe("error " + H2Code.FRAME_SIZE_ERROR.toString());
    }
  });

  test("streams", () => {
    const protocol = "error 1";
    for (let stream: u32 = 0; stream <= 2; stream += 2) {
      expect(says(frame(FrameType.DATA, 0, stream, "00"))).toBe(protocol);
      expect(says(frame(FrameType.HEADERS, Flags.END_HEADERS, stream, "88"))).toBe(protocol);
      expect(says(frame(FrameType.RST_STREAM, 0, stream, "00000000"))).toBe(protocol);
    }
    expect(says(frame(FrameType.WINDOW_UPDATE, 0, 2, "00000001"))).toBe(protocol);
    expect(says(frame(FrameType.PRIORITY, 0, 0, "0000000000"))).toBe(protocol);
    expect(says(frame(FrameType.PRIORITY, 0, 2, "0000000000"))).toBe("");
    expect(says(frame(FrameType.SETTINGS, 0, 1))).toBe(protocol);
    expect(says(frame(FrameType.PING, 0, 1, "0000000000000000"))).toBe(protocol);
    expect(says(frame(FrameType.GOAWAY, 0, 1, "0000000000000000"))).toBe(protocol);
    expect(says(frame(FrameType.PUSH_PROMISE, Flags.END_HEADERS, 1, "0000000288"))).toBe(protocol);
    expect(says(frame(FrameType.PING, 0, 0x80000000, "0000000000000000"))).toBe("ping 0", "the reserved bit");
  });

  test("lengths", () => {
    const size = "error 6";
    expect(says(frame(FrameType.PRIORITY, 0, 1, "00000000"))).toBe(size);
    expect(says(frame(FrameType.RST_STREAM, 0, 1, "0000000000"))).toBe(size);
    expect(says(frame(FrameType.RST_STREAM, 0, 1, "000000"))).toBe(size);
    expect(says(frame(FrameType.SETTINGS, 0, 0, "00010000"))).toBe(size);
    expect(says(frame(FrameType.SETTINGS, Flags.ACK, 0, "000100000000"))).toBe(size);
    expect(says(frame(FrameType.PING, 0, 0, "00000000000000"))).toBe(size);
    expect(says(frame(FrameType.GOAWAY, 0, 0, "00000000000000"))).toBe(size);
    expect(says(frame(FrameType.WINDOW_UPDATE, 0, 0, "0000000001"))).toBe(size);
    expect(says(frame(FrameType.DATA, Flags.PADDED, 1))).toBe(size);
    expect(says(frame(FrameType.HEADERS, Flags.PADDED | Flags.END_HEADERS, 1))).toBe(size);
    expect(says(frame(FrameType.HEADERS, Flags.PRIORITY | Flags.END_HEADERS, 1, "00000000"))).toBe(size);
    expect(says(frame(FrameType.HEADERS, Flags.PADDED | Flags.PRIORITY, 1, "0000000000"))).toBe(size);
  });

  test("padding as long as the payload", () => {
    expect(says(frame(FrameType.DATA, Flags.PADDED, 1, "030000"))).toBe("error 1");
    expect(says(frame(FrameType.DATA, Flags.PADDED, 1, "020000"))).toBe("1 data  of 3");
    expect(says(frame(FrameType.HEADERS, Flags.PADDED | Flags.END_HEADERS, 1, "038800"))).toBe("error 1");
    expect(says(frame(FrameType.HEADERS, Flags.PADDED | Flags.END_HEADERS, 1, "018800"))).toBe("1 headers 88");
    const flags: u32 = Flags.PADDED | Flags.PRIORITY | Flags.END_HEADERS;
    expect(says(frame(FrameType.HEADERS, flags, 1, "01" + "0000000000"))).toBe("error 1");
  });

  test("CONTINUATION", () => {
    const headers = frame(FrameType.HEADERS, 0, 1, "88");
    expect(says(frame(FrameType.CONTINUATION, Flags.END_HEADERS, 1, "88"))).toBe("error 1", "of nothing");
    expect(says(headers + frame(FrameType.CONTINUATION, Flags.END_HEADERS, 3, "88"))).toBe("error 1");
    expect(says(headers + frame(FrameType.HEADERS, Flags.END_HEADERS, 1, "88"))).toBe("error 1");
    expect(says(headers + frame(FrameType.DATA, 0, 1, "88"))).toBe("error 1");
    expect(says(headers + frame(0xfe, 0, 1, "88"))).toBe("error 1", "an unknown frame in between");
    const done = headers + frame(FrameType.CONTINUATION, Flags.END_HEADERS, 1, "89");
    expect(says(done)).toBe("1 headers 8889");
    expect(says(done + frame(FrameType.CONTINUATION, Flags.END_HEADERS, 1, "88"))).toBe("error 1");
    expect(says(frame(FrameType.HEADERS, 0, 1) + frame(FrameType.CONTINUATION, 4, 1))).toBe("1 headers ");
    const parts = headers + frame(FrameType.CONTINUATION, 0, 1).repeat(MAX_CONTINUATIONS - 1);
    const block = parts + frame(FrameType.CONTINUATION, Flags.END_HEADERS, 1);
    expect(says(block + block)).toBe("1 headers 88\n1 headers 88", "each block counts its own");
  });

  test("floods of CONTINUATION", () => {
    let bytes = SETTINGS + frame(FrameType.HEADERS, 0, 1, "88");
    for (let i = 0; i < MAX_CONTINUATIONS; i++) bytes += frame(FrameType.CONTINUATION, 0, 1);
    const log = new EventLog();
    expect(parse(bytes, log)).toBe(H2Code.NO_ERROR);
    expect(parse(bytes + frame(FrameType.CONTINUATION, 4, 1), log)).toBe(H2Code.ENHANCE_YOUR_CALM);

    const large = frame(FrameType.CONTINUATION, 0, 1, "00".repeat(DEFAULT_MAX_FRAME));
    bytes = SETTINGS + frame(FrameType.HEADERS, 0, 1) + large.repeat(MAX_HEADER_BLOCK / DEFAULT_MAX_FRAME);
    expect(parse(bytes, log)).toBe(H2Code.NO_ERROR);
    expect(parse(bytes + frame(FrameType.CONTINUATION, 4, 1), new EventLog())).toBe(H2Code.NO_ERROR);
    expect(parse(bytes + frame(FrameType.CONTINUATION, 4, 1, "00"), log)).toBe(H2Code.ENHANCE_YOUR_CALM);
  });

  test("values of SETTINGS and WINDOW_UPDATE", () => {
    expect(says(frame(FrameType.SETTINGS, 0, 0, "00047fffffff"))).toBe("setting 4 2147483647\nsettings end");
    expect(says(frame(FrameType.SETTINGS, 0, 0, "000480000000"))).toBe("error 3");
    expect(says(frame(FrameType.SETTINGS, 0, 0, "000500003fff"))).toBe("error 1");
    expect(says(frame(FrameType.SETTINGS, 0, 0, "000500004000"))).toBe("setting 5 16384\nsettings end");
    expect(says(frame(FrameType.SETTINGS, 0, 0, "000500ffffff"))).toBe("setting 5 16777215\nsettings end");
    expect(says(frame(FrameType.SETTINGS, 0, 0, "000501000000"))).toBe("error 1");
    expect(says(frame(FrameType.SETTINGS, 0, 0, "000200000001"))).toBe("error 1", "push from a server");
    expect(says(frame(FrameType.SETTINGS, 0, 0, "000800000002"))).toBe("error 1");
    expect(says(frame(FrameType.SETTINGS, 0, 0, "0001ffffffff"))).toBe("setting 1 4294967295\nsettings end");
    expect(says(frame(FrameType.WINDOW_UPDATE, 0, 0, "00000000"))).toBe("error 1");
    expect(says(frame(FrameType.WINDOW_UPDATE, 0, 1, "80000000"))).toBe("error 1");
  });
});
