// Random messages for a type that protobufjs knows: numbers on the edges of their encodings, every field there or not.
import protobuf from "protobufjs";

const INTEGERS = [
  0, 1, -1, 2, 63, 64, 127, 128, -64, -65, 8191, 16383, 16384, 2097151, 268435456, 2147483647, -2147483648,
];
const FLOATS = [0, -0, 1, -1.5, 3.4028234663852886e38, 1e-45, Infinity, -Infinity, NaN];
const TEXTS = ["", "a", "word", "é漢😀", "\0", "~".repeat(127), "x".repeat(128), "漢".repeat(60)];
const LONGS = [
  "0",
  "1",
  "-1",
  "127",
  "128",
  "9223372036854775807",
  "-9223372036854775808",
  "4294967296",
  "-2147483649",
];

export class Messages {
  constructor(private readonly next: () => number) {}

  private below(n: number): number {
    return this.next() % n;
  }

  private pick<T>(list: T[]): T {
    return list[this.below(list.length)];
  }

  /** A message as the plain object that `Type.fromObject` takes. */
  message(type: protobuf.Type, depth: number): Record<string, unknown> {
    const message: Record<string, unknown> = {};
    const chosen = new Set(type.oneofsArray.map((one) => this.pick(one.fieldsArray)));
    for (const field of type.fieldsArray) {
      field.resolve();
      if (field.partOf ? !chosen.has(field) || this.below(4) === 0 : this.below(3) !== 0) continue;
      if (field.resolvedType instanceof protobuf.Type && depth === 0) continue;
      const one = (): unknown => this.value(field, depth - 1);
      const count = this.below(60) === 0 ? 200 : this.below(4);
      const most = field.resolvedType instanceof protobuf.Type ? Math.min(count, 3) : count;
      message[field.name] = field.repeated ? Array.from({ length: most }, one) : one();
    }
    return message;
  }

  private value(field: protobuf.Field, depth: number): unknown {
    const { resolvedType, type } = field;
    if (resolvedType instanceof protobuf.Type) return this.message(resolvedType, depth);
    if (resolvedType instanceof protobuf.Enum) return this.pick([0, 1, -1, 77]);
    if (type === "string") return this.pick(TEXTS);
    if (type === "bytes") return Buffer.from(this.pick(TEXTS));
    if (type === "bool") return this.below(2) === 0;
    if (type === "float" || type === "double") return this.below(3) === 0 ? this.next() / 7 : this.pick(FLOATS);
    const unsigned = /^u|^fixed/.test(type);
    if (type.endsWith("64")) return this.pick(LONGS).replace(unsigned ? "-" : "", "");
    const value = this.below(3) === 0 ? (this.next() | 0) >> this.below(32) : this.pick(INTEGERS);
    return unsigned ? value >>> 0 : value;
  }
}

/** Changes a message's bytes as a bad network or peer would: some bytes, a cut, a piece twice, or something else. */
export function mutate(bytes: Buffer, next: () => number): Buffer {
  const at = bytes.length > 0 ? next() % bytes.length : 0;
  switch (next() % 5) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Buffer.concat([bytes, bytes.subarray(at)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from([next() & 0xff]), bytes.subarray(at)]);
    case 3: {
      const length = next() % 40;
      return Buffer.from(Array.from({ length }, () => next() & 0xff));
    }
    default: {
      const changed = Buffer.from(bytes);
      for (let i = next() % 3; i >= 0 && changed.length > 0; i--) changed[next() % changed.length] = next() & 0xff;
      return changed;
    }
  }
}
