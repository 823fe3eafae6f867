// A client of an RPC protocol with K outstanding requests.
import { connect, type Socket } from "node:net";
import { FrameWalker, repeated } from "./frames.ts";
import { HELD_SIZE } from "./held.ts";
import type { Client, Window } from "./window.ts";
import type { Wire } from "./wire.ts";

const READ_BUFFER = 256 * 1024;
const SLOT_BITS = 8;
/** A slot that no request has whose answer is awaited. */
const HELD_SLOT = (1 << SLOT_BITS) - 1;

export interface RpcLoad {
  port: number;
  wire: Wire;
  /** Requests under way, at most 255. */
  outstanding: number;
  /** Bytes of content in requests and responses. */
  content: number;
  /** Requests before those that nobody is to answer. */
  held: number;
}

export class RpcClient implements Client {
  readonly socket: Socket;
  private readonly wire: Wire;
  private readonly frame: Buffer;
  private readonly outstanding: number;
  /** Length of a response behind its fixed header. */
  private readonly responseRest: number;
  private requests: Buffer;
  private readonly ids: Uint32Array;
  private readonly starts: Float64Array;
  private readonly freed: Uint8Array;
  private freedCount = 0;
  private open = 0;
  private generation = (Math.random() * 2 ** 24) | 0;
  private current = 0;
  private now = 0;

  constructor(
    private readonly load: RpcLoad,
    private readonly window: Window,
  ) {
    const { wire, outstanding, content, port } = load;
    this.wire = wire;
    this.outstanding = outstanding;
    this.frame = wire.requestFrame(content);
    this.responseRest = wire.responseFrame(content).length - wire.responseHeader;
    this.requests = repeated(this.frame, outstanding);
    this.ids = new Uint32Array(outstanding);
    this.starts = new Float64Array(outstanding);
    this.freed = new Uint8Array(outstanding);
    const walker = new FrameWalker(wire.responseHeader, wire.rest, this.onHeader, this.onFrame);
    this.socket = connect({
      port,
      host: "127.0.0.1",
      noDelay: true,
      onread: {
        buffer: Buffer.alloc(READ_BUFFER),
        callback: (length, bytes) => {
          this.now = performance.now();
          walker.push(bytes as Buffer, length);
          this.sendFreed();
          return true;
        },
      },
    });
    this.socket.on("error", (error) => window.fail(error.message));
    this.socket.on("close", this.onClose);
  }

  get idle(): boolean {
    return this.open === 0;
  }

  close(): void {
    this.socket.removeListener("close", this.onClose);
    this.socket.destroy();
  }

  /** An answer to one of these is an answer to a request that is not outstanding. */
  hold(): void {
    const { held } = this.load;
    if (held === 0) return;
    const frame = this.wire.requestFrame(HELD_SIZE, true);
    const frames = repeated(frame, held);
    for (let i = 0; i < held; i++) {
      frames.writeUInt32BE(((i << SLOT_BITS) | HELD_SLOT) >>> 0, i * frame.length + this.wire.idAt);
    }
    this.socket.write(frames);
  }

  start(): void {
    this.now = performance.now();
    for (let slot = 0; slot < this.outstanding; slot++) this.freed[slot] = slot;
    this.freedCount = this.outstanding;
    this.sendFreed();
  }

  private readonly onClose = (): void => this.window.fail("a connection was closed");

  private readonly onHeader = (bytes: Buffer, at: number): void => {
    const id = bytes.readUInt32BE(at + this.wire.idAt);
    const slot = id & ((1 << SLOT_BITS) - 1);
    if (slot >= this.outstanding || this.ids[slot] !== id)
      this.window.fail(`an answer to ${id}, which is not outstanding`);
    const failure = this.wire.failure(bytes, at);
    if (failure !== undefined) this.window.fail(failure);
    if (this.wire.rest(bytes, at, this.wire.responseHeader) !== this.responseRest)
      this.window.fail("a content of another size");
    this.current = slot;
  };

  private readonly onFrame = (): void => {
    this.window.histogram.record(this.now - this.starts[this.current]);
    // Spent: a second answer to it is a failure.
    this.ids[this.current] = 0;
    this.freed[this.freedCount++] = this.current;
    this.open -= 1;
  };

  /** A new request for each one that was answered, in one write. */
  private sendFreed(): void {
    const count = this.freedCount;
    this.freedCount = 0;
    if (count === 0 || this.window.stopping || this.window.failure !== undefined) return;
    this.generation = (this.generation + 1) & 0xffffff;
    for (let i = 0; i < count; i++) {
      const slot = this.freed[i];
      const id = ((this.generation << SLOT_BITS) | slot) >>> 0;
      this.ids[slot] = id;
      this.starts[slot] = this.now;
      this.requests.writeUInt32BE(id, i * this.frame.length + this.wire.idAt);
    }
    this.open += count;
    this.socket.write(this.requests.subarray(0, count * this.frame.length));
    // What the kernel has not taken yet still needs these bytes.
    if (this.socket.writableLength > 0) this.requests = repeated(this.frame, this.outstanding);
  }
}
