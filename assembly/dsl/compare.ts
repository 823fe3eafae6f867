import { bytesEqual } from "../bytes/memory";
import { AttributeSource } from "./attributes";
import { Fault, fail } from "./fault";
import { Kind } from "./kind";
import { compareEmails, compareNames } from "./net";
import { Node } from "./node";
import { spend } from "./steps";
import { compareUris } from "./uri";
import { Value } from "./value";

export const enum Relation {
  EQUAL,
  NOT_EQUAL,
  LESS,
  LESS_EQUAL,
  GREATER,
  GREATER_EQUAL,
}

/** `==` and the like, of two values of the same type. */
export class CompareNode extends Node {
  constructor(
    private readonly relation: Relation,
    private readonly left: Node,
    private readonly right: Node,
  ) {
    super(Kind.BOOL);
  }

  evaluate(source: AttributeSource): Value | null {
    const left = this.left.evaluate(source);
    const right = this.right.evaluate(source);
    if (left === null || right === null) return null;
    if (!spend(left.length + right.length)) return fail(Fault.TOO_LONG);
    const relation = this.relation;
    if (relation > Relation.NOT_EQUAL) return this.value.setBool(isOrdered(this.left.kind, relation, left, right));
    const same = isSame(this.left.kind, left, right);
    if (same < 0) return fail(Fault.CONVERSION);
    return this.value.setBool(same > 0 == (relation == Relation.EQUAL));
  }
}

/** Whether two values are the same; below 0: they cannot be compared. */
function isSame(kind: Kind, a: Value, b: Value): i32 {
  switch (kind) {
    case Kind.DOUBLE:
      return a.double == b.double ? 1 : 0;
    case Kind.STRING:
      return bytesEqual(a.ptr, a.length, b.ptr, b.length) ? 1 : 0;
    case Kind.TIMESTAMP:
      return a.integer == b.integer && a.nanos == b.nanos ? 1 : 0;
    case Kind.IP:
      return a.known == b.known && a.high == b.high && a.low == b.low ? 1 : 0;
    case Kind.EMAIL:
      return compareEmails(a, b);
    case Kind.URI:
      return compareUris(a, b);
    case Kind.DNS_NAME:
      return compareNames(a.ptr, a.length, b.ptr, b.length);
    default:
      return a.integer == b.integer ? 1 : 0;
  }
}

function isOrdered(kind: Kind, relation: Relation, a: Value, b: Value): bool {
  // NaN is neither less nor greater than anything, nor equal.
  if (kind == Kind.DOUBLE) {
    if (relation == Relation.LESS) return a.double < b.double;
    if (relation == Relation.LESS_EQUAL) return a.double <= b.double;
    return relation == Relation.GREATER ? a.double > b.double : a.double >= b.double;
  }
  const order = compare(kind, a, b);
  if (relation == Relation.LESS) return order < 0;
  if (relation == Relation.LESS_EQUAL) return order <= 0;
  return relation == Relation.GREATER ? order > 0 : order >= 0;
}

/** Below 0: `a` comes first, 0: they are the same, above: `b` comes first. */
function compare(kind: Kind, a: Value, b: Value): i32 {
  if (kind == Kind.STRING) {
    const order = memory.compare(a.ptr, b.ptr, min(a.length, b.length) as usize);
    return order != 0 ? order : a.length - b.length;
  }
  if (a.integer != b.integer) return a.integer < b.integer ? -1 : 1;
  return kind == Kind.TIMESTAMP ? a.nanos - b.nanos : 0;
}
