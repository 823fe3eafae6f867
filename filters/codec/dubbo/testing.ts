// What both specs of this folder need.
import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { Decoded, Peer } from "../../../assembly/xprotocol/codec";
import { Frame } from "../../../assembly/xprotocol/frame";
import { Headers } from "../../../assembly/message/headers";
import { atEdge, hex, Model, toHex } from "../../../tests/unit/xprotocol/support";
import { dubbo } from "./dubbo";

const MAX: i32 = 1 << 20;
export const frame = new Frame();
const view = new View();

export function decode(text: string, peer: Peer = Peer.CLIENT): Decoded {
  const bytes = hex(text);
  return dubbo.decode(atEdge(changetype<usize>(bytes), bytes.length), bytes.length, peer, MAX, frame);
}

function n4(value: i32): string {
  return value.toString(16).padStart(8, "0");
}

/** A two-way request with this body, in hex. */
export function request(body: string): string {
  return "dabbc200" + "ffffffff00000005" + n4(body.length >> 1) + body;
}

export function response(body: string): string {
  return "dabb0214" + "0000000000000007" + n4(body.length >> 1) + body;
}

/** Hessian of a short ASCII string. */
export function s(text: string): string {
  let out = text.length.toString(16).padStart(2, "0");
  for (let i = 0; i < text.length; i++) out += text.charCodeAt(i).toString(16).padStart(2, "0");
  return out;
}

/** The strings before the arguments, of path P, version 1.0, method m. */
export function prefix(types: string): string {
  return s("2.0.2") + s("P") + s("1.0") + s("m") + s(types);
}

/** A map of strings. */
export function map(pairs: string[]): string {
  let out = "48";
  for (let i = 0; i < pairs.length; i++) out += s(pairs[i]);
  return out + "5a";
}

export function service(): string {
  return frame.service(view) ? String.UTF8.decodeUnsafe(view.ptr, view.length) : "-";
}

export function method(): string {
  return frame.method(view) ? String.UTF8.decodeUnsafe(view.ptr, view.length) : "-";
}

/** The headers as `key=value` lines. */
export function shown(headers: Headers): string {
  const model = Model.of(headers);
  let text = "";
  for (let i = 0; i < model.keys.length; i++)
    text += model.keys[i].toString() + "=" + model.values[i].toString() + "\n";
  return text;
}

export function get(headers: Headers, key: string): string {
  const name = Bytes.of(key);
  return headers.get(name.ptr, name.length, view) ? String.UTF8.decodeUnsafe(view.ptr, view.length) : "-";
}

export function set(headers: Headers, key: string, value: string): void {
  const name = Bytes.of(key);
  const text = Bytes.of(value);
  headers.set(name.ptr, name.length, text.ptr, text.length);
}

export function remove(headers: Headers, key: string): i32 {
  const name = Bytes.of(key);
  return headers.remove(name.ptr, name.length);
}

/** The frame with its headers as they are now, in hex; "" when it cannot be written. */
export function encoded(headers: Headers): string {
  const out = new ByteBuffer();
  const content = frame.ptr + (frame.contentOffset as usize);
  return dubbo.encode(frame, headers, content, frame.contentLength, frame.id, out) ? toHex(out) : "";
}

/** The frame with other content. */
export function replaced(headers: Headers, content: string): string {
  const bytes = hex(content);
  const out = new ByteBuffer();
  return dubbo.encode(frame, headers, changetype<usize>(bytes), bytes.length, frame.id, out) ? toHex(out) : "";
}

/** JSONB of a short ASCII string, without its length. */
export function b(text: string): string {
  let out = (0x49 + text.length).toString(16).padStart(2, "0");
  for (let i = 0; i < text.length; i++) out += text.charCodeAt(i).toString(16).padStart(2, "0");
  return out;
}

/** A value of a body in fastjson2: its length, and it. */
export function v(value: string): string {
  return n4(value.length >> 1) + value;
}

/** The strings before the arguments, in fastjson2. */
export function json(types: string): string {
  return v(b("2.0.2")) + v(b("P")) + v(b("1.0")) + v(b("m")) + v(b(types));
}

/** A map of strings, in fastjson2. */
export function jsonMap(pairs: string[]): string {
  let out = "a6";
  for (let i = 0; i < pairs.length; i++) out += b(pairs[i]);
  return v(out + "a5");
}

/** A two-way request in fastjson2. */
export function jsonRequest(body: string): string {
  return request(body).replace("dabbc2", "dabbd7");
}

export function jsonResponse(body: string): string {
  return response(body).replace("dabb02", "dabb17");
}
