// Strings in objects that make servers load classes: which fields of which classes they are.
import { lowerCase } from "../bytes/ascii";
import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";

/** What a value is beside itself. */
export const enum Role {
  NONE = 0,
  /** The name of a class, such as the value of the key `class`. */
  CLASS = 1,
  /** The same of one of Dubbo's beans, where another field says more if it is `java.lang.Class`. */
  BEAN = 2,
  /** The value of the key `generic`. */
  GENERIC = 3,
  /** The list of the names of the arguments' classes. */
  SIGNATURES = 4,
  /** One of them. */
  SIGNATURE = 5,
}

/** What is known of a class by its name. */
export const enum Holder {
  /** Nothing. */
  NONE = 0,
  /** `java.lang.Class`: Hessian loads the class whose name is in it. */
  CLASS = 1,
  /** Dubbo's description of a bean. */
  BEAN = 2,
  /** Dubbo's exception of a generic call, of which clients make another one. */
  EXCEPTION = 3,
}

/** Where the role is in a mark. */
export const ROLE_SHIFT: i32 = 28;

const JAVA_CLASS = Bytes.of("java.lang.Class");
const BEAN = Bytes.of(".JavaBeanDescriptor");
const EXCEPTION = Bytes.of(".GenericException");
const NAME = Bytes.of("name");
const CLASS_NAME = Bytes.of("className");
const EXCEPTION_CLASS = Bytes.of("exceptionClass");
/** Values of `generic` with which Dubbo makes its arguments of values that Hessian has read. */
const AS_READ: Bytes[] = [Bytes.of("true"), Bytes.of("bean"), Bytes.of("raw.return"), Bytes.of("false"), Bytes.EMPTY];

/** A field with a role: when it comes, so many of its object's values are left, at most 2^28 - 1. */
// @ts-ignore: decorator
@inline
export function markOf(role: Role, left: i32): i32 {
  return ((role as i32) << ROLE_SHIFT) | left;
}

/** What is known of the class with this name. */
export function holderOf(name: View): Holder {
  if (JAVA_CLASS.equals(name.ptr, name.length)) return Holder.CLASS;
  if (BEAN.isSuffixOf(name.ptr, name.length)) return Holder.BEAN;
  return EXCEPTION.isSuffixOf(name.ptr, name.length) ? Holder.EXCEPTION : Holder.NONE;
}

/** The field that names a class in each of these; null: none does. */
export function fieldOf(holder: Holder): Bytes | null {
  switch (holder) {
    case Holder.CLASS:
      return NAME;
    case Holder.BEAN:
      return CLASS_NAME;
    case Holder.EXCEPTION:
      return EXCEPTION_CLASS;
    default:
      return null;
  }
}

/**
 * Whether the arguments of a generic call with this value of `generic`, in whatever case, are what Hessian reads: not text
 * or bytes that hold them in another serialization.
 */
export function isAsRead(value: View): bool {
  for (let i = 0; i < AS_READ.length; i++) {
    if (isLike(value, AS_READ[i])) return true;
  }
  return false;
}

/** Whether a text is this one, which is in small letters. */
function isLike(value: View, text: Bytes): bool {
  if (value.length != text.length) return false;
  for (let i: usize = 0; i < (text.length as usize); i++) {
    if (lowerCase(load<u8>(value.ptr + i)) != load<u8>(text.ptr + i)) return false;
  }
  return true;
}
