import { View } from "../bytes/view";
import { IpAddress } from "../config/ip_address";
import { arena } from "./arena";
import { Attribute, AttributeSource } from "./attributes";
import { Fault, fail } from "./fault";
import { Kind } from "./kind";
import { setDefault, Value } from "./value";

const view = new View();
const address = new IpAddress();

/** A part of a compiled expression. Its type is settled; evaluating allocates nothing that a collector must free. */
export abstract class Node {
  /** What `evaluate` gave; valid until the next evaluation of the expression. */
  readonly value: Value = new Value();

  constructor(readonly kind: Kind) {}

  /** Its value for this request; null: it has none, and `lastFault` says why. */
  abstract evaluate(source: AttributeSource): Value | null;
}

/** Makes a value a copy of the text; null when there is no room. */
export function copyText(value: Value, ptr: usize, length: i32): Value | null {
  const at = arena.copy(ptr, length);
  return at == 0 ? fail(Fault.TOO_LONG) : value.setText(at, length);
}

/** Makes a value the address that the text is, or Go's nil. */
export function setAddress(value: Value, ptr: usize, length: i32): Value {
  value.known = address.parse(ptr, length);
  value.high = value.known && !address.isV4 ? address.high : 0;
  value.low = !value.known ? 0 : address.isV4 ? 0xffff00000000 | address.low : address.low;
  return value;
}

/** A value that was known when the expression was compiled: `value` holds it. */
export class Literal extends Node {
  evaluate(source: AttributeSource): Value | null {
    return this.value;
  }
}

/** An attribute; where it has no value it counts as its type's zero. */
export class AttributeNode extends Node {
  /** Whether the last `evaluate` found a value. */
  found: bool = false;

  constructor(
    kind: Kind,
    readonly attribute: Attribute,
  ) {
    super(kind);
  }

  evaluate(source: AttributeSource): Value | null {
    const value = this.value;
    this.found = false;
    if (this.attribute == Attribute.NONE) return setDefault(value, this.kind);
    if (this.kind == Kind.STRING || this.kind == Kind.IP) {
      this.found = source.text(this.attribute, view);
      if (!this.found) return setDefault(value, this.kind);
      return this.kind == Kind.IP ? setAddress(value, view.ptr, view.length) : copyText(value, view.ptr, view.length);
    }
    if (this.kind == Kind.MAP) {
      this.found = source.has(this.attribute);
      return value.setInteger(this.found ? (this.attribute as i64) : 0);
    }
    this.found = source.number(this.attribute);
    if (!this.found) return setDefault(value, this.kind);
    return this.kind == Kind.TIMESTAMP ? setTime(value, source.integer) : value.setInteger(source.integer);
  }

  /** Whether it has a value. */
  isSet(source: AttributeSource): bool {
    if (this.attribute == Attribute.NONE) return false;
    if (this.kind == Kind.STRING || this.kind == Kind.IP) return source.text(this.attribute, view);
    return this.kind == Kind.MAP ? source.has(this.attribute) : source.number(this.attribute);
  }
}

const SECOND: i64 = 1000000000;

/** A time from nanoseconds since 1970. */
function setTime(value: Value, nanoseconds: i64): Value {
  let seconds = nanoseconds / SECOND;
  let nanos = (nanoseconds % SECOND) as i32;
  if (nanos < 0) {
    seconds--;
    nanos += SECOND as i32;
  }
  value.nanos = nanos;
  return value.setInteger(seconds);
}

/** `has(a.b)` */
export class HasAttribute extends Node {
  constructor(private readonly attribute: AttributeNode) {
    super(Kind.BOOL);
  }

  evaluate(source: AttributeSource): Value | null {
    return this.value.setBool(this.attribute.isSet(source));
  }
}

/** Looks a key up. Null, without a fault, when the map has it not. */
function lookUp(value: Value, source: AttributeSource, map: Value, key: Value): bool {
  if (map.integer == 0) return false;
  return source.find(map.integer as Attribute, key.ptr, key.length, view);
}

/** `map[key]`; with `other`: `map[key] | other`, which is the other where there is no such key. */
export class IndexNode extends Node {
  constructor(
    private readonly map: Node,
    private readonly key: Node,
    private readonly other: Node | null,
  ) {
    super(Kind.STRING);
  }

  evaluate(source: AttributeSource): Value | null {
    const map = this.map.evaluate(source);
    const key = this.key.evaluate(source);
    if (map === null || key === null) return null;
    if (lookUp(this.value, source, map, key)) return copyText(this.value, view.ptr, view.length);
    const other = this.other;
    return other === null ? fail(Fault.NO_KEY) : other.evaluate(source);
  }
}

/** `has(map.key)` */
export class HasKey extends Node {
  constructor(
    private readonly map: Node,
    private readonly key: Node,
  ) {
    super(Kind.BOOL);
  }

  evaluate(source: AttributeSource): Value | null {
    const map = this.map.evaluate(source);
    const key = this.key.evaluate(source);
    if (map === null || key === null) return null;
    return this.value.setBool(lookUp(this.value, source, map, key));
  }
}

/** `a.b | other`: the other where the attribute has no value. */
export class PickNode extends Node {
  constructor(
    private readonly attribute: AttributeNode,
    private readonly other: Node,
  ) {
    super(attribute.kind);
  }

  evaluate(source: AttributeSource): Value | null {
    const value = this.attribute.evaluate(source);
    return this.attribute.found ? value : this.other.evaluate(source);
  }
}

/** `conditional(condition, yes, no)`: only one of the two is evaluated. */
export class ConditionalNode extends Node {
  constructor(
    private readonly condition: Node,
    private readonly yes: Node,
    private readonly no: Node,
  ) {
    super(yes.kind);
  }

  evaluate(source: AttributeSource): Value | null {
    const condition = this.condition.evaluate(source);
    if (condition === null) return null;
    return condition.isTrue ? this.yes.evaluate(source) : this.no.evaluate(source);
  }
}

/**
 * `a && b` and `a || b`: the right side is evaluated unless the left one settles it, and a side that settles it does so
 * also where the other one fails (CEL's commutative operators).
 */
export class LogicNode extends Node {
  /** @param settles what settles it: false for `&&`, true for `||` */
  constructor(
    private readonly settles: bool,
    private readonly left: Node,
    private readonly right: Node,
  ) {
    super(Kind.BOOL);
  }

  evaluate(source: AttributeSource): Value | null {
    const settles = this.settles;
    const left = this.left.evaluate(source);
    if (left !== null && left.isTrue == settles) return this.value.setBool(settles);
    const right = this.right.evaluate(source);
    if (right !== null && right.isTrue == settles) return this.value.setBool(settles);
    return left === null || right === null ? null : this.value.setBool(!settles);
  }
}

/** `!a` */
export class NotNode extends Node {
  constructor(private readonly inner: Node) {
    super(Kind.BOOL);
  }

  evaluate(source: AttributeSource): Value | null {
    const inner = this.inner.evaluate(source);
    return inner === null ? null : this.value.setBool(!inner.isTrue);
  }
}
