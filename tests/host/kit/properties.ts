/** What a test may give as a property: text and bytes go raw, numbers as 8-byte little-endian integers, flags as one byte. */
export type PropertyValue = string | number | boolean | Uint8Array;

/** Properties by path, written with slashes ("source/address"). */
export class Properties {
  private readonly values = new Map<string, Buffer>();

  constructor(initial: Record<string, PropertyValue> = {}) {
    for (const [path, value] of Object.entries(initial)) this.set(path, value);
  }

  set(path: string, value: PropertyValue): void {
    this.values.set(path, encode(value));
  }

  delete(path: string): void {
    this.values.delete(path);
  }

  get(path: string): Buffer | null {
    return this.values.get(path) ?? null;
  }
}

/** Path as the test writes it, from the bytes on the wire (parts separated by NUL, perhaps one at the end). */
export function propertyPath(wire: Buffer): string {
  return wire.toString().replace(/\0$/, "").replaceAll("\0", "/");
}

function encode(value: PropertyValue): Buffer {
  if (typeof value === "string") return Buffer.from(value);
  if (typeof value === "boolean") return Buffer.from([value ? 1 : 0]);
  if (typeof value !== "number") return Buffer.from(value);
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return bytes;
}
