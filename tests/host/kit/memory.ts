/** The linear memory of one VM, with the checks Envoy makes on every range that the guest names. */
export class GuestMemory {
  private bytes = Buffer.alloc(0);

  constructor(
    private readonly memory: WebAssembly.Memory,
    private readonly malloc: (size: number) => number,
  ) {}

  /** Size in 64 KiB pages. */
  get pages(): number {
    return this.memory.buffer.byteLength >>> 16;
  }

  private get view(): Buffer {
    // Growing the memory replaces the buffer and leaves the old one without length.
    if (this.bytes.length === 0) this.bytes = Buffer.from(this.memory.buffer);
    return this.bytes;
  }

  /** A copy of the range; null when it is not inside the memory. */
  read(pointer: number, length: number): Buffer | null {
    const from = pointer >>> 0;
    const size = length >>> 0;
    if (from + size > this.view.length) return null;
    const copy = Buffer.allocUnsafe(size);
    this.view.copy(copy, 0, from, from + size);
    return copy;
  }

  /** The range as UTF-8 text; null when it is not inside the memory. */
  text(pointer: number, length: number): string | null {
    const [from, end] = [pointer >>> 0, (pointer >>> 0) + (length >>> 0)];
    return end > this.view.length ? null : this.view.toString("utf8", from, end);
  }

  /** Copies bytes into the guest; false when they do not fit there. */
  write(pointer: number, data: Uint8Array): boolean {
    const at = pointer >>> 0;
    if (at + data.length > this.view.length) return false;
    this.view.set(data, at);
    return true;
  }

  writeU32(pointer: number, value: number): boolean {
    const at = pointer >>> 0;
    if (at + 4 > this.view.length) return false;
    this.view.writeUInt32LE(value >>> 0, at);
    return true;
  }

  writeU64(pointer: number, value: bigint): boolean {
    const at = pointer >>> 0;
    if (at + 8 > this.view.length) return false;
    this.view.writeBigUInt64LE(BigInt.asUintN(64, value), at);
    return true;
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
