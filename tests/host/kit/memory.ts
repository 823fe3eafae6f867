/** The linear memory of one VM, with the checks Envoy makes on every range that the guest names. */
export class GuestMemory {
  private bytes = new Uint8Array(0);

  constructor(
    private readonly memory: WebAssembly.Memory,
    private readonly malloc: (size: number) => number,
  ) {}

  /** Size in 64 KiB pages. */
  get pages(): number {
    return this.memory.buffer.byteLength >>> 16;
  }

  private get view(): Uint8Array {
    // Growing the memory replaces the buffer.
    if (this.bytes.buffer !== this.memory.buffer) this.bytes = new Uint8Array(this.memory.buffer);
    return this.bytes;
  }

  /** A copy of the range; null when it is not inside the memory. */
  read(pointer: number, length: number): Buffer | null {
    const from = pointer >>> 0;
    const size = length >>> 0;
    if (from + size > this.view.length) return null;
    return Buffer.from(this.view.subarray(from, from + size));
  }

  /** The range as UTF-8 text; null when it is not inside the memory. */
  text(pointer: number, length: number): string | null {
    return this.read(pointer, length)?.toString() ?? null;
  }

  /** Copies bytes into the guest; false when they do not fit there. */
  write(pointer: number, data: Uint8Array): boolean {
    const at = pointer >>> 0;
    if (at + data.length > this.view.length) return false;
    this.view.set(data, at);
    return true;
  }

  writeU32(pointer: number, value: number): boolean {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value >>> 0);
    return this.write(pointer, bytes);
  }

  writeU64(pointer: number, value: bigint): boolean {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
    return this.write(pointer, bytes);
  }

  /** Hands bytes to the guest as Envoy does: in memory from the guest's own allocator; nothing is allocated for none. */
  give(data: Uint8Array, pointerAt: number, sizeAt: number): boolean {
    let pointer = 0;
    if (data.length > 0) {
      pointer = this.malloc(data.length);
      if (pointer === 0 || !this.write(pointer, data)) return false;
    }
    return this.writeU32(pointerAt, pointer) && this.writeU32(sizeAt, data.length);
  }
}
