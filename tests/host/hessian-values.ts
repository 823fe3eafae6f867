// Random values for npm hessian.js, an encoder of Hessian 2 that is not ours: every type it has, lengths on the edges of
// the compact forms, and containers that are used again.

/** Lengths on which a compact form ends, small ones more often. */
const LENGTHS = [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 255, 256, 1023, 1024, 1025];
const LONG = [4093, 4094, 8186, 0x7fff, 0x8000, 0x8001, 0xffff, 0x10001];
const INTEGERS = [0, -1, 1, -8, 15, -9, 16, -16, 47, -17, 48, -0x800, 0x7ff, -0x40000, 0x3ffff, -0x40001, 0x40000];
const ALPHABETS = ["a", "é", "漢", "😀", "word ü 漢 😀 ", "\0", "~"];
const DOUBLES = [0, 1, -128, 127, 128, -32768, 32767, 32768, 0.001, 12.345, 1 / 3, -1e300, 1e-9, 2147483.647];
const KINDS = 14;

export class Values {
  /** Containers that may be referred to again in the same stream. */
  private known: object[] = [];

  constructor(private readonly next: () => number) {}

  /** The values of one stream. */
  stream(count: number): unknown[] {
    this.known = [];
    return Array.from({ length: count }, () => this.value(4));
  }

  private below(n: number): number {
    return this.next() % n;
  }

  private pick<T>(list: T[]): T {
    return list[this.below(list.length)];
  }

  private length(): number {
    return this.below(400) === 0 ? this.pick(LONG) : this.below(8) === 0 ? this.pick(LENGTHS) : this.below(12);
  }

  private value(depth: number): unknown {
    if (this.known.length > 0 && this.below(10) === 0) return this.pick(this.known);
    const kind = this.below(depth > 0 ? KINDS : 8);
    switch (kind) {
      case 0:
        return this.below(3) === 0 ? null : this.below(2) === 0;
      case 1:
        return this.integer();
      case 2:
        return { $class: "long", $: this.below(4) === 0 ? "-9223372036854775808" : this.integer() };
      case 3:
        return { $class: "double", $: this.pick(DOUBLES) };
      case 4:
        return new Date(this.below(2) === 0 ? this.below(1 << 20) * 60000 : this.next() * 1000 + 1);
      case 5:
        return Buffer.alloc(this.length(), 0x5a);
      case 6:
      case 7:
        return this.text();
      default:
        return this.container(kind, depth - 1);
    }
  }

  private integer(): number {
    return this.below(2) === 0 ? this.pick(INTEGERS) : (this.next() | 0) >> this.below(32);
  }

  private text(): string {
    const alphabet = this.pick(ALPHABETS);
    const length = this.length();
    return alphabet.repeat(Math.ceil(length / alphabet.length)).slice(0, length);
  }

  private container(kind: number, depth: number): unknown {
    const n = this.below(6);
    const many = (): unknown[] => Array.from({ length: n }, () => this.value(depth));
    switch (kind) {
      case 8:
        return this.keep(many());
      case 9:
        return this.keep({ $class: this.pick(["java.util.LinkedList", "java.util.TreeSet", "[object"]), $: many() });
      case 10:
        return { $class: "[int", $: Array.from({ length: this.length() % 2000 }, () => this.below(100)) };
      case 11:
        return this.keep(new Map(many().map((value, i) => [this.below(2) === 0 ? `key ${i}` : i, value])));
      case 12:
        return this.keep({
          $class: "java.util.TreeMap",
          $: Object.fromEntries(many().map((value, i) => [`k${i}`, value])),
        });
      default:
        // Up to forty classes, so that their numbers take one byte, and two.
        return this.keep({ $class: `com.example.C${this.below(40)}`, $: { a: this.value(depth), b: this.integer() } });
    }
  }

  private keep<T extends object>(container: T): T {
    this.known.push(container);
    return container;
  }
}
