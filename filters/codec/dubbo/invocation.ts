import { Bytes } from "../../../assembly/bytes/bytes";
import { readDecimal } from "../../../assembly/bytes/decimal";
import { View } from "../../../assembly/bytes/view";
import { HessianReader } from "../../../assembly/hessian/reader";
import { MAX_PAIRS } from "../../../assembly/xprotocol/list";

/** Attachments, beside which a request has four headers. */
const MOST: i32 = MAX_PAIRS - 4;

const TIMEOUT: Bytes = Bytes.of("timeout");

const key = new View();
const value = new View();

/**
 * What is before the arguments in the body of a request: five strings, of which each may be null. The views are of the
 * frame; one object is reused.
 */
export class Invocation {
  /** Version of Dubbo's protocol, "2.0.2". */
  readonly dubbo: View = new View();
  readonly service: View = new View();
  readonly version: View = new View();
  /** Whether there is a version, be it empty. */
  versioned: bool = false;
  readonly method: View = new View();
  /** Address of the service, and of the types of the parameters: with tag and length. */
  serviceAt: usize = 0;
  typesAt: usize = 0;
  /** The types of the parameters, a JVM descriptor. */
  readonly types: View = new View();
  /** Count of the arguments. */
  argumentCount: i32 = 0;

  /** Reads up to the first argument; false when the strings, or the types of the parameters in the last, are broken. */
  read(reader: HessianReader): bool {
    if (!nullable(reader, this.dubbo)) return false;
    this.serviceAt = reader.at;
    if (!nullable(reader, this.service)) return false;
    this.versioned = !reader.readNull();
    this.version.set(reader.at, 0);
    if (this.versioned && !reader.readWord(this.version)) return false;
    if (!nullable(reader, this.method)) return false;
    this.typesAt = reader.at;
    if (!nullable(reader, this.types)) return false;
    this.argumentCount = countTypes(this.types.ptr, this.types.length);
    return this.argumentCount >= 0;
  }
}

/** Reads a string or a null, which is as good as an empty one. */
function nullable(reader: HessianReader, out: View): bool {
  out.set(reader.at, 0);
  return reader.readNull() || reader.readWord(out);
}

/** How many types a JVM descriptor such as `ILjava/lang/String;[B` lists; -1 when it is none. */
export function countTypes(ptr: usize, length: i32): i32 {
  const end = ptr + (length as usize);
  let count = 0;
  let open = false;
  while (ptr < end) {
    const c = load<u8>(ptr++);
    open = c == 0x5b; // '[': of the type that follows
    if (open) continue;
    if (c == 0x4c) {
      while (ptr < end && load<u8>(ptr) != 0x3b) ptr++; // 'L' to ';'
      if (ptr++ == end) return -1;
    } else if (!isPrimitive(c)) {
      return -1;
    }
    count++;
  }
  return open ? -1 : count;
}

/** Z B C D F I J S V. */
// @ts-ignore: decorator
@inline
function isPrimitive(c: u8): bool {
  const letter = c - 0x41;
  return letter < 26 && (((0x0224032e as u32) >> (letter as u32)) & 1) != 0;
}

/**
 * Skips the attachments, the last in a request's body; returns the value of `timeout`, milliseconds, 0 where there is
 * none, or -1 when they cannot be read, or are too many.
 */
export function skipAttachments(reader: HessianReader): i32 {
  if (reader.done || reader.readNull()) return 0;
  if (!reader.readMap()) return -1;
  let timeout = 0;
  for (let pairs = 0; !reader.readEnd(); pairs++) {
    if (pairs == MOST) return -1;
    if (!reader.readWord(key)) {
      if (!reader.skip(2)) return -1;
    } else if (!TIMEOUT.equals(key.ptr, key.length)) {
      if (!reader.skip(1)) return -1;
    } else if (reader.readWord(value)) {
      timeout = milliseconds(value);
    } else if (reader.readInt()) {
      timeout = max(reader.value, 0);
    } else if (!reader.skip(1)) {
      return -1;
    }
  }
  return timeout;
}

/** A decimal number; 0 for anything else. */
function milliseconds(text: View): i32 {
  const number = readDecimal(text.ptr, text.length);
  return max(min(number, i32.MAX_VALUE as i64), 0) as i32;
}
