/** Random numbers that are the same for the same seed (xorshift128). */
export class Dice {
  private a: number;
  private b: number;
  private c = 0x2545f491;
  private d = 0x9e3779b9;

  constructor(seed: number, stream = 0) {
    this.a = (seed ^ 0x6d2b79f5) >>> 0;
    this.b = (stream * 0x85ebca6b + 1) >>> 0;
    for (let i = 0; i < 16; i++) this.next();
  }

  private next(): number {
    let t = this.a ^ (this.a << 11);
    t ^= t >>> 8;
    this.a = this.b;
    this.b = this.c;
    this.c = this.d;
    this.d = (this.d ^ (this.d >>> 19) ^ t) >>> 0;
    return this.d;
  }

  /** A number from 0 to `sides` - 1. */
  roll(sides: number): number {
    return this.next() % sides;
  }

  /** True in `percent` of a hundred cases. */
  chance(percent: number): boolean {
    return this.next() % 100 < percent;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.next() % list.length];
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    let at = 0;
    for (; at + 4 <= length; at += 4) bytes.writeUInt32LE(this.next(), at);
    for (; at < length; at++) bytes[at] = this.next();
    return bytes;
  }
}
