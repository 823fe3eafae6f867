import { arena } from "./arena";
import { AttributeSource } from "./attributes";
import { Fault, fail } from "./fault";
import { Kind } from "./kind";
import { Node } from "./node";
import { difference, setSum } from "./times";
import { Value } from "./value";

export const enum Operator {
  ADD,
  SUBTRACT,
  MULTIPLY,
  DIVIDE,
  MODULO,
}

/** The type of `left operator right`; NONE: it is not defined (CEL's standard definitions). */
export function resultKind(operator: Operator, left: Kind, right: Kind): Kind {
  const same = left == right ? left : Kind.NONE;
  const numeric = same == Kind.INT || same == Kind.DOUBLE;
  const isAdd = operator == Operator.ADD;
  if (numeric) return operator == Operator.MODULO && same == Kind.DOUBLE ? Kind.NONE : same;
  if (operator > Operator.SUBTRACT) return Kind.NONE;
  if (same == Kind.DURATION || (same == Kind.STRING && isAdd)) return same;
  if (same == Kind.TIMESTAMP && !isAdd) return Kind.DURATION;
  if (left == Kind.TIMESTAMP && right == Kind.DURATION) return Kind.TIMESTAMP;
  return isAdd && left == Kind.DURATION && right == Kind.TIMESTAMP ? Kind.TIMESTAMP : Kind.NONE;
}

/** `-a` of an int, a double or a duration. */
export class NegateNode extends Node {
  constructor(private readonly inner: Node) {
    super(inner.kind);
  }

  evaluate(source: AttributeSource): Value | null {
    const inner = this.inner.evaluate(source);
    if (inner === null) return null;
    this.value.double = -inner.double;
    if (inner.integer == i64.MIN_VALUE && this.kind != Kind.DOUBLE) return fail(Fault.OVERFLOW);
    return this.value.setInteger(-inner.integer);
  }
}

/** `+`, `-`, `*`, `/` and `%`; what does not fit fails. */
export class ArithmeticNode extends Node {
  constructor(
    private readonly operator: Operator,
    private readonly left: Node,
    private readonly right: Node,
  ) {
    super(resultKind(operator, left.kind, right.kind));
  }

  evaluate(source: AttributeSource): Value | null {
    const left = this.left.evaluate(source);
    const right = this.right.evaluate(source);
    if (left === null || right === null) return null;
    if (this.kind == Kind.INT) return integers(this.operator, left.integer, right.integer, this.value);
    if (this.kind == Kind.DOUBLE) return this.doubles(left.double, right.double);
    if (this.kind == Kind.STRING) return this.join(left, right);
    const negative = this.operator == Operator.SUBTRACT;
    if (this.kind == Kind.TIMESTAMP) {
      const time = this.left.kind == Kind.TIMESTAMP ? left : right;
      return setSum(this.value, time, time === left ? right.integer : left.integer, negative);
    }
    if (this.left.kind == Kind.TIMESTAMP) return difference(left, right, this.value);
    return integers(this.operator, left.integer, right.integer, this.value);
  }

  private doubles(left: f64, right: f64): Value {
    const value = this.value;
    if (this.operator == Operator.ADD) value.double = left + right;
    else if (this.operator == Operator.SUBTRACT) value.double = left - right;
    else if (this.operator == Operator.MULTIPLY) value.double = left * right;
    else value.double = left / right;
    return value;
  }

  private join(left: Value, right: Value): Value | null {
    // Each is below the arena's size, so the sum is no overflow.
    const length = left.length + right.length;
    const at = arena.take(length);
    if (at == 0) return fail(Fault.TOO_LONG);
    memory.copy(at, left.ptr, left.length as usize);
    memory.copy(at + (left.length as usize), right.ptr, right.length as usize);
    return this.value.setText(at, length);
  }
}

/** Also durations: they are added and subtracted only. */
function integers(operator: Operator, left: i64, right: i64, value: Value): Value | null {
  let result: i64;
  if (operator == Operator.ADD) {
    result = left + right;
    if (((left ^ result) & (right ^ result)) < 0) return fail(Fault.OVERFLOW);
  } else if (operator == Operator.SUBTRACT) {
    result = left - right;
    if (((left ^ right) & (left ^ result)) < 0) return fail(Fault.OVERFLOW);
  } else if (operator == Operator.MULTIPLY) {
    result = left * right;
    if (left == -1 ? right == i64.MIN_VALUE : left != 0 && result / left != right) return fail(Fault.OVERFLOW);
  } else {
    if (right == 0) return fail(Fault.DIVISION_BY_ZERO);
    if (operator == Operator.MODULO) result = left % right;
    else if (left == i64.MIN_VALUE && right == -1) return fail(Fault.OVERFLOW);
    else result = left / right;
  }
  return value.setInteger(result);
}
