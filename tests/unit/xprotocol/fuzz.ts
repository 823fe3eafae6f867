import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Codec, Decoded } from "../../../assembly/xprotocol/codec";
import { Frame, FrameError, FrameKind } from "../../../assembly/xprotocol/frame";
import { Headers, HeaderVisitor } from "../../../assembly/message/headers";
import { Subject } from "./subject";
import { atEdge, inside, must, Random } from "./support";

const MAX: i32 = 1 << 20;
const RUNS: i32 = 100000;

const frame = new Frame();
const random = new Random(20261121);
const out = new ByteBuffer();

/** Touches every header; the ranges must be readable. */
class Toucher extends HeaderVisitor {
  sum: u32 = 0;

  onHeader(key: usize, keyLength: i32, value: usize, valueLength: i32): bool {
    if (keyLength > 0) this.sum += load<u8>(key + keyLength - 1);
    if (valueLength > 0) this.sum += load<u8>(value + valueLength - 1);
    return true;
  }
}
const toucher = new Toucher();

/** Seeded random damage to the samples: nothing traps, and what is a frame lies in the input. */
export function fuzz(subject: Subject): void {
  const seen = new StaticArray<i32>(3);
  for (let run = 0; run < RUNS; run++) {
    const sample = subject.samples[random.below(subject.samples.length)];
    const length = random.below(8) == 0 ? random.below(sample.length + 1) : sample.length;
    const ptr = atEdge(sample.ptr, length);
    for (let n = random.below(4); n >= 0 && length > 0; n--) damage(ptr, length);
    // Long recordings would spend the time on their later frames.
    for (let at = 0, frames = 0; at <= length && frames < 3; at += frame.length, frames++) {
      const answer = subject.codec.decode(ptr + at, length - at, run & 1, MAX, frame);
      seen[answer]++;
      if (answer == Decoded.MORE) must(frame.need > length - at, "need", sample.name, run);
      if (answer == Decoded.ERROR) must(frame.error != FrameError.NONE, "no reason", sample.name, run);
      const codec = frame.codec;
      if (codec === null || answer == Decoded.MORE) break;
      if (answer == Decoded.FRAME) use(codec, length - at, sample.name, run);
      else if (frame.answerable) answerTo(codec);
      if (frame.length <= 0 || frame.length > length - at) break;
    }
  }
  expect(seen[Decoded.FRAME]).toBeGreaterThan(1000);
  expect(seen[Decoded.ERROR]).toBeGreaterThan(1000);
  expect(seen[Decoded.MORE]).toBeGreaterThan(1000);
}

/** Most lengths are in the first bytes: half of the damage goes there. */
function damage(ptr: usize, length: i32): void {
  const at = random.below(random.below(2) == 0 ? min(length, 40) : length);
  const kind = random.below(4);
  if (kind == 0) store<u8>(ptr + at, random.next() as u8);
  else if (kind == 1) store<u8>(ptr + at, load<u8>(ptr + at) ^ ((1 as u8) << (random.below(8) as u8)));
  else if (kind == 2) store<u8>(ptr + at, 0xff);
  else store<u8>(ptr + at, load<u8>(ptr + at) + 1);
}

function use(codec: Codec, left: i32, name: string, run: i32): void {
  must(inside(frame, left), "a range outside the input", name, run);
  const headers: Headers = codec.headers(frame);
  headers.forEach(toucher);
  // Whatever it says: it must not read behind the frame, nor trap.
  if (codec.isException(frame)) must(frame.kind == FrameKind.RESPONSE, "an exception that is no response", name, run);
  out.reset(1 << 16);
  const body = frame.ptr + frame.contentOffset;
  must(codec.encode(frame, headers, body, frame.contentLength, frame.id, out), "not encoded", name, run);
  codec.setId(out.ptr, frame, run);
  if (frame.kind == FrameKind.REQUEST) answerTo(codec);
}

function answerTo(codec: Codec): void {
  out.reset(1 << 16);
  codec.reply(frame.id, frame.aux, codec.toStatus(frame.status), 0, 0, out);
  codec.heartbeatAck(frame.id, frame.aux, out);
}
