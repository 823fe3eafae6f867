// Jute, ZooKeeper's serialization: numbers are big-endian, a text or buffer has its length before it, -1 for none.

/** What came is no jute, or too short. */
export class BadJute extends Error {}

export class JuteWriter {
  private readonly parts: Buffer[] = [];

  int(value: number): this {
    const part = Buffer.alloc(4);
    part.writeInt32BE(value);
    this.parts.push(part);
    return this;
  }

  long(value: bigint): this {
    const part = Buffer.alloc(8);
    part.writeBigInt64BE(value);
    this.parts.push(part);
    return this;
  }

  bool(value: boolean): this {
    this.parts.push(Buffer.from([value ? 1 : 0]));
    return this;
  }

  buffer(value: Buffer): this {
    this.int(value.length);
    this.parts.push(value);
    return this;
  }

  text(value: string): this {
    return this.buffer(Buffer.from(value));
  }

  /** The frame: the length of all, then all. */
  frame(): Buffer {
    const body = Buffer.concat(this.parts);
    const length = Buffer.alloc(4);
    length.writeInt32BE(body.length);
    return Buffer.concat([length, body]);
  }
}

/** Reads one frame. Throws BadJute beyond its end. */
export class JuteReader {
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  private take(length: number): number {
    const start = this.at;
    if (length < 0 || start + length > this.bytes.length) throw new BadJute("a frame is too short");
    this.at += length;
    return start;
  }

  int(): number {
    return this.bytes.readInt32BE(this.take(4));
  }

  long(): bigint {
    return this.bytes.readBigInt64BE(this.take(8));
  }

  /** None is empty. */
  buffer(): Buffer {
    const length = Math.max(0, this.int());
    const start = this.take(length);
    return this.bytes.subarray(start, start + length);
  }

  text(): string {
    return this.buffer().toString();
  }

  texts(): string[] {
    const count = Math.max(0, this.int());
    // Each has at least its length.
    if (count > this.bytes.length / 4) throw new BadJute("a list is too short");
    return Array.from({ length: count }, () => this.text());
  }
}

/** Cuts the bytes of a connection into frames. */
export class Frames {
  private parts: Buffer[] = [];
  private size = 0;

  constructor(private readonly maxBytes: number) {}

  /** Adds bytes; returns the frames that are complete. Throws BadJute for a length that cannot be. */
  add(chunk: Buffer): Buffer[] {
    this.parts.push(chunk);
    this.size += chunk.length;
    if (this.size < 4 || this.size < this.needed()) return [];
    const bytes = Buffer.concat(this.parts);
    const frames: Buffer[] = [];
    let at = 0;
    while (bytes.length - at >= 4) {
      const length = this.lengthAt(bytes, at);
      if (bytes.length - at - 4 < length) break;
      frames.push(bytes.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
    this.parts = [bytes.subarray(at)];
    this.size = bytes.length - at;
    return frames;
  }

  /** How many bytes the first frame has, its length among them. */
  private needed(): number {
    if (this.parts[0].length < 4) this.parts = [Buffer.concat(this.parts)];
    return 4 + this.lengthAt(this.parts[0], 0);
  }

  private lengthAt(bytes: Buffer, at: number): number {
    const length = bytes.readInt32BE(at);
    if (length < 0 || length > this.maxBytes) throw new BadJute(`a frame of ${length} bytes`);
    return length;
  }
}
