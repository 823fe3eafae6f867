import { Bytes } from "../bytes/bytes";

/** More names than configurations have; filters may make some up. */
const MAX_KNOWN: i32 = 4096;

/** Numbers for the names of variables: each place that asks for a variable has one object for its name. */
export class VariableNames {
  private readonly numbers: Map<string, i32> = new Map<string, i32>();
  /** Names that were looked up already. */
  private readonly known: Map<Bytes, i32> = new Map<Bytes, i32>();

  /** Gives a name its number, above 0. */
  add(name: string, number: i32): void {
    this.numbers.set(name, number);
  }

  /** The number of a name; 0: it has none. Text is looked at only for a name that was never asked for. */
  find(name: Bytes): i32 {
    if (this.known.has(name)) return this.known.get(name);
    const text = name.toString();
    const number = this.numbers.has(text) ? this.numbers.get(text) : 0;
    if (this.known.size >= MAX_KNOWN) this.known.clear();
    this.known.set(name, number);
    return number;
  }
}
