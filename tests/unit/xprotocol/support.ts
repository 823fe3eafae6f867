import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { Frame } from "../../../assembly/xprotocol/frame";
import { Headers, HeaderVisitor } from "../../../assembly/message/headers";

/** The bytes of a hex string. */
export function hex(text: string): StaticArray<u8> {
  const bytes = new StaticArray<u8>(text.length >> 1);
  for (let i = 0; i < bytes.length; i++) bytes[i] = U8.parseInt(text.substr(i * 2, 2), 16);
  return bytes;
}

/** The unread bytes of a buffer in hex. */
export function toHex(buffer: ByteBuffer): string {
  let text = "";
  for (let i = 0; i < buffer.length; i++) {
    const byte = load<u8>(buffer.ptr + i);
    text += (byte >> 4).toString(16) + (byte & 15).toString(16);
  }
  return text;
}

/** Fails the test with a message that costs nothing as long as it holds. */
export function must(ok: bool, what: string, name: string = "", at: i32 = 0): void {
  if (!ok) expect(what + " [" + name + " " + at.toString() + "]").toBe("");
}

/** xorshift32: the same numbers in every run. */
export class Random {
  constructor(private state: u32) {}

  next(): u32 {
    this.state ^= this.state << 13;
    this.state ^= this.state >> 17;
    this.state ^= this.state << 5;
    return this.state;
  }

  /** A number from 0 to `n` - 1; `n` > 0. */
  below(n: i32): i32 {
    return (this.next() % (n as u32)) as i32;
  }
}

let edgeEnd: usize = 0;

/** Copies bytes (at most 128 KiB) to the very end of the memory, where reading one more traps; returns their address. */
export function atEdge(ptr: usize, length: i32): usize {
  const end = (memory.size() as usize) << 16;
  if (end != edgeEnd) {
    memory.grow(2);
    edgeEnd = (memory.size() as usize) << 16;
  }
  const to = edgeEnd - length;
  memory.copy(to, ptr, length);
  return to;
}

/** Copies the description, not the bytes. */
export function copyFrame(from: Frame, to: Frame): void {
  memory.copy(changetype<usize>(to), changetype<usize>(from), offsetof<Frame>());
}

/** Whether two descriptions are equal but for address and id. */
export function sameFrame(a: Frame, b: Frame): bool {
  return (
    a.codec === b.codec &&
    a.kind == b.kind &&
    a.timeout == b.timeout &&
    a.status == b.status &&
    a.length == b.length &&
    a.headerOffset == b.headerOffset &&
    a.headerLength == b.headerLength &&
    a.contentOffset == b.contentOffset &&
    a.contentLength == b.contentLength &&
    a.serviceOffset == b.serviceOffset &&
    a.serviceLength == b.serviceLength &&
    a.methodOffset == b.methodOffset &&
    a.methodLength == b.methodLength &&
    a.generic == b.generic &&
    a.aux == b.aux &&
    a.error == b.error &&
    a.answerable == b.answerable &&
    a.need == b.need
  );
}

/** Whether all ranges of a decoded frame lie in its length, and that in the input. */
export function inside(frame: Frame, inputLength: i32): bool {
  const n = frame.length;
  return (
    n > 0 &&
    n <= inputLength &&
    within(frame.headerOffset, frame.headerLength, n) &&
    within(frame.contentOffset, frame.contentLength, n) &&
    within(frame.serviceOffset, frame.serviceLength, n) &&
    within(frame.methodOffset, frame.methodLength, n)
  );
}

function within(offset: i32, length: i32, n: i32): bool {
  return offset >= 0 && length >= 0 && offset <= n && length <= n - offset;
}

/** Headers written down as the test expects them. */
export class Model extends HeaderVisitor {
  keys: Bytes[] = [];
  values: Bytes[] = [];

  onHeader(key: usize, keyLength: i32, value: usize, valueLength: i32): bool {
    this.keys.push(Bytes.copy(key, keyLength));
    this.values.push(Bytes.copy(value, valueLength));
    return true;
  }

  static of(headers: Headers): Model {
    const model = new Model();
    headers.forEach(model);
    return model;
  }

  find(key: Bytes): i32 {
    for (let i = 0; i < this.keys.length; i++) if (this.keys[i].equals(key.ptr, key.length)) return i;
    return -1;
  }

  /** Those with this key. */
  valuesOf(key: Bytes): Model {
    const model = new Model();
    for (let i = 0; i < this.keys.length; i++)
      if (this.keys[i].equals(key.ptr, key.length)) model.add(key, this.values[i]);
    return model;
  }

  findLast(key: Bytes): i32 {
    for (let i = this.keys.length - 1; i >= 0; i--) if (this.keys[i].equals(key.ptr, key.length)) return i;
    return -1;
  }

  add(key: Bytes, value: Bytes): void {
    this.keys.push(key);
    this.values.push(value);
  }

  set(key: Bytes, value: Bytes): void {
    const first = this.find(key);
    if (first < 0) {
      this.add(key, value);
      return;
    }
    this.remove(key);
    const keys = this.keys.slice(0, first);
    const values = this.values.slice(0, first);
    keys.push(key);
    values.push(value);
    this.keys = keys.concat(this.keys.slice(first));
    this.values = values.concat(this.values.slice(first));
  }

  remove(key: Bytes): i32 {
    const keys: Bytes[] = [];
    const values: Bytes[] = [];
    for (let i = 0; i < this.keys.length; i++) {
      if (this.keys[i].equals(key.ptr, key.length)) continue;
      keys.push(this.keys[i]);
      values.push(this.values[i]);
    }
    const removed = this.keys.length - keys.length;
    this.keys = keys;
    this.values = values;
    return removed;
  }

  equals(other: Model): bool {
    if (this.keys.length != other.keys.length) return false;
    for (let i = 0; i < this.keys.length; i++) {
      if (!this.keys[i].equals(other.keys[i].ptr, other.keys[i].length)) return false;
      if (!this.values[i].equals(other.values[i].ptr, other.values[i].length)) return false;
    }
    return true;
  }
}
