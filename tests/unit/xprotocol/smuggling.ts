// Whether a name or value that a filter sets can become something else on the wire: another header, another field, or less.
import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { Codec, Decoded, Peer } from "../../../assembly/xprotocol/codec";
import { Frame, FrameKind } from "../../../assembly/xprotocol/frame";
import { hasContent, lostField, lostHeader, quoted } from "./lost";
import { Subject } from "./subject";
import { atEdge, Model } from "./support";

const MAX: i32 = 1 << 20;

/** What protocols in text end, separate or quote with; and what they may take for it. */
const SEPARATORS: string[] = [
  "\n",
  "\r",
  "\r\n",
  "\0",
  "=",
  "&",
  ";",
  ":",
  ",",
  " ",
  "\t",
  "|",
  "/",
  "%",
  "+",
  "\\",
  '"',
  "'",
  "<",
  "{",
  "[",
  "#",
  "\x1f",
  "\x01",
  "\x02",
  "\x7f",
  "\n\n",
  "\r\n\r\n",
  ": ",
  "==",
  "%0a",
  "%00",
  "\\n",
  "&amp;",
  "\u2028",
  "\u0100",
];

/** What the header is that is set. */
const enum Role {
  NEW,
  /** One that was there, and may name the service. */
  KNOWN,
  /** One that stands for a field of the frame. */
  FIELD,
}

const frame = new Frame();
const again = new Frame();

/**
 * Tries names and values with separators in them on every sample; returns what went wrong first, or "". That the change
 * cannot be expressed (`encode` is false, and nothing appended) is right, too. Headers that stand for fields get such
 * values as well.
 */
export function smuggled(subject: Subject): string {
  for (let s = 0; s < subject.samples.length; s++) {
    const sample = subject.samples[s];
    const answer = subject.codec.decode(sample.ptr, sample.length, sample.peer, MAX, frame);
    const codec = frame.codec;
    if (answer != Decoded.FRAME || codec === null || frame.kind > FrameKind.RESPONSE) continue;
    for (let i = 0; i < SEPARATORS.length; i++) {
      const problem = tried(codec, subject, sample.peer, SEPARATORS[i]);
      if (problem.length > 0) return problem + " [" + sample.name + "]";
    }
  }
  return "";
}

function tried(codec: Codec, subject: Subject, peer: Peer, separator: string): string {
  const key = Bytes.of("x-new");
  const texts = ["a" + separator + "x-evil", "a" + separator + "x-evil=1", "a" + separator + "x-evil: 1" + separator];
  texts.push(separator);
  texts.push("a" + separator);
  for (let t = 0; t < texts.length; t++) {
    const text = Bytes.of(texts[t]);
    let problem = subject.hasHeaders ? written(codec, peer, "value", key, text) : "";
    if (problem.length == 0 && subject.hasHeaders) problem = written(codec, peer, "name", text, key);
    const known = Model.of(codec.headers(frame));
    for (let i = 0; i < min(known.keys.length, 8) && problem.length == 0; i++) {
      const role = subject.fields.includes(known.keys[i].toString()) ? Role.FIELD : Role.KNOWN;
      problem = written(codec, peer, "value", known.keys[i], text, role);
    }
    if (problem.length > 0) return problem;
  }
  return "";
}

/** Sets one header and reads the frame again as its receiver does. */
function written(codec: Codec, peer: Peer, what: string, key: Bytes, value: Bytes, role: Role = Role.NEW): string {
  const out = new ByteBuffer();
  const headers = codec.headers(frame);
  headers.set(key.ptr, key.length, value.ptr, value.length);
  const wanted = Model.of(headers);
  const body = frame.ptr + (frame.contentOffset as usize);
  const encoded = codec.encode(frame, headers, body, frame.contentLength, frame.id, out);
  let problem = "";
  if (!encoded) {
    if (out.length > 0) problem = "bytes were appended though the change was refused";
  } else {
    const ptr = atEdge(out.ptr, out.length);
    if (codec.decode(ptr, out.length, peer, MAX, again) != Decoded.FRAME) problem = "the frame cannot be read again";
    else if (again.length != out.length) problem = "the frame is read with another length";
    else problem = compared(codec, wanted, body, role);
  }
  out.free();
  if (problem.length == 0) return "";
  return (
    problem + ", after " + quoted(key) + " was set to " + quoted(value) + ": a " + what + " with a separator in it"
  );
}

function compared(codec: Codec, wanted: Model, body: usize, role: Role): string {
  // Asked for first: where headers lie behind the content, that ends where they begin.
  const found = Model.of(codec.headers(again));
  const header = lostHeader(wanted, found);
  if (header.length > 0) return header;
  const lost = role == Role.FIELD ? "" : lostField(frame, again, role == Role.NEW);
  if (lost.length > 0) return "field " + lost + " is lost";
  return hasContent(again, body, frame.contentLength) ? "" : "field content is lost";
}
