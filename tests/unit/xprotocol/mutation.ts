import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { Codec, Decoded } from "../../../assembly/xprotocol/codec";
import { Frame, FrameKind } from "../../../assembly/xprotocol/frame";
import { Headers } from "../../../assembly/message/headers";
import { hasContent, lostField, lostHeader } from "./lost";
import { Sample, Subject } from "./subject";
import { atEdge, Model, must, Random } from "./support";

const MAX: i32 = 1 << 20;
const ROUNDS: i32 = 60;
const STEPS: i32 = 8;

const frame = new Frame();
const again = new Frame();
const view = new View();
const random = new Random(4711);

/** Keys and values for the changes: new ones, an upper-case twin, empty, binary, long. */
function material(model: Model, subject: Subject): Bytes[] {
  const list = [Bytes.of("x-new"), Bytes.of("X-NEW"), Bytes.EMPTY, Bytes.of("service"), Bytes.of("y".repeat(200))];
  const binary = new StaticArray<u8>(5);
  binary[1] = 0xff;
  binary[2] = 0x0a;
  list.push(subject.textHeaders ? Bytes.of("é €") : Bytes.copy(changetype<usize>(binary), 5));
  for (let i = 0; i < model.keys.length; i++) list.push(model.keys[i]);
  for (let i = list.length - 1; i >= 0; i--) if (subject.fields.includes(list[i].toString())) list.splice(i, 1);
  return list;
}

/** Random changes to the headers of every sample, each followed by a comparison with a plain model of it. */
export function headerMutation(subject: Subject): void {
  for (let s = 0; s < subject.samples.length; s++) {
    const sample = subject.samples[s];
    const answer = subject.codec.decode(sample.ptr, sample.length, sample.peer, MAX, frame);
    must(answer == Decoded.FRAME, "not decoded", sample.name);
    if (frame.kind > FrameKind.RESPONSE) continue;
    const codec = frame.codec;
    if (codec === null) continue;
    if (!subject.hasHeaders) {
      refuses(codec, codec.headers(frame), sample.name);
      continue;
    }
    for (let round = 0; round < ROUNDS; round++) change(codec, subject, sample, round);
    tooLong(codec, subject.maxHeaderBlock, sample.name);
  }
}

function change(codec: Codec, subject: Subject, sample: Sample, round: i32): void {
  const name = sample.name;
  const headers = codec.headers(frame);
  const model = Model.of(headers);
  const words = material(model, subject);
  for (let step = 0; step < 1 + (round % STEPS); step++) {
    const key = words[random.below(words.length)];
    const value = words[random.below(words.length)];
    const at = model.find(key);
    must(headers.get(key.ptr, key.length, view) == at >= 0, "get", name, round);
    const valueAt = subject.lastValueCounts ? model.findLast(key) : at;
    if (at >= 0) must(model.values[valueAt].equals(view.ptr, view.length), "value that counts", name, round);
    const before = headers.changed;
    let action = random.below(4);
    if (action > 1 && at >= 0 && subject.uniqueNames) action = 1;
    if (action == 0) {
      const removed = headers.remove(key.ptr, key.length);
      must(removed == model.remove(key), "remove", name, round);
      must(headers.changed == (before || removed > 0), "changed by remove", name, round);
    } else {
      if (action == 1) {
        headers.set(key.ptr, key.length, value.ptr, value.length);
        model.set(key, value);
      } else if (action == 2) {
        headers.add(key.ptr, key.length, value.ptr, value.length);
        if (subject.uniqueKeys) model.set(key, value);
        else model.add(key, value);
      } else if (at >= 0) {
        // A value of its own: the view points into the headers' memory.
        const own = model.values[valueAt];
        headers.add(key.ptr, key.length, view.ptr, view.length);
        if (subject.uniqueKeys) model.set(key, own);
        else model.add(key, own);
      } else continue;
      must(headers.changed, "not changed", name, round);
    }
    must(Model.of(headers).equals(model), "the headers differ", name, round);
  }
  encoded(codec, headers, model, sample, round);
}

function encoded(codec: Codec, headers: Headers, model: Model, sample: Sample, round: i32): void {
  const name = sample.name;
  const out = new ByteBuffer();
  const body = frame.ptr + frame.contentOffset;
  must(codec.encode(frame, headers, body, frame.contentLength, 77, out), "not encoded", name, round);
  const ptr = atEdge(out.ptr, out.length);
  must(codec.decode(ptr, out.length, sample.peer, MAX, again) == Decoded.FRAME, "not decoded again", name, round);
  must(again.length == out.length && again.id == 77, "another frame", name, round);
  const header = lostHeader(model, Model.of(codec.headers(again)));
  must(header.length == 0, header, name, round);
  const lost = lostField(frame, again, false);
  must(lost.length == 0, "field " + lost + " is lost", name, round);
  must(hasContent(again, body, frame.contentLength), "field content is lost", name, round);
  out.free();
}

/** A protocol without headers says so, whole or not at all. */
function refuses(codec: Codec, headers: Headers, name: string): void {
  const out = new ByteBuffer();
  const word = Bytes.of("x");
  headers.add(word.ptr, word.length, word.ptr, word.length);
  must(!codec.encode(frame, headers, frame.ptr, 0, 1, out) && out.length == 0, "headers were lost", name);
}

function tooLong(codec: Codec, limit: i32, name: string): void {
  const out = new ByteBuffer();
  const key = Bytes.of("k");
  const value = Bytes.of("v".repeat(1000));
  const headers = codec.headers(frame);
  for (let n = 0; n <= limit; n += 1000) headers.add(key.ptr, key.length, value.ptr, value.length);
  codec.maxLength = MAX;
  must(!codec.encode(frame, headers, frame.ptr, 0, 1, out), "too long a block", name);
  codec.maxLength = i32.MAX_VALUE;
  must(out.length == 0, "something was appended", name);
}
