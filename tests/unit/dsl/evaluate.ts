// Expressions evaluated to text, for specs.
import { Expression } from "../../../assembly/dsl/expression";
import { Kind, kindName } from "../../../assembly/dsl/kind";
import { AttributeSource } from "../../../assembly/dsl/attributes";
import { formatAddress } from "../../../assembly/dsl/net";
import { formatDouble } from "../../../assembly/dsl/numbers";
import { formatTime, TIME_ROOM } from "../../../assembly/dsl/times";
import { Value } from "../../../assembly/dsl/value";

const room: usize = heap.alloc(TIME_ROOM);

function textOf(kind: Kind, value: Value): string {
  const other = new Value();
  switch (kind) {
    case Kind.BOOL:
      return value.isTrue ? "true" : "false";
    case Kind.INT:
    case Kind.DURATION:
      return value.integer.toString();
    case Kind.DOUBLE:
      formatDouble(value.double, other);
      return String.UTF8.decodeUnsafe(other.ptr, other.length);
    case Kind.TIMESTAMP:
      return String.UTF8.decodeUnsafe(room, formatTime(value, room));
    case Kind.IP:
      formatAddress(value, other);
      return String.UTF8.decodeUnsafe(other.ptr, other.length);
    case Kind.MAP:
    case Kind.CONTEXT:
      return kindName(kind);
    default:
      return String.UTF8.decodeUnsafe(value.ptr, value.length);
  }
}

/** "TYPE VALUE", "TYPE failed", or "refused: WHY". */
export function evaluate(text: string, source: AttributeSource): string {
  const compiled = Expression.compile(text);
  const expression = compiled.expression;
  if (expression === null) return "refused: " + compiled.error;
  const value = expression.evaluate(source);
  const kind = kindName(expression.kind);
  return value === null ? kind + " failed" : kind + " " + textOf(expression.kind, value);
}
