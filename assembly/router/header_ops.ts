import { ByteBuffer, KEEP_LARGE } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";
import { ObjectReader } from "../config/object";
import { Headers, HeaderVisitor } from "../message/headers";
import { MAX_OWNED } from "../message/list";
import { RouteInput } from "./input";
import { hasVariable, isVariable, unknownVariable } from "./variables";

const enum HeaderOpKind {
  /** Adds to the values that are there: "old,new". */
  APPEND = 0,
  SET = 1,
  REMOVE = 2,
}

class HeaderOp {
  constructor(
    readonly kind: HeaderOpKind,
    readonly name: Bytes,
    /** The value, or the name of the variable that has it. */
    readonly value: Bytes,
    readonly isVariable: bool,
  ) {}
}

const scratch = new ByteBuffer();

/** Gathers values of one header in `scratch`, a comma behind each, as far as they fit; empty ones say nothing. */
class Values extends HeaderVisitor {
  onHeader(key: usize, keyLength: i32, value: usize, valueLength: i32): bool {
    if (valueLength == 0) return true;
    scratch.append(value, min(valueLength, MAX_OWNED));
    scratch.appendByte(0x2c);
    return scratch.length <= MAX_OWNED;
  }
}

const values = new Values();

/**
 * Changes of the headers of a request or of a response: a route's, its virtual host's and the router's one after the
 * other, each adding first and removing then (docs/reference/mosn.md#changes). Names are used as they are written.
 */
export class HeaderOps {
  private readonly ops: HeaderOp[] = [];
  private readonly value: View = new View();

  get empty(): bool {
    return this.ops.length == 0;
  }

  /** Does the changes; values of variables come from `input`. */
  apply(headers: Headers, input: RouteInput): void {
    for (let i = 0; i < this.ops.length; i++) {
      const op = unchecked(this.ops[i]);
      const name = op.name;
      if (op.kind == HeaderOpKind.REMOVE) {
        headers.remove(name.ptr, name.length);
        continue;
      }
      const value = this.value;
      if (!op.isVariable) value.set(op.value.ptr, op.value.length);
      else if (!input.variable(op.value, value)) value.set(0, 0);
      // What lies in the headers' own memory moves when they change: the new value is put together apart from it.
      scratch.reset(KEEP_LARGE);
      if (op.kind == HeaderOpKind.APPEND) {
        headers.forEachOf(name.ptr, name.length, values);
      }
      scratch.append(value.ptr, value.length);
      headers.set(name.ptr, name.length, scratch.ptr, scratch.length);
    }
  }

  /** Reads `KIND_headers_to_add` and `KIND_headers_to_remove` of an object; `kind` is "request" or "response". */
  read(from: ObjectReader, kind: string): void {
    const adds = from.objects(kind + "_headers_to_add");
    for (let i = 0; i < adds.length; i++) this.readAdd(adds[i]);
    const removes = from.strings(kind + "_headers_to_remove");
    for (let i = 0; i < removes.length; i++) {
      if (removes[i].length == 0) from.fail(kind + "_headers_to_remove", "the name of a header must not be empty");
      this.ops.push(new HeaderOp(HeaderOpKind.REMOVE, Bytes.of(removes[i]), Bytes.EMPTY, false));
    }
  }

  private readAdd(add: ObjectReader): void {
    const header = add.object("header");
    const name = header.required("key");
    const value = header.string("value");
    header.finish();
    // Between percent signs MOSN takes what is no variable's name for text.
    const quoted = value.length > 2 && value.startsWith("%") && value.endsWith("%") ? value.slice(1, -1) : "";
    const variable = hasVariable(quoted);
    if (!variable && isVariable(quoted)) header.fail("value", unknownVariable(quoted));
    const kind = add.bool("append", true) ? HeaderOpKind.APPEND : HeaderOpKind.SET;
    add.finish();
    this.ops.push(new HeaderOp(kind, Bytes.of(name), Bytes.of(variable ? quoted : value), variable));
  }

  /** Appends the changes of `others`, to be done after these. */
  then(others: HeaderOps): void {
    for (let i = 0; i < others.ops.length; i++) this.ops.push(others.ops[i]);
  }
}
