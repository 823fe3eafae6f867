import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { ClassCheck, ClassWalk, NamesIn, Verdict } from "../../../assembly/hessian/class_walk";
import { Dialect, HESSIAN_2, HESSIAN_2_DRAFT } from "../../../assembly/hessian/dialect";
import { Payload, Serialization } from "../../../assembly/message/payload";
import { HessianAllowlistConfig, SofaHessian } from "./config";

/** First bytes of the definition of a class: what sofa-rpc's messages begin with. */
const DEFINITION: u8 = 0x43;
const DRAFT_DEFINITION: u8 = 0x4f;
/** What the descriptor of a generic call ends with, and where the names of the types are: five strings and the method before. */
const GENERIC_TYPES = Bytes.of("[Ljava/lang/String;[Ljava/lang/Object;");
const TYPES_AT: i32 = 6;

/** What becomes of a message. */
export const enum Finding {
  ALLOWED,
  /** `found` may not be. */
  DENIED,
  /** It cannot be read. */
  UNREADABLE,
  /** It is not Hessian. */
  OTHER,
}

/** The class that was denied; borrowed until the next message. */
export const found: View = new View();

const walk = new ClassWalk();
const spelled = new ByteBuffer();

/**
 * Looks at all classes that a message names.
 * @param generic whether it belongs to a generic call of Dubbo's
 */
export function inspect(payload: Payload, config: HessianAllowlistConfig, generic: bool): Finding {
  found.set(0, 0);
  const check = config.check;
  const name = payload.typeName;
  if (name.length > 0 && !check.allows(name.ptr, name.length)) return denied(name);
  switch (payload.serialization) {
    case Serialization.NONE:
      return Finding.ALLOWED;
    case Serialization.OTHER:
      return Finding.OTHER;
    case Serialization.HESSIAN: {
      const finding = inspectDescriptor(payload.descriptor, check);
      if (finding != Finding.ALLOWED) return finding;
      if (!generic) return inspectStream(HESSIAN_2, payload, NamesIn.NOTHING, check);
      const hasTypes = GENERIC_TYPES.isSuffixOf(payload.descriptor.ptr, payload.descriptor.length);
      return inspectStream(HESSIAN_2, payload, NamesIn.MAPS, check, hasTypes ? TYPES_AT : -1);
    }
    case Serialization.HESSIAN_ANY:
      return inspectBolt(payload, config);
    default:
      return Finding.UNREADABLE;
  }
}

/**
 * The servers' version of sofa-hessian is not on the wire. The first byte of a definition means nothing in the other
 * version; what begins with anything else has to be harmless in both.
 */
function inspectBolt(payload: Payload, config: HessianAllowlistConfig): Finding {
  const first = payload.stream.length > 0 ? load<u8>(payload.stream.ptr) : 0;
  const isKnown = config.sofaHessian != SofaHessian.AUTO;
  if (isKnown ? config.sofaHessian == SofaHessian.V3 : first != DEFINITION) {
    const finding = inspectStream(HESSIAN_2_DRAFT, payload, NamesIn.SIGNATURES, config.check);
    if (finding != Finding.ALLOWED || isKnown || first == DRAFT_DEFINITION) return finding;
  }
  return inspectStream(HESSIAN_2, payload, NamesIn.SIGNATURES, config.check);
}

function inspectStream(
  dialect: Dialect,
  payload: Payload,
  names: NamesIn,
  check: ClassCheck,
  types: i32 = -1,
): Finding {
  const stream = payload.stream;
  switch (walk.walk(dialect, stream.ptr, stream.length, names, check, types)) {
    case Verdict.ALLOWED:
      return Finding.ALLOWED;
    case Verdict.DENIED:
      return denied(walk.name);
    case Verdict.OTHER:
      return Finding.OTHER;
    default:
      return Finding.UNREADABLE;
  }
}

function denied(name: View): Finding {
  found.set(name.ptr, name.length);
  return Finding.DENIED;
}

/**
 * Dubbo reads arguments as the classes that the descriptor names, and finds those with a pattern that steps over what it
 * does not know: so nothing but a plain descriptor will do.
 */
function inspectDescriptor(descriptor: View, check: ClassCheck): Finding {
  const end = descriptor.ptr + (descriptor.length as usize);
  let at = descriptor.ptr;
  while (at < end) {
    if (load<u8>(at++) != 0x4c) continue; // 'L'; the codec has seen that all others are primitive types and '['
    spelled.clear();
    while (at < end && load<u8>(at) != 0x3b) {
      const byte = load<u8>(at++);
      const isDigit = byte >= 0x30 && byte <= 0x39;
      const isLetter = (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
      if (!isDigit && !isLetter && byte != 0x2f && byte != 0x24 && byte != 0x5f) return Finding.UNREADABLE;
      spelled.appendByte(byte == 0x2f ? 0x2e : byte);
    }
    at++; // ';'
    if (check.allows(spelled.ptr, spelled.length)) continue;
    found.set(spelled.ptr, min(spelled.length, 1024));
    return Finding.DENIED;
  }
  return Finding.ALLOWED;
}
