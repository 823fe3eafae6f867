import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { Frame } from "../../../assembly/xprotocol/frame";
import { HeaderVisitor } from "../../../assembly/message/headers";
import { Body } from "./body";
import { DubboHeaders, fieldOf, HEADER, METHOD, Place, SERVICE, VERSION } from "./headers";

const text = new View();
const came = new View();

/** Appends headers as attachments, but for the fields of a request: the first of each name. */
class AttachmentWriter extends HeaderVisitor {
  out: ByteBuffer | null = null;
  body: Body | null = null;
  headers: DubboHeaders | null = null;
  /** Fields that are passed, or that the frame has not. */
  passed: u32 = 0;
  failed: bool = false;

  onHeader(key: usize, keyLength: i32, value: usize, valueLength: i32): bool {
    const out = this.out;
    const body = this.body;
    const headers = this.headers;
    if (out === null || body === null || headers === null) return false;
    const field = fieldOf(key, keyLength) & ~this.passed;
    this.passed |= field;
    if (field != 0 || headers.isPrinted(value)) return true;
    this.failed = !body.writeText(out, key, keyLength) || !body.writeText(out, value, valueLength);
    return !this.failed;
  }
}
const writer = new AttachmentWriter();

/**
 * Appends the strings before the arguments of a request: the bytes that came where the header is what it was. False when
 * a value is not text. Of a generic call the method is what it was.
 */
export function appendFields(out: ByteBuffer, frame: Frame, headers: DubboHeaders, body: Body): bool {
  const invocation = headers.invocation;
  const start = frame.ptr + (HEADER as usize);
  out.append(start, (invocation.serviceAt - start) as i32);
  frame.service(came);
  if (!appendField(out, headers, body, SERVICE, invocation.serviceAt, invocation.versionAt)) return false;
  came.set(headers.versionCame.ptr, headers.versionCame.length);
  if (!appendField(out, headers, body, VERSION, invocation.versionAt, invocation.methodAt)) return false;
  frame.method(came);
  if (!appendField(out, headers, body, METHOD, invocation.methodAt, invocation.typesAt)) return false;
  const types = invocation.typesAt;
  out.append(types, (frame.ptr + (frame.contentOffset as usize) - types) as i32);
  return true;
}

/** Appends a field, which was `came`, in the bytes from `from` to `to`. */
function appendField(out: ByteBuffer, headers: DubboHeaders, body: Body, name: Bytes, from: usize, to: usize): bool {
  if (headers.isSame(name, came)) out.append(from, (to - from) as i32);
  else if (headers.get(name.ptr, name.length, text)) return body.writeName(out, text.ptr, text.length);
  else body.writeNull(out);
  return true;
}

/** Appends the attachments, and what is behind them; false when something is not text. Those that are kept are sound. */
export function appendAttachments(out: ByteBuffer, frame: Frame, headers: DubboHeaders, body: Body): bool {
  const start = out.length;
  body.writeOpening(out, headers.opening);
  headers.kept.write(out);
  writer.out = out;
  writer.body = body;
  writer.headers = headers;
  writer.passed = headers.place == Place.REQUEST ? 0 : u32.MAX_VALUE;
  writer.failed = false;
  headers.forEach(writer);
  writer.out = null;
  if (writer.failed) return false;
  if (headers.twin && headers.get(VERSION.ptr, VERSION.length, text)) {
    if (!body.writeText(out, VERSION.ptr, VERSION.length) || !body.writeText(out, text.ptr, text.length)) return false;
  }
  body.writeEnd(out, start);
  out.append(headers.rest, (frame.ptr + (frame.length as usize) - headers.rest) as i32);
  return true;
}
