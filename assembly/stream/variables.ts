import { noteGarbage } from "../abi/dispatch";
import { countMemory } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";

/** Variables that filters may set on one request, and bytes of one value. */
const MAX_VARIABLES: i32 = 64;
const MAX_VALUE: i32 = 65536;

/** The variables that were set on a request (docs/reference/mosn.md#variables). */
export class VariableTable {
  private readonly names: Bytes[] = [];
  private readonly values: Bytes[] = [];
  /** Bytes of the values; to be read. */
  bytes: i32 = 0;

  /** Points `out` at a value; false when the variable was not set. */
  get(name: Bytes, out: View): bool {
    const i = this.find(name);
    if (i < 0) return false;
    const value = unchecked(this.values[i]);
    out.set(value.ptr, value.length);
    return true;
  }

  /** Sets a copy of the value; false when there are too many, or it is too long. */
  set(name: Bytes, value: usize, length: i32): bool {
    if (length > MAX_VALUE) return false;
    const i = this.find(name);
    if (i >= 0) {
      this.measure(length - unchecked(this.values[i]).length);
      unchecked((this.values[i] = Bytes.copy(value, length)));
      noteGarbage(2);
      return true;
    }
    if (this.names.length >= MAX_VARIABLES) return false;
    this.measure(length);
    this.names.push(name);
    this.values.push(Bytes.copy(value, length));
    return true;
  }

  private measure(bytes: i32): void {
    this.bytes += bytes;
    countMemory(bytes);
  }

  /** How many are set. */
  get count(): i32 {
    return this.names.length;
  }

  clear(): void {
    if (this.names.length == 0) return;
    noteGarbage(2 * this.names.length);
    this.measure(-this.bytes);
    this.names.length = 0;
    this.values.length = 0;
  }

  private find(name: Bytes): i32 {
    for (let i = 0, n = this.names.length; i < n; i++) {
      if (unchecked(this.names[i]).equals(name.ptr, name.length)) return i;
    }
    return -1;
  }
}
