import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { HeaderSink, HpackDecoder } from "../../../assembly/http2/hpack/decoder";
import { FrameHandler } from "../../../assembly/http2/parser";

/** The bytes that `text` gives in hex; blanks are skipped. */
export function unhex(text: string): ByteBuffer {
  const out = new ByteBuffer();
  let high = -1;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c <= 32) continue;
    const digit = c <= 57 ? c - 48 : c - 87;
    if (high >= 0) out.appendByte((high << 4) | digit);
    high = high >= 0 ? -1 : digit;
  }
  return out;
}

/** The `length` bytes at `ptr` in hex. */
export function hex(ptr: usize, length: i32): string {
  let text = "";
  for (let i = 0; i < length; i++) {
    const byte = load<u8>(ptr + i);
    text += (byte >> 4).toString(16) + (byte & 15).toString(16);
  }
  return text;
}

/** The bytes as characters U+0000 to U+00FF. */
export function latin1(ptr: usize, length: i32): string {
  let text = "";
  for (let i = 0; i < length; i++) text += String.fromCharCode(load<u8>(ptr + i));
  return text;
}

/** Appends the bytes of an ASCII text. */
export function append(out: ByteBuffer, text: string): void {
  for (let i = 0; i < text.length; i++) out.appendByte(text.charCodeAt(i));
}

/** Collects fields as lines "name: value". */
export class FieldLog extends HeaderSink {
  text: string = "";
  onHeader(name: usize, nameLength: i32, value: usize, valueLength: i32): void {
    this.text += latin1(name, nameLength) + ": " + latin1(value, valueLength) + "\n";
  }
}

/** The fields of a block as lines, or "error". */
export function decode(decoder: HpackDecoder, block: string): string {
  const bytes = unhex(block);
  const log = new FieldLog();
  const ok = decoder.decode(bytes.ptr, bytes.length, log);
  bytes.free();
  return ok ? log.text : "error";
}

/** Writes down all that a parser tells, one event a line; the pieces of a DATA frame as one line. */
export class EventLog extends FrameHandler {
  lines: string[] = [];
  /** How many pieces of DATA there were. */
  pieces: i32 = 0;
  /** Stop once there are so many lines. */
  stopAt: i32 = i32.MAX_VALUE;
  /** Stop at so many pieces of DATA. */
  stopAtPiece: i32 = i32.MAX_VALUE;
  private data: string = "";

  get text(): string {
    return this.lines.join("\n");
  }
  private add(line: string): void {
    this.lines.push(line);
    if (this.lines.length >= this.stopAt) this.stopped = true;
  }
  onData(stream: u32, ptr: usize, length: i32): void {
    if (++this.pieces >= this.stopAtPiece) this.stopped = true;
    this.data += hex(ptr, length);
  }
  onDataEnd(stream: u32, frameLength: i32, endStream: bool): void {
    const end = endStream ? " end" : "";
    const line = stream.toString() + " data " + this.data + " of " + frameLength.toString() + end;
    this.data = "";
    this.add(line);
  }
  onHeaders(stream: u32, blockPtr: usize, blockLength: i32, endStream: bool): void {
    this.add(stream.toString() + " headers " + hex(blockPtr, blockLength) + (endStream ? " end" : ""));
  }
  onRstStream(stream: u32, code: u32): void {
    this.add(stream.toString() + " reset " + code.toString());
  }
  onSetting(id: u32, value: u32): void {
    this.add("setting " + id.toString() + " " + value.toString());
  }
  onSettingsEnd(): void {
    this.add("settings end");
  }
  onSettingsAck(): void {
    this.add("settings ack");
  }
  onPing(ack: bool, opaque: u64): void {
    this.add((ack ? "ping ack " : "ping ") + opaque.toString(16));
  }
  onGoAway(lastStream: u32, code: u32): void {
    this.add("goaway " + lastStream.toString() + " " + code.toString());
  }
  onWindowUpdate(stream: u32, increment: u32): void {
    this.add(stream.toString() + " window " + increment.toString());
  }
}

/** Makes one number of all that a parser tells; cuts of DATA make no difference. */
export class EventHash extends FrameHandler {
  value: u64 = 0;
  events: i32 = 0;

  /** Begins anew. */
  reset(): void {
    this.value = 0xcbf29ce484222325;
    this.events = 0;
  }
  private mix(v: u64): void {
    this.value = (this.value ^ v) * 0x100000001b3;
  }
  private event(kind: u64, a: u64, b: u64): void {
    this.events++;
    this.mix(kind);
    this.mix(a);
    this.mix(b);
  }
  private bytes(ptr: usize, length: i32): void {
    for (let i = 0; i < length; i++) this.mix(load<u8>(ptr + i) as u64);
  }
  onData(stream: u32, ptr: usize, length: i32): void {
    this.bytes(ptr, length);
  }
  onDataEnd(stream: u32, frameLength: i32, endStream: bool): void {
    this.event(1, stream as u64, ((frameLength as u64) << 1) | (endStream ? 1 : 0));
  }
  onHeaders(stream: u32, blockPtr: usize, blockLength: i32, endStream: bool): void {
    this.event(2, stream as u64, endStream ? 1 : 0);
    this.bytes(blockPtr, blockLength);
  }
  onRstStream(stream: u32, code: u32): void {
    this.event(3, stream as u64, code as u64);
  }
  onSetting(id: u32, value: u32): void {
    this.event(4, id as u64, value as u64);
  }
  onSettingsEnd(): void {
    this.event(5, 0, 0);
  }
  onSettingsAck(): void {
    this.event(6, 0, 0);
  }
  onPing(ack: bool, opaque: u64): void {
    this.event(7, ack ? 1 : 0, opaque);
  }
  onGoAway(lastStream: u32, code: u32): void {
    this.event(8, lastStream as u64, code as u64);
  }
  onWindowUpdate(stream: u32, increment: u32): void {
    this.event(9, stream as u64, increment as u64);
  }
}

/** A small generator of numbers, the same in every run. */
export class Random {
  constructor(private state: u64) {}
  /** A number from 0 to n - 1. */
  below(n: i32): i32 {
    this.state ^= this.state << 13;
    this.state ^= this.state >> 7;
    this.state ^= this.state << 17;
    return ((this.state >> 11) % (n as u64)) as i32;
  }
}
