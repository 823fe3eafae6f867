// Whether a change of a header that is there can be lost without a word: what `encode` writes has it, or it refuses.
import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { Codec, Decoded, Peer } from "../../../assembly/xprotocol/codec";
import { Frame, FrameKind } from "../../../assembly/xprotocol/frame";
import { Headers, HeaderVisitor } from "../../../assembly/message/headers";
import { quoted } from "./lost";
import { Subject } from "./subject";
import { atEdge, Model } from "./support";

const MAX: i32 = 1 << 20;
/** Headers of a sample that are tried, from the first on: fields of the frame come first. */
const MOST: i32 = 16;

const enum Change {
  SET,
  ADD,
  REMOVE,
}

const frame = new Frame();
const again = new Frame();
const view = new View();

/** Looks for a value. */
class Search extends HeaderVisitor {
  found: bool = false;

  constructor(private readonly wanted: Bytes) {
    super();
  }

  onHeader(key: usize, keyLength: i32, value: usize, valueLength: i32): bool {
    if (this.wanted.equals(value, valueLength)) this.found = true;
    return !this.found;
  }
}

/** Changes every header of every sample that is there; returns which change was lost first, or "". */
export function ignored(subject: Subject): string {
  for (let s = 0; s < subject.samples.length; s++) {
    const sample = subject.samples[s];
    const answer = subject.codec.decode(sample.ptr, sample.length, sample.peer, MAX, frame);
    const codec = frame.codec;
    if (answer != Decoded.FRAME || codec === null || frame.kind > FrameKind.RESPONSE) continue;
    const keys = Model.of(codec.headers(frame)).keys;
    for (let i = 0; i < min(keys.length, MOST); i++) {
      for (let change = 0; change <= (Change.REMOVE as i32); change++) {
        const problem = lost(codec, sample.peer, keys[i], change);
        if (problem.length > 0) return problem + " [" + sample.name + "]";
      }
    }
  }
  return "";
}

function lost(codec: Codec, peer: Peer, key: Bytes, change: Change): string {
  const value = Bytes.of("77");
  const headers = codec.headers(frame);
  if (change == Change.SET) headers.set(key.ptr, key.length, value.ptr, value.length);
  else if (change == Change.ADD) headers.add(key.ptr, key.length, value.ptr, value.length);
  else headers.remove(key.ptr, key.length);
  const what = change == Change.SET ? "set" : change == Change.ADD ? "added to" : "removed";
  if (!headers.changed) return "header " + quoted(key) + " is lost: it does not count as changed after it was " + what;

  const out = new ByteBuffer();
  const body = frame.ptr + (frame.contentOffset as usize);
  const written = codec.encode(frame, headers, body, frame.contentLength, frame.id, out);
  const good = written ? isWritten(codec, peer, out, key, value, change) : out.length == 0;
  out.free();
  return good ? "" : "header " + quoted(key) + " is lost after it was " + what;
}

/** Whether the frame in `out` shows the change. */
function isWritten(codec: Codec, peer: Peer, out: ByteBuffer, key: Bytes, value: Bytes, change: Change): bool {
  const ptr = atEdge(out.ptr, out.length);
  if (codec.decode(ptr, out.length, peer, MAX, again) != Decoded.FRAME) return false;
  const headers: Headers = codec.headers(again);
  if (change == Change.REMOVE) return !headers.get(key.ptr, key.length, view);
  if (change == Change.SET) return headers.get(key.ptr, key.length, view) && value.equals(view.ptr, view.length);
  const search = new Search(value);
  headers.forEachOf(key.ptr, key.length, search);
  return search.found;
}
