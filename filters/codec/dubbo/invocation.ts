import { View } from "../../../assembly/bytes/view";
import { Body, Name } from "./body";

/** What is in the body of a request. */
export const enum Read {
  CALL,
  /** No call that a server could read. */
  OTHER,
  /** A call, but one of its names is none that has only one spelling. */
  AMBIGUOUS,
}

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
  /** Addresses of the service, the version, the method and the types of the parameters, with all that belongs to them. */
  serviceAt: usize = 0;
  versionAt: usize = 0;
  methodAt: usize = 0;
  typesAt: usize = 0;
  /** The types of the parameters, a JVM descriptor. */
  readonly types: View = new View();
  /** Count of the arguments. */
  argumentCount: i32 = 0;
  private odd: bool = false;
  private isNull: bool = false;

  /** Reads up to the first argument. Behind OTHER the body cannot be read. */
  read(body: Body): Read {
    this.odd = false;
    if (!this.name(body, this.dubbo)) return Read.OTHER;
    this.serviceAt = body.at;
    if (!this.name(body, this.service)) return Read.OTHER;
    this.versionAt = body.at;
    if (!this.name(body, this.version)) return Read.OTHER;
    this.versioned = !this.isNull;
    this.methodAt = body.at;
    if (!this.name(body, this.method)) return Read.OTHER;
    this.typesAt = body.at;
    const count = body.count();
    this.types.set(body.at, 0);
    // dubbox has -1 before them.
    if (count < 0 && !this.name(body, this.types)) return Read.OTHER;
    this.argumentCount = count < 0 ? countTypes(this.types.ptr, this.types.length) : count;
    return this.odd ? Read.AMBIGUOUS : Read.CALL;
  }

  private name(body: Body, out: View): bool {
    const name = body.name(out);
    this.isNull = name == Name.NULL;
    if (name == Name.ODD) this.odd = true;
    return name != Name.NONE;
  }
}

/**
 * How many types servers find in a JVM descriptor such as `ILjava/lang/String;[B`: they look for them one after the
 * other, over whatever is none (Dubbo's ReflectUtils.DESC_PATTERN).
 */
export function countTypes(ptr: usize, length: i32): i32 {
  const end = ptr + (length as usize);
  let count = 0;
  // No class that begins before this address ends.
  let endless = ptr;
  while (ptr < end) {
    const c = load<u8>(ptr);
    if (c == 0x4c && ptr >= endless) {
      const behind = classEnd(ptr + 1, end);
      if (load<u8>(behind - 1) == 0x3b && behind > ptr + 1) {
        count++;
        ptr = behind;
        continue;
      }
      endless = behind;
    } else if (isPrimitive(c)) {
      count++;
    }
    ptr++;
  }
  return count;
}

/** Address behind the `;` of a class's name, or of the first byte that does not fit. */
function classEnd(ptr: usize, end: usize): usize {
  let first = true;
  while (ptr < end) {
    const c = load<u8>(ptr);
    const digit = c >= 0x30 && c <= 0x39;
    const letter = ((c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a) || c == 0x5f || c == 0x24;
    if (!letter && (first || !digit)) {
      if (first) return ptr;
      if (c == 0x3b) return ptr + 1;
      if (c != 0x2f) return ptr;
      first = true;
    } else {
      first = false;
    }
    ptr++;
  }
  return ptr;
}

/** Z B C D F I J S V. */
// @ts-ignore: decorator
@inline
function isPrimitive(c: u8): bool {
  const letter = c - 0x41;
  return letter < 26 && (((0x0224032e as u32) >> (letter as u32)) & 1) != 0;
}
