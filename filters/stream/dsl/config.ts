import { ObjectReader } from "../../../assembly/config/object";
import { Expression } from "../../../assembly/dsl/expression";
import { FilterConfig } from "../../../assembly/stream/filter";
import { bit, Phase } from "../../../assembly/stream/phase";

/** The fields, in the order of the phases. */
const FIELDS: string[] = [
  "before_router_by_dsl",
  "after_router_by_dsl",
  "after_balancer_by_dsl",
  "send_filter_by_dsl",
  "log_filter_by_dsl",
];

/** Configuration of `dsl`, MOSN's v2.StreamDSL: an expression for each phase, or none. */
export class DslConfig extends FilterConfig {
  private readonly expressions: (Expression | null)[] = [];
  /** Bits of the phases that have an expression. */
  readonly phases: u32;

  constructor(from: ObjectReader) {
    super();
    let phases: u32 = 0;
    for (let i = 0; i < FIELDS.length; i++) {
      const expression = readExpression(from, FIELDS[i]);
      this.expressions.push(expression);
      if (expression !== null) phases |= bit(i as Phase);
    }
    this.phases = phases;
    // MOSN has it and does nothing with it.
    from.bool("debug", false);
    from.finish();
  }

  /** The expression of a phase; null: none. */
  at(phase: Phase): Expression | null {
    return (phase as i32) < this.expressions.length ? unchecked(this.expressions[phase as i32]) : null;
  }
}

function readExpression(from: ObjectReader, field: string): Expression | null {
  const text = from.string(field);
  if (text.length == 0) return null;
  const compiled = Expression.compile(text);
  if (compiled.expression === null) from.fail(field, compiled.error);
  return compiled.expression;
}
