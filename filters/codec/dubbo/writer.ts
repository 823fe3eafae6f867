import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { Tag } from "../../../assembly/hessian/tags";
import { appendString } from "../../../assembly/hessian/text";
import { Frame } from "../../../assembly/xprotocol/frame";
import { HeaderVisitor } from "../../../assembly/xprotocol/headers";
import { DubboHeaders, fieldOf, METHOD, Place, SERVICE, VERSION } from "./headers";

const text = new View();

/** Appends headers as attachments, but for the fields of a request: the first of each name. */
class AttachmentWriter extends HeaderVisitor {
  out: ByteBuffer | null = null;
  /** Fields that are passed, or that the frame has not. */
  passed: u32 = 0;
  failed: bool = false;

  onHeader(key: usize, keyLength: i32, value: usize, valueLength: i32): bool {
    const out = this.out;
    if (out === null) return false;
    const field = fieldOf(key, keyLength) & ~this.passed;
    this.passed |= field;
    if (field != 0) return true;
    this.failed = !appendString(out, key, keyLength) || !appendString(out, value, valueLength);
    return !this.failed;
  }
}
const writer = new AttachmentWriter();

/**
 * Appends the strings before the arguments of a request, with the headers' values; the version of Dubbo and the types of
 * the parameters as they are. False when a value is not text.
 */
export function appendFields(out: ByteBuffer, frame: Frame, headers: DubboHeaders): bool {
  const body = frame.ptr + 16;
  const service = headers.serviceAt;
  out.append(body, (service - body) as i32);
  if (
    !appendField(out, headers, SERVICE) ||
    !appendField(out, headers, VERSION) ||
    !appendField(out, headers, METHOD)
  ) {
    return false;
  }
  const types = headers.typesAt;
  out.append(types, (frame.ptr + (frame.contentOffset as usize) - types) as i32);
  return true;
}

function appendField(out: ByteBuffer, headers: DubboHeaders, name: Bytes): bool {
  if (headers.get(name.ptr, name.length, text)) return appendString(out, text.ptr, text.length);
  out.appendByte(Tag.NULL);
  return true;
}

/** Appends the attachments, and what is behind them; false when something is not text. Those that are kept are sound. */
export function appendAttachments(out: ByteBuffer, frame: Frame, headers: DubboHeaders): bool {
  const opening = headers.opening;
  if (opening.length > 0) out.append(opening.ptr, opening.length);
  else out.appendByte(Tag.MAP_UNTYPED);
  headers.kept.write(out);
  writer.out = out;
  writer.passed = headers.place == Place.REQUEST ? 0 : u32.MAX_VALUE;
  writer.failed = false;
  headers.forEach(writer);
  writer.out = null;
  if (writer.failed) return false;
  if (headers.twin && headers.get(VERSION.ptr, VERSION.length, text)) {
    appendString(out, VERSION.ptr, VERSION.length);
    if (!appendString(out, text.ptr, text.length)) return false;
  }
  out.appendByte(Tag.END);
  out.append(headers.rest, (frame.ptr + (frame.length as usize) - headers.rest) as i32);
  return true;
}
