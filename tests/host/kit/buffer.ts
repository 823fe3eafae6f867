import { Result } from "./abi.ts";

/** What the buffer host calls work on. */
export interface GuestBuffer {
  readonly length: number;
  /** Bytes from `start`, at most `length`; not to be kept, nor changed. */
  view(start: number, length: number): Buffer;
  /** `proxy_set_buffer_bytes`. */
  assign(start: number, length: number, data: Buffer): Result;
}

const NOTHING = Buffer.alloc(0);

/** A queue of bytes, like Envoy's Buffer::OwnedImpl. It keeps what it is given: nobody may change that any more. */
export class NetBuffer implements GuestBuffer {
  private chunks: Buffer[] = [];
  private size = 0;

  /** @param onChange called after every change of the length (Envoy's watermarks hang on it) */
  constructor(private readonly onChange: () => void = () => {}) {}

  get length(): number {
    return this.size;
  }

  append(data: Buffer): void {
    if (data.length === 0) return;
    this.chunks.push(data);
    this.size += data.length;
    this.onChange();
  }

  prepend(data: Buffer): void {
    if (data.length === 0) return;
    this.chunks.unshift(data);
    this.size += data.length;
    this.onChange();
  }

  /** Removes and returns at most `length` bytes. */
  take(length = this.size): Buffer {
    if (this.size === 0 || length === 0) return NOTHING;
    const all = this.linear();
    const whole = length >= all.length;
    const taken = whole ? all : all.subarray(0, length);
    this.chunks = whole ? [] : [all.subarray(length)];
    this.size -= taken.length;
    this.onChange();
    return taken;
  }

  view(start: number, length: number): Buffer {
    const all = this.linear();
    return start === 0 && length >= all.length ? all : all.subarray(start, start + length);
  }

  private linear(): Buffer {
    if (this.chunks.length !== 1) this.chunks = [Buffer.concat(this.chunks)];
    return this.chunks[0];
  }

  /** Envoy's Buffer::copyFrom: prepend, replace all or append; any other range is refused. */
  assign(start: number, length: number, data: Buffer): Result {
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

  view(start: number, length: number): Buffer {
    return Buffer.from(this.bytes.subarray(start, start + length));
  }

  assign(): Result {
    return Result.BadArgument;
  }
}
