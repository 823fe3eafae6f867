import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { Codec, Decoded, Detected, Peer } from "../../../assembly/xprotocol/codec";
import { Frame, FrameError, FrameKind } from "../../../assembly/xprotocol/frame";
import { fuzz } from "./fuzz";
import { ignored } from "./ignored";
import { hasContent, lostField } from "./lost";
import { headerMutation } from "./mutation";
import { smuggled } from "./smuggling";
import { Sample, Subject } from "./subject";
import { atEdge, copyFrame, inside, must, sameFrame, toHex } from "./support";

const MAX: i32 = 1 << 20;
const JUNK: string[] = [
  "GET / HTTP/1.1\r\n",
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "\x16\x03\x01\x02\x00\x01",
  "\x00".repeat(16),
];

let subject: Subject = new Subject();
/** "no route", in hex. */
const NO_ROUTE = "6e6f20726f757465";

const frame = new Frame();
const other = new Frame();

/** Registers the tests that every codec has to pass; once in a spec file, for the codec and samples of `given`. */
export function conform(given: Subject): void {
  subject = given;
  describe("conformance of " + given.codec.name, () => {
    test("round trip of every sample", roundTrip);
    test("every cut asks for more, and no byte behind the input is read", everyCut);
    test("frames glued together are found one by one", glued);
    test("a frame beyond the maximum is refused before it has arrived", tooLarge);
    test("hostile lengths", hostileLengths);
    test("ids of every width", ids);
    if (subject.opaqueContent) test("the content is replaced", content);
    test("headers are changed", () => headerMutation(subject));
    test("no name or value becomes another header or field", () => {
      expect(smuggled(subject)).toBe("");
    });
    test("no change of a header that is there is lost without a word", () => {
      expect(ignored(subject)).toBe("");
    });
    test("local replies", replies);
    test("heartbeats and go-away", signals);
    test("status mapping is total", mapping);
    test("detection on every prefix", detection);
    test("100,000 random mutations", () => fuzz(subject));
  });
}

/** The codec of the frame just decoded. */
function codecOf(frame: Frame): Codec {
  const codec = frame.codec;
  return codec === null ? subject.codec : codec;
}

/** Decodes the frame at `offset` of the sample's bytes from the edge of memory. */
function decodeAt(sample: Sample, offset: i32): Decoded {
  const ptr = atEdge(sample.ptr, sample.length) + offset;
  return subject.codec.decode(ptr, sample.length - offset, sample.peer, MAX, frame);
}

function roundTrip(): void {
  const out = new ByteBuffer();
  for (let s = 0; s < subject.samples.length; s++) {
    const sample = subject.samples[s];
    let frames = 0;
    for (let at = 0; at < sample.length; at += frame.length, frames++) {
      must(decodeAt(sample, at) == Decoded.FRAME, "not decoded", sample.name, at);
      must(inside(frame, sample.length - at), "a range outside the frame", sample.name, at);
      must(frame.error == FrameError.NONE, "error set", sample.name, at);
      const codec = codecOf(frame);
      out.clear();
      out.appendByte(0xee);
      const headers = codec.headers(frame);
      const at0 = frame.ptr + frame.contentOffset;
      must(!headers.changed, "changed before any change", sample.name, at);
      must(codec.encode(frame, headers, at0, frame.contentLength, frame.id, out), "not encoded", sample.name, at);
      must(load<u8>(out.ptr) == 0xee, "not appended", sample.name, at);
      out.consume(1);
      must(out.length == frame.length, "another length", sample.name, at);
      must(memory.compare(out.ptr, frame.ptr, frame.length) == 0, "other bytes: " + toHex(out), sample.name, at);
      codec.setId(out.ptr, frame, frame.id);
      must(memory.compare(out.ptr, frame.ptr, frame.length) == 0, "setId with the same id", sample.name, at);
    }
    must(frames == sample.frames, "another count of frames", sample.name, frames);
  }
}

function everyCut(): void {
  for (let s = 0; s < subject.samples.length; s++) {
    const sample = subject.samples[s];
    for (let at = 0; at < sample.length;) {
      must(decodeAt(sample, at) == Decoded.FRAME, "not decoded", sample.name, at);
      const length = frame.length;
      for (let cut = 0; cut < length; cut++) {
        const ptr = atEdge(sample.ptr + at, cut);
        const answer = subject.codec.decode(ptr, cut, sample.peer, MAX, frame);
        must(answer == Decoded.MORE, "not MORE", sample.name, at + cut);
        must(frame.error == FrameError.NONE, "an error with MORE", sample.name, at + cut);
        must(frame.length == 0, "a length with MORE", sample.name, at + cut);
        must(frame.need > cut && frame.need <= length, "need", sample.name, at + cut);
      }
      at += length;
    }
  }
}

function glued(): void {
  const all = new ByteBuffer();
  const count = subject.samples.length;
  for (let s = 0; s < count; s++) all.append(subject.samples[s].ptr, subject.samples[s].length);
  for (let s = count - 1; s >= 0; s--) all.append(subject.samples[s].ptr, subject.samples[s].length);
  let at = 0;
  for (let i = 0; i < 2 * count; i++) {
    const sample = subject.samples[i < count ? i : 2 * count - 1 - i];
    for (let offset = 0; offset < sample.length; offset += other.length) {
      const alone = subject.codec.decode(sample.ptr + offset, sample.length - offset, sample.peer, MAX, other);
      must(alone == Decoded.FRAME, "not decoded", sample.name, offset);
      const answer = subject.codec.decode(all.ptr + at, all.length - at, sample.peer, MAX, frame);
      must(answer == Decoded.FRAME, "not decoded among others", sample.name, offset);
      must(sameFrame(frame, other) && frame.id == other.id, "described differently", sample.name, offset);
      at += frame.length;
    }
  }
  must(at == all.length, "bytes left over");
}

function tooLarge(): void {
  for (let s = 0; s < subject.samples.length; s++) {
    const sample = subject.samples[s];
    for (let at = 0; at < sample.length;) {
      const ptr = sample.ptr + at;
      const left = sample.length - at;
      must(subject.codec.decode(ptr, left, sample.peer, MAX, frame) == Decoded.FRAME, "not decoded", sample.name, at);
      copyFrame(frame, other);
      must(subject.codec.decode(ptr, left, sample.peer, other.length, frame) == Decoded.FRAME, "max", sample.name, at);
      let answer = Decoded.MORE;
      let cut = 0;
      for (; cut <= other.length && answer == Decoded.MORE; cut++) {
        answer = subject.codec.decode(atEdge(ptr, cut), cut, sample.peer, other.length - 1, frame);
      }
      must(answer == Decoded.ERROR && frame.error == FrameError.TOO_LARGE, "not TOO_LARGE", sample.name, at);
      must(frame.answerable && frame.id == other.id && frame.kind == other.kind, "unanswerable", sample.name, at);
      must(frame.length == other.length && sameReply(subject.codec, frame, other), "aux or length", sample.name, at);
      must(cut - 1 <= other.contentOffset, "late", sample.name, at);
      at += other.length;
    }
  }
}

function hostileLengths(): void {
  const values: u64[] = [0, 1, 2, 3, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, MAX - 30, MAX + 1, i32.MAX_VALUE];
  for (let i: u64 = 0; i < 40; i++) {
    values.push(0x80000000 + i);
    values.push(u64.MAX_VALUE - i);
  }
  const copy = new ByteBuffer();
  for (let i = 0; i < subject.lengths.length; i++) {
    const field = subject.lengths[i];
    const sample = subject.samples[field.sample];
    copy.clear();
    copy.append(sample.ptr, sample.length);
    const now = field.read(copy.ptr);
    for (let v = -2; v < values.length; v++) {
      field.write(copy.ptr, v < 0 ? now + (v == -2 ? 1 : -1) : values[v]);
      const answer = subject.codec.decode(atEdge(copy.ptr, copy.length), copy.length, sample.peer, MAX, frame);
      if (answer == Decoded.FRAME) must(inside(frame, copy.length), "outside", sample.name, v);
      else if (answer == Decoded.MORE) must(frame.need > copy.length && frame.need <= MAX, "need", sample.name, v);
      else must(frame.error != FrameError.NONE, "no reason", sample.name, v);
    }
  }
}

function ids(): void {
  const copy = new ByteBuffer();
  const mask = u64.MAX_VALUE >> (64 - subject.codec.idBits);
  for (let s = 0; s < subject.samples.length; s++) {
    const sample = subject.samples[s];
    decodeAt(sample, 0);
    const codec = codecOf(frame);
    codec.headers(frame);
    for (let bit = 0; bit < 66; bit++) {
      let id: u64 = bit < 64 ? (1 as u64) << bit : bit == 64 ? 0 : u64.MAX_VALUE;
      if ((id & mask) == 0 && !subject.zeroId) continue;
      copy.clear();
      must(codec.copy(frame, id, copy) == copy.length, "length of a copy", sample.name, bit);
      id &= mask;
      must(subject.codec.decode(copy.ptr, copy.length, sample.peer, MAX, other) == Decoded.FRAME, "copy", sample.name);
      codec.headers(other);
      must(other.id == id && sameFrame(frame, other), "another frame", sample.name, bit);
      const headers = codec.headers(frame);
      const body = frame.ptr + frame.contentOffset;
      copy.clear();
      must(codec.encode(frame, headers, body, frame.contentLength, id, copy), "not encoded", sample.name, bit);
      subject.codec.decode(copy.ptr, copy.length, sample.peer, MAX, other);
      codec.headers(other);
      must(other.id == id && sameFrame(frame, other), "encoded with another id", sample.name, bit);
    }
  }
}

/** `encode` writes up to `maxLength` bytes, and nothing where it would be one more; what came may always go on. */
function limited(codec: Codec, sample: Sample, body: usize, n: i32, total: i32): void {
  const copy = new ByteBuffer();
  codec.maxLength = total;
  must(codec.encode(frame, codec.headers(frame), body, n, 5, copy), "refused at maxLength", sample.name, n);
  codec.maxLength = total - 1;
  copy.clear();
  const encoded = codec.encode(frame, codec.headers(frame), body, n, 5, copy);
  must(encoded == total <= frame.length, "above maxLength", sample.name, n);
  must(encoded || copy.length == 0, "something was appended", sample.name, n);
  codec.maxLength = i32.MAX_VALUE;
  copy.free();
}

/** Whether the proxy's own answer to both frames is the same: what else there is in `aux` is for answers of servers. */
function sameReply(codec: Codec, a: Frame, b: Frame): bool {
  if (a.kind > FrameKind.ONEWAY) return a.aux == b.aux;
  const one = new ByteBuffer();
  const two = new ByteBuffer();
  codec.reply(a.id, a.aux, codec.toStatus(500), 0, 0, one);
  codec.reply(b.id, b.aux, codec.toStatus(500), 0, 0, two);
  const same = one.length == two.length && memory.compare(one.ptr, two.ptr, one.length) == 0;
  one.free();
  two.free();
  return same;
}

function content(): void {
  const copy = new ByteBuffer();
  const body = new StaticArray<u8>(70000);
  for (let i = 0; i < body.length; i++) body[i] = (i * 7) as u8;
  const lengths = [0, 1, 300, body.length];
  for (let s = 0; s < subject.samples.length; s++) {
    const sample = subject.samples[s];
    subject.codec.decode(sample.ptr, sample.length, sample.peer, MAX, frame);
    const codec = codecOf(frame);
    for (let i = 0; i < lengths.length; i++) {
      copy.clear();
      const n = lengths[i];
      must(codec.encode(frame, codec.headers(frame), changetype<usize>(body), n, 5, copy), "refused", sample.name, n);
      const answer = subject.codec.decode(atEdge(copy.ptr, copy.length), copy.length, sample.peer, MAX, other);
      must(answer == Decoded.FRAME && other.length == copy.length, "not decoded", sample.name, n);
      must(other.contentLength == n && other.id == 5, "another frame", sample.name, n);
      const lost = lostField(frame, other, true);
      must(lost.length == 0, "field " + lost + " is lost", sample.name, n);
      must(hasContent(other, changetype<usize>(body), n), "field content is lost", sample.name, n);
      limited(codec, sample, changetype<usize>(body), n, copy.length);
    }
  }
}

function replies(): void {
  const out = new ByteBuffer();
  const reasons = [Bytes.EMPTY, Bytes.of("no route"), Bytes.of("é €"), Bytes.of("long ".repeat(2000))];
  const codes = [0, 2, 3, 200, 403, 404, 418, 500, 502, 503, 504, 509, -1];
  for (let s = 0; s < subject.samples.length; s++) {
    const sample = subject.samples[s];
    decodeAt(sample, 0);
    const codec = codecOf(frame);
    const aux = frame.aux;
    for (let i = 0; i < codes.length * reasons.length; i++) {
      const status = codec.toStatus(codes[i / reasons.length]);
      const reason = reasons[i % reasons.length];
      const id = u64.MAX_VALUE >> (64 - codec.idBits);
      out.clear();
      codec.reply(id, aux, status, reason.ptr, reason.length, out);
      const ptr = atEdge(out.ptr, out.length);
      must(subject.codec.decode(ptr, out.length, Peer.SERVER, MAX, other) == Decoded.FRAME, "no frame", sample.name, i);
      must(other.length == out.length && other.kind == FrameKind.RESPONSE, "no response", sample.name, i);
      must(other.id == id && other.status == status, "id or status", sample.name, i);
      if (subject.readable && reason.length == 8 && status != subject.codec.toStatus(200)) {
        must(toHex(out).includes(NO_ROUTE), "unreadable", sample.name, i);
      }
    }
  }
}

function signals(): void {
  const out = new ByteBuffer();
  const codec = subject.codec;
  const id = u64.MAX_VALUE >> (64 - codec.idBits);
  codec.heartbeat(id, 0, out);
  if (codec.hasHeartbeat) {
    must(codec.decode(out.ptr, out.length, Peer.CLIENT, MAX, frame) == Decoded.FRAME, "heartbeat");
    must(frame.kind == FrameKind.HEARTBEAT && frame.id == id && frame.length == out.length, "no heartbeat");
    const aux = frame.aux;
    out.clear();
    codec.heartbeatAck(id, aux, out);
    must(codec.decode(out.ptr, out.length, Peer.SERVER, MAX, frame) == Decoded.FRAME, "ack");
    must(frame.kind == FrameKind.HEARTBEAT_ACK && frame.id == id && frame.length == out.length, "no ack");
  } else {
    must(out.length == 0, "a heartbeat of a protocol without");
  }
  out.clear();
  must(codec.goAway(id, out) == subject.goAway, "go-away");
  if (subject.goAway) {
    must(codec.decode(out.ptr, out.length, Peer.SERVER, MAX, frame) == Decoded.FRAME, "go-away is no frame");
    must(frame.kind == FrameKind.GOAWAY && frame.length == out.length, "no go-away");
  } else {
    must(out.length == 0, "a go-away of a protocol without");
  }
}

function mapping(): void {
  const codec = subject.codec;
  for (let i = -2; i < 65536; i++) {
    must(subject.statuses.includes(codec.toStatus(i)), "unknown status for code", codec.name, i);
    const code = codec.toCode(i);
    must(code == 200 || (code >= 400 && code < 600), "odd code for status", codec.name, i);
    must((code == 200) == (i == codec.toStatus(200)), "success", codec.name, i);
  }
}

function detection(): void {
  for (let s = 0; s < subject.samples.length; s++) {
    const sample = subject.samples[s];
    if (sample.peer != Peer.CLIENT || sample.foreign) continue;
    let known = false;
    for (let n = 1; n <= min(sample.length, 64); n++) {
      const answer = subject.codec.detect(atEdge(sample.ptr, n), n);
      must(answer == Detected.YES || (answer == Detected.MORE && !known), "not detected", sample.name, n);
      known = answer == Detected.YES;
    }
    must(known, "never detected", sample.name);
  }
  for (let i = 0; i < JUNK.length; i++) {
    const junk = Bytes.of(JUNK[i]);
    must(subject.codec.detect(atEdge(junk.ptr, junk.length), junk.length) == Detected.NO, "junk", JUNK[i]);
  }
}
