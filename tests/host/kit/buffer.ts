import { Result } from "./abi.ts";

/** What the buffer host calls work on. */
export interface GuestBuffer {
  readonly length: number;
  /** Bytes from `start`, at most `length`. */
  copy(start: number, length: number): Buffer;
  /** `proxy_set_buffer_bytes`. */
  assign(start: number, length: number, data: Uint8Array): Result;
}

/** A queue of bytes, like Envoy's Buffer::OwnedImpl. */
export class NetBuffer implements GuestBuffer {
  private chunks: Buffer[] = [];
  private size = 0;

  /** @param onChange called after every change of the length (Envoy's watermarks hang on it) */
  constructor(private readonly onChange: () => void = () => {}) {}

  get length(): number {
    return this.size;
  }

  append(data: Uint8Array): void {
    if (data.length === 0) return;
    this.chunks.push(Buffer.from(data));
    this.size += data.length;
    this.onChange();
  }

  prepend(data: Uint8Array): void {
    if (data.length === 0) return;
    this.chunks.unshift(Buffer.from(data));
    this.size += data.length;
    this.onChange();
  }

  /** Removes and returns at most `length` bytes. */
  take(length = this.size): Buffer {
    const taken = this.copy(0, length);
    if (taken.length === this.size) this.chunks = [];
    else if (taken.length > 0) this.chunks = [this.linear().subarray(taken.length)];
    this.size -= taken.length;
    if (taken.length > 0) this.onChange();
    return taken;
  }

  copy(start: number, length: number): Buffer {
    return Buffer.from(this.linear().subarray(start, start + length));
  }

  private linear(): Buffer {
    if (this.chunks.length !== 1) this.chunks = [Buffer.concat(this.chunks)];
    return this.chunks[0];
  }

  /** Envoy's Buffer::copyFrom: prepend, replace all or append; any other range is refused. */
  assign(start: number, length: number, data: Uint8Array): Result {
    if (start === 0) {
      if (length === 0) {
        this.prepend(data);
        return Result.Ok;
      }
      if (length < this.size) return Result.BadArgument;
      this.take();
      this.append(data);
      return Result.Ok;
    }
    if (start < this.size) return Result.BadArgument;
    this.append(data);
    return Result.Ok;
  }
}

/** Bytes that the guest may only read; empty where Envoy has no buffer for the phase. */
export class ConstBuffer implements GuestBuffer {
  constructor(private readonly bytes: Uint8Array = new Uint8Array(0)) {}

  get length(): number {
    return this.bytes.length;
  }

  copy(start: number, length: number): Buffer {
    return Buffer.from(this.bytes.subarray(start, start + length));
  }

  assign(): Result {
    return Result.BadArgument;
  }
}
